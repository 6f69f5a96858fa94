"""What a Patient Threshold Report says to one recipient, on its page and on paper.

Minimum necessary: the counted entries and no others. The PDF that is drawn of it is
kept by pmp.thresholds.threshold_copies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models import (
    CaseRecipient,
    CaseStatus,
    CorrectionNotice,
    Dispensation,
    DispensationStatus,
    Patient,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    ThresholdCase,
    Ticket,
    User,
)
from pmp import (
    audit,
    chart,
    clock,
    database,
    disclosures,
    history,
    mme,
    settings,
    wording,
)
from pmp.deliveries import contacts
from pmp.history.entries import Entry as HistoryEntry
from pmp.thresholds import (
    case_recipients,
    correction_notices,
    shown_rows,
    threshold_cases,
)
from pmp.thresholds.reached import people_words
from pmp.thresholds.shown_rows import Shown
from pmp.thresholds.threshold_rules import sentence

WHAT = "Patient Threshold Report"
PURPOSE = "Treatment and oversight: threshold reached"
# The chart goes on after the last fill, to show how long the supply lasts.
AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Entry:
    """A counted entry. `change` is empty, or what became of it since it was sent."""

    row_code: str
    filled_on: date
    drug: str
    schedule: str
    quantity: str
    days: int
    mme: str
    prescriber: str
    pharmacy: str
    is_mine: bool
    is_under_review: bool
    change: str = ""


@dataclass(frozen=True)
class Contact:
    """Somebody to call: phone and fax are +1 numbers, or empty.

    `key` is theirs in care_notes.addressees.
    """

    kind: str
    name: str
    phone: str
    fax: str
    key: str = ""


@dataclass(frozen=True)
class ThresholdReport:
    """Everything that the page and the PDF show. `charts` are SVG drawings.

    `reached` says what was found against the rule's numbers; `call_sheet` is everyone
    on the entries but the recipient; `code` proves a drawing genuine. `is_parted`: its
    entries were found to be of more than one person, and only the recipient's are here.
    `as_sent` says why it shows no more than was sent, or is empty.
    """

    recipient_id: int
    case_id: int
    rule: str
    reached: str
    crossed_on: date
    since: date
    until: date
    patient_id: int
    patient: str
    birth_date: date
    sex: str
    place: str
    also_reported_as: Sequence[str]
    entries: Sequence[Entry]
    charts: Sequence[str]
    call_sheet: Sequence[Contact]
    to_name: str
    to_lines: Sequence[str]
    to_fax: str
    reply_code: str
    made_at: datetime
    code: str = ""
    is_parted: bool = False
    as_sent: str = ""
    withdrawn_reason: str = ""

    @property
    def own_rows(self) -> int:
        """Count the entries that are the recipient's own."""
        return sum(entry.is_mine for entry in self.entries)


def report(
    recipient: CaseRecipient, *, at: datetime, code: str = ""
) -> ThresholdReport:
    """Make the report of a case for a recipient, from the entries as they stand.

    `code` is the verification code of the drawing that is made of it. NotFoundError
    where nothing of it may be shown to the recipient any more.
    """
    case = recipient.case
    someone = case_recipients.who(recipient)
    shown = shown_rows.to(recipient)
    rows = shown.rows
    known = _history(case, at=at)
    since, until = _window(case, shown)
    identities = _identities(rows)
    newest = identities[0]
    name = _name(newest)
    withdrawn = case.status == CaseStatus.WITHDRAWN
    return ThresholdReport(
        recipient_id=recipient.id,
        case_id=case.id,
        rule=sentence(case.rule),
        reached=_who(rows) if shown.as_sent else threshold_cases.reached_words(case),
        crossed_on=min(case.crossed_on, until),
        since=since,
        until=until,
        patient_id=case.patient.id,
        patient=name,
        birth_date=newest.birth_date,
        sex=newest.sex,
        place=", ".join(filter(None, (newest.street, newest.city, newest.state))),
        also_reported_as=sorted({_name(each) for each in identities} - {name}),
        entries=_entries(rows, known, someone),
        charts=_charts(
            [known[row.row_code] for row in rows if row.row_code in known],
            since=since,
            until=max(until, min(until + AFTER, clock.day_of(at))),
        ),
        call_sheet=_call_sheet(rows, someone),
        to_name=contacts.name_of(someone),
        to_lines=_address(someone),
        to_fax=contacts.fax_of(someone),
        reply_code=recipient.reply_code,
        made_at=at,
        code=code,
        is_parted=shown.is_parted,
        as_sent=shown.as_sent,
        withdrawn_reason=case.withdrawn_reason if withdrawn else "",
    )


def sending(recipient: CaseRecipient, *, address: str, at: datetime) -> None:
    """Write down that the report goes to a fax number or a postal address."""
    disclosures.record_once(
        patient=recipient.case.patient,
        recipient=contacts.name_of(case_recipients.who(recipient)),
        address=address.replace("\n", ", "),
        what=f"{WHAT} {recipient.reply_code}",
        purpose=PURPOSE,
        at=at,
    )


def about(recipient_id: int) -> tuple[Patient, str]:
    """Give whom the report to a recipient is about, and what it is called."""
    recipient = CaseRecipient.get_by_id(recipient_id)
    return recipient.case.patient, f"{WHAT} {recipient.reply_code}"


def open_in_portal(
    recipient_id: int, *, by: User, at: datetime, address: str = "", part: str = "page"
) -> CaseRecipient:
    """Open a report that was sent to a user; kept on record before it is shown.

    NotFoundError for somebody else's.
    """
    recipient = case_recipients.received(recipient_id, by=by)
    with database.atomic():
        disclosures.hold(recipient.case.patient)
        if recipient.opened_at is None:
            recipient.opened_at = at
            recipient.save(only=[CaseRecipient.opened_at])
        (
            CorrectionNotice.update(opened_at=at)
            .where(CorrectionNotice.recipient == recipient)
            .where(CorrectionNotice.opened_at.is_null())
            .execute()
        )
        audit.record(
            audit.Event.CASE_OPENED,
            actor=by.username,
            subject=f"case:{recipient.case.id}",
            at=at,
            detail={"recipient": recipient.id, "what": part},
            address=address,
        )
        disclosures.record(
            patient=recipient.case.patient,
            recipient=f"{by.name} ({by.username})",
            address=f"Portal, {address}" if address else "Portal",
            what=f"{WHAT} {recipient.reply_code} ({part})",
            purpose=PURPOSE,
            at=at,
            actor=by.username,
        )
    return recipient


def changes_of(recipient: CaseRecipient) -> list[CorrectionNotice]:
    """Give what the recipient was told has changed since, newest first."""
    return correction_notices.about(recipient)


def _window(case: ThresholdCase, shown: Shown) -> tuple[date, date]:
    if shown.as_sent:  # what came later must not show in the dates either
        return shown.rows[-1].filled_on, shown.rows[0].filled_on
    return case.window_first, case.window_last


def _who(rows: Sequence[Dispensation]) -> str:
    """Say how many prescribers and pharmacies are on some entries."""
    prescribers = len({row.prescriber.id for row in rows})
    pharmacies = len({row.pharmacy.id for row in rows})
    return people_words(prescribers, pharmacies)


def _history(case: ThresholdCase, *, at: datetime) -> dict[str, HistoryEntry]:
    """Give the words and doses of the patient's entries, by row code."""
    known = ReportedIdentity.select().where(ReportedIdentity.patient == case.patient)
    if not known.exists():  # joined with another patient since
        return {}
    made = history.patient_report(
        case.patient, since=case.window_first, until=case.window_last, at=at
    )
    return {entry.row_code: entry for entry in made.entries}


def _identities(rows: Sequence[Dispensation]) -> list[ReportedIdentity]:
    return list({row.identity.id: row.identity for row in rows}.values())


def _name(identity: ReportedIdentity) -> str:
    return wording.person_name(
        identity.last_name, identity.first_name, identity.middle_name
    )


def _entries(
    rows: Sequence[Dispensation],
    known: dict[str, HistoryEntry],
    someone: Prescriber | Pharmacy,
) -> list[Entry]:
    disputed = {
        ticket.__data__["dispensation"]
        for ticket in Ticket.select()
        .where(Ticket.dispensation.in_([row.id for row in rows]))
        .where(Ticket.resolved_at.is_null())
    }
    return [
        Entry(
            row_code=row.row_code,
            filled_on=row.filled_on,
            drug=row.drug_name,
            schedule=row.schedule,
            quantity=wording.amount(row.quantity),
            days=row.days_supply,
            mme=known[row.row_code].mme_words if row.row_code in known else "",
            prescriber=contacts.name_of(row.prescriber),
            pharmacy=contacts.name_of(row.pharmacy),
            is_mine=someone in (row.prescriber, row.pharmacy),
            is_under_review=row.id in disputed,
            change=_change(row),
        )
        for row in rows
    ]


def _change(row: Dispensation) -> str:
    if row.status == DispensationStatus.VOIDED:
        return "Voided"
    return "Corrected" if row.corrected else ""


def _charts(entries: Sequence[HistoryEntry], *, since: date, until: date) -> list[str]:
    fills = [entry.fill for entry in entries if not entry.is_animal]
    courses = [fill.course for fill in fills]
    total = mme.summary(courses, since=since, today=until)
    points = chart.Points(
        since=since,
        until=until,
        bars=[
            chart.Bar(fill.drug, fill.drug_class, fill.first, fill.days)
            for fill in fills
        ],
        steps=mme.steps(courses, since=since, until=until),
        now=total.today,
        peak=total.peak,
        peak_on=total.peak_on,
        at_least=total.at_least,
        limits=settings.current().mme_limits,
    )
    return chart.pages(points) if fills else []


def _call_sheet(
    rows: Sequence[Dispensation], someone: Prescriber | Pharmacy
) -> list[Contact]:
    prescribers = {row.prescriber.id: row.prescriber for row in rows}
    pharmacies = {row.pharmacy.id: row.pharmacy for row in rows}
    everyone: list[tuple[str, Prescriber | Pharmacy]] = [
        *(("Prescriber", each) for each in prescribers.values()),
        *(("Pharmacy", each) for each in pharmacies.values()),
    ]
    others = [(kind, each) for kind, each in everyone if each != someone]
    return [
        Contact(
            kind,
            contacts.name_of(each),
            contacts.phone_of(each),
            contacts.fax_of(each),
            f"{kind.lower()} {each.id}",
        )
        for kind, each in sorted(
            others,
            key=lambda pair: (pair[0] != "Prescriber", contacts.name_of(pair[1])),
        )
    ]


def _address(someone: Prescriber | Pharmacy) -> list[str]:
    licence = contacts.licence_of(someone)
    lines = contacts.address_lines(licence) if licence else []
    return lines or [contacts.name_of(someone)]

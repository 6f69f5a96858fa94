"""For staff: who is late, since when, how often, and what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models import (
    Delivery,
    DispenserKind,
    NoticeKind,
    Pharmacy,
    ReportingNote,
    ReportingNotice,
    Submission,
    User,
)
from pmp import audit, clock, database, downloads, settings, sorting
from pmp.deliveries import contacts
from pmp.downloads import Listing
from pmp.errors import RuleError
from pmp.reporting import banner, dispensers, notices, schedules, standing
from pmp.reporting.calendars import Calendar, Period
from pmp.reporting.standing import Log, Standing, State

LONGEST_NOTE = 1000
LATEST = "-late"
SORTS: dict[str, Any] = {
    "pharmacy": lambda row: row.pharmacy.name.casefold(),
    "late": lambda row: (row.is_late, row.days),
    "open": lambda row: row.period.first if row.periods else None,
}
FILE = Listing("late_pharmacies", "pharmacies", "Choose a kind or a town.")


@dataclass(frozen=True)
class Row:
    """A pharmacy and its oldest open days, else those that run.

    `days` since they were due, below 0 if they are not yet; `periods` that are open.
    """

    pharmacy: Pharmacy
    period: Period
    days: int
    periods: int
    exempt: bool

    @property
    def is_late(self) -> bool:
        """Whether something that it had to report is missing after its day."""
        return self.periods > 0 and self.days > 0


@dataclass(frozen=True)
class Detail:
    """What staff want to know before they call; deliveries by notice, latest first.

    `late_in_year` counts how often a first late notice went out within a year.
    """

    late_in_year: int
    last_report: datetime | None
    phone: str
    fax: str
    notices: list[tuple[ReportingNotice, list[Delivery]]]
    to_call: bool


@dataclass(frozen=True)
class Compliance:
    """How a pharmacy reported over a year: periods by how they ended."""

    in_time: int
    late: int
    missing: int
    exempt: int


def late(
    *,
    today: date,
    kind: DispenserKind | None = None,
    text: str = "",
    everyone: bool = False,
    sort: str = LATEST,
) -> list[Row]:
    """List the pharmacies that are late, the latest first; or all that must report.

    `text` is a part of the name, of the DEA number or of the town. `sort` is one of
    SORTS, a minus before it turns it round.
    """
    calendar = schedules.calendar()
    some = [each for each in dispensers.who_must_report() if _fits(each, kind, text)]
    found = standing.logs(some, since=today - standing.LOOK_BACK)
    rows = [_row(each, found[each.id], calendar, today=today) for each in some]
    wanted = (row for row in rows if everyone or row.is_late)
    by_name = sorted(wanted, key=lambda row: row.pharmacy.name)
    return sorting.rows_in_order(by_name, sort, SORTS)


def file_of(rows: Sequence[Row], *, by: User, at: datetime) -> list[Row]:
    """Give listed pharmacies for a file; kept on record. RuleError if too many."""
    return downloads.rows_of(rows, FILE, by=by, at=at)


def details(rows: Sequence[Row], *, today: date) -> dict[int, Detail]:
    """Give the details of late pharmacies, by the pharmacy's id; of one page's rows."""
    some = [row.pharmacy for row in rows]
    reported = standing.last_reports(some)
    told = {row.id: notices.of(row) for row in some}
    sent = notices.deliveries_of([each for rows in told.values() for each in rows])
    most = settings.current().late_notices
    made = {}
    for row in some:
        open_ones = [
            each
            for each in told[row.id]
            if each.kind is NoticeKind.LATE and each.answered_at is None
        ]
        made[row.id] = Detail(
            late_in_year=_times_late(told[row.id], today=today),
            last_report=reported.get(row.id),
            phone=contacts.phone_of(row),
            fax=contacts.fax_of(row),
            notices=[(each, sent.get(each.id, [])) for each in reversed(told[row.id])],
            to_call=len(open_ones) >= most,
        )
    return made


def year(pharmacy: Pharmacy, *, today: date) -> list[Standing]:
    """Give where a pharmacy stands with each period of a year, the latest first."""
    since = today - standing.YEAR
    log = standing.logs([pharmacy], since=since, whole=True)
    found = standing.standings(
        pharmacy,
        log.get(pharmacy.id, Log()),
        schedules.calendar(),
        since=since,
        today=today,
        whole=True,
    )
    return found[::-1]


def compliance(found: Sequence[Standing]) -> Compliance:
    """Count how a pharmacy reported, period by period; those to come do not count."""
    came = [each for each in found if each.came]
    return Compliance(
        in_time=sum(1 for each in came if not each.days_late),
        late=sum(1 for each in came if each.days_late),
        missing=sum(1 for each in found if each.state is State.LATE),
        exempt=sum(1 for each in found if each.state is State.EXEMPT),
    )


def note(
    text: str,
    *,
    pharmacy: Pharmacy | None = None,
    submission: Submission | None = None,
    by: User,
    at: datetime,
) -> ReportingNote:
    """Write down what staff did about a pharmacy or about a submission's held records.

    Of the two exactly one. RuleError for an empty or a long text.
    """
    if not text.strip():
        raise RuleError("Write what you did or agreed", field="text")
    if len(text) > LONGEST_NOTE:
        raise RuleError(f"Use at most {LONGEST_NOTE} characters", field="text")
    with database.atomic():
        row: ReportingNote = ReportingNote.create(
            pharmacy=pharmacy,
            submission=submission,
            text=text.strip(),
            written_by=by.username,
            written_at=at,
        )
        subject = pharmacy or submission
        word = "pharmacy" if pharmacy else "submission"
        audit.record(
            audit.Event.REPORTING_NOTED,
            actor=by.username,
            subject=f"{word}:{subject.id if subject else 0}",
            at=at,
            detail={"note": row.id},
        )
    return row


def notes_of(pharmacy: Pharmacy) -> list[ReportingNote]:
    """List the notes about a pharmacy, the latest first."""
    query = ReportingNote.select().where(ReportingNote.pharmacy == pharmacy)
    return list(query.order_by(ReportingNote.id.desc()))


def notes_of_submissions(numbers: Sequence[int]) -> dict[int, list[ReportingNote]]:
    """Give the notes about submissions, by the submission's id, the latest first."""
    query = ReportingNote.select().where(ReportingNote.submission.in_(numbers))
    found: dict[int, list[ReportingNote]] = {}
    for row in query.order_by(ReportingNote.id.desc()):
        found.setdefault(row.__data__["submission"], []).append(row)
    return found


def _fits(pharmacy: Pharmacy, kind: DispenserKind | None, text: str) -> bool:
    if kind and pharmacy.kind is not kind:
        return False
    facts = f"{pharmacy.name} {pharmacy.dea or ''} {pharmacy.city}"
    return text.strip().casefold() in facts.casefold()


def _row(pharmacy: Pharmacy, log: Log, calendar: Calendar, *, today: date) -> Row:
    now = banner.state_of(pharmacy, log, calendar, today=today)
    return Row(
        pharmacy=pharmacy,
        period=now.due.period,
        days=-now.due.days,
        periods=now.open_periods,
        exempt=now.due.exempt,
    )


def _times_late(told: Sequence[ReportingNotice], *, today: date) -> int:
    """Count how often a pharmacy was told for the first time that it was late."""
    since = clock.start_of(today - standing.YEAR)
    first = (each for each in told if each.number == 1 and each.made_at >= since)
    return sum(1 for each in first if each.kind is NoticeKind.LATE)

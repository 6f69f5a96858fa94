"""What the statistics count: each subject's columns, and its counts by month.

Nothing in them names anybody. A subject that concerns patients has its small counts
hidden; licensees and their reports are public by licence and have not.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from peewee import Case, fn

from models import (
    CaseRecipient,
    CaseStatus,
    ChannelName,
    Delivery,
    LookUp,
    LookUpOutcome,
    RecipientAnswer,
    RecipientReply,
    RecordStatus,
    Role,
    RuleStatus,
    Submission,
    SubmissionRecord,
    ThresholdCase,
    ThresholdRule,
    Ticket,
    TicketOutcome,
    User,
)
from pmp import clock
from pmp.deliveries import delivery_lists
from pmp.figures.months import by_month
from pmp.reporting import dispensers, schedules, standing
from pmp.reporting.standing import Standing, State
from pmp.wording import words

Counts = Counter[tuple[int, str]]
ROLES = {
    Role.PRACTITIONER: "Practitioners",
    Role.PHARMACY: "Pharmacies",
    Role.DELEGATE: "Delegates",
}
OTHERS, REFUSED = "Program staff", "Refused"
ARRIVED, NOT_ARRIVED = "arrived", "did not arrive"
UNDER_WAY = "Under way or stopped"
WITHDRAWN, OPEN = "Withdrawn", "Open"
IN_TIME, LATE, MISSING, EXEMPT = "In time", "Late", "Not reported", "Exempt"
SENT, KEPT, CLOSED = "Reported to recipients", "Not sent", "Closed"
ANSWERS = {
    RecipientAnswer.MY_PATIENT: "My patient",
    RecipientAnswer.NOT_MY_PATIENT: "Not my patient",
    None: "No answer",
}
CASES = {
    CaseStatus.DETECTED: KEPT,
    CaseStatus.HELD: KEPT,
    CaseStatus.QUEUED: SENT,
    CaseStatus.SENT: SENT,
    CaseStatus.ANSWERED: SENT,
    CaseStatus.CLOSED: CLOSED,
    CaseStatus.WITHDRAWN: WITHDRAWN,
}
RECORDS = {
    RecordStatus.HELD: "Not corrected",
    RecordStatus.CORRECTED: "Corrected",
    RecordStatus.WITHDRAWN: "Taken back",
}
DID = {
    "Spoke with the patient": RecipientReply.discussed_with_patient,
    "Spoke with the others": RecipientReply.discussed_with_others,
    "Offered a referral": RecipientReply.referral_offered,
}


@dataclass(frozen=True)
class Subject:
    """`adds_up`: each counted thing is in one of the columns, so a row has a total."""

    key: str
    title: str
    note: str
    columns: Sequence[str]
    count: Callable[[int, datetime], Counts]
    about_patients: bool = True
    adds_up: bool = True


def _accounts(year: int, at: datetime) -> Counts:  # noqa: ARG001 - as all of them
    return by_month(
        User.select().where(User.role.in_(list(ROLES))),
        User.created_at,
        year,
        kinds=[User.role],
        name=lambda role: ROLES[Role(role)],
    )


def _reports(year: int, at: datetime) -> Counts:
    """Count periods by the month in which they were due, over all who must report."""
    today, since = clock.day_of(at), date(year, 1, 1)
    calendar, found = schedules.calendar(), Counter[tuple[int, str]]()
    everyone = dispensers.who_must_report()
    logs = standing.logs(everyone, since=since, whole=True)
    for pharmacy in everyone:
        for each in standing.standings(
            pharmacy, logs[pharmacy.id], calendar, since=since, today=today, whole=True
        ):
            if each.period.due.year == year and (how := _how_reported(each)):
                found[each.period.due.month, how] += 1
    return found


def _how_reported(each: Standing) -> str:
    """Say how a period was reported; empty while it may still be."""
    if each.state is State.EXEMPT:
        return EXEMPT
    if each.came is not None:
        return LATE if each.days_late else IN_TIME
    return MISSING if each.state is State.LATE else ""


def _errors(year: int, at: datetime) -> Counts:  # noqa: ARG001
    real = ~Submission.dry_run & ~Submission.test
    return by_month(
        SubmissionRecord.select()
        .join(Submission)
        .where(real, SubmissionRecord.status.in_(list(RECORDS))),
        Submission.received_at,
        year,
        kinds=[SubmissionRecord.status],
        name=lambda status: RECORDS[RecordStatus(status)],
    )


def _look_ups(year: int, at: datetime) -> Counts:  # noqa: ARG001
    refused = Case(None, [(LookUp.outcome == LookUpOutcome.REFUSED, 1)], 0)
    return by_month(
        LookUp.select().join(User),
        LookUp.at,
        year,
        kinds=[User.role, refused],
        name=lambda role, is_refused: (
            REFUSED if is_refused else ROLES.get(Role(role), OTHERS)
        ),
    )


def _deliveries(year: int, at: datetime) -> Counts:  # noqa: ARG001
    return by_month(
        Delivery.select(),
        Delivery.created_at,
        year,
        kinds=[Delivery.channel, Delivery.state],
        name=_delivery_name,
    )


def _delivery_name(channel: str, state: str) -> str:
    for group, outcome in (("arrived", ARRIVED), ("not_arrived", NOT_ARRIVED)):
        if state in delivery_lists.GROUPS[group]:
            return _channel(ChannelName(channel), outcome)
    return UNDER_WAY


def _channel(channel: ChannelName, outcome: str) -> str:
    name = "Text" if channel == ChannelName.SMS else words(channel)
    return f"{name} {outcome}"


def _tickets(year: int, at: datetime) -> Counts:  # noqa: ARG001
    resolved = Case(None, [(Ticket.resolved_at.is_null(), 0)], 1)
    return by_month(
        Ticket.select(),
        Ticket.opened_at,
        year,
        kinds=[Ticket.outcome, resolved],
        name=lambda outcome, is_over: (
            words(outcome) if outcome else WITHDRAWN if is_over else OPEN
        ),
    )


def _cases(year: int, at: datetime) -> Counts:  # noqa: ARG001
    return by_month(
        ThresholdCase.select()
        .join(ThresholdRule)
        .where(ThresholdRule.status != RuleStatus.SILENT),
        ThresholdCase.detected_at,
        year,
        kinds=[ThresholdCase.status],
        name=lambda status: CASES[CaseStatus(status)],
    )


def _answers(year: int, at: datetime) -> Counts:  # noqa: ARG001
    return by_month(
        CaseRecipient.select().join(ThresholdCase),
        ThresholdCase.queued_at,
        year,
        kinds=[CaseRecipient.answer],
        name=lambda answer: ANSWERS[RecipientAnswer(answer) if answer else None],
    )


def _steps(year: int, at: datetime) -> Counts:  # noqa: ARG001
    """Count recipients who said so, each once a month for each step."""
    found: Counts = Counter()
    for name, said in DID.items():
        found += by_month(
            RecipientReply.select().where(said),
            RecipientReply.given_at,
            year,
            kinds=[],
            name=lambda name=name: name,
            what=fn.COUNT(RecipientReply.recipient.distinct()),
        )
    return found


def _outcomes() -> list[str]:
    return [*(words(each) for each in TicketOutcome), WITHDRAWN, OPEN]


def _ways() -> list[str]:
    ways = [
        _channel(channel, outcome)
        for channel in ChannelName
        for outcome in (ARRIVED, NOT_ARRIVED)
    ]
    return [*ways, UNDER_WAY]


SUBJECTS: dict[str, Subject] = {
    subject.key: subject
    for subject in (
        Subject(
            "look_ups",
            "Look-ups",
            "Each search, by who made it; refused are those beyond a limit.",
            [*ROLES.values(), OTHERS, REFUSED],
            _look_ups,
        ),
        Subject(
            "accounts",
            "New accounts",
            "Accounts by the month in which they were opened.",
            list(ROLES.values()),
            _accounts,
            about_patients=False,
        ),
        Subject(
            "reports",
            "Reporting of pharmacies",
            "Periods by the month in which they were due, of all who must report.",
            [IN_TIME, LATE, MISSING, EXEMPT],
            _reports,
            about_patients=False,
        ),
        Subject(
            "errors",
            "Records held for errors",
            "By the month in which their file came, as they stand now.",
            list(RECORDS.values()),
            _errors,
        ),
        Subject(
            "deliveries",
            "Deliveries",
            "Messages of all kinds by the month in which they were made.",
            _ways(),
            _deliveries,
        ),
        Subject(
            "tickets",
            "Inaccuracy tickets",
            "By the month in which they were opened, and how they ended.",
            _outcomes(),
            _tickets,
        ),
        Subject(
            "cases",
            "Threshold cases",
            "By the month in which the numbers were reached, as they stand now;"
            " without rules that are tried out silently.",
            [SENT, KEPT, CLOSED, WITHDRAWN],
            _cases,
        ),
        Subject(
            "answers",
            "What recipients answered",
            "Recipients of threshold reports by the month in which these were sent.",
            list(ANSWERS.values()),
            _answers,
        ),
        Subject(
            "steps",
            "What recipients did",
            "Recipients by the month in which they said so; one may have done several.",
            list(DID),
            _steps,
            adds_up=False,
        ),
    )
}

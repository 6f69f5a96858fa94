"""What a pharmacy dispensed, for its own review: its records as a list.

Every question is put to one pharmacy of those that the account covers, and is on the
audit record before its answer is shown.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from peewee import JOIN, fn

from models import (
    Dispensation,
    DispensationStatus,
    DrugClass,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Submission,
    Ticket,
    User,
)
from pmp import audit, reporters, settings
from pmp.dispensations import asked, early_refills
from pmp.errors import NotFoundError, RuleError
from pmp.paging import Page, pages_of

MOST_EARLY = 20_000  # ids in one question
ELSEWHERE = "*"  # any state but the programme's own
SORTS: dict[str, tuple[Any, ...]] = {
    "filled": (Dispensation.filled_on,),
    "number": (Dispensation.prescription_number, Dispensation.fill_number),
    "patient": (ReportedIdentity.last_name, ReportedIdentity.first_name),
    "drug": (Dispensation.drug_name,),
    "quantity": (Dispensation.quantity,),
    "days": (Dispensation.days_supply,),
    "prescriber": (Prescriber.last_name, Prescriber.first_name),
}
FILE_COLUMNS: tuple[Any, ...] = (
    Dispensation.id,
    Dispensation.row_code,
    Dispensation.status,
    Dispensation.corrected,
    Dispensation.filled_on,
    Dispensation.written_on,
    Dispensation.sold_on,
    Dispensation.prescription_number,
    Dispensation.fill_number,
    Dispensation.partial,
    Dispensation.refills_authorized,
    ReportedIdentity.last_name,
    ReportedIdentity.first_name,
    ReportedIdentity.birth_date,
    ReportedIdentity.state,
    Dispensation.product_code,
    Dispensation.drug_name,
    Dispensation.schedule,
    Dispensation.drug_class,
    Dispensation.quantity,
    Dispensation.days_supply,
    Dispensation.payment,
    Prescriber.dea,
    Prescriber.last_name.alias("prescriber_last"),
    Prescriber.first_name.alias("prescriber_first"),
    Dispensation.submission.alias("submission_id"),
)
_ONLY = frozenset({"patient", "prescriber", "state", "payment", "early"})


@dataclass(frozen=True)
class Wanted:
    """What to show; an empty part does not narrow.

    `pharmacy` is an id, None for the account's own; `since` and `until` are days
    filled. `patient` holds words of the name or a date of birth (`born`), `prescriber`
    words of the name or a DEA number, `drug` words of its name or an NDC. `only` is
    what a pattern narrows to: “patient:17”, “prescriber:5”, “state:NY” (“state:*”: any
    but the programme's own), “payment:01”, “early”, several with blanks between.
    `sort` is a key of SORTS, with a minus before it for the other way.
    """

    pharmacy: int | None = None
    since: date | None = None
    until: date | None = None
    drug_class: str = ""
    patient: str = ""
    born: date | None = None
    prescriber: str = ""
    drug: str = ""
    number: str = ""
    submission: int | None = None
    only: str = ""
    also_voided: bool = False
    sort: str = "-filled"


@dataclass(frozen=True)
class Totals:
    """Counts over all that is wanted, not the page alone; those that stand."""

    fills: int
    patients: int
    prescribers: int
    by_schedule: Mapping[str, int]


@dataclass(frozen=True)
class Dispensed:
    """A page of dispensations, the totals, and what is said beside single rows.

    `under_review` are ids of rows that an open ticket disputes; `only` says in words
    what a pattern narrowed the list to.
    """

    pharmacy: Pharmacy | None
    page: Page
    totals: Totals
    under_review: Collection[int]
    only: str = ""


NOTHING = Dispensed(None, Page([], 1, 1, 0), Totals(0, 0, 0, {}), frozenset())


def pharmacy_of(user: User, wanted: int | None) -> Pharmacy | None:
    """Give the chosen pharmacy of those that a user covers, its own by default.

    None for a user without a pharmacy; NotFoundError for one that is not covered.
    """
    covered = reporters.pharmacies_of(user)
    if wanted is None:
        return covered[0] if covered else None
    for pharmacy in covered:
        if pharmacy.id == wanted:
            return pharmacy
    raise NotFoundError("There is no such pharmacy among yours.")


def own(
    wanted: Wanted, *, number: int, by: User, at: datetime, size: int = asked.PAGE
) -> Dispensed:
    """Show a page of a user's own pharmacy's dispensations.

    On the audit record before it is shown.  Nothing for a user without a pharmacy.
    """
    pharmacy = pharmacy_of(by, wanted.pharmacy)
    if pharmacy is None:
        return NOTHING
    conditions = _conditions(wanted, pharmacy)
    totals = _totals(conditions)
    total = _how_many(conditions) if wanted.also_voided else totals.fills
    pages = pages_of(total, size)
    number = min(max(1, number), pages)
    rows = list(_sorted(_rows(conditions), wanted.sort).paginate(number, size))
    shown = [row.id for row in rows]
    _record(wanted, pharmacy, by=by, at=at, page=number, dispensations=shown)
    page = Page(rows, number, pages, total)
    return Dispensed(pharmacy, page, totals, _under_review(shown), _only_words(wanted))


def every(wanted: Wanted, *, by: User, at: datetime) -> list[Any]:
    """Give all that is wanted, in its order, for a file; on the audit record first.

    Rows are named tuples of the columns of a dispensation, its identity and its
    prescriber (FILE_COLUMNS).  Raises RuleError if they are too many.
    """
    pharmacy = pharmacy_of(by, wanted.pharmacy)
    if pharmacy is None:
        return []
    query = _joined(Dispensation.select(*FILE_COLUMNS))
    query = query.where(*_conditions(wanted, pharmacy))
    rows = list(_sorted(query, wanted.sort).limit(asked.MOST_ROWS + 1).namedtuples())
    asked.not_too_many(rows)
    ids = asked.ranges(row.id for row in rows)
    _record(wanted, pharmacy, by=by, at=at, file=True, dispensations=ids)
    return rows


def narrowing(only: str) -> dict[str, str]:
    """Read what a pattern narrows to: {"patient": "17"}; other words are left out."""
    parts = [word.partition(":") for word in only.split()]
    return {name: value for name, _, value in parts if name in _ONLY}


def _conditions(wanted: Wanted, pharmacy: Pharmacy) -> list[Any]:
    return [
        Dispensation.pharmacy == pharmacy,
        *_chosen(wanted),
        *_typed(wanted),
        *_narrowed(wanted, pharmacy),
    ]


def _joined(query: Any) -> Any:
    return (
        query.join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .switch(Dispensation)
    )


def _rows(conditions: list[Any]) -> Any:
    query: Any = Dispensation.select(
        Dispensation, ReportedIdentity, Prescriber, Submission
    )
    return _joined(query).join(Submission, JOIN.LEFT_OUTER).where(*conditions)


def _chosen(wanted: Wanted) -> Iterable[Any]:
    if not wanted.also_voided:
        yield Dispensation.status == DispensationStatus.CURRENT
    yield from asked.filled(wanted.since, wanted.until)
    if wanted.drug_class in {word.value for word in DrugClass}:
        yield Dispensation.drug_class == wanted.drug_class
    if wanted.submission is not None:
        yield Dispensation.submission == wanted.submission


def _narrowed(wanted: Wanted, pharmacy: Pharmacy) -> Iterable[Any]:
    only = narrowing(wanted.only)
    for name, column in (
        ("patient", Dispensation.patient),
        ("prescriber", Dispensation.prescriber),
    ):
        if name in only:
            yield column == (int(only[name]) if only[name].isdecimal() else 0)
    if "payment" in only:
        yield Dispensation.payment == only["payment"]
    if "state" in only:
        yield _in_state(only["state"])
    if "early" in only:
        ids = early_refills.early_ids(pharmacy, wanted.since, wanted.until)
        if len(ids) > MOST_EARLY:
            message = "These are too many early refills. Choose fewer days."
            raise RuleError(message, field="since")
        yield Dispensation.id.in_(ids)


def _in_state(state: str) -> Any:
    """Give the condition that a patient lives in a state; ELSEWHERE: not in ours."""
    person = ReportedIdentity.alias()
    column = fn.UPPER(person.state)
    if state == ELSEWHERE:
        ours = ["", settings.current().state_code]
        return asked.of_identity(person, column.not_in(ours))
    return asked.of_identity(person, column == state)


def _typed(wanted: Wanted) -> Iterable[Any]:
    doctor = Prescriber.alias()
    yield from asked.for_patient(wanted.patient, wanted.born)
    for word in wanted.prescriber.split():
        found = asked.holds(word, doctor.last_name, doctor.first_name, doctor.dea)
        yield asked.of_its(Dispensation.prescriber, doctor, found)
    yield from asked.of_drug(wanted.drug)
    if wanted.number:
        yield Dispensation.prescription_number == wanted.number.strip().upper()


def _sorted(query: Any, sort: str) -> Any:
    columns = SORTS.get(sort.removeprefix("-"), SORTS["filled"])
    order = [column.desc() if sort.startswith("-") else column for column in columns]
    return query.order_by(*order, Dispensation.filled_on.desc(), Dispensation.id.desc())


def _counted(conditions: list[Any], *columns: Any) -> Any:
    """Count without the joins: a condition on a person is a subquery of its own."""
    return Dispensation.select(*columns).where(*conditions)


def _how_many(conditions: list[Any]) -> int:
    return int(_counted(conditions, fn.COUNT(Dispensation.id)).scalar())


def _totals(conditions: list[Any]) -> Totals:
    conditions = [*conditions, Dispensation.status == DispensationStatus.CURRENT]
    patients = fn.COUNT(Dispensation.patient.distinct())
    prescribers = fn.COUNT(Dispensation.prescriber.distinct())
    people = _counted(conditions, patients, prescribers)
    by_patients, by_prescribers = people.tuples().get()
    number = fn.COUNT(Dispensation.id)
    schedules = dict(
        _counted(conditions, Dispensation.schedule, number)
        .group_by(Dispensation.schedule)
        .tuples()
    )
    return Totals(
        fills=sum(schedules.values()),
        patients=by_patients,
        prescribers=by_prescribers,
        by_schedule=dict(sorted(schedules.items())),
    )


def _under_review(ids: list[int]) -> set[int]:
    query: Any = (
        Ticket.select(Ticket.dispensation)
        .where(Ticket.dispensation.in_(ids) & Ticket.resolved_at.is_null())
        .tuples()
    )
    return {number for (number,) in query}


def _only_words(wanted: Wanted) -> str:
    only = narrowing(wanted.only)
    words = []
    if "early" in only:
        words.append("early refills")
    if "payment" in only:
        words.append("paid in cash" if only["payment"] == "01" else "one payment type")
    if "state" in only:
        elsewhere = only["state"] == ELSEWHERE
        words.append(
            "patients of another state" if elsewhere else f"patients in {only['state']}"
        )
    words += [f"one {name}" for name in ("patient", "prescriber") if name in only]
    return ", ".join(words)


def _record(
    wanted: Wanted, pharmacy: Pharmacy, *, by: User, at: datetime, **shown: object
) -> None:
    """Put on record what is shown; of what was typed, that something was, no names."""
    typed = ("patient", "born", "prescriber", "drug", "number")
    audit.record(
        audit.Event.DISPENSING_VIEWED,
        actor=by.username,
        subject=f"pharmacy:{pharmacy.id}",
        at=at,
        detail={
            "since": str(wanted.since or ""),
            "until": str(wanted.until or ""),
            "drug_class": wanted.drug_class,
            "only": wanted.only,
            "searched_by": [name for name in typed if getattr(wanted, name)],
            **shown,
        },
    )

"""Questions to the staff whether two are one person: the queue, and one side by side.

Listing and opening them shows patients, so both are on the audit record first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from models import (
    Dispensation,
    DispensationStatus,
    MatchReview,
    ReportedIdentity,
    Species,
    User,
)
from pmp import audit, bulk, downloads, sorting, withheld, wording
from pmp.downloads import Listing
from pmp.errors import NotFoundError
from pmp.matching import comparison, decisions, moves
from pmp.matching.comparison import Compared
from pmp.matching.open_reviews import waiting
from pmp.paging import page_of

PAGE_SIZE = 50
BANDS = {
    "low": ("Below 24 bits", None, Decimal(24)),
    "middle": ("24 to 40 bits", Decimal(24), Decimal(40)),
    "high": ("40 bits or more", Decimal(40), None),
}
"""How alike, in words; from, to below."""

LONGEST_WAITING = "waits"
SORTS: dict[str, Any] = {
    "reported": ReportedIdentity.last_name,
    "bits": MatchReview.score,
    "waits": MatchReview.opened_at,
}
HEADINGS = ("Question", "Patient", "May be patient", "Who", "Why", "Bits", "Asked")
FILE = Listing("match_reviews", "questions", "Choose how alike, or how old.")
AGES = {"week": ("more than 7 days", 7), "month": ("more than 30 days", 30)}


@dataclass(frozen=True)
class Wanted:
    """What the queue is narrowed to; an empty part does not narrow.

    `sort` is one of SORTS, a minus before it turns it round; else the oldest is first.
    """

    band: str = ""
    species: str = ""
    age: str = ""
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=LONGEST_WAITING)


@dataclass(frozen=True)
class Row:
    """A review in the queue."""

    id: int
    one: str
    other: str
    is_animal: bool
    score: Decimal
    why: str
    opened_at: datetime


@dataclass(frozen=True)
class Queue:
    """A page of the queue in its order; of all that are open, the oldest."""

    rows: Sequence[Row]
    number: int
    pages: int
    total: int
    open: int
    oldest: datetime | None


@dataclass(frozen=True)
class Reported:
    """An identity with its fills that users may see, newest first, and their reporters.

    `differs` names the columns that both give and that differ from the identity in
    question.
    """

    row: ReportedIdentity
    fills: Sequence[Dispensation]
    differs: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        row = self.row
        return wording.person_name(row.last_name, row.first_name, row.middle_name)

    @property
    def name_differs(self) -> bool:
        return bool(self.differs & {"last_name", "first_name", "middle_name"})

    @property
    def pharmacies(self) -> list[str]:
        return sorted({fill.pharmacy.name for fill in self.fills})


@dataclass(frozen=True)
class Side:
    """A patient and how they were reported."""

    patient_id: int
    reported: Sequence[Reported]

    @property
    def fills(self) -> int:
        return sum(len(each.fills) for each in self.reported)


@dataclass(frozen=True)
class Question:
    """A review with everything needed to decide it.

    `one` has the identity in question first; `nearest` is the report of the other side
    that is most like it; `kept` is whose number stays after a join.
    """

    review: MatchReview
    one: Side
    other: Side
    nearest: ReportedIdentity
    fields: Sequence[Compared]
    why: str
    weights: Sequence[tuple[str, str]]
    signs: Sequence[str]
    mark: str
    joinable: bool
    kept: int = field(default=0)


def queue(wanted: Wanted, *, by: User, at: datetime, page: int = 1) -> Queue:
    """Give a page of what waits; its reviews are on the audit record first."""
    listed = page_of(_narrowed(wanted, at), number=page, size=PAGE_SIZE)
    found = listed.rows
    if found:
        audit.record(
            audit.Event.MATCH_REVIEWS_LISTED,
            actor=by.username,
            subject="match_reviews",
            at=at,
            detail={"reviews": [review.id for review in found]},
        )
    others = _newest_of({review.__data__["candidate"] for review in found})
    first = waiting().order_by(MatchReview.opened_at).first()
    return Queue(
        [_row(review, others) for review in found],
        listed.number,
        listed.pages,
        listed.total,
        waiting().count(),
        first.opened_at if first else None,
    )


def lines_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the queue as lines of a file, under HEADINGS; kept on record.

    Patients stand there by number, never by name: a file lies on a desk. RuleError if
    it is longer than a file may be.
    """
    rows = downloads.rows_of(_narrowed(wanted, at), FILE, by=by, at=at)
    return [
        [
            review.id,
            review.identity.__data__["patient"],
            review.__data__["candidate"],
            wording.words(review.identity.species),
            str(review.evidence.get("why", "")),
            f"{review.score:.1f}",
            wording.us_time(review.opened_at),
        ]
        for review in rows
    ]


def get(review_id: int) -> MatchReview:
    """Give a review; NotFoundError."""
    found: MatchReview | None = MatchReview.get_or_none(id=review_id)
    if found is None:
        raise NotFoundError("There is no such question.")
    return found


def following(
    review: MatchReview, wanted: Wanted, *, at: datetime
) -> MatchReview | None:
    """Give what waits after a review in the queue as it is narrowed and sorted.

    Else the first of it; None if nothing else waits there.
    """
    place = (
        MatchReview.select(SORTS[wanted.order.removeprefix("-")], MatchReview.id)
        .join(ReportedIdentity)
        .where(MatchReview.id == review.id)
        .tuples()
        .get()
    )
    rest = _narrowed(wanted, at).where(MatchReview.id != review.id)
    after = sorting.later(wanted.order, SORTS, then=MatchReview.id, place=place)
    found: MatchReview | None = rest.where(after).first()
    return found or rest.first()


def question(review: MatchReview, *, by: User, at: datetime) -> Question | None:
    """Give a review side by side, on the audit record first; None if it is moot."""
    identity = review.identity
    patient_id, candidate = identity.patient.id, review.candidate.id
    audit.record(
        audit.Event.MATCH_REVIEW_OPENED,
        actor=by.username,
        subject=f"patient:{candidate}",
        at=at,
        detail={"review": review.id, "other": patient_id},
    )
    one = side(patient_id, beside=identity)
    other = side(candidate, beside=identity)
    if patient_id == candidate or not other.reported:
        return None
    others = [each.row for each in other.reported]
    near, likeness = comparison.nearest(identity, others)
    rows = [each.row for each in one.reported]
    evidence = {name: str(said) for name, said in review.evidence.items()}
    return Question(
        review=review,
        one=one,
        other=other,
        nearest=near,
        fields=comparison.fields(identity, near, likeness),
        why=evidence.pop("why", ""),
        weights=list(evidence.items()),
        signs=comparison.signs_against(rows, others),
        mark=decisions.mark_of(patient_id, candidate),
        joinable=comparison.one_kind([*rows, *others]),
        kept=min(patient_id, candidate),
    )


def side(patient_id: int, *, beside: ReportedIdentity | None = None) -> Side:
    """Give a patient's identities with their fills, the one `beside` first."""
    rows = moves.identities_of(patient_id)
    if beside is not None:
        rows.sort(key=lambda row: row.id != beside.id)
    fills = _fills([row.id for row in rows])
    return Side(
        patient_id,
        [Reported(row, fills.get(row.id, []), _differing(row, beside)) for row in rows],
    )


def _differing(
    row: ReportedIdentity, beside: ReportedIdentity | None
) -> frozenset[str]:
    if beside is None or beside.id == row.id:
        return frozenset()
    pairs = [
        (column, comparison.shown(row, column), comparison.shown(beside, column))
        for column, _, _ in comparison.FIELDS
    ]
    return frozenset(
        column
        for column, here, there in pairs
        if here and there and here.upper() != there.upper()
    )


def _fills(identities: Sequence[int]) -> dict[int, list[Dispensation]]:
    table: Any = Dispensation
    rows = (
        table.select()
        .where(bulk.among(table.identity, identities))
        .where(table.status == DispensationStatus.CURRENT)
        .where(withheld.shown())
        .order_by(table.filled_on.desc(), table.id.desc())
    )
    found: dict[int, list[Dispensation]] = {}
    for row in rows:
        found.setdefault(row.__data__["identity"], []).append(row)
    return found


def _narrowed(wanted: Wanted, at: datetime) -> Any:
    query = waiting()
    _, least, below = BANDS.get(wanted.band, ("", None, None))
    if least is not None:
        query = query.where(MatchReview.score >= least)
    if below is not None:
        query = query.where(MatchReview.score < below)
    if wanted.species in set(Species):
        query = query.where(ReportedIdentity.species == wanted.species)
    if wanted.age in AGES:
        days = AGES[wanted.age][1]
        query = query.where(MatchReview.opened_at < at - timedelta(days=days))
    return sorting.in_order(query, wanted.order, SORTS, then=MatchReview.id)


def _newest_of(patient_ids: set[int]) -> dict[int, ReportedIdentity]:
    """Give each patient's latest identity."""
    rows = ReportedIdentity.select().where(
        ReportedIdentity.patient.in_(sorted(patient_ids))
    )
    return {row.__data__["patient"]: row for row in rows.order_by(ReportedIdentity.id)}


def _row(review: MatchReview, others: dict[int, ReportedIdentity]) -> Row:
    identity = review.identity
    return Row(
        id=review.id,
        one=_who(identity),
        other=_who(others[review.__data__["candidate"]]),
        is_animal=identity.species is Species.ANIMAL,
        score=review.score,
        why=str(review.evidence.get("why", "")),
        opened_at=review.opened_at,
    )


def _who(row: ReportedIdentity) -> str:
    name = wording.person_name(row.last_name, row.first_name, row.middle_name)
    animal = f", {row.animal_name.upper()}" if row.animal_name else ""
    return f"{name}{animal}, born {wording.us_date(row.birth_date)}"

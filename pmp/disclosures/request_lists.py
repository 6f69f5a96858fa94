"""Lists of what patients and offices ask for: narrowed, sorted, and as a file.

No file names a patient: patients' own requests have the patient's number, and official
ones leave out how their office calls the case, which may be somebody's name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from peewee import fn

from models import (
    DenialReview,
    OfficialRequest,
    OfficialState,
    PartDenial,
    PatientAsk,
    PatientRequest,
    PatientRequestState,
    ReviewOutcome,
    User,
)
from pmp import downloads, sorting
from pmp.disclosures.patient_requests import WHAT
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import us_date, us_time, words

LATEST = "-request"
PATIENT_SORTS: dict[str, Any] = {
    "request": PatientRequest.id,
    "patient": PatientRequest.patient,
    "came": PatientRequest.received_on,
    "due": PatientRequest.due_on,
    "paper": PatientRequest.made_at,
    "state": PatientRequest.state,
}
PATIENT_HEADINGS = (
    "Request",
    "Patient",
    "What",
    "Asked on",
    "Due",
    "Extended",
    "Paper made",
    "Code",
    "State",
    "Ended",
    "Ended by",
    "Part denied",
    "Review asked on",
    "Review",
)
REVIEWS = {
    None: "waits",
    ReviewOutcome.UPHELD: "denial upheld",
    ReviewOutcome.OVERTURNED: "denial overturned",
}
PATIENT_STATES = {
    each: "Handed over" if each == PatientRequestState.GIVEN else words(each)
    for each in PatientRequestState
}
PATIENT_FILE = Listing("patient_requests", "requests", "Choose a state, or fewer days.")
OFFICIAL_SORTS: dict[str, Any] = {
    "request": OfficialRequest.id,
    "case": OfficialRequest.case_number,
    "agency": fn.LOWER(OfficialRequest.agency),
    "came": OfficialRequest.received_on,
    "prepared": OfficialRequest.prepared_by,
    "decided": OfficialRequest.decided_by,
    "state": OfficialRequest.state,
}
OFFICIAL_HEADINGS = (
    "Request",
    "Agency",
    "Based on",
    "Came",
    "Prepared by",
    "State",
    "Decided by",
    "Decided",
    "Code",
)
OFFICIAL_STATES = {
    each: "Waits for a second person" if each == OfficialState.WAITING else words(each)
    for each in OfficialState
}
OFFICIAL_FILE = Listing(
    "official_requests", "requests", "Choose a state, or an agency."
)


@dataclass(frozen=True)
class PatientWanted:
    """Which of patients' own requests to list; an empty part does not narrow.

    The days, inclusive, are those on which they asked. `sort` is one of PATIENT_SORTS,
    a minus before it turns it round; else the newest is first.
    """

    state: PatientRequestState | None = None
    asks: PatientAsk | None = None
    since: date | None = None
    until: date | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, PATIENT_SORTS, otherwise=LATEST)


@dataclass(frozen=True)
class Denied:
    """What a list tells of denials: a part that is denied, and the last review."""

    part: PartDenial | None = None
    review: DenialReview | None = None

    @property
    def reviewed(self) -> str:
        """How the review stands, in a word or two; empty if none was asked for."""
        return REVIEWS[self.review.outcome] if self.review else ""


@dataclass(frozen=True)
class OfficialWanted:
    """Which official requests to list; an empty part does not narrow.

    Each word of `text` must be part of the case number, the agency or the officer.
    `sort` is one of OFFICIAL_SORTS, a minus before it turns it round.
    """

    state: OfficialState | None = None
    text: str = ""
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, OFFICIAL_SORTS, otherwise=LATEST)


def of_patients(wanted: PatientWanted, *, page: int) -> Page:
    """Give a page of patients' own requests, whatever their state."""
    return page_of(_of_patients(wanted), number=page)


def lines_of_patients(
    wanted: PatientWanted, *, by: User, at: datetime
) -> list[list[Any]]:
    """Give patients' own requests as lines under PATIENT_HEADINGS; kept on record.

    RuleError if they are more than a file may hold.
    """
    rows = downloads.rows_of(_of_patients(wanted), PATIENT_FILE, by=by, at=at)
    denied = denied_of(rows)
    return [_line_of_patient(row, denied.get(row.id, Denied())) for row in rows]


def denied_of(rows: Iterable[PatientRequest]) -> dict[int, Denied]:
    """Give what was denied in part or reviewed of requests, by their ids."""
    ids = [row.id for row in rows]
    parts: Any = PartDenial.select().where(PartDenial.request.in_(ids))
    asked: Any = DenialReview.select().where(DenialReview.request.in_(ids))
    part_of = {each.request_id: each for each in parts}
    review_of = {each.request_id: each for each in asked.order_by(DenialReview.id)}
    return {
        each: Denied(part_of.get(each), review_of.get(each))
        for each in part_of.keys() | review_of.keys()
    }


def official(wanted: OfficialWanted, *, page: int) -> Page:
    """Give a page of official requests, whatever their state."""
    return page_of(_official(wanted), number=page)


def lines_of_official(
    wanted: OfficialWanted, *, by: User, at: datetime
) -> list[list[Any]]:
    """Give official requests as lines under OFFICIAL_HEADINGS; kept on record.

    RuleError if they are more than a file may hold.
    """
    rows = downloads.rows_of(_official(wanted), OFFICIAL_FILE, by=by, at=at)
    return [_line_of_official(row) for row in rows]


def _of_patients(wanted: PatientWanted) -> Any:
    query: Any = PatientRequest.select()
    if wanted.state:
        query = query.where(PatientRequest.state == wanted.state)
    if wanted.asks:
        query = query.where(PatientRequest.asks == wanted.asks)
    if wanted.since:
        query = query.where(PatientRequest.received_on >= wanted.since)
    if wanted.until:
        query = query.where(PatientRequest.received_on <= wanted.until)
    return sorting.in_order(query, wanted.order, PATIENT_SORTS, then=PatientRequest.id)


def _official(wanted: OfficialWanted) -> Any:
    query: Any = OfficialRequest.select()
    if wanted.state:
        query = query.where(OfficialRequest.state == wanted.state)
    for word in wanted.text.split():
        query = query.where(
            OfficialRequest.case_number.contains(word)
            | OfficialRequest.agency.contains(word)
            | OfficialRequest.officer.contains(word)
        )
    return sorting.in_order(
        query, wanted.order, OFFICIAL_SORTS, then=OfficialRequest.id
    )


def _line_of_patient(row: PatientRequest, denied: Denied) -> list[Any]:
    return [
        row.id,
        row.__data__["patient"],
        WHAT[row.asks],
        us_date(row.received_on),
        us_date(row.due_on),
        us_date(row.extended_at),
        us_time(row.made_at),
        row.code,
        PATIENT_STATES[row.state],
        us_time(row.ended_at),
        row.ended_by,
        us_date(denied.part.denied_at if denied.part else None),
        us_date(denied.review.asked_on if denied.review else None),
        denied.reviewed,
    ]


def _line_of_official(row: OfficialRequest) -> list[Any]:
    return [
        row.id,
        row.agency,
        row.legal_basis,
        us_date(row.received_on),
        row.prepared_by,
        OFFICIAL_STATES[row.state],
        row.decided_by,
        us_time(row.decided_at),
        row.code,
    ]

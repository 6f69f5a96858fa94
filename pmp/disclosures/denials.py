"""On what grounds the law lets the program refuse a patient their own record.

45 CFR 164.524(a)(2) and (a)(3); two more are no grounds to keep something from anybody:
who asks has not shown that they may, or the program does not hold what they want.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models import DenialReview, PartDenial, PatientRequest


class Ground(StrEnum):
    """Why a request is denied, as the letter to the patient explains it."""

    DANGER = "danger"
    OTHER_PERSON = "other_person"
    REPRESENTATIVE = "representative"
    PROCEEDINGS = "proceedings"
    CONFIDENCE = "confidence"
    NOT_SHOWN = "not_shown"
    NOT_HELD = "not_held"
    OTHER_LAW = "other_law"


@dataclass(frozen=True)
class Explained:
    """A ground for staff who choose it (`words`) and for who is refused (`told`)."""

    words: str
    told: str
    law: str
    is_reviewed: bool = False
    then: str = ""


ASK_AGAIN = (
    "You may ask again at any time. Bring a paper with your photograph and, if you ask"
    " for somebody else, the paper that says you may."
)
GROUNDS = {
    Ground.DANGER: Explained(
        "A danger to somebody's life or safety, says a health care professional",
        "A licensed health care professional has judged that giving you this record is"
        " reasonably likely to endanger your life or physical safety, or another"
        " person's.",
        "45 CFR 164.524(a)(3)(i)",
        is_reviewed=True,
    ),
    Ground.OTHER_PERSON: Explained(
        "It speaks of another person, who could be harmed",
        "The record speaks of another person, and a licensed health care professional"
        " has judged that giving it to you is reasonably likely to cause that person"
        " substantial harm.",
        "45 CFR 164.524(a)(3)(ii)",
        is_reviewed=True,
    ),
    Ground.REPRESENTATIVE: Explained(
        "Who asks for the patient could harm somebody with it",
        "You ask for somebody else, and a licensed health care professional has judged"
        " that giving you the record is reasonably likely to cause substantial harm to"
        " the patient or to another person.",
        "45 CFR 164.524(a)(3)(iii)",
        is_reviewed=True,
    ),
    Ground.PROCEEDINGS: Explained(
        "It was put together for a proceeding",
        "What you ask for was put together in expectation of, or for use in, a civil,"
        " criminal or administrative proceeding. The law does not give a right to it.",
        "45 CFR 164.524(a)(1)(ii) and (a)(2)(i)",
    ),
    Ground.CONFIDENCE: Explained(
        "Somebody told it in confidence",
        "Somebody who does not provide health care told us this under a promise of"
        " confidentiality, and giving it to you would be reasonably likely to reveal"
        " who it was.",
        "45 CFR 164.524(a)(2)(v)",
    ),
    Ground.NOT_SHOWN: Explained(
        "They have not shown who they are, or that they may ask",
        "We must be sure who asks before we give a record to anybody, and, where"
        " somebody asks for another person, that they may. We were not shown enough.",
        "45 CFR 164.514(h)",
        then=ASK_AGAIN,
    ),
    Ground.NOT_HELD: Explained(
        "The program does not hold what they want",
        "This program does not hold what you ask for. It keeps what pharmacies report"
        " of controlled drugs, and nothing else of your care.",
        "45 CFR 164.524(d)(3)",
        then="Where we know who holds it, the reason below says so.",
    ),
    Ground.OTHER_LAW: Explained(
        "Another law forbids it (name it in the reason)",
        "Another law does not let us give you what you ask for. The reason below names"
        " it.",
        "",
    ),
}


# Who has not shown that they may ask gets nothing; what is not held is in no record.
OF_A_PART = tuple(
    ground for ground in Ground if ground not in (Ground.NOT_SHOWN, Ground.NOT_HELD)
)


def part_of(request: PatientRequest) -> PartDenial | None:
    """Give what of a request is denied while the rest is given; None if nothing is."""
    found: PartDenial | None = PartDenial.get_or_none(PartDenial.request == request)
    return found


def is_under_review(request: PatientRequest, *, denied_at: datetime) -> bool:
    """Tell whether the patient waits for a review of a denial of that time."""
    waits: Any = DenialReview.ended_at.is_null()
    query = DenialReview.select().where(DenialReview.request == request, waits)
    return bool(query.where(DenialReview.denied_at == denied_at).exists())


def words_of(request: PatientRequest) -> str:
    """Give the ground of a denial in the words of staff; empty if there is none."""
    ground = request.denied_ground
    return GROUNDS[Ground(ground)].words if ground else ""

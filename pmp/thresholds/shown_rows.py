"""Which entries of a case its report shows to a recipient, on the page and on paper.

Never an animal's, never withheld ones. Of two people taken for one, only the
recipient's own: the others are a stranger's drugs. Who has no part in the patient any
more sees no more than was sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models import (
    CaseEntry,
    CaseRecipient,
    CorrectionNotice,
    Dispensation,
    Pharmacy,
    Prescriber,
    RecipientAnswer,
    ReportedIdentity,
    Species,
    ThresholdCase,
    ThresholdReportCopy,
)
from pmp import withheld
from pmp.errors import NotFoundError
from pmp.thresholds import case_recipients, threshold_cases

NOT_THEIRS = "you said that this is not your patient or customer"
NO_ROW_LEFT = "none of its entries is yours any more"


@dataclass(frozen=True)
class Shown:
    """Entries, the newest first. `is_parted`: they are only the recipient's own.

    `as_sent` says why they are no more than what was sent; else empty.
    """

    rows: Sequence[Dispensation]
    is_parted: bool = False
    as_sent: str = ""


def of_case(case: ThresholdCase) -> list[Dispensation]:
    """Give the counted dispensations, newest first; no animal's, none withheld."""
    return list(
        Dispensation.select(Dispensation, ReportedIdentity, Prescriber, Pharmacy)
        .join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .switch(Dispensation)
        .join(Pharmacy)
        .switch(Dispensation)
        .join(CaseEntry)
        .where(CaseEntry.case == case)
        .where(ReportedIdentity.species == Species.HUMAN)
        .where(withheld.shown())
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
    )


def to(recipient: CaseRecipient) -> Shown:
    """Give the entries that a recipient may see; NotFoundError where there are none."""
    rows = of_case(recipient.case)
    own = [row for row in rows if is_own(row, recipient)]
    is_parted = threshold_cases.are_two_peoples(rows)
    as_sent = ""
    if recipient.answer == RecipientAnswer.NOT_MY_PATIENT:
        as_sent = NOT_THEIRS
    elif not own:
        as_sent = NO_ROW_LEFT
    if as_sent:
        sent = _sent(recipient)
        rows = [row for row in rows if row.row_code in sent]
    if is_parted:
        rows = [row for row in rows if row in own]
    if not rows:
        raise NotFoundError("Nothing in this report concerns you any more.")
    return Shown(rows, is_parted, as_sent)


def is_own(row: Dispensation, recipient: CaseRecipient) -> bool:
    """Tell whether an entry is the recipient's: they prescribed or filled it."""
    return case_recipients.who(recipient) in (row.prescriber, row.pharmacy)


def standing(recipient: CaseRecipient) -> ThresholdReportCopy | None:
    """Give the drawing that stands; None while there is none."""
    found: ThresholdReportCopy | None = (
        ThresholdReportCopy.select()
        .join(CaseRecipient)
        .where(CaseRecipient.id == recipient.id)
        .where(CaseRecipient.document == ThresholdReportCopy.document)
        .order_by(ThresholdReportCopy.id.desc())
        .first()
    )
    return found


# --- Only here


def _sent(recipient: CaseRecipient) -> set[str]:
    """Give the codes of the rows that a recipient was sent.

    Of a report that was only opened in the portal no drawing was kept: then those that
    are their own, and those that they were told have changed.
    """
    if kept := standing(recipient):
        return set(kept.entries)
    own: Any = (
        Dispensation.select(Dispensation.row_code)
        .join(CaseEntry)
        .where(CaseEntry.case == recipient.case)
        .where(
            (Dispensation.prescriber == recipient.prescriber)
            | (Dispensation.pharmacy == recipient.pharmacy)
        )
    )
    told: Any = (
        Dispensation.select(Dispensation.row_code)
        .join(CorrectionNotice)
        .where(CorrectionNotice.recipient == recipient)
    )
    return {code for query in (own, told) for (code,) in query.tuples()}

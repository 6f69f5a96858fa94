"""A file of a pharmacy answers what it was asked: it revised or voided the entry."""

from datetime import datetime
from typing import Any

from models import (
    DispensationStatus,
    DispensationVersion,
    QuestionAnswer,
    Submission,
    Ticket,
    TicketQuestion,
)
from pmp import database, wording
from pmp.tickets import dispenser_questions


def answer(submission: Submission, *, at: datetime) -> int:
    """Answer the open questions about entries that a submission changed since.

    Gives how many entries; the same again answers nothing twice.
    """
    version = DispensationVersion
    query: Any = (
        TicketQuestion.select(TicketQuestion, Ticket)
        .join(Ticket)
        .join(version, on=(version.dispensation == Ticket.dispensation))
        .where(version.submission == submission)
        .where(version.changed_at >= TicketQuestion.asked_at)
        .where(TicketQuestion.answered_at.is_null(), Ticket.resolved_at.is_null())
        .order_by(TicketQuestion.id)
    )
    entries = {each.ticket.dispensation.id: each.ticket.dispensation for each in query}
    day = wording.us_date(submission.received_at)
    for entry in entries.values():
        is_gone = entry.status is DispensationStatus.VOIDED
        with database.atomic():
            dispenser_questions.hold(entry)
            dispenser_questions.answer_by_change(
                entry,
                QuestionAnswer.REMOVED if is_gone else QuestionAnswer.CORRECTED,
                f"By the pharmacy's file of {day}, submission {submission.id}.",
                by=submission.submitted_by,
                at=at,
            )
    return len(entries)

"""What recipients answer to a Patient Threshold Report, on the page, by fax, by phone.

Filed at once, changed at will; each reply stays and the newest counts. "Not my patient"
and a wrong row open tickets: saying the same again opens none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from peewee import fn

from models import (
    CaseRecipient,
    CaseStatus,
    Dispensation,
    DispensationStatus,
    RecipientAnswer,
    RecipientReply,
    ReplyChannel,
    ThresholdCase,
    Ticket,
    TicketProblem,
    User,
)
from pmp import audit, database
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.thresholds import case_recipients, shown_rows, threshold_cases
from pmp.thresholds.disputes import Disputant
from pmp.wording import words

LONGEST_NOTE = 1000
# What a recipient has done or wants: columns of a reply, in the reply page's order.
DONE = {
    "discussed_with_patient": "Discussed with the patient",
    "discussed_with_others": "Discussed with the other prescribers or pharmacies",
    "referral_offered": "Treatment referral offered",
    "please_call": "Please call me",
}
_WITH_THE_PATIENT = ("discussed_with_patient", "referral_offered")
_ANSWERS = {
    RecipientAnswer.MY_PATIENT: "My patient or customer",
    RecipientAnswer.NOT_MY_PATIENT: "Not my patient or customer",
}


@dataclass(frozen=True)
class Reply:
    """An answer. `wrong_rows`: row code → problem; `done`: names of DONE.

    On paper the first question may be left open.
    """

    answer: RecipientAnswer | None
    wrong_rows: Mapping[str, TicketProblem] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    note: str = ""


def answer(recipient_id: int, reply: Reply, *, by: User, at: datetime) -> list[str]:
    """File what a recipient answers on the page; gives the numbers of new tickets.

    NotFoundError if the report was not sent to `by`.
    """
    recipient = case_recipients.received(recipient_id, by=by)
    if reply.answer is None:
        raise RuleError("Say whether this is your patient or customer", "answer")
    return _new_tickets(recipient, reply, ReplyChannel.PAGE, by=by, at=at)[1]


def write_down(
    recipient: CaseRecipient,
    reply: Reply,
    *,
    channel: ReplyChannel,
    by: User,
    at: datetime,
) -> RecipientReply:
    """File what staff read on a fax, or were told on the telephone."""
    return _new_tickets(recipient, reply, channel, by=by, at=at)[0]


def called(reply_id: int, *, by: User, at: datetime) -> RecipientReply:
    """Note that staff called who asked for it; ConflictError if it was done."""
    with database.atomic():
        moved = (
            RecipientReply.update(called_by=by.username, called_at=at)
            .where(RecipientReply.id == reply_id)
            .where(RecipientReply.please_call)
            .where(RecipientReply.called_at.is_null())
            .execute()
        )
        reply: RecipientReply | None = RecipientReply.get_or_none(id=reply_id)
        if reply is None:
            raise NotFoundError("There is no such reply.")
        if not moved:
            raise ConflictError("Nobody waits for this call any more.")
        detail = {"recipient": reply.recipient.id}
        _record(audit.Event.CASE_CALLED, reply.recipient, detail, by=by, at=at)
    return reply


# --- Found


def rows_of(recipient: CaseRecipient) -> list[Dispensation]:
    """Give the rows that a recipient is asked about on the page: those that it shows.

    The newest first; NotFoundError where there are none.
    """
    return list(shown_rows.to(recipient).rows)


def newest(recipient: CaseRecipient) -> RecipientReply | None:
    """Give the reply that counts; None before the first."""
    return newest_of([recipient]).get(recipient.id)


def newest_of(recipients: Iterable[CaseRecipient]) -> dict[int, RecipientReply]:
    """Give the reply that counts of each who has answered, by recipient id."""
    ids = [recipient.id for recipient in recipients]
    query = RecipientReply.select().where(RecipientReply.id.in_(counting(ids)))
    return {reply.recipient_id: reply for reply in query}  # type: ignore[attr-defined]


def counting(recipient_ids: object) -> object:
    """Select the ids of the replies that count; `recipient_ids` a list or a query."""
    return (
        RecipientReply.select(fn.MAX(RecipientReply.id))
        .where(RecipientReply.recipient.in_(recipient_ids))
        .group_by(RecipientReply.recipient)
    )


def history(recipient: CaseRecipient) -> list[RecipientReply]:
    """Give every reply of a recipient, the newest first."""
    return list(
        RecipientReply.select()
        .where(RecipientReply.recipient == recipient)
        .order_by(RecipientReply.id.desc())
    )


def as_reply(kept: RecipientReply) -> Reply:
    """Give a kept reply as it was filed."""
    return Reply(
        kept.answer,
        {code: TicketProblem(problem) for code, problem in kept.wrong_rows.items()},
        frozenset(name for name in DONE if getattr(kept, name)),
        kept.note,
    )


def added_to(recipient: CaseRecipient, reply: Reply) -> Reply:
    """Give what counts when a paper comes after another answer: it adds to that one.

    What is not marked on paper is not said; whether it is their patient, the paper may
    change. Rows that are off the case by now are settled.
    """
    kept = newest(recipient)
    if kept is None:
        return reply
    said = as_reply(kept)
    on_it = {row.row_code for row in shown_rows.of_case(recipient.case)}
    wrong = {code: each for code, each in said.wrong_rows.items() if code in on_it}
    done = said.done - ({"please_call"} if kept.called_at else frozenset())
    if reply.answer == RecipientAnswer.NOT_MY_PATIENT:
        done -= set(_WITH_THE_PATIENT)
    return Reply(
        reply.answer or said.answer,
        wrong | dict(reply.wrong_rows),
        done | reply.done,
        reply.note or said.note,
    )


def in_words(kept: RecipientReply) -> list[str]:
    """Say what a reply says, a line each; the note is not among them."""
    lines = [_ANSWERS[kept.answer]] if kept.answer else []
    lines += [
        f"Row {code} is wrong: {words(problem).lower()}"
        for code, problem in sorted(kept.wrong_rows.items())
    ]
    return lines + [say for name, say in DONE.items() if getattr(kept, name)]


def tickets_of(kept: RecipientReply) -> list[Ticket]:
    """Give the tickets that a recipient's replies opened or added to."""
    query = Ticket.select().where(Ticket.number.in_(kept.tickets))
    return list(query.order_by(Ticket.id))


# --- Only here


def _new_tickets(
    recipient: CaseRecipient,
    reply: Reply,
    channel: ReplyChannel,
    *,
    by: User,
    at: datetime,
) -> tuple[RecipientReply, list[str]]:
    with database.atomic():
        # The case first: tickets and the audit record come after it, for everyone.
        case = threshold_cases.take(recipient.case)
        recipient = case_recipients.get(recipient.id)
        on_page = channel == ReplyChannel.PAGE
        rows = rows_of(recipient) if on_page else shown_rows.of_case(case)
        _require_sound(reply, {row.row_code for row in rows})
        # On paper the first question may be left open: what was answered stands.
        reply = replace(reply, answer=reply.answer or recipient.answer)
        before = newest(recipient)
        if before is not None and _says_nothing_new(reply, before):
            return before, []
        # Before tickets and the audit record, as whoever counts a case again does.
        _note_on_case(recipient, case, reply, at=at)
        disputes = _said_anew(recipient, reply, before, rows)
        reporter = Disputant(recipient, channel, reply.note, by, at)
        opened = [reporter.dispute(row, problem) for row, problem in disputes]
        known = list(before.tickets) if before else []
        if reply.answer == RecipientAnswer.MY_PATIENT and before:
            reporter.take_back(known)
        kept = _keep(recipient, reply, channel, [*known, *opened], by=by, at=at)
        if reply.answer == RecipientAnswer.NOT_MY_PATIENT:
            reason = "Not their patient, they say."
            case_recipients.stop_notes(recipient, reason=reason, by=by, at=at)
        detail = {
            "recipient": recipient.id,
            "reply": kept.id,
            "channel": channel.value,
            "answer": reply.answer.value if reply.answer else "",
            "wrong_rows": dict(kept.wrong_rows),
            "done": sorted(reply.done),
            "tickets": opened,
        }
        _record(audit.Event.CASE_ANSWERED, recipient, detail, by=by, at=at)
    return kept, opened


def _require_sound(reply: Reply, row_codes: set[str]) -> None:
    if not (reply.answer or reply.wrong_rows or reply.done):
        raise RuleError("Mark at least one thing", "answer")
    if unknown := sorted(set(reply.wrong_rows) - row_codes):
        raise RuleError(f"Row {unknown[0]} is not on this report", "rows")
    not_mine = reply.answer == RecipientAnswer.NOT_MY_PATIENT
    if not_mine and reply.done.intersection(_WITH_THE_PATIENT):
        raise RuleError(
            "You say that this is not your patient: then it was not discussed with the"
            " patient, nor a referral offered",
            "done",
        )
    if TicketProblem.OTHER in reply.wrong_rows.values() and not reply.note.strip():
        raise RuleError("Describe what is wrong with the row", "note")
    if len(reply.note) > LONGEST_NOTE:
        raise RuleError(f"Write at most {LONGEST_NOTE:,} characters", "note")


def _says_nothing_new(reply: Reply, before: RecipientReply) -> bool:
    """Tell whether the same page was sent again; a call that was made may be anew."""
    asks_again = before.called_at is not None and "please_call" in reply.done
    return as_reply(before) == reply and not asks_again


def _said_anew(
    recipient: CaseRecipient,
    reply: Reply,
    before: RecipientReply | None,
    rows: Sequence[Dispensation],
) -> list[tuple[Dispensation, TicketProblem]]:
    """Give the rows that this reply disputes and the one before did not."""
    said = before.wrong_rows if before else {}
    anew = {
        code: problem
        for code, problem in reply.wrong_rows.items()
        if said.get(code) != problem
    }
    standing = [row for row in rows if row.status != DispensationStatus.VOIDED]
    refused = RecipientAnswer.NOT_MY_PATIENT
    if reply.answer == refused and not (before and before.answer == refused):
        # Each row under their name is wrong; where none is left, the case is.
        own = [
            row for row in standing if shown_rows.is_own(row, recipient)
        ] or standing[:1]
        for row in own:
            anew.setdefault(row.row_code, TicketProblem.NOT_MY_PATIENT)
    return [(row, anew[row.row_code]) for row in standing if row.row_code in anew]


def _keep(
    recipient: CaseRecipient,
    reply: Reply,
    channel: ReplyChannel,
    numbers: Iterable[str],
    *,
    by: User,
    at: datetime,
) -> RecipientReply:
    kept: RecipientReply = RecipientReply.create(
        recipient=recipient,
        channel=channel,
        answer=reply.answer,
        wrong_rows={code: each.value for code, each in reply.wrong_rows.items()},
        note=reply.note,
        tickets=list(dict.fromkeys(numbers)),
        given_by=by.username,
        given_at=at,
        **{name: name in reply.done for name in DONE},
    )
    return kept


def _note_on_case(
    recipient: CaseRecipient, case: ThresholdCase, reply: Reply, *, at: datetime
) -> None:
    recipient.answer, recipient.answered_at = reply.answer, at
    recipient.note = reply.note
    recipient.save(
        only=[CaseRecipient.answer, CaseRecipient.answered_at, CaseRecipient.note]
    )
    if case.status in {CaseStatus.QUEUED, CaseStatus.SENT}:
        case.status = CaseStatus.ANSWERED
        case.save(only=[ThresholdCase.status])


def _record(
    event: audit.Event,
    recipient: CaseRecipient,
    detail: Mapping[str, object],
    *,
    by: User,
    at: datetime,
) -> None:
    subject = f"case:{recipient.case.id}"
    audit.record(event, actor=by.username, subject=subject, at=at, detail=dict(detail))

"""An inaccuracy ticket for staff: the entry beside its source, the thread, the end."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import (
    Audience,
    CorrectionNotice,
    OutsideKind,
    Ticket,
    TicketOutcome,
    TicketProblem,
)
from pmp import clock, readers, settings, ticket_wordings, tickets, wording
from pmp.permissions import Permission
from pmp.ticket_wordings import Wording
from pmp.tickets import (
    accepting,
    attachments,
    board,
    clocks,
    correspondence,
    dispenser_questions,
    evidence,
    handling,
    identity_tickets,
    outside,
    outside_answers,
    telling,
    ticket_desk,
    whole_records,
)
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.outside_reports import PhonedProblemForm
from portal.forms.staff_tickets import CorrectForm, ResolveForm, StaffMessageForm
from portal.numbers import whole

bp = Blueprint("staff_tickets", __name__)

OUTCOMES = {
    "void": TicketOutcome.VOIDED,
    "correct": TicketOutcome.CORRECTED,
    "uphold": TicketOutcome.UPHELD,
    "refer": TicketOutcome.REFERRED,
    "restore": TicketOutcome.UPHELD,
    "accept": TicketOutcome.CORRECTED,
}


@bp.route("/staff/tickets/new", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def new() -> ResponseReturnValue:
    form = PhonedProblemForm()
    if form.validate_on_submit():
        with rule_errors(form):
            user = signed_in_user()
            opened = outside.open_for_call(
                form.person(OutsideKind.CALLER, clock.today()),
                tickets.find_shown(form.row_code.data or "", by=user),
                problem=TicketProblem(form.problem.data),
                note=form.note.data or "",
                by=user,
                at=clock.now(),
            )
            flash(f"Ticket {opened.number} is open.")
            return to_ticket(opened)
    page = render_template("staff/tickets/new.html", form=form)
    return page, 422 if form.errors else 200


@bp.get("/staff/tickets/<number>")
@requires(Permission.TICKET_WORK)
def ticket(number: str) -> ResponseReturnValue:
    return _page(tickets.of_desk(number, by=signed_in_user()), StaffMessageForm())


@bp.post("/staff/tickets/<number>/take")
@requires(Permission.TICKET_WORK)
def take(number: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    handling.take(found, by=signed_in_user(), at=clock.now(), revision=revision())
    flash("The ticket is yours.")
    return to_ticket(found)


@bp.post("/staff/tickets/<number>/message")
@requires(Permission.TICKET_WORK)
def message(number: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    form = StaffMessageForm()
    if form.validate_on_submit():
        with rule_errors(form):
            text, user, at = form.text.data or "", signed_in_user(), clock.now()
            audience = Audience(form.to.data)
            if audience is Audience.DISPENSER:
                tickets.ask_dispenser(
                    found,
                    text=text,
                    by=user,
                    at=at,
                    revision=revision(),
                    pharmacy=dispenser_questions.pharmacy_of(form.pharmacy.data or ""),
                )
                due = wording.us_time(found.dispenser_due_at)
                flash(f"The pharmacy is asked. Its answer is due {due}.")
            else:
                correspondence.write(
                    found, text=text, by=user, at=at, audience=audience
                )
            return to_ticket(found)
    return _page(found, form)


@bp.route("/staff/tickets/<number>/<action>", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def resolve(number: str, action: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    outcome = OUTCOMES.get(action) or abort(404)
    form = _form(found, action)
    wordings = _wordings(found, outcome)
    form.offer_wordings(wordings)
    if "fill" in request.form:
        _fill(form, found, wordings)
    elif form.validate_on_submit() and form.confirmed.data == "yes" and not _editing():
        with rule_errors(form):
            told = _resolved(found, outcome, action, form)
            flash(_told_words(len(told), found))
            return to_ticket(found)
    return _resolve_page(found, form, action, outcome)


def revision() -> int:
    """Give the revision of the ticket that the form was made from."""
    return request.form.get("revision", default=0, type=whole)


def version() -> int:
    """Give the version of the entry that the form was made from."""
    return request.form.get("version", default=0, type=whole)


def to_ticket(found: Ticket) -> ResponseReturnValue:
    """Lead back to a ticket."""
    return redirect(url_for("staff_tickets.ticket", number=found.number), 303)


def _resolved(
    found: Ticket, outcome: TicketOutcome, action: str, form: ResolveForm
) -> list[CorrectionNotice]:
    note, user, at = form.note.data or "", signed_in_user(), clock.now()
    if action in {"accept", "restore"}:
        end = accepting.accept if action == "accept" else handling.put_back
        return end(
            found,
            note=note,
            by=user,
            at=at,
            revision=revision(),
            version=version(),
        )
    return tickets.resolve(
        found,
        outcome=outcome,
        note=note,
        changes=ticket_desk.changed(found.dispensation, form.changes()),
        by=user,
        at=at,
        revision=revision(),
        version=version(),
    )


def _editing() -> bool:
    """Tell whether the form is asked for once more, with what was typed."""
    return bool({"fill", "edit"} & request.form.keys())


def _told_words(recipients: int, found: Ticket) -> str:
    outside = outside_answers.of(found)
    called = outside is not None and outside.answer_by is None
    words = (
        f"Resolved. {'Call the reporter back.' if called else 'The reporter is told.'}"
    )
    entry = found.dispensation
    looked_up = readers.told_of(entry) if entry else 0
    if recipients or looked_up:
        others = ticket_desk.told_words(recipients, looked_up)
        words += f" So are the others who were sent the entry: {others}."
    return words


def _resolve_page(
    found: Ticket, form: ResolveForm, action: str, outcome: TicketOutcome
) -> ResponseReturnValue:
    """Give the form; once it is sound, the review of what it will do."""
    entry = found.dispensation
    ticket_desk.seen(found, by=signed_in_user(), at=clock.now())
    reviewed = form.is_submitted() and not form.errors and not _editing()
    form.confirmed.data = "yes" if reviewed else ""
    if form.form_errors:
        _renew(form, found)
    page = render_template(
        "staff/tickets/resolve.html",
        form=form,
        ticket=found,
        action=action,
        outcome=outcome,
        reviewed=reviewed,
        changes=ticket_desk.changed(entry, form.changes()),
        effect=ticket_desk.effect(entry, at=clock.now()),
        packs=evidence.packs_of(found) if action == "refer" else [],
        outside=outside_answers.of(found),
        reporter=telling.reporter_name(found),
    )
    return page, 422 if form.errors else 200


def _page(found: Ticket, form: StaffMessageForm) -> ResponseReturnValue:
    user, now = signed_in_user(), clock.now()
    entry = found.dispensation
    ticket_desk.seen(found, by=user, at=now)
    form.revision.data = str(found.revision)
    page = render_template(
        "staff/tickets/ticket.html",
        form=form,
        ticket=found,
        state=board.state_of(found),
        dues=clocks.running(found),
        thread=tickets.thread(found, audience=Audience.STAFF),
        source=ticket_desk.source(entry, by=user, at=now),
        changes=ticket_desk.changes(entry),
        effect=ticket_desk.effect(entry, at=now),
        others=ticket_desk.others_about(found),
        papers=attachments.of(found),
        packs=evidence.packs_of(found),
        may_reopen=handling.may_reopen(found, at=now),
        is_about_people=identity_tickets.is_about_people(found),
        named=identity_tickets.named_in_words(found),
        outcome=tickets.outcome_of(found),
        was_changed=accepting.was_changed(found),
        patient_id=whole_records.patient_of(found),
        outside=outside_answers.of(found),
        reporter=telling.reporter_name(found),
        questions=dispenser_questions.of_ticket(found),
        question_words=dispenser_questions.WORDS,
        now=now,
    )
    return page, 422 if form.errors else 200


def _form(found: Ticket, action: str) -> ResolveForm:
    entry = found.dispensation
    kind = CorrectForm if action == "correct" else ResolveForm
    form: ResolveForm = kind(
        revision=str(found.revision), version=str(entry.version) if entry else ""
    )
    if not form.is_submitted() and entry is not None:
        form.offer(entry)
    return form


def _renew(form: ResolveForm, found: Ticket) -> None:
    """Let whoever was told of another's change go on from it, and not undo it."""
    fresh = tickets.get(found.number)
    form.revision.data = str(fresh.revision)
    entry = fresh.dispensation
    if entry is not None and form.version.data != str(entry.version):
        form.version.data = str(entry.version)
        form.offer(entry)


def _wordings(found: Ticket, outcome: TicketOutcome) -> list[Wording]:
    every = ticket_wordings.load(settings.current().ticket_wordings)
    return ticket_wordings.fitting(every, outcome, found.problem)


def _fill(form: ResolveForm, found: Ticket, wordings: list[Wording]) -> None:
    """Put the chosen wording into the form; staff may change it before it is sent."""
    chosen = next((each for each in wordings if each.key == form.wording.data), None)
    if chosen is None:
        return
    entry = found.dispensation
    form.note.data = ticket_wordings.filled(
        chosen,
        row=whole_records.subject(found),
        pharmacy=(entry.pharmacy.name if entry else "") or "The pharmacy",
        phone=wording.phone(settings.current().program_phone),
    )

"""A patient for staff: found by row code or name, the file, the split."""

from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import MatchDecision, Ticket
from pmp import clock, tickets
from pmp.lookup.patient_search import Candidate
from pmp.matching import decisions, patient_files
from pmp.matching.outlook import Outlook, outlook
from pmp.permissions import Permission, can
from pmp.thresholds.reached import counted_words
from pmp.tickets import identity_tickets, telling
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_matches import (
    NameForm,
    RowCodeForm,
    SameAsForm,
    SplitForm,
)
from portal.numbers import whole
from portal.views.staff_matches import just_done

bp = Blueprint("staff_patients", __name__)


@bp.route("/staff/patients", methods=["GET", "POST"])
@requires(Permission.MATCH_DECIDE)
def find() -> ResponseReturnValue:
    by_name = request.form.get("by") == "name"
    named, coded = NameForm(), RowCodeForm()
    found: list[Candidate] | None = None
    form = named if by_name else coded
    if request.method == "POST" and form.validate():
        with rule_errors(form):
            if not by_name:
                return _to(_coded(coded))
            found = _named(named)
    page = render_template(
        "staff/patients/find.html",
        form=form if form.errors else None,
        named=named,
        coded=coded,
        found=found,
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/patients/<int:patient_id>")
@requires(Permission.MATCH_DECIDE)
def patient(patient_id: int) -> ResponseReturnValue:
    return _file_page(patient_id, SameAsForm())


@bp.post("/staff/patients/<int:patient_id>/same-as")
@requires(Permission.MATCH_DECIDE)
def same_as(patient_id: int) -> ResponseReturnValue:
    form = SameAsForm()
    if form.validate_on_submit():
        with rule_errors(form):
            asked = decisions.ask(
                patient_id, form.other.data or 0, by=signed_in_user(), at=clock.now()
            )
            return redirect(url_for("staff_matches.review", review_id=asked.id), 303)
    return _file_page(patient_id, form)


@bp.route("/staff/patients/<int:patient_id>/split", methods=["GET", "POST"])
@requires(Permission.MATCH_DECIDE)
def split(patient_id: int) -> ResponseReturnValue:
    form = SplitForm()
    ticket = _ticket(form)
    expected = None
    if form.validate_on_submit():
        with rule_errors(form):
            if form.confirmed.data != "yes":
                expected = _outlook_of_split(patient_id, form)
            elif ticket is not None:
                return _resolved(patient_id, ticket, form)
            else:
                decision = _split(patient_id, form)
                flash("Split: they are two patients now.")
                return _to(patient_id, done=decision.id)
    return _split_page(patient_id, form, ticket, expected)


def _file_page(patient_id: int, form: SameAsForm) -> ResponseReturnValue:
    user = signed_in_user()
    page = render_template(
        "staff/patients/patient.html",
        form=form,
        file=patient_files.open_file(patient_id, by=user, at=clock.now()),
        done=just_done(),
        counted_words=counted_words,
        may_audit=can(user.role, Permission.AUDIT_READ),
    )
    return page, 422 if form.errors else 200


def _coded(form: RowCodeForm) -> int:
    return patient_files.find_by_row_code(
        form.row_code.data or "", by=signed_in_user(), at=clock.now()
    )


def _named(form: NameForm) -> list[Candidate]:
    born = form.birth_date.data
    if born is None:  # a validator of the form asks for it
        return []
    return patient_files.find_by_name(
        first_name=form.first_name.data or "",
        last_name=form.last_name.data or "",
        birth_date=born,
        by=signed_in_user(),
        at=clock.now(),
    )


def _ticket(form: SplitForm) -> Ticket | None:
    number = form.ticket.data or request.args.get("ticket")
    return tickets.of_desk(number, by=signed_in_user()) if number else None


def _split(patient_id: int, form: SplitForm) -> MatchDecision:
    return decisions.split(
        patient_id,
        form.identities.data or [],
        to=form.to.data,
        reason=form.reason.data or "",
        seen=form.seen.data or "",
        by=signed_in_user(),
        at=clock.now(),
    )


def _outlook_of_split(patient_id: int, form: SplitForm) -> Outlook:
    patients = [patient_id, form.to.data] if form.to.data else [patient_id]
    return outlook(partial(_split, patient_id, form), patients)


def _resolved(patient_id: int, ticket: Ticket, form: SplitForm) -> ResponseReturnValue:
    identity_tickets.resolve_by_split(
        ticket,
        form.identities.data or [],
        to=form.to.data,
        note=form.reason.data or "",
        seen=form.seen.data or "",
        by=signed_in_user(),
        at=clock.now(),
        revision=request.form.get("revision", default=0, type=whole),
    )
    flash(f"Split. Ticket {ticket.number} is resolved, and the reporter is told.")
    return _to(patient_id)


def _split_page(
    patient_id: int, form: SplitForm, ticket: Ticket | None, expected: Outlook | None
) -> ResponseReturnValue:
    file = patient_files.open_file(patient_id, by=signed_in_user(), at=clock.now())
    if not form.is_submitted():
        form.seen.data = file.mark
        form.identities.data = identity_tickets.named(ticket) if ticket else []
        form.ticket.data = ticket.number if ticket else ""
        form.revision.data = ticket.revision if ticket else ""
    form.confirmed.data = "yes" if expected else ""
    page = render_template(
        "staff/patients/split.html",
        form=form,
        file=file,
        chosen=set(form.identities.data or []),
        ticket=ticket,
        reporter=telling.reporter_name(ticket) if ticket else "",
        outlook=expected,
    )
    return page, 422 if form.errors else 200


def _to(patient_id: int, done: int | None = None) -> ResponseReturnValue:
    return redirect(
        url_for("staff_patients.patient", patient_id=patient_id, done=done), 303
    )

"""Registrations for staff: who waits, the fax beside the roster, and the decision."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Application, ApplicationStatus, UserStatus
from pmp import clock, faxes, registration
from pmp.accounts import credentials
from pmp.errors import NotFoundError
from pmp.permissions import Permission
from pmp.registration import approval, comparison
from pmp.registration.answers import shown
from pmp.registration.approval import ReturnReason
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_registrations import (
    ApproveForm,
    NewLetterForm,
    OverrideForm,
    RejectForm,
    ReturnForm,
)

bp = Blueprint("staff_registrations", __name__)

LISTS = {
    "decide": ("To decide", [ApplicationStatus.CONFIRMATION_RECEIVED]),
    "page": (
        "Waiting for the signed page",
        [ApplicationStatus.SUBMITTED, ApplicationStatus.RETURNED],
    ),
    "mail": ("Letter not mailed yet", [ApplicationStatus.APPROVED]),
    "closed": (
        "Decided",
        [
            ApplicationStatus.CREDENTIALS_MAILED,
            ApplicationStatus.ACTIVE,
            ApplicationStatus.REJECTED,
            ApplicationStatus.EXPIRED,
        ],
    ),
}
FORMS = {
    "approve": ApproveForm,
    "override": OverrideForm,
    "return": ReturnForm,
    "reject": RejectForm,
    "letter": NewLetterForm,
}


@bp.get("/staff/registrations")
@requires(Permission.REGISTRATION_DECIDE)
def queue() -> ResponseReturnValue:
    chosen = request.args.get("list", "decide")
    if chosen not in LISTS:
        raise NotFoundError("There is no such list.")
    page = max(1, request.args.get("page", 1, type=int))
    rows, total = registration.listed(LISTS[chosen][1], page=page)
    return render_template(
        "staff/registrations/queue.html",
        lists=LISTS,
        chosen=chosen,
        rows=rows,
        total=total,
        page=page,
        pages=-(-total // registration.PAGE_SIZE),
        name_of=comparison.applicant_name,
        now=clock.now(),
    )


@bp.get("/staff/registrations/<code>")
@requires(Permission.REGISTRATION_DECIDE)
def compare(code: str) -> ResponseReturnValue:
    return _beside_roster(_application(code))


@bp.post("/staff/registrations/<code>/approve")
@requires(Permission.REGISTRATION_DECIDE)
def approve(code: str) -> ResponseReturnValue:
    application, form = _application(code), _form("approve")
    if form.validate():
        with rule_errors(form):
            user = approval.approve(
                application,
                checked=form.checked.data or [],
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"Approved. The letter to {user.username} is being prepared.")
            return _next()
    return _beside_roster(application, approve=form)


@bp.post("/staff/registrations/<code>/override")
@requires(Permission.REGISTRATION_DECIDE)
def override(code: str) -> ResponseReturnValue:
    application, form = _application(code), _form("override")
    if form.validate():
        with rule_errors(form):
            approval.ask_override(
                application,
                reason=form.reason.data,
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("Noted. Another member of staff must approve it now.")
            return redirect(url_for(".compare", code=application.code), 303)
    return _beside_roster(application, override=form)


@bp.post("/staff/registrations/<code>/return")
@requires(Permission.REGISTRATION_DECIDE)
def send_back(code: str) -> ResponseReturnValue:
    application, form = _application(code), _form("return")
    if form.validate():
        with rule_errors(form):
            approval.return_(
                application,
                reason=ReturnReason(form.reason.data),
                note=form.note.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"{application.code} is returned. The applicant is being told.")
            return _next()
    return _beside_roster(application, **{"return": form})


@bp.post("/staff/registrations/<code>/reject")
@requires(Permission.REGISTRATION_DECIDE)
def reject(code: str) -> ResponseReturnValue:
    application, form = _application(code), _form("reject")
    if form.validate():
        with rule_errors(form):
            approval.reject(
                application,
                reason=form.reason.data,
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"{application.code} is rejected. The applicant is being told.")
            return _next()
    return _beside_roster(application, reject=form)


@bp.post("/staff/registrations/<code>/new-letter")
@requires(Permission.REGISTRATION_DECIDE)
def new_letter(code: str) -> ResponseReturnValue:
    application, form = _application(code), _form("letter")
    if application.user is None:
        raise NotFoundError("There is no account to mail a letter to.")
    if form.validate():
        with rule_errors(form):
            credentials.reissue(
                application.user,
                reason=form.reason.data,
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("A new letter is being prepared. The old one is no longer in force.")
            return redirect(url_for(".compare", code=application.code), 303)
    return _beside_roster(application, letter=form)


def _application(code: str) -> Application:
    application = registration.by_code(code)
    if application is None:
        raise NotFoundError("There is no registration with this code.")
    return application


def _form(name: str) -> Any:
    return FORMS[name](prefix=f"{name}-")


def _next() -> ResponseReturnValue:
    return redirect(url_for(".queue"), 303)


def _beside_roster(application: Application, **sent: Any) -> ResponseReturnValue:
    """Show the page; `sent` is the form that was refused, if one was."""
    forms = {
        name: kind(prefix=f"{name}-", formdata=None) for name, kind in FORMS.items()
    }
    application = Application.get_by_id(application.id)
    at = clock.now()
    page = render_template(
        "staff/registrations/compare.html",
        application=application,
        standing=registration.standing(application),
        name=comparison.applicant_name(application),
        answers=shown(application.profession, application),
        found=comparison.compare(application, at=at),
        others=comparison.others_like(application),
        faxes=faxes.of(application),
        may_override=approval.may_override(application, signed_in_user()),
        awaits_letter=application.user
        and application.user.status == UserStatus.AWAITING_FIRST_SIGN_IN,
        forms=forms | sent,
        form=next(iter(sent.values()), None),
        now=at,
    )
    return page, 422 if sent else 200

"""Registrations for staff: who waits, the fax beside the roster, and the decision."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import (
    Application,
    CoveredPharmacy,
    Profession,
    User,
    UserStatus,
)
from pmp import clock, desk_holds, faxes, registration
from pmp.accounts import coverage, credentials
from pmp.errors import NotFoundError, RuleError
from pmp.permissions import Permission
from pmp.registration import application_lists, approval, comparison
from pmp.registration.answers import shown
from pmp.registration.application_lists import Wanted
from pmp.registration.approval import ReturnReason
from pmp.roster import licence_decisions
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_registrations import (
    ApproveForm,
    CoverForm,
    NewLetterForm,
    OverrideForm,
    RegistrationFilterForm,
    RejectForm,
    ReturnForm,
)
from portal.paging import page_asked_for, sort_asked_for
from portal.views.staff_desk import to_next_registration

bp = Blueprint("staff_registrations", __name__)

FORMS = {
    "approve": ApproveForm,
    "override": OverrideForm,
    "return": ReturnForm,
    "reject": RejectForm,
    "letter": NewLetterForm,
    "cover": CoverForm,
}


@bp.get("/staff/registrations")
@requires(Permission.REGISTRATION_DECIDE)
def queue() -> ResponseReturnValue:
    form = RegistrationFilterForm(request.args)
    form.validate()
    return _listed(form)


@bp.get("/staff/registrations.csv")
@requires(Permission.REGISTRATION_DECIDE)
def csv() -> ResponseReturnValue:
    form = RegistrationFilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted = form.wanted(_which(), sort_asked_for())
            user, now = signed_in_user(), clock.now()
            rows = application_lists.rows_of(wanted, by=user, at=now)
            return csv_answer("registrations.csv", application_lists.HEADINGS, rows)
    return _listed(form)


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
    user = _account(application)
    if form.validate():
        with rule_errors(form):
            credentials.reissue(
                user,
                reason=form.reason.data,
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("A new letter is being prepared. The old one is no longer in force.")
            return redirect(url_for(".compare", code=application.code), 303)
    return _beside_roster(application, letter=form)


@bp.post("/staff/registrations/<code>/pharmacies")
@requires(Permission.REGISTRATION_DECIDE)
def cover(code: str) -> ResponseReturnValue:
    application, form = _application(code), _form("cover")
    user = _account(application)
    if form.validate():
        with rule_errors(form):
            granted = coverage.grant(
                user, licence=form.licence.data, by=signed_in_user(), at=clock.now()
            )
            flash(f"{user.username} may report for {granted.name} from now on.")
            return _to_coverage(application)
    return _beside_roster(application, cover=form)


@bp.post("/staff/registrations/<code>/pharmacies/withdraw")
@requires(Permission.REGISTRATION_DECIDE)
def withdraw(code: str) -> ResponseReturnValue:
    application, licence = _application(code), request.form.get("licence", "")
    user = _account(application)
    try:
        coverage.withdraw(user, licence=licence, by=signed_in_user(), at=clock.now())
        flash(f"{user.username} may no longer report for {licence}.")
    except RuleError as refusal:  # another member of staff was faster
        flash(str(refusal), "warn")
    return _to_coverage(application)


def _application(code: str) -> Application:
    application = registration.by_code(code)
    if application is None:
        raise NotFoundError("There is no registration with this code.")
    return application


def _account(application: Application) -> User:
    user: User | None = application.user
    if user is None:
        raise NotFoundError("This registration has no account.")
    return user


def _which() -> str:
    which = request.args.get("list", "decide")
    if which not in application_lists.LISTS:
        raise NotFoundError("There is no such list.")
    return which


def _listed(form: RegistrationFilterForm) -> ResponseReturnValue:
    which, now = _which(), clock.now()
    is_sound = form.is_sound
    wanted = form.wanted(which, sort_asked_for()) if is_sound else Wanted(which)
    listed = application_lists.listed(wanted, page=page_asked_for())
    mailed = application_lists.LISTS["out"].statuses
    page = render_template(
        "staff/registrations/queue.html",
        form=form,
        lists=application_lists.LISTS,
        chosen=which,
        listed=listed,
        filters=form.in_address(),
        sort=wanted.order,
        name_of=comparison.applicant_name,
        holds=desk_holds.held(listed.rows, at=now),
        too_old=credentials.too_old(
            [row for row in listed.rows if row.status in mailed], at=now
        ),
        subject_of=desk_holds.subject_of,
        since_of=application_lists.since,
        now=now,
    )
    return page, 422 if form.errors else 200


def _covered(application: Application) -> list[CoveredPharmacy] | None:
    """Give the further pharmacies of a pharmacy's account; None for all others."""
    if application.user is None or application.profession != Profession.PHARMACY:
        return None
    return coverage.of(application.user)


def _to_coverage(application: Application) -> ResponseReturnValue:
    page = url_for(".compare", code=application.code)
    return redirect(f"{page}#pharmacies", 303)


def _following(application: Application, at: datetime) -> Application | None:
    """Give the next registration to decide that nobody else has."""
    waiting = application_lists.to_decide()
    holds = desk_holds.held(waiting, at=at)
    for row in waiting:
        hold = holds.get(desk_holds.subject_of(row))
        if row != application and (hold is None or hold.user == signed_in_user()):
            return row
    return None


def _form(name: str) -> Any:
    return FORMS[name](prefix=f"{name}-")


def _next() -> ResponseReturnValue:
    return to_next_registration()


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
        hold=desk_holds.holder(application, at=at),
        following=_following(application, at),
        may_override=approval.may_override(application, signed_in_user()),
        awaits_letter=application.user
        and application.user.status == UserStatus.AWAITING_FIRST_SIGN_IN,
        covered=_covered(application),
        licence_history=licence_decisions.of_user(application.user),
        forms=forms | sent,
        form=next(iter(sent.values()), None),
        now=at,
    )
    return page, 422 if sent else 200

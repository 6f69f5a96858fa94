"""Users for staff: the list, a user's page, and what administrators do about one."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import User
from pmp import clock
from pmp.accounts import (
    new_accounts,
    role_changes,
    standings,
    user_desk,
    user_files,
    user_lists,
)
from pmp.audit import audit_search
from pmp.deliveries import delivery_desk, sealed_searches
from pmp.errors import NotFoundError, RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_users import ReasonForm, UserFilterForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_users", __name__)
NOT_TOLD = "They could not be told: no email, fax or address of theirs is known."


@dataclass(frozen=True)
class Action:
    """Something grave that is done about an account, on a page of its own first."""

    rule: Callable[..., bool]
    button: str
    what_happens: str
    done: str


ACTIONS = {
    "suspend": Action(
        user_desk.suspend,
        "Suspend the account",
        "Every session ends at once and nobody can sign in with it until it is opened"
        " again. The user is told that it is suspended, not why.",
        "is suspended; every session has ended.",
    ),
    "reactivate": Action(
        user_desk.reactivate,
        "Open the account again",
        "The user can sign in again, with the password that they had; who never came in"
        " needs the letter, or the link by email. The user is told.",
        "may sign in again.",
    ),
    "new-letter": Action(
        user_desk.new_letter,
        "Mail a new password letter",
        "A letter with a single-use password goes to the address of record. The"
        " password that the user has now stops working and every session ends; this"
        " cannot be undone. For the first sign-in with the letter a user who registered"
        " needs the code of the registration as well.",
        "gets a new letter; the old password is no longer in force.",
    ),
}


@bp.get("/staff/users")
@requires(Permission.USER_READ)
def index() -> ResponseReturnValue:
    form = UserFilterForm(request.args)
    form.validate()
    return _listed(form)


@bp.get("/staff/users.csv")
@requires(Permission.USER_READ)
def csv() -> ResponseReturnValue:
    form = UserFilterForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = user_lists.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("users.csv", user_lists.HEADINGS, rows)
    return _listed(form)


@bp.get("/staff/users/<int:user_id>")
@requires(Permission.USER_READ)
def show(user_id: int) -> ResponseReturnValue:
    now = clock.now()
    whose = user_desk.get(user_id)
    return render_template(
        "staff/users/user.html",
        whose=whose,
        file=user_files.opened(whose, by=signed_in_user(), at=now),
        state=standings.state_words(whose, at=now),
        is_locked=standings.is_locked(whose, at=now),
        seen=standings.mark(whose),
        is_own=whose.id == signed_in_user().id,
        may_change_role=role_changes.may_change(whose),
        proposed=role_changes.open_of(whose),
        detail=audit_search.detail_words,
        desk=delivery_desk,
        sealed=sealed_searches.seal,
        now=now,
    )


@bp.post("/staff/users/<int:user_id>/unlock")
@requires(Permission.USER_ADMINISTER)
def unlock(user_id: int) -> ResponseReturnValue:
    seen = request.form.get("seen", "")
    try:
        told = user_desk.unlock(user_id, seen=seen, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        user_desk.get(user_id)
        flash(refusal.message, "warn")
    else:
        flash("The lock is off: they may try again.")
        warn_if_not(told=told)
    return redirect(url_for(".show", user_id=user_id), 303)


@bp.route("/staff/users/<int:user_id>/<action>", methods=["GET", "POST"])
@requires(Permission.USER_ADMINISTER)
def act(user_id: int, action: str) -> ResponseReturnValue:
    whose, form, chosen = user_desk.get(user_id), ReasonForm(), ACTIONS.get(action)
    if chosen is None:
        raise NotFoundError("There is no such page.")
    if form.validate_on_submit():
        with rule_errors(form):
            told = chosen.rule(
                user_id,
                reason=form.reason.data or "",
                seen=form.seen.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"{whose.username} {chosen.done}")
            warn_if_not(told=told)
            return redirect(url_for(".show", user_id=user_id), 303)
    return _asked(user_desk.get(user_id), form, chosen)


def warn_if_not(*, told: bool) -> None:
    """Say so where a user has no way to be told."""
    if not told:
        flash(NOT_TOLD, "warn")


def _asked(whose: User, form: ReasonForm, chosen: Action) -> ResponseReturnValue:
    """Show what will happen; the account is seen as this page shows it."""
    now = clock.now()
    form.seen.data = standings.mark(whose)
    page = render_template(
        "staff/users/act.html",
        whose=whose,
        state=standings.state_words(whose, at=now),
        form=form,
        chosen=chosen,
    )
    return page, 422 if form.errors else 200


def _listed(form: UserFilterForm) -> ResponseReturnValue:
    is_sound = form.is_sound
    wanted = form.wanted(sort_asked_for()) if is_sound else user_lists.Wanted()
    now = clock.now()
    page = render_template(
        "staff/users/index.html",
        form=form,
        listed=user_lists.listed(wanted, page=page_asked_for(), at=now),
        filters=form.in_address(),
        sort=wanted.sort,
        waiting=role_changes.waiting(),
        new_accounts=new_accounts.waiting(),
        state_words=lambda user: standings.state_words(user, at=now),
    )
    return page, 422 if form.errors else 200

"""Another role for a staff account: one administrator proposes, another decides."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from models import Role, RoleChange
from pmp import clock, permission_words
from pmp.accounts import role_changes, standings, user_desk
from pmp.errors import RuleError
from pmp.permissions import ROLES, Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_users import DeclineForm, RoleForm
from portal.views.staff_users import warn_if_not

bp = Blueprint("staff_roles", __name__)


@bp.route("/staff/users/<int:user_id>/role", methods=["GET", "POST"])
@requires(Permission.USER_ADMINISTER)
def propose(user_id: int) -> ResponseReturnValue:
    whose, form = user_desk.get(user_id), RoleForm()
    form.offer(whose)
    if form.validate_on_submit():
        with rule_errors(form):
            change = role_changes.propose(
                user_id,
                role=Role(form.role.data),
                reason=form.reason.data or "",
                seen=form.seen.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("Proposed. Another administrator must confirm it now.")
            return redirect(url_for(".show", change_id=change.id), 303)
    form.seen.data = standings.mark(whose)
    page = render_template(
        "staff/users/role.html",
        whose=user_desk.get(user_id),
        form=form,
        may_change=role_changes.may_change(whose),
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/role-changes/<int:change_id>")
@requires(Permission.USER_ADMINISTER)
def show(change_id: int) -> ResponseReturnValue:
    return _shown(role_changes.get(change_id), DeclineForm(formdata=None))


@bp.post("/staff/role-changes/<int:change_id>/confirm")
@requires(Permission.USER_ADMINISTER)
def confirm(change_id: int) -> ResponseReturnValue:
    change = role_changes.get(change_id)
    try:
        told = role_changes.confirm(change_id, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".show", change_id=change_id), 303)
    flash(f"{change.user.username} has the new role; every session has ended.")
    warn_if_not(told=told)
    return redirect(url_for("staff_users.show", user_id=change.user.id), 303)


@bp.post("/staff/role-changes/<int:change_id>/decline")
@requires(Permission.USER_ADMINISTER)
def decline(change_id: int) -> ResponseReturnValue:
    change, form = role_changes.get(change_id), DeclineForm()
    if form.validate():
        with rule_errors(form):
            role_changes.decline(
                change_id,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("It is off the list; the role stays as it is.")
            return redirect(url_for("staff_users.show", user_id=change.user.id), 303)
    return _shown(role_changes.get(change_id), form)


def _shown(change: RoleChange, form: DeclineForm) -> ResponseReturnValue:
    before, after = ROLES[change.from_role], ROLES[change.to_role]
    page = render_template(
        "staff/users/role_change.html",
        change=change,
        whose=change.user,
        form=form,
        gains=sorted(map(permission_words.told, after - before)),
        loses=sorted(map(permission_words.told, before - after)),
        is_own=change.proposed_by == signed_in_user().username,
        is_about_me=change.user.id == signed_in_user().id,
    )
    return page, 422 if form.errors else 200

"""New accounts for the program's staff: one proposes, another decides."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import NewAccount, ProposalStatus
from pmp import clock, permission_words
from pmp.accounts import new_accounts, users
from pmp.errors import RuleError
from pmp.permissions import ROLES, Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_users import DeclineForm, NewAccountForm
from portal.paging import page_asked_for

bp = Blueprint("staff_new_accounts", __name__)


@bp.get("/staff/users/new-accounts")
@requires(Permission.USER_ADMINISTER)
def index() -> ResponseReturnValue:
    return render_template(
        "staff/new_accounts/index.html",
        listed=new_accounts.listed(page=page_asked_for()),
        waiting=new_accounts.waiting(),
    )


@bp.route("/staff/users/new-accounts/propose", methods=["GET", "POST"])
@requires(Permission.USER_ADMINISTER)
def propose() -> ResponseReturnValue:
    form, me = NewAccountForm(), signed_in_user()
    if form.validate_on_submit():
        with rule_errors(form):
            account = new_accounts.propose(
                form.person(), reason=form.reason.data or "", by=me, at=clock.now()
            )
            flash("Proposed. Another administrator must confirm it now.")
            return redirect(url_for(".show", account_id=account.id), 303)
    page = render_template(
        "staff/new_accounts/propose.html",
        form=form,
        is_alone=not new_accounts.second_person_is_there(by=me),
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/users/new-accounts/<int:account_id>")
@requires(Permission.USER_ADMINISTER)
def show(account_id: int) -> ResponseReturnValue:
    return _shown(new_accounts.get(account_id), DeclineForm(formdata=None))


@bp.post("/staff/users/new-accounts/<int:account_id>/confirm")
@requires(Permission.USER_ADMINISTER)
def confirm(account_id: int) -> ResponseReturnValue:
    account, me = new_accounts.get(account_id), signed_in_user()
    try:
        ask_id = new_accounts.confirm(account_id, by=me, at=clock.now())
    except RuleError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".show", account_id=account_id), 303)
    tasks.nudge(tasks.answer_forgotten, ask_id)
    flash(f"The account is made. A link to its first password goes to {account.email}.")
    made = users.named(account.username)
    return redirect(url_for("staff_users.show", user_id=made.id), 303)


@bp.post("/staff/users/new-accounts/<int:account_id>/decline")
@requires(Permission.USER_ADMINISTER)
def decline(account_id: int) -> ResponseReturnValue:
    form, me = DeclineForm(), signed_in_user()
    if form.validate():
        with rule_errors(form):
            why = form.reason.data or ""
            new_accounts.decline(account_id, reason=why, by=me, at=clock.now())
            flash("It is off the list; no account was made.")
            return redirect(url_for(".index"), 303)
    return _shown(new_accounts.get(account_id), form)


def _shown(account: NewAccount, form: DeclineForm) -> ResponseReturnValue:
    is_made = account.status == ProposalStatus.CONFIRMED
    page = render_template(
        "staff/new_accounts/proposal.html",
        account=account,
        made=users.named(account.username) if is_made else None,
        namesakes=new_accounts.namesakes(account),
        form=form,
        may_then=sorted(map(permission_words.told, ROLES[account.role])),
        is_own=account.proposed_by == signed_in_user().username,
    )
    return page, 422 if form.errors else 200

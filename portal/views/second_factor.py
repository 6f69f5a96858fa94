"""The second step of sign-in, and one's own second factor: app, codes, passkeys."""

import io
from datetime import timedelta

import segno
from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from models import User
from pmp import clock
from pmp.accounts import entering, passkeys, second_factor, second_step
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal import access, sign_in_steps
from portal.access import public, requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.second_factor import (
    AppCodeForm,
    BeginForm,
    CodeForm,
    PasskeyAnswerForm,
    PasskeyForm,
)
from portal.sign_in_steps import whence

bp = Blueprint("second_factor", __name__)

# Who signed in just now need not type the password once more.
PASSWORD_FRESH_FOR = timedelta(minutes=10)


@bp.route("/sign-in/code", methods=["GET", "POST"])
@public
def second_step_page() -> ResponseReturnValue:
    waiting = sign_in_steps.waiting_user()
    if waiting is None:
        return _begin_again()
    user, wanted = waiting
    form = CodeForm()
    if form.validate_on_submit():
        with rule_errors(form):
            came_in = second_step.by_code(user, form.code.data, **whence())
            answer = sign_in_steps.go_on(came_in, wanted=wanted)
            _tell_of_codes(user)
            return answer
    return _step_page(user, form)


@bp.post("/sign-in/passkey")
@public
def sign_in_by_passkey() -> ResponseReturnValue:
    waiting = sign_in_steps.waiting_user()
    if waiting is None:
        return _begin_again()
    user, wanted = waiting
    answer, form = PasskeyAnswerForm(), CodeForm(formdata=None)
    if answer.validate_on_submit():
        challenge, asked_at = sign_in_steps.challenge_of()
        signed = second_step.Signed(answer.answer.data, challenge, asked_at)
        try:
            came_in = second_step.by_passkey(user, signed, **whence())
            return sign_in_steps.go_on(came_in, wanted=wanted)
        except RuleError as refused:
            form.form_errors = [_not_by_passkey(refused)]
    return _step_page(user, form)


@bp.get("/account/second-factor")
@requires(Permission.ACCOUNT)
def own() -> ResponseReturnValue:
    return _own_page()


@bp.post("/account/second-factor")
@requires(Permission.ACCOUNT)
def begin() -> ResponseReturnValue:
    form = BeginForm()
    user, now = signed_in_user(), clock.now()
    if _is_fresh():
        second_factor.begin(user, at=now)
        return redirect(url_for(".set_up"), 303)
    if form.validate_on_submit():
        with rule_errors(form):
            address = whence()["address"]
            password = form.current.data
            entering.prove(user, password, address=address, at=now, field="current")
            second_factor.begin(user, at=now)
            return redirect(url_for(".set_up"), 303)
    return _own_page(begin_form=form)


@bp.route("/account/second-factor/app", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def set_up() -> ResponseReturnValue:
    user = signed_in_user()
    secret = second_factor.waiting_secret(user, at=clock.now())
    if secret is None:
        return redirect(url_for(".own"), 303)
    form = AppCodeForm()
    if form.validate_on_submit():
        with rule_errors(form):
            where = whence()
            codes = second_factor.confirm(user, form.code.data, at=where["at"])
            access.enter(entering.enter(user, factor=second_factor.APP, **where))
            return _codes_page(codes, is_new=True)
    page = render_template(
        "account/set_up_app.html",
        form=form,
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        drawing=_drawn(second_factor.address_for_app(user, secret)),
    )
    return page, 422 if form.errors else 200


@bp.post("/account/second-factor/recovery-codes")
@requires(Permission.ACCOUNT)
def new_codes() -> ResponseReturnValue:
    form = AppCodeForm()
    if form.validate_on_submit():
        with rule_errors(form):
            _show_code(form)
            codes = second_factor.new_codes(signed_in_user(), at=clock.now())
            return _codes_page(codes, is_new=False)
    return _own_page(code_form=form)


@bp.post("/account/second-factor/remove")
@requires(Permission.ACCOUNT)
def remove() -> ResponseReturnValue:
    form, user = AppCodeForm(), signed_in_user()
    if second_factor.is_required(user):
        flash("Your role must have a second factor: set up another app instead.", "bad")
        return redirect(url_for(".own"), 303)
    if form.validate_on_submit():
        with rule_errors(form):
            _show_code(form)
            where = whence()
            second_factor.remove(user, by=user.username, at=where["at"])
            access.enter(entering.enter(user, **where))
            flash("Your account has no second factor any more.")
            return redirect(url_for(".own"), 303)
    return _own_page(code_form=form)


@bp.post("/account/second-factor/passkeys")
@requires(Permission.ACCOUNT)
def add_passkey() -> ResponseReturnValue:
    form = PasskeyForm()
    if form.validate_on_submit():
        challenge, _ = sign_in_steps.challenge_of()
        with rule_errors(form):
            _show_code(form)
            passkeys.add(
                signed_in_user(),
                name=form.name.data,
                answer=form.answer.data or "",
                challenge=challenge,
                at=clock.now(),
            )
            flash(f"{form.name.data} is added. You can sign in with it.")
            return redirect(url_for(".own"), 303)
    return _own_page(passkey_form=form)


@bp.post("/account/second-factor/passkeys/<int:passkey_id>/remove")
@requires(Permission.ACCOUNT)
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    name = passkeys.remove(signed_in_user(), passkey_id, at=clock.now())
    flash(f"{name} is removed.")
    return redirect(url_for(".own"), 303)


def _begin_again() -> ResponseReturnValue:
    flash("Begin again with your password: it was too long ago.", "warn")
    return redirect(url_for("account.sign_in"), 303)


def _step_page(user: User, form: CodeForm) -> ResponseReturnValue:
    asked = passkeys.ask_to_sign(user)
    if asked is not None:
        sign_in_steps.keep_challenge(asked.challenge)
    page = render_template(
        "account/second_step.html",
        form=form,
        username=user.username,
        passkey_options=asked.options if asked else "",
    )
    return page, 422 if form.errors or form.form_errors else 200


def _own_page(
    *,
    begin_form: BeginForm | None = None,
    code_form: AppCodeForm | None = None,
    passkey_form: PasskeyForm | None = None,
) -> ResponseReturnValue:
    user = signed_in_user()
    standing = second_factor.standing(user)
    asked = None
    if standing.added_at and passkeys.are_used():
        asked = passkeys.ask_to_make(user)
        sign_in_steps.keep_challenge(asked.challenge)
    form = begin_form or code_form or passkey_form
    page = render_template(
        "account/second_factor.html",
        form=form,
        begin_form=begin_form or BeginForm(formdata=None),
        code_form=code_form or AppCodeForm(formdata=None),
        passkey_form=passkey_form or PasskeyForm(formdata=None),
        standing=standing,
        is_required=second_factor.is_required(user),
        asks_for_password=not _is_fresh(),
        passkeys=passkeys.of(user),
        passkey_options=asked.options if asked else "",
    )
    return page, 422 if form is not None and form.errors else 200


def _codes_page(codes: list[str], *, is_new: bool) -> ResponseReturnValue:
    return render_template(
        "account/recovery_codes.html", codes=codes, is_new=is_new, made_at=clock.now()
    )


def _show_code(form: AppCodeForm | PasskeyForm) -> None:
    """Have the user at the screen show the app; a wrong code counts as at sign-in."""
    where = whence()
    second_step.show_code(
        signed_in_user(), form.code.data, address=where["address"], at=where["at"]
    )


def _is_fresh() -> bool:
    return bool(g.session and g.session.created_at > clock.now() - PASSWORD_FRESH_FOR)


def _tell_of_codes(user: User) -> None:
    left = second_factor.standing(user).codes_left
    if left <= 2:
        flash(
            f"{left or 'No'} recovery code{'' if left == 1 else 's'} left. Make new"
            " ones under Your account, Second factor.",
            "warn",
        )


def _not_by_passkey(refused: RuleError) -> str:
    return f"The passkey was not accepted. Use a code of your app. {refused.message}"


def _drawn(address: str) -> Markup:
    """Draw the QR code as SVG that the page holds; it is made of our own text."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", scale=5, border=4, xmldecl=False, svgns=True
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - segno's, of no typed text

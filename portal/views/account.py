"""Sign-in, sign-out, first sign-in by letter, and one's own account."""

from datetime import datetime, timedelta

from flask import (
    Blueprint,
    flash,
    g,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie
from flask.typing import ResponseReturnValue

from models import Credential, ReceiptPolicy, User
from pmp import accounts, clock, delegates
from pmp.accounts import duties, passwords, second_factor, sessions
from pmp.deliveries import certificates, mail_problems, protections
from pmp.errors import RuleError
from pmp.permissions import Permission
from pmp.uploads import receipts
from portal import access, sign_in_steps
from portal.access import may, public, requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.account import (
    ChangePasswordForm,
    LetterForm,
    OwnPasswordForm,
    ReceiptsForm,
    SignInForm,
)
from portal.navigation import landing_page
from portal.sign_in_steps import whence

bp = Blueprint("account", __name__)

# Between the letter's password and one's own; the cookie is signed and holds an id.
LETTER = "letter"
LETTER_GOOD_FOR = timedelta(minutes=15)


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    if may("account") and request.method == "GET":
        return redirect(landing_page(), 303)
    form = SignInForm(next=request.args.get("next", ""))
    if form.validate_on_submit():
        with rule_errors(form):
            signed_in = accounts.sign_in(
                username=form.username.data, password=form.password.data, **whence()
            )
            return sign_in_steps.go_on(signed_in, wanted=form.next.data or "")
    page = render_template("account/sign_in.html", form=form)
    return page, 422 if form.errors else 200


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    if g.session is not None:
        sessions.end(g.session, at=clock.now())
    access.leave()
    flash("You are signed out.")
    return redirect(url_for("home.home"), 303)


@bp.route("/activate", methods=["GET", "POST"])
@public
def activate() -> ResponseReturnValue:
    form = LetterForm()
    if form.validate_on_submit():
        with rule_errors(form):
            where = whence()
            letter = accounts.check_letter(
                username=form.username.data,
                secret=form.secret.data,
                code=form.code.data or "",
                address=where["address"],
                at=where["at"],
            )
            access.leave()
            until = where["at"] + LETTER_GOOD_FOR
            cookie[LETTER] = {"id": letter.id, "until": until.isoformat()}
            return redirect(url_for("account.own_password"), 303)
    page = render_template("account/activate.html", form=form)
    return page, 422 if form.errors else 200


@bp.route("/activate/password", methods=["GET", "POST"])
@public
def own_password() -> ResponseReturnValue:
    letter = _checked_letter()
    if letter is None:
        flash("Begin again with your letter: it was too long ago.", "warn")
        return redirect(url_for("account.activate"), 303)
    form = OwnPasswordForm()
    if form.validate_on_submit():
        with rule_errors(form):
            signed_in = accounts.activate(
                credential=letter, password=form.password.data, **whence()
            )
            answer = sign_in_steps.go_on(signed_in)
            flash("Your password is set.")
            return answer
    page = render_template(
        "account/own_password.html",
        form=form,
        username=letter.user.username,
        shortest=_shortest(letter.user),
    )
    return page, 422 if form.errors else 200


@bp.route("/account", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def account() -> ResponseReturnValue:
    form = ChangePasswordForm()
    if form.validate_on_submit():
        with rule_errors(form):
            signed_in = accounts.change_password(
                user=signed_in_user(),
                current=form.current.data,
                password=form.password.data,
                **whence(),
            )
            access.enter(signed_in)
            flash("Your password is changed. Other browsers were signed out.")
            return redirect(url_for("account.account"), 303)
    page = render_template(
        "account/account.html",
        form=form,
        receipts=ReceiptsForm(receipts=signed_in_user().receipts.value),
        sessions=sessions.of_user(signed_in_user(), at=clock.now()),
        this_session=g.session,
        mail_problem=mail_problems.of_user(signed_in_user()),
        certificates_are_used=certificates.are_used(),
        phrases_are_used=protections.are_phrases_used(),
        standing=second_factor.standing(signed_in_user()),
        shortest=_shortest(signed_in_user()),
        delegations=delegates.of_delegate(signed_in_user()),
        password_problem=duties.password_problem(signed_in_user(), at=clock.now()),
    )
    return page, 422 if form.errors else 200


@bp.post("/account/email-works")
@requires(Permission.ACCOUNT)
def email_works() -> ResponseReturnValue:
    problem = mail_problems.of_user(signed_in_user())
    if problem is not None:
        mail_problems.settle(
            problem.id,
            by=signed_in_user(),
            at=clock.now(),
            address=request.remote_addr or "",
        )
        flash("Thank you. The note is gone, unless email comes back once more.")
    return redirect(url_for("account.account"), 303)


@bp.post("/account/receipts")
@requires(Permission.ACCOUNT)
def choose_receipts() -> ResponseReturnValue:
    form = ReceiptsForm()
    if form.validate_on_submit():
        receipts.choose(
            ReceiptPolicy(form.receipts.data), by=signed_in_user(), at=clock.now()
        )
        flash("Your choice of receipts is kept.")
    else:
        flash("Choose which receipts you want.", "bad")
    return redirect(url_for("account.account"), 303)


@bp.post("/account/sign-out-everywhere")
@requires(Permission.ACCOUNT)
def sign_out_everywhere() -> ResponseReturnValue:
    accounts.sign_out_everywhere(user=signed_in_user(), at=clock.now())
    access.leave()
    flash("You are signed out, here and in every other browser.")
    return redirect(url_for("home.home"), 303)


@bp.post("/account/sessions/end")
@requires(Permission.ACCOUNT)
def end_session() -> ResponseReturnValue:
    session_id = request.form.get("session", 0, type=int)
    found = sessions.end_one(signed_in_user(), session_id, at=clock.now())
    if g.session is not None and found == g.session.id:
        access.leave()
        flash("You are signed out.")
        return redirect(url_for("home.home"), 303)
    flash("That browser is signed out.")
    return redirect(url_for("account.account"), 303)


@bp.post("/account/stay")
@requires(Permission.ACCOUNT)
def stay() -> ResponseReturnValue:
    seconds = sessions.seconds_left(g.session, at=clock.now())
    if request.accept_mimetypes.best == "application/json":
        return jsonify(seconds=seconds)
    return redirect(landing_page(), 303)


def _checked_letter() -> Credential | None:
    kept = cookie.get(LETTER)
    if not kept or datetime.fromisoformat(kept["until"]) <= clock.now():
        return None
    try:
        return accounts.letter(kept["id"], at=clock.now())
    except RuleError:
        return None


def _shortest(user: User) -> int:
    return passwords.shortest(with_factor=second_factor.has(user))

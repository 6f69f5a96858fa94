"""Registration: the form, its confirmation page, and where it stands.

Who may see a registration: the browser that made it, and whoever gives its code and
name. An address holds the code and nothing else.
"""

from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie
from flask.typing import ResponseReturnValue

from gateway import documents
from models import Application, Profession
from pmp import clock, registration
from pmp.errors import NotFoundError
from pmp.registration.answers import shown, tidied
from pmp.registration.registration_codes import new_code, read_code
from portal.access import public
from portal.forms import rule_errors
from portal.forms.register import FORMS, FindForm, ProfessionForm

bp = Blueprint("register", __name__)

# In the cookie: codes that this browser may see, and the code of what it now types.
KNOWN, DRAFT = "registrations", "registration draft"
MOST_KNOWN = 5
PDF = "application/pdf"


@bp.route("/register", methods=["GET", "POST"])
@public
def choose() -> ResponseReturnValue:
    form = ProfessionForm()
    if form.validate_on_submit():
        return redirect(url_for(".answer", profession=form.profession.data), 303)
    page = render_template("register/choose.html", form=form)
    return page, 422 if form.errors else 200


@bp.route("/register/<any(practitioner, pharmacy):profession>", methods=["GET", "POST"])
@public
def answer(profession: str) -> ResponseReturnValue:
    form = FORMS[Profession(profession)]()
    step = request.form.get("step", "")
    if request.method == "GET" or step.startswith("change"):
        return render_template("register/answers.html", form=form)
    if not form.validate():
        return render_template("register/answers.html", form=form), 422
    # The code is handed out with the review: the same form sent twice is one.
    is_new = DRAFT not in cookie
    code = cookie.setdefault(DRAFT, new_code())
    if step == "submit" and not is_new:
        with rule_errors(form):
            application = _submitted(form, code)
            return redirect(url_for(".confirmation", code=application.code), 303)
    answers = shown(form.profession, tidied(form.profession, form.answers()))
    page = render_template("register/review.html", form=form, answers=answers)
    return page, 422 if form.errors else 200


@bp.route("/registration", methods=["GET", "POST"])
@public
def find() -> ResponseReturnValue:
    form = FindForm()
    if form.validate_on_submit():
        with rule_errors(form):
            application = registration.find(
                code=form.code.data,
                name=form.name.data,
                address=request.remote_addr or "",
                at=clock.now(),
            )
            _remember(application)
            return redirect(url_for(".status", code=application.code), 303)
    page = render_template("register/find.html", form=form)
    return page, 422 if form.errors else 200


@bp.get("/registration/<code>")
@public
def status(code: str) -> ResponseReturnValue:
    application = _known(code)
    if application is None:
        form = FindForm(formdata=None, code=read_code(code) or "")
        return render_template("register/find.html", form=form)
    return render_template(
        "register/status.html",
        application=application,
        standing=registration.standing(application),
        expires_on=registration.expires_on(application),
    )


@bp.get("/registration/<code>/confirmation")
@public
def confirmation(code: str) -> ResponseReturnValue:
    application = _known(code)
    if application is None:
        return _ask(code)
    return render_template(
        "register/confirmation.html",
        application=application,
        answers=shown(application.profession, application),
    )


@bp.get("/registration/<code>/confirmation.pdf")
@public
def confirmation_pdf(code: str) -> ResponseReturnValue:
    application = _known(code)
    if application is None:
        return _ask(code)
    answer = Response(_page(application), mimetype=PDF)
    way = "attachment" if "download" in request.args else "inline"
    answer.headers["Content-Disposition"] = f"{way}; filename={application.code}.pdf"
    return answer


@bp.get("/registration/<code>/confirmation.png")
@public
def confirmation_png(code: str) -> ResponseReturnValue:
    application = _known(code)
    if application is None:
        raise NotFoundError("There is no such page.")
    picture = documents.page_png(_page(application), PDF, 1)
    return Response(picture, mimetype="image/png")


def _submitted(form: Any, code: str) -> Application:
    application = registration.submit(
        profession=form.profession,
        answers=form.answers(),
        attested=form.attested.data,
        code=code,
        by=g.get("user"),
        address=request.remote_addr or "",
        at=clock.now(),
    )
    cookie.pop(DRAFT, None)
    _remember(application)
    flash(f"We have your registration. Its code is {application.code}.")
    return application


def _remember(application: Application) -> None:
    codes = [code for code in cookie.get(KNOWN, []) if code != application.code]
    cookie[KNOWN] = [*codes, application.code][-MOST_KNOWN:]


def _known(code: str) -> Application | None:
    """Give a registration that this browser may see; None for any other code."""
    if read_code(code) not in cookie.get(KNOWN, []):
        return None
    return registration.by_code(code)


def _ask(code: str) -> ResponseReturnValue:
    return redirect(url_for(".status", code=code), 303)


def _page(application: Application) -> bytes:
    return documents.faxable_pdf(
        "confirmation_page", application.code, **registration.confirmation(application)
    )

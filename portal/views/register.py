"""Registration: the form, its confirmation page, and where it stands.

Who may see a registration: the browser that made it, and whoever gives its code and
name. An address holds the code and nothing else.
"""

from datetime import date
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

from gateway import documents, tasks
from models import Application, ApplicationDraft, Profession
from pmp import clock, identifiers, registration, settings
from pmp.accounts import credentials
from pmp.errors import NotFoundError
from pmp.registration import address_of_record, drafts, expiry
from pmp.registration.answers import shown, tidied
from pmp.registration.drafts import Step
from pmp.registration.registration_codes import read_code
from pmp.wording import phone
from portal.access import public
from portal.forms import rule_errors
from portal.forms.register import FORMS, FindForm, ProfessionForm, ReviewForm

bp = Blueprint("register", __name__)

KNOWN = "registrations"  # in the cookie: codes that this browser may see
MOST_KNOWN = 5
PDF = "application/pdf"


@bp.route("/register", methods=["GET", "POST"])
@public
def choose() -> ResponseReturnValue:
    form = ProfessionForm()
    if form.validate_on_submit():
        return redirect(url_for(".begin", profession=form.profession.data), 303)
    page = render_template("register/choose.html", form=form)
    return page, 422 if form.errors else 200


@bp.route("/register/<any(practitioner, pharmacy):profession>", methods=["GET", "POST"])
@public
def begin(profession: str) -> ResponseReturnValue:
    """Ask who somebody is; their answers are kept, and their code given, from here."""
    kind = Profession(profession)
    form = FORMS[kind][Step.WHO]()
    if form.validate_on_submit():
        draft = drafts.begin(kind, form.typed(), at=clock.now())
        _remember(draft.code)
        return redirect(url_for(".answer", code=draft.code, step=Step.NUMBERS), 303)
    return _step(form, Step.WHO)


@bp.route("/register/<code>/<any(who, numbers, reach):step>", methods=["GET", "POST"])
@public
def answer(code: str, step: str) -> ResponseReturnValue:
    draft = _draft(code)
    if draft is None:
        return _ask(code)
    kind = FORMS[draft.profession][Step(step)]
    if request.method == "GET":
        form = kind(formdata=None, data=draft.answers)
        if "check" in request.args:
            form.validate()
        return _step(form, Step(step), draft)
    form = kind()
    saved = drafts.save(draft, form.typed(), at=clock.now())
    if not saved or request.form.get("step") == "later":
        return _ask(code)
    if form.validate() and not _is_warned_of_mobile(form):
        return redirect(_after(draft, Step(step)), 303)
    return _step(form, Step(step), draft)


@bp.route("/register/<code>/review", methods=["GET", "POST"])
@public
def review(code: str) -> ResponseReturnValue:
    draft = _draft(code)
    if draft is None:
        return _ask(code)
    if lacking := drafts.unfinished(draft):
        flash("Something is missing or wrong on this page.", "warn")
        where = url_for(".answer", code=draft.code, step=lacking, check="")
        return redirect(where, 303)
    chosen = settings.current()
    form = ReviewForm(own_use=chosen.own_use, statutes=chosen.statutes)
    if form.validate_on_submit():
        with rule_errors(form):
            application = _submitted(draft)
            return redirect(url_for(".confirmation", code=application.code), 303)
    answers = shown(
        draft.profession, tidied(draft.profession, drafts.answers_of(draft))
    )
    page = render_template(
        "register/review.html",
        form=form,
        draft=draft,
        answers=answers,
        step_of=drafts.step_of,
    )
    return page, 422 if form.errors else 200


@bp.route("/registration", methods=["GET", "POST"])
@public
def find() -> ResponseReturnValue:
    form = FindForm()
    if form.validate_on_submit():
        with rule_errors(form):
            found = registration.find(
                code=form.code.data,
                name=form.name.data,
                address=request.remote_addr or "",
                at=clock.now(),
            )
            _remember(found.code)
            return redirect(url_for(".status", code=found.code), 303)
    page = render_template("register/find.html", form=form)
    return page, 422 if form.errors else 200


@bp.get("/registration/<code>")
@public
def status(code: str) -> ResponseReturnValue:
    if draft := _draft(code):
        return _unfinished(draft)
    application = _known(code)
    if application is None:
        form = FindForm(formdata=None, code=read_code(code) or "")
        return render_template("register/find.html", form=form)
    return render_template(
        "register/status.html",
        application=application,
        standing=registration.standing(application),
        expires_on=expiry.expires_on(application),
        other_town=address_of_record.other_town(application),
        good_until=credentials.good_until(application.user),
        now=clock.now(),
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


def _step(
    form: Any, step: Step, draft: ApplicationDraft | None = None
) -> ResponseReturnValue:
    page = render_template(
        "register/answers.html", form=form, step=step, draft=draft, until=_until(draft)
    )
    return page, 422 if form.errors and request.method == "POST" else 200


def _after(draft: ApplicationDraft, step: Step) -> str:
    """Give the next page: the review, once nothing is lacking any more."""
    following = list(Step)[list(Step).index(step) + 1 :]
    if following and drafts.unfinished(draft):
        return url_for(".answer", code=draft.code, step=following[0])
    return url_for(".review", code=draft.code)


def _is_warned_of_mobile(form: Any) -> bool:
    """Ask once about a fax number that is listed as a mobile."""
    number = form["fax"].data if "fax" in form else ""
    if not number or form["anyway"].data or not tasks.is_mobile(number):
        return False
    form.warned = True
    words = (
        f"{phone(identifiers.e164(number))} is listed as a mobile, which answers no"
        " fax. Check it, or tick below that you want to use it all the same."
    )
    form["fax"].errors = [*form["fax"].errors, words]
    return True


def _submitted(draft: ApplicationDraft) -> Application:
    application = registration.submit(
        profession=draft.profession,
        answers=drafts.answers_of(draft),
        attested=True,
        code=draft.code,
        by=g.get("user"),
        address=request.remote_addr or "",
        at=clock.now(),
    )
    flash(f"We have your registration. Its code is {application.code}.")
    return application


def _unfinished(draft: ApplicationDraft) -> str:
    lacking = drafts.unfinished(draft)
    go_on = (
        url_for(".answer", code=draft.code, step=lacking)
        if lacking
        else url_for(".review", code=draft.code)
    )
    return render_template(
        "register/unfinished.html", draft=draft, go_on=go_on, until=_until(draft)
    )


def _until(draft: ApplicationDraft | None) -> date | None:
    return drafts.kept_until(draft) if draft else None


def _remember(code: str) -> None:
    codes = [each for each in cookie.get(KNOWN, []) if each != code]
    cookie[KNOWN] = [*codes, code][-MOST_KNOWN:]


def _draft(code: str) -> ApplicationDraft | None:
    """Give what is being typed under a code that this browser may see."""
    if read_code(code) not in cookie.get(KNOWN, []):
        return None
    return drafts.by_code(code)


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

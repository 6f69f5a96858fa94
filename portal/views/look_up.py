"""Search for a patient, the candidates, one's own look-ups."""

from collections.abc import Sequence
from typing import Any

from flask import (
    Blueprint,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from models import LookUp, LookUpOutcome
from pmp import clock, lookup, received
from pmp.lookup import (
    Answer,
    changes,
    own_history,
    report_copies,
    unusual_answers,
)
from pmp.permissions import Permission
from pmp.wording import us_date, us_time
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.look_up import OUTCOMES, LookUpForm, OwnLookUpsForm
from portal.forms.tickets import MessageForm
from portal.numbers import whole

bp = Blueprint("look_up", __name__)
HEADINGS = (
    "Number",
    "Searched",
    "Last name",
    "First name",
    "Date of birth",
    "ZIP code",
    "Purpose",
    "Filled from",
    "Filled to",
    "Result",
    "Prescriptions",
    "On behalf of",
)


@bp.route("/look-up", methods=["GET", "POST"])
@requires(Permission.LOOK_UP)
def look_up() -> ResponseReturnValue:
    user = signed_in_user()
    form = LookUpForm()
    form.offer(user, own_history.latest(user))
    if form.validate_on_submit():
        with rule_errors(form):
            answer = lookup.search(
                criteria=form.criteria(clock.today()), by=user, **_whence()
            )
            return go_to(answer)
    page = render_template(
        "look_up/look_up.html",
        form=form,
        recent=own_history.recent_patients(user=user, at=clock.now()),
        questions=own_history.questions(user, at=clock.now()),
        received_through=received.last_day(),
    )
    return page, 422 if form.errors else 200


@bp.get("/look-up/candidates/<token>")
@requires(Permission.LOOK_UP)
def candidates(token: str) -> ResponseReturnValue:
    result = lookup.result(token=token, by=signed_in_user(), at=clock.now())
    return render_template(
        "look_up/candidates.html",
        result=result,
        purpose=lookup.PURPOSE_WORDS[result.look_up.purpose],
        token=token,
        received_through=received.last_day(),
    )


@bp.post("/look-up/candidates/<token>")
@requires(Permission.LOOK_UP)
def choose(token: str) -> ResponseReturnValue:
    patient_ids = request.form.getlist("patient", type=whole)
    if not patient_ids or len(patient_ids) != len(request.form.getlist("patient")):
        abort(422, "Choose one of the people.")
    answer = lookup.choose(
        token=token, patient_ids=patient_ids, by=signed_in_user(), **_whence()
    )
    if len(patient_ids) > 1:
        flash(
            "Program staff are asked whether these are one person. Until they have"
            " decided, each report shows one of them alone: this is the likeliest."
        )
    return go_to(answer)


@bp.post("/look-up/candidates/<token>/similar")
@requires(Permission.LOOK_UP)
def search_similar(token: str) -> ResponseReturnValue:
    return go_to(lookup.search_similar(token=token, by=signed_in_user(), **_whence()))


@bp.post("/look-up/again")
@requires(Permission.LOOK_UP)
def look_again() -> ResponseReturnValue:
    """Open again what an earlier search led to: its patient, or the search itself."""
    number, user = request.form.get("look_up", 0, whole), signed_in_user()
    before = lookup.of_user(number, by=user, at=clock.now())
    again = lookup.look_again if before.patient else lookup.search_again
    return go_to(again(look_up_id=number, by=user, **_whence()))


@bp.post("/look-up/changes")
@requires(Permission.LOOK_UP)
def look_for_changes() -> ResponseReturnValue:
    number, user = request.form.get("look_up", 0, whole), signed_in_user()
    answer = lookup.look_again(look_up_id=number, by=user, **_whence())
    if answer.outcome is not LookUpOutcome.REPORT:
        return go_to(answer)
    return redirect(
        url_for("look_up.changes_since", token=answer.token, number=number), 303
    )


@bp.get("/look-up/changes/<token>/<int:number>")
@requires(Permission.REPORT_READ)
def changes_since(token: str, number: int) -> ResponseReturnValue:
    found = changes.since(number, token=token, by=signed_in_user(), **_whence())
    return render_template("look_up/changes.html", found=found, token=token)


@bp.post("/look-ups.csv")
@requires(Permission.LOOK_UP)
def mine_csv() -> ResponseReturnValue:
    form = OwnLookUpsForm()
    form.offer(signed_in_user())
    if form.validate():
        with rule_errors(form):
            rows = own_history.every(
                form.wanted(), user=signed_in_user(), at=clock.now()
            )
            return csv_answer("my-look-ups.csv", HEADINGS, map(_line, rows))
    return mine()


@bp.route("/look-ups", methods=["GET", "POST"])
@requires(Permission.LOOK_UP)
def mine() -> ResponseReturnValue:
    user = signed_in_user()
    form = OwnLookUpsForm()
    form.offer(user)
    wanted = own_history.Wanted()
    if form.is_submitted() and form.validate() and "all" not in request.form:
        wanted = form.wanted()
    elif "all" in request.form:
        form = OwnLookUpsForm(formdata=None)
        form.offer(user)
    number = request.form.get("page", 1, whole)
    listed = own_history.mine(wanted, user=user, at=clock.now(), page=number)
    page = render_template(
        "look_up/mine.html",
        form=form,
        listed=listed,
        copies=report_copies.copies_of(row.id for row in listed.rows),
        is_narrowed=wanted != own_history.Wanted(),
        purposes=lookup.PURPOSE_WORDS,
        questions=own_history.questions(user, at=clock.now()),
    )
    return page, 422 if form.errors else 200


@bp.route("/look-ups/questions/<int:number>", methods=["GET", "POST"])
@requires(Permission.LOOK_UP)
def question(number: int) -> ResponseReturnValue:
    user = signed_in_user()
    found = unusual_answers.asked(number, by=user, at=clock.now())
    form = MessageForm()
    if form.validate_on_submit():
        with rule_errors(form):
            unusual_answers.answer(
                found, text=form.text.data or "", by=user, at=clock.now()
            )
            flash("Your answer is with program staff. Thank you.")
            return redirect(url_for("look_up.mine"), 303)
    page = render_template(
        "look_up/question.html",
        form=form,
        look_up=found.look_up,
        purpose=lookup.PURPOSE_WORDS[found.look_up.purpose],
        thread=unusual_answers.thread(found),
    )
    return page, 422 if form.errors else 200


def go_to(answer: Answer) -> ResponseReturnValue:
    """Lead to what a search found: the report, or the people to choose from."""
    is_report = answer.outcome is LookUpOutcome.REPORT
    view = "look_up.report" if is_report else "look_up.candidates"
    return redirect(url_for(view, token=answer.token), 303)


def _line(row: LookUp) -> Sequence[Any]:
    return (
        row.id,
        us_time(row.at),
        row.last_name,
        row.first_name,
        us_date(row.birth_date),
        row.zip,
        lookup.PURPOSE_WORDS[row.purpose],
        us_date(row.since),
        us_date(row.until),
        OUTCOMES.get(row.outcome, ""),
        row.entries if row.outcome is LookUpOutcome.REPORT else "",
        row.delegation.supervisor.name if row.delegation else "",
    )


def _whence() -> dict[str, Any]:
    return {"address": request.remote_addr or "", "at": clock.now()}

"""Search for a patient, the candidates, one's own look-ups."""

from typing import Any

from flask import (
    Blueprint,
    abort,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from models import LookUpOutcome
from pmp import clock, lookup, statistics
from pmp.lookup import Answer
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.look_up import LookUpForm
from portal.paging import page_asked_for

bp = Blueprint("look_up", __name__)
PAGE_SIZE = 50


@bp.route("/look-up", methods=["GET", "POST"])
@requires(Permission.LOOK_UP)
def look_up() -> ResponseReturnValue:
    user = signed_in_user()
    recent = lookup.recent_patients(user=user)
    form = LookUpForm()
    form.offer(user, recent[0].purpose if recent else None)
    if form.validate_on_submit():
        with rule_errors(form):
            answer = lookup.search(
                criteria=form.criteria(clock.today()), by=user, **_whence()
            )
            return _go_to(answer)
    page = render_template(
        "look_up/look_up.html",
        form=form,
        recent=recent,
        received_through=statistics.received_through(),
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
        received_through=statistics.received_through(),
    )


@bp.post("/look-up/candidates/<token>")
@requires(Permission.LOOK_UP)
def choose(token: str) -> ResponseReturnValue:
    patient_id = request.form.get("patient", type=int)
    if patient_id is None:
        abort(422, "Choose one of the people.")
    answer = lookup.choose(
        token=token, patient_id=patient_id, by=signed_in_user(), **_whence()
    )
    return _go_to(answer)


@bp.post("/look-up/candidates/<token>/similar")
@requires(Permission.LOOK_UP)
def search_similar(token: str) -> ResponseReturnValue:
    return _go_to(lookup.search_similar(token=token, by=signed_in_user(), **_whence()))


@bp.post("/look-up/again")
@requires(Permission.LOOK_UP)
def look_again() -> ResponseReturnValue:
    number = request.form.get("look_up", default=0, type=int)
    return _go_to(
        lookup.look_again(look_up_id=number, by=signed_in_user(), **_whence())
    )


@bp.get("/look-ups")
@requires(Permission.LOOK_UP)
def mine() -> ResponseReturnValue:
    page = page_asked_for()
    listed, total = lookup.mine(user=signed_in_user(), page=page, size=PAGE_SIZE)
    return render_template(
        "look_up/mine.html",
        look_ups=listed,
        total=total,
        page=page,
        pages=-(-total // PAGE_SIZE),
        purposes=lookup.PURPOSE_WORDS,
    )


def _go_to(answer: Answer) -> ResponseReturnValue:
    is_report = answer.outcome is LookUpOutcome.REPORT
    view = "look_up.report" if is_report else "look_up.candidates"
    return redirect(url_for(view, token=answer.token), 303)


def _whence() -> dict[str, Any]:
    return {"address": request.remote_addr or "", "at": clock.now()}

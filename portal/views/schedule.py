"""Tomorrow's schedule: a list of patients, read back, looked up, one line each."""

from datetime import timedelta
from typing import Any

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import tasks
from pmp import clock, lookup, settings
from pmp.lookup import own_history, schedules
from pmp.permissions import Permission
from portal.access import requires, signed_in_user, uploads
from portal.forms import rule_errors
from portal.forms.schedule import ScheduleForm
from portal.numbers import whole
from portal.views.look_up import go_to

bp = Blueprint("schedule", __name__)
REFRESH_SECONDS = 3
# A page that renews itself keeps a session alive: not for ever, if no worker runs.
LONGEST_WAIT = timedelta(minutes=10)


@bp.route("/schedule", methods=["GET", "POST"])
@requires(Permission.PATIENT_SCHEDULE)
@uploads
def schedule() -> ResponseReturnValue:
    user, at = signed_in_user(), clock.now()
    form = ScheduleForm()
    form.offer(user, own_history.latest(user))
    lines = []
    if form.validate_on_submit():
        form.take_file()
        lines = form.lines(clock.today()) if not form.errors else []
        if "run" in request.form:
            with rule_errors(form):
                return _run(form, lines)
        elif not lines and not form.errors:
            form.text.errors = ["Paste a list, or choose a file"]
    page = render_template(
        "look_up/schedule.html",
        form=form,
        lines=lines,
        good=sum(not line.problem for line in lines),
        most=schedules.MOST,
        left=schedules.left_today(user, at=at),
        earlier=schedules.of(user, at=at),
        days=settings.current().schedule_days,
    )
    return page, 422 if form.errors else 200


@bp.get("/schedule/<int:number>")
@requires(Permission.PATIENT_SCHEDULE)
def standing(number: int) -> ResponseReturnValue:
    at = clock.now()
    found = schedules.standing(number, by=signed_in_user(), at=at)
    renews = not found.is_finished and at - found.schedule.made_at < LONGEST_WAIT
    page = render_template(
        "look_up/standing.html",
        found=found,
        purpose=lookup.PURPOSE_WORDS[found.schedule.purpose],
        renews=renews,
    )
    answer = make_response(page)
    if renews:
        answer.headers["Refresh"] = str(REFRESH_SECONDS)
    return answer


@bp.post("/schedule/<int:number>/open")
@requires(Permission.PATIENT_SCHEDULE)
def open_line(number: int) -> ResponseReturnValue:
    user = signed_in_user()
    before = schedules.look_up_of(number, request.form.get("line", 0, whole), by=user)
    again = lookup.look_again if before.patient else lookup.search_again
    return go_to(again(look_up_id=before.id, by=user, **_whence()))


@bp.post("/schedule/<int:number>/delete")
@requires(Permission.PATIENT_SCHEDULE)
def delete(number: int) -> ResponseReturnValue:
    schedules.forget(number, by=signed_in_user(), at=clock.now())
    flash("The list is deleted. Its look-ups stay under “My look-ups”.")
    return redirect(url_for("schedule.schedule"), 303)


def _run(form: ScheduleForm, lines: list[Any]) -> ResponseReturnValue:
    made = schedules.make(
        lines,
        purpose=form.chosen_purpose(),
        since=form.since(clock.today()),
        similar=bool(form.similar.data),
        by=signed_in_user(),
        at=clock.now(),
        delegation=form.delegation,
    )
    tasks.nudge(tasks.run_schedule, made.id)
    return redirect(url_for("schedule.standing", number=made.id), 303)


def _whence() -> dict[str, Any]:
    return {"address": request.remote_addr or "", "at": clock.now()}

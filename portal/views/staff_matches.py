"""Who is one person: the queue of questions, one side by side, decision and undo."""

from functools import partial

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

from models import DecisionKind, MatchDecision, MatchReview
from pmp import clock
from pmp.errors import NotFoundError
from pmp.matching import decisions, reviews, undoing
from pmp.matching.outlook import Outlook, outlook
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_matches import DecideForm, QueueForm
from portal.numbers import whole
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_matches", __name__)

DECISIONS = ("join", "apart")
DONE = {
    DecisionKind.JOIN: "Joined: they are one patient now.",
    DecisionKind.KEEP_APART: "Kept apart: nobody is asked about these two again.",
    DecisionKind.SPLIT: "Split: they are two patients now.",
}


@bp.get("/staff/matches")
@requires(Permission.MATCH_DECIDE)
def index() -> ResponseReturnValue:
    return _listed(QueueForm(request.args))


@bp.get("/staff/matches.csv")
@requires(Permission.MATCH_DECIDE)
def csv() -> ResponseReturnValue:
    form = QueueForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = reviews.lines_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("who-is-who.csv", reviews.HEADINGS, rows)
    return _listed(form)


@bp.route("/staff/matches/<int:review_id>", methods=["GET", "POST"])
@requires(Permission.MATCH_DECIDE)
def review(review_id: int) -> ResponseReturnValue:
    found = reviews.get(review_id)
    form = DecideForm()
    is_join = request.form.get("decision") == "join"
    if request.method == "POST" and request.form.get("decision") not in DECISIONS:
        abort(422, "Press Join or Keep apart.")
    expected = None
    if form.validate_on_submit():
        with rule_errors(form):
            if is_join and form.confirmed.data != "yes":
                expected = _outlook_of_join(found, form)
            else:
                return _after(found, _decide(found, form, join=is_join))
    return _page(found, form, expected)


@bp.get("/staff/matches/<int:review_id>/next")
@requires(Permission.MATCH_DECIDE)
def skip(review_id: int) -> ResponseReturnValue:
    return _next(reviews.get(review_id))


@bp.route("/staff/decisions/<int:decision_id>/undo", methods=["GET", "POST"])
@requires(Permission.MATCH_DECIDE)
def undo(decision_id: int) -> ResponseReturnValue:
    decision = decisions.get(decision_id)
    user, now = signed_in_user(), clock.now()
    if request.method == "POST":
        plan = undoing.undo(decision, by=user, at=now)
        flash(_undone_words(decision, len(plan.arrived)))
        if decision.review is not None:
            here = QueueForm(request.args).asked()
            target = url_for(".review", review_id=decision.review.id, **here)
            return redirect(target, 303)
        patient = decision.patient.id
        return redirect(url_for("staff_patients.patient", patient_id=patient), 303)
    plan = undoing.plan_of(decision)
    expected = outlook(
        partial(undoing.undo, decision, by=user, at=now),
        (decision.patient.id, decision.other.id),
    )
    return render_template(
        "staff/matches/undo.html", decision=decision, plan=plan, outlook=expected
    )


def just_done() -> MatchDecision | None:
    """Give the decision that the last page made, to offer its undo."""
    try:
        found = decisions.get(request.args.get("done", default=0, type=whole))
    except NotFoundError:
        return None
    return None if found.undone_at else found


def _listed(form: QueueForm) -> ResponseReturnValue:
    wanted, now = form.wanted(sort_asked_for()), clock.now()
    page = render_template(
        "staff/matches/index.html",
        form=form,
        queue=reviews.queue(wanted, by=signed_in_user(), at=now, page=page_asked_for()),
        filters=form.in_address(),
        asked=form.asked(),
        sort=wanted.order,
        done=just_done(),
        now=now,
    )
    return page, 422 if form.errors else 200


def _decide(found: MatchReview, form: DecideForm, *, join: bool) -> MatchDecision:
    decide = decisions.join if join else decisions.keep_apart
    return decide(
        found,
        reason=form.reason.data or "",
        seen=form.seen.data or "",
        by=signed_in_user(),
        at=clock.now(),
    )


def _outlook_of_join(found: MatchReview, form: DecideForm) -> Outlook:
    patients = found.identity.patient.id, found.candidate.id
    return outlook(partial(_decide, found, form, join=True), patients)


def _after(found: MatchReview, decision: MatchDecision) -> ResponseReturnValue:
    flash(DONE[decision.kind])
    return _next(found, done=decision.id)


def _next(found: MatchReview, done: int | None = None) -> ResponseReturnValue:
    """Go on in the list that one came from, as it was narrowed and sorted."""
    form = QueueForm(request.args)
    wanted = form.wanted(sort_asked_for())
    following = reviews.following(found, wanted, at=clock.now())
    if following is None:
        return redirect(url_for(".index", done=done, **form.asked()), 303)
    target = url_for(".review", review_id=following.id, done=done, **form.asked())
    return redirect(target, 303)


def _page(
    found: MatchReview, form: DecideForm, expected: Outlook | None
) -> ResponseReturnValue:
    question = reviews.question(found, by=signed_in_user(), at=clock.now())
    if question is not None and not form.is_submitted():
        form.seen.data = question.mark
    form.confirmed.data = "yes" if expected else ""
    page = render_template(
        "staff/matches/join.html" if expected else "staff/matches/review.html",
        form=form,
        review=found,
        question=question,
        asked=QueueForm(request.args).asked(),
        outlook=expected,
        done=just_done(),
        now=clock.now(),
    )
    return page, 422 if form.errors else 200


def _undone_words(decision: MatchDecision, arrived: int) -> str:
    words = f"Decision {decision.id} is undone."
    if arrived:
        words += (
            f" {arrived} reported for the first time since then went to the part they"
            " are more like; look at both."
        )
    return words

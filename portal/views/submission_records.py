"""Held records in turn: corrected, skipped, taken back; one change for many."""

from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import (
    RecordStatus,
    Severity,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
)
from pmp import clock
from pmp.asap import elements
from pmp.permissions import Permission
from pmp.uploads import (
    alike,
    checking,
    correction_log,
    corrections,
    held_records,
    submissions,
    suggestions,
    withdrawals,
)
from portal.access import requires, signed_in_user
from portal.forms import Form, rule_errors
from portal.forms.submission_records import AlikeForm, WithdrawForm, record_form
from portal.numbers import whole
from portal.views.submissions import bp

RECORD = "/submissions/<int:submission_id>/records/<int:number>"
# Where the problem of a whole segment is shown: at what the segment must have.
AT_SEGMENT = {"PAT": ("PAT07", "PAT08", "PAT18"), "PRE": ("PRE02",)}


@dataclass
class Row:
    """One element on the page: its input, what was sent, what is wrong, what helps."""

    part: Any
    given: str
    problems: list[SubmissionProblem] = field(default_factory=list)
    offered: list[suggestions.Guess] = field(default_factory=list)

    @property
    def is_error(self) -> bool:
        return bool(self.part.errors) or any(
            problem.severity != Severity.WARNING for problem in self.problems
        )


@bp.route(RECORD, methods=["GET", "POST"])
@requires(Permission.SUBMIT)
def record(submission_id: int, number: int) -> ResponseReturnValue:
    kept = _kept(submission_id, number)
    form = record_form(kept.submission.version, checking.current(kept))
    status = 422 if request.method == "POST" else 200
    if form.validate_on_submit():
        if "use" in request.form:
            status = _use(form)
        else:
            with rule_errors(form):
                if _done(form, kept):
                    return _on_to_the_next(kept.submission, number)
            kept = _kept(submission_id, number)
    return _record_page(form, kept), status


@bp.route(f"{RECORD}/alike/<element>", methods=["GET", "POST"])
@requires(Permission.SUBMIT)
def alike_records(submission_id: int, number: int, element: str) -> ResponseReturnValue:
    kept = _kept(submission_id, number)
    user, form = signed_in_user(), AlikeForm()
    like = alike.require(kept, element, by=user)
    if form.validate_on_submit():
        with rule_errors(form):
            outcome = alike.apply(
                like,
                numbers=request.form.getlist("record", type=whole),
                by=user,
                at=clock.now(),
            )
            _tell(outcome)
            return _on_to_the_next(kept.submission, number)
    found = alike.proposals(like, by=user)
    page = render_template(
        "submissions/alike.html",
        form=form,
        record=kept,
        like=like,
        name=elements.label(element, kept.submission.version),
        proposals=found,
        summaries=held_records.summaries_of(
            checking.current(each.record) for each in found
        ),
        most=alike.AT_ONCE,
    )
    return page, 422 if form.errors else 200


@bp.route(f"{RECORD}/withdraw", methods=["GET", "POST"])
@requires(Permission.SUBMIT)
def withdraw(submission_id: int, number: int) -> ResponseReturnValue:
    kept, form = _kept(submission_id, number), WithdrawForm()
    if form.validate_on_submit():
        with rule_errors(form):
            withdrawals.withdraw(
                kept,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"Record {number} is taken back. Nothing of it was stored.")
            return _on_to_the_next(kept.submission, number)
    page = render_template(
        "submissions/withdraw.html",
        form=form,
        record=kept,
        summary=held_records.summary_of(checking.current(kept)),
    )
    return page, 422 if form.errors else 200


@bp.post(f"{RECORD}/restore")
@requires(Permission.SUBMIT)
def restore(submission_id: int, number: int) -> ResponseReturnValue:
    kept = _kept(submission_id, number)
    withdrawals.restore(kept, by=signed_in_user(), at=clock.now())
    flash(f"Record {number} is held for correction again.")
    target = url_for(".record", submission_id=submission_id, number=number)
    return redirect(target, 303)


def _kept(submission_id: int, number: int) -> SubmissionRecord:
    submission = submissions.view(submission_id, by=signed_in_user(), at=clock.now())
    kept = submissions.record(submission, number)
    kept.submission = submission
    return kept


def _use(form: Form) -> int:
    """Fill a suggestion in, as the button says; the page then shows how it checks."""
    element, _, value = request.form["use"].partition("=")
    if element in form:
        form[element].data = value
    return 200


def _done(form: Form, kept: SubmissionRecord) -> bool:
    """Store the record as typed, or keep what was typed and skip it."""
    what: dict[str, Any] = {
        "elements": _typed(form, kept),
        "by": signed_in_user(),
        "at": clock.now(),
    }
    if request.form.get("do") == "skip":
        corrections.keep(kept, **what)
        return True
    if corrections.correct(kept, **what):
        return False
    _say(kept)
    return True


def _say(kept: SubmissionRecord) -> None:
    """Say what became of a record: corrected ones may not be stored a second time."""
    now = submissions.record(kept.submission, kept.number)
    if now.status is RecordStatus.CORRECTED:
        flash(f"Record {kept.number} is corrected.")
    else:
        flash(f"Record {kept.number}: {correction_log.outcome_of(now).lower()}.")


def _typed(form: Form, kept: SubmissionRecord) -> dict[str, str]:
    typed = {part.name: part.data or "" for part in form if part.name != "csrf_token"}
    return {**checking.current(kept), **typed}


def _on_to_the_next(submission: Submission, number: int) -> ResponseReturnValue:
    following = held_records.next_after(submission, number)
    if following is None:
        return redirect(url_for(".show", submission_id=submission.id), 303)
    target = url_for(
        ".record", submission_id=submission.id, number=following, after=number
    )
    return redirect(target, 303)


def _record_page(form: Form, kept: SubmissionRecord) -> str:
    user = signed_in_user()
    now = _typed(form, kept)
    checker = checking.checker_for(kept.submission, by=user)
    problems = checking.problems_of(kept, now, checker=checker)
    rows = {part.name: Row(part, kept.elements.get(part.name, "")) for part in form}
    rows.pop("csrf_token", None)
    general = _place(problems, rows)
    wrong = [row for row in rows.values() if row.problems or row.part.errors]
    wrong.sort(key=lambda row: not row.is_error)
    found = suggestions.suggest(
        now, [row.part.name for row in wrong], checker=checker, by=user
    )
    for row in wrong:
        row.offered = found.get(row.part.name, [])
    return render_template(
        "submissions/record.html",
        fields=form,
        record=kept,
        general=general,
        wrong=wrong,
        segments=_segments(rows, wrong),
        summary=held_records.summary_of(now),
        position=held_records.position(kept),
        offers=_offers(kept.submission),
        tried=request.method == "POST",
    )


def _place(
    problems: list[SubmissionProblem], rows: dict[str, Row]
) -> list[SubmissionProblem]:
    """Put each problem at its elements; give those that are at none."""
    general = []
    for problem in problems:
        names = [problem.element] if problem.element else []
        names = names or list(AT_SEGMENT.get(problem.segment_id, ()))
        at = [rows[name] for name in names if name in rows]
        for row in at:
            row.problems.append(problem)
        if not at:
            general.append(problem)
    return general


def _segments(rows: dict[str, Row], wrong: list[Row]) -> list[tuple[str, list[Row]]]:
    """Give the elements without a problem by segment, in the order of the standard."""
    shown = {row.part.name for row in wrong}
    rest = [row for name, row in rows.items() if name not in shown]
    return [
        (segment, found)
        for segment in elements.SEGMENTS
        if (found := [row for row in rest if row.part.name.startswith(segment)])
    ]


def _offers(submission: Submission) -> list[tuple[int, alike.Offer, str]]:
    """Give what the record that was just corrected shares with others."""
    number = request.args.get("after", type=whole)
    if number is None:
        return []
    kept = submissions.records_of(submission, [number]).get(number)
    if kept is None:
        return []
    kept.submission = submission
    return [
        (number, offer, elements.label(offer.element, submission.version))
        for offer in alike.offers(kept, by=signed_in_user())
    ]


def _tell(outcome: corrections.Outcome) -> None:
    stored, held = len(outcome.settled), len(outcome.held)
    if stored:
        flash(f"{_records(stored)} corrected.")
    if held:
        flash(f"{_records(held)} given the new value, but held: other errors.", "warn")
    if outcome.taken:
        count = _records(len(outcome.taken))
        flash(f"{count} left alone: changed by someone else meanwhile.", "warn")


def _records(count: int) -> str:
    return f"{count:,} {'record is' if count == 1 else 'records are'}"

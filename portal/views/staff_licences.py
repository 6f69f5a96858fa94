"""For staff: users whose licence is gone, lapsed, in force again or changed."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from models import FindingVerdict
from pmp import clock, sorting
from pmp.errors import RuleError
from pmp.permissions import Permission
from pmp.roster import licence_decisions
from pmp.wording import us_date, words
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_roster import FindingsForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_licences", __name__)

HEADINGS = (
    "Found", "Import", "User", "Name", "Licence", "What", "Before", "Now", "Decided",
    "By", "On", "Why",
)  # fmt: skip
VERDICT_WORDS = {
    FindingVerdict.SUSPENDED: "Suspend",
    FindingVerdict.REINSTATED: "Let back in",
    FindingVerdict.WITHDRAWN: "Take the pharmacy off",
    FindingVerdict.KEPT: "Leave as it is",
    FindingVerdict.NOTED: "Noted",
}
DONE = {
    FindingVerdict.SUSPENDED: "suspended",
    FindingVerdict.REINSTATED: "let back in",
    FindingVerdict.WITHDRAWN: "taken off a pharmacy that they reported for",
    FindingVerdict.KEPT: "left as they are",
    FindingVerdict.NOTED: "noted",
}


@bp.get("/staff/licences")
@requires(Permission.LICENCE_CONFIRM)
def index() -> ResponseReturnValue:
    return _list(FindingsForm(formdata=None))


@bp.get("/staff/licences.csv")
@requires(Permission.LICENCE_CONFIRM)
def index_csv() -> ResponseReturnValue:
    try:
        found = licence_decisions.file_of_all(by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".index"), 303)
    name = f"licences-of-users-{clock.today().isoformat()}.csv"
    return csv_answer(name, HEADINGS, map(_line, found))


@bp.post("/staff/licences")
@requires(Permission.LICENCE_CONFIRM)
def decide() -> ResponseReturnValue:
    """Show what was chosen and what would follow; once confirmed, do it."""
    form = FindingsForm()
    verdict = form.chosen_verdict()
    if verdict not in VERDICT_WORDS:
        raise RuleError("Choose what is to become of them.")
    rows = []
    with rule_errors(form):
        rows = licence_decisions.chosen(form.numbers())
    if not rows:
        return _list(form)
    will = [row for row in rows if verdict in licence_decisions.VERDICTS[row.kind]]
    if form.confirmed.data == "yes" and form.validate():
        with rule_errors(form):
            told = licence_decisions.settle(
                form.numbers(),
                verdict,
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(_done(len(will), told, verdict))
            return redirect(url_for(".index"), 303)
    form.confirmed.data = "yes"
    page = render_template(
        "staff/licences/review.html",
        form=form,
        verdict=verdict,
        words=VERDICT_WORDS[verdict],
        will=will,
        will_not=[row for row in rows if row not in will],
        tells=verdict in licence_decisions.TOLD,
    )
    return page, 422 if form.errors else 200


def _line(each: Any) -> tuple[Any, ...]:
    return (
        us_date(each.found_at),
        each.batch_id or "at night",
        each.user.username,
        each.user.name,
        each.licence.code if each.licence else "",
        words(each.kind),
        each.before,
        each.after,
        words(each.verdict) if each.verdict else "",
        each.settled_by,
        us_date(each.settled_at),
        each.reason,
    )


def _done(many: int, told: int, verdict: FindingVerdict) -> str:
    users = "1 user is" if many == 1 else f"{many} users are"
    if verdict == FindingVerdict.NOTED:
        users = "1 change is" if many == 1 else f"{many} changes are"
    done = DONE[verdict].replace("they are", "it is") if many == 1 else DONE[verdict]
    tells = verdict in licence_decisions.TOLD
    notices = " A notice goes to each of them." if many > 1 else " A notice is sent."
    unreached = " Who cannot be reached is under Deliveries." if told < many else ""
    return f"{users} {done}.{(notices + unreached) if tells else ''}"


def _list(form: FindingsForm) -> ResponseReturnValue:
    sort = sorting.known(
        sort_asked_for(), licence_decisions.SORTS, otherwise=licence_decisions.GRAVEST
    )
    page = render_template(
        "staff/licences/index.html",
        form=form,
        listed=licence_decisions.waiting(number=page_asked_for(), sort=sort),
        sort=sort,
        verdicts=VERDICT_WORDS,
    )
    return page, 422 if form.errors else 200

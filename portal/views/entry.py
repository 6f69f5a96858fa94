"""Typing one dispensation on the page: check, look once more, submit."""

from collections.abc import Mapping
from typing import Any

from flask import (
    Blueprint,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import EntryDraft, RecordStatus, Submission
from pmp import clock, entry
from pmp.entry import choices, drafts, pharmacies, summary, typed_records
from pmp.permissions import Permission
from portal.access import may, requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.entry import FOUND_BOXES, EntryForm

bp = Blueprint("entry", __name__)

STORED = (
    RecordStatus.STORED,
    RecordStatus.STORED_WITH_WARNING,
    RecordStatus.REVISED,
    RecordStatus.VOIDED,
)
SAID = {
    RecordStatus.DUPLICATE: "The record was reported before. Nothing was stored twice.",
    RecordStatus.VOID_NOT_FOUND: "No record fits this void yet. It is kept: should the"
    " record come, the void is applied to it.",
    RecordStatus.NOT_REPORTABLE: "This drug or supply is not reported. It was set"
    " aside.",
}


@bp.route("/submissions/entry", methods=["GET", "POST"])
@requires(Permission.ENTRY)
def new() -> ResponseReturnValue:
    return _page(_usual, None)


@bp.get("/submissions/entry/copies/<int:submission_id>")
@requires(Permission.ENTRY)
def copy(submission_id: int) -> ResponseReturnValue:
    user, at = signed_in_user(), clock.now()
    form = _form(lambda: typed_records.copied(submission_id, by=user, at=at))
    return _show(form, None)


@bp.route("/submissions/entry/drafts/<int:draft_id>", methods=["GET", "POST"])
@requires(Permission.ENTRY)
def draft(draft_id: int) -> ResponseReturnValue:
    kept = drafts.mine(draft_id, by=signed_in_user())
    return _page(lambda: kept.elements, kept)


@bp.post("/submissions/entry/drafts/<int:draft_id>/delete")
@requires(Permission.ENTRY)
def delete_draft(draft_id: int) -> ResponseReturnValue:
    drafts.forget(drafts.mine(draft_id, by=signed_in_user()))
    flash("The draft is deleted.")
    return redirect(url_for(".new"), 303)


@bp.get("/submissions/entry/choices")
@requires(Permission.ENTRY)
def found() -> ResponseReturnValue:
    """Give what to choose from while someone types; no patient is in it."""
    box, text = request.args.get("box", ""), request.args.get("text", "")
    listed = choices.find(box, text, by=signed_in_user()) if box in FOUND_BOXES else []
    return jsonify(
        choices=[
            {"value": each.value, "words": each.words, "more": dict(each.more)}
            for each in listed
        ]
    )


def _page(start: Any, kept: EntryDraft | None) -> ResponseReturnValue:
    form = _form(start)
    if not form.validate_on_submit():
        return _show(form, kept)
    _choose(form)
    do, _, box = request.form.get("do", "check").partition(":")
    if do == "find":
        return _find(form, kept, box)
    if do == "draft":
        return _save_draft(form, kept)
    at = clock.now()
    checked = entry.check(form.typed(), by=signed_in_user(), at=at)
    if do == "submit" and not checked.faults and form.seal.data == checked.seal:
        with rule_errors(form):
            done = entry.submit(form.typed(), by=signed_in_user(), at=at, draft=kept)
            return _on(done)
    form.show(checked.faults)
    changed = do == "submit" and not checked.faults and not form.errors
    return _show(form, kept, checked=checked, changed=changed)


def _form(start: Any) -> EntryForm:
    form = EntryForm()
    form.offer(signed_in_user())
    if request.method == "GET":
        form.fill_in(start())
    return form


def _usual() -> dict[str, str]:
    """Give what most records have, and what the user's last one had."""
    user = signed_in_user()
    usual = {"DSP05": f"{clock.today():%m/%d/%Y}", "DSP04": "0", "DSP06": "0"}
    covered = pharmacies.of(user)
    if covered and not pharmacies.find_any(user):
        usual |= {"PHA": covered[0].number, "PAT15": covered[0].state}
    last = typed_records.remembered(user)
    return usual | {name: text for name, text in last.items() if text}


def _choose(form: EntryForm) -> None:
    """Take over what was ticked in a list, unless its box was typed anew since."""
    for box in FOUND_BOXES:
        key = request.form.get(f"choice-{box}", "")
        if (form[box].data or "") != request.form.get(f"listed-{box}", ""):
            continue
        picked = choices.chosen(box, key, by=signed_in_user()) if key else None
        if picked:
            form.fill_in({**picked.more, box: picked.value})


def _find(form: EntryForm, kept: EntryDraft | None, box: str) -> ResponseReturnValue:
    text = form[box].data if box in FOUND_BOXES else ""
    listed = choices.find(box, text or "", by=signed_in_user())
    if not listed:
        form.show({box: [_NOTHING if text else "Type the beginning, then press Find."]})
    return _show(form, kept, listed={box: listed})


_NOTHING = (
    "Nothing was found. Type only the beginning of the name or number; if it is not"
    " known here, type the whole number."
)


def _save_draft(form: EntryForm, kept: EntryDraft | None) -> ResponseReturnValue:
    with rule_errors(form):
        kept = drafts.save(
            form.typed(), by=signed_in_user(), at=clock.now(), draft=kept
        )
    if form.errors or kept is None:
        return _show(form, kept)
    flash("The draft is saved. It waits here, also after you have signed out.")
    return redirect(url_for(".draft", draft_id=kept.id), 303)


def _on(done: Submission) -> ResponseReturnValue:
    """Say what became of the record, and go on to the next."""
    record = typed_records.became(done)
    if record.status in STORED and record.dispensation:
        code = record.dispensation.row_code
        voided = record.status is RecordStatus.VOIDED
        flash(f"Voided: {code}." if voided else f"Stored as {code}.")
    elif record.status in SAID:
        flash(SAID[record.status], "warn")
    elif done.finished_at:
        return redirect(_page_of(done), 303)
    else:
        tasks.nudge(tasks.process_submission, done.id)
        flash("The record is kept. It is taken in within a minute.")
    return redirect(url_for(".new"), 303)


def _page_of(submission: Submission) -> str:
    room = "submissions" if may(Permission.SUBMIT) else "staff_submissions"
    return url_for(f"{room}.show", submission_id=submission.id)


def _show(
    form: EntryForm,
    kept: EntryDraft | None,
    *,
    checked: entry.Checked | None = None,
    changed: bool = False,
    listed: Mapping[str, list[choices.Choice]] | None = None,
) -> ResponseReturnValue:
    user, at = signed_in_user(), clock.now()
    ready = checked if checked and not checked.faults and not form.errors else None
    form.seal.data = ready.seal if ready else ""
    today, count = typed_records.of_today(user, at=at)
    page = render_template(
        "entry/entry.html",
        form=form,
        kept=kept,
        ready=ready,
        changed=changed,
        lines=summary.of(ready.elements) if ready else [],
        listed=listed or _to_choose_from(form),
        named=_named(form),
        drafts=drafts.of(user),
        today=today,
        count=count,
        last=typed_records.last(user),
        page_of=_page_of,
    )
    return page, 422 if form.errors else 200


def _to_choose_from(form: EntryForm) -> dict[str, list[choices.Choice]]:
    """Look up what was typed in a box that has a fault: the name of a drug."""
    user = signed_in_user()
    return {
        box: found
        for box in FOUND_BOXES
        if form[box].errors
        and form[box].data
        and (found := choices.find(box, form[box].data, by=user))
    }


def _named(form: EntryForm) -> dict[str, str]:
    """Say beside each number whose it is."""
    user = signed_in_user()
    keys = {box: form[box].data for box in FOUND_BOXES if form[box].data}
    if "PRE02" in keys and form.PRE03.data:
        keys["PRE02"] += f"/{form.PRE03.data}"
    found = {box: choices.chosen(box, key, by=user) for box, key in keys.items()}
    return {box: choice.words for box, choice in found.items() if choice}

"""The program's settings: what is in force, and what administrators change of it."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock, kept_settings, settings
from pmp.errors import NotFoundError, RuleError
from pmp.kept_settings import editable, shown
from pmp.kept_settings.editable import Group
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_settings import form_for

bp = Blueprint("staff_settings", __name__)
SAMPLE_TO = ["Pat Sample", "1 Main Street", "Hartford CT 06103"]
SAMPLE = (
    "This is a sample, with the settings as they would be. Nothing was sent.",
    "The office's lines stand above, its telephone and its name below.",
)


@bp.get("/staff/settings")
@requires(Permission.SETTINGS_WRITE)
def index() -> ResponseReturnValue:
    groups = editable.GROUPS.values()
    return render_template(
        "staff/settings/index.html",
        groups=[(group, shown.of_group(group)) for group in groups],
        may_change={
            group.key: any(editable.may_change(each.name) for each in group.settings)
            for group in groups
        },
        others=shown.others(),
        changes=shown.history(),
        undone={change.undoes.id for change in shown.history() if change.undoes},
        lines=shown.lines,
    )


@bp.route("/staff/settings/<key>", methods=["GET", "POST"])
@requires(Permission.SETTINGS_WRITE)
def change(key: str) -> ResponseReturnValue:
    group = _group(key)
    form, differences = form_for(group), None
    if form.validate_on_submit() and _is_good(form, group):
        with rule_errors(form):
            differences = kept_settings.review(group, form.typed())
            if form.confirmed.data == "yes":
                kept_settings.keep(
                    group,
                    form.typed(),
                    reason=form.reason.data or "",
                    seen=form.number_seen,
                    by=signed_in_user(),
                    at=clock.now(),
                )
                flash("The settings are changed. The worker follows within seconds.")
                return redirect(url_for(".index"), 303)
    return _asked(form, group, differences)


@bp.post("/staff/settings/<key>/letter.pdf")
@requires(Permission.SETTINGS_WRITE)
def letter(key: str) -> ResponseReturnValue:
    group = _group(key)
    form = form_for(group)
    if not _is_good(form, group):
        return _asked(form, group, None)
    with settings.tried(kept_settings.trial(group, form.typed())):
        body = documents.pdf(
            "account_notice",
            to_lines=SAMPLE_TO,
            at=clock.now(),
            subject="Sample letter",
            sentences=SAMPLE,
        )
    answer = Response(body, mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "inline", filename="sample-letter.pdf")
    return answer


@bp.post("/staff/settings/changes/<int:change_id>/undo")
@requires(Permission.SETTINGS_WRITE)
def undo(change_id: int) -> ResponseReturnValue:
    try:
        kept_settings.undo(change_id, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        kept_settings.get(change_id)
        flash(refusal.message, "warn")
    else:
        flash("Undone: what was before is in force again.")
    return redirect(url_for(".index"), 303)


def _group(key: str) -> Group:
    if key not in editable.GROUPS:
        raise NotFoundError("There is no such page.")
    return editable.GROUPS[key]


def _is_good(form: Any, group: Group) -> bool:
    """Tell whether what was typed will do; what is wrong is put at its field."""
    if request.form.get("change") == "again":
        form.confirmed.data = ""
        return False
    problems = kept_settings.problems(group, form.typed())
    form.show_problems(problems)
    return not problems


def _asked(form: Any, group: Group, differences: Any) -> ResponseReturnValue:
    form.confirmed.data = "yes" if differences else ""
    page = render_template(
        "staff/settings/change.html",
        form=form,
        group=group,
        names=[each.name for each in group.settings if each.name in form],
        fixed=[each for each in group.settings if each.name not in form],
        differences=differences,
        in_words=shown.in_words,
    )
    return page, 422 if form.errors else 200

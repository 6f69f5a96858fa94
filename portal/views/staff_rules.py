"""Threshold rules in sentences, their versions, and the cases that they made."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import CaseStatus
from pmp import clock, thresholds
from pmp.deliveries import contacts, delivery_desk
from pmp.permissions import Permission
from pmp.thresholds import (
    answers,
    care_notes,
    case_lists,
    case_recipients,
    faxed_replies,
    outcomes,
    several_cases,
    threshold_cases,
    threshold_rules,
)
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_cases import asked, wanted_cases
from portal.forms.staff_rules import CloseForm, RuleForm
from portal.numbers import whole
from portal.paging import page_asked_for

bp = Blueprint("staff_rules", __name__)
SIMULATED = timedelta(days=365)
SHOWN = 20


@bp.get("/staff/rules")
@requires(Permission.RULE_READ)
def index() -> ResponseReturnValue:
    return render_template(
        "staff/rules/index.html",
        rules=threshold_rules.newest(),
        sentence=threshold_rules.sentence,
    )


@bp.get("/staff/rules/<int:rule_id>")
@requires(Permission.RULE_READ)
def rule(rule_id: int) -> ResponseReturnValue:
    return render_template(
        "staff/rules/rule.html",
        versions=threshold_rules.versions(threshold_rules.get(rule_id)),
        sentence=threshold_rules.sentence,
        outcomes=outcomes.of_rule(threshold_rules.get(rule_id)),
        outcome_columns=outcomes.COLUMNS,
    )


@bp.route("/staff/rules/new", methods=["GET", "POST"])
@requires(Permission.RULE_WRITE)
def new() -> ResponseReturnValue:
    form = RuleForm()
    if form.validate_on_submit():
        if form.confirmed.data == "yes":
            with rule_errors(form):
                written = threshold_rules.write(
                    terms=form.terms(),
                    reason=form.reason.data or "",
                    by=signed_in_user(),
                    at=clock.now(),
                )
                flash(f"Version {written.version} of {written.name} is in force.")
                return redirect(url_for("staff_rules.index"), 303)
    elif not form.is_submitted() and (old := request.args.get("of", type=whole)):
        form.offer(threshold_rules.terms_of(threshold_rules.get(old)))
    return _rule_page(form)


@bp.get("/staff/cases")
@requires(Permission.CASE_WORK)
def cases() -> ResponseReturnValue:
    wanted = wanted_cases()
    listed = case_lists.listed(wanted, page=page_asked_for(), at=clock.now())
    return render_template(
        "staff/cases/index.html",
        listed=listed,
        wanted=wanted,
        asked=asked(),
        statuses=list(CaseStatus),
        rules=case_lists.rule_names(),
        answer_words=case_lists.ANSWER_WORDS,
        ended=several_cases.ENDED,
        sentence=threshold_rules.sentence,
    )


@bp.get("/staff/cases/<int:case_id>")
@requires(Permission.CASE_WORK)
def case(case_id: int) -> ResponseReturnValue:
    return _case_page(case_id, CloseForm())


@bp.post("/staff/cases/<int:case_id>/release")
@requires(Permission.CASE_WORK)
def release(case_id: int) -> ResponseReturnValue:
    found = threshold_cases.get(case_id)
    threshold_cases.release(found, by=signed_in_user(), at=clock.now())
    flash("The reports are on their way.")
    return redirect(url_for("staff_rules.case", case_id=case_id), 303)


@bp.post("/staff/cases/<int:case_id>/close")
@requires(Permission.CASE_WORK)
def close(case_id: int) -> ResponseReturnValue:
    form = CloseForm()
    if form.validate_on_submit():
        with rule_errors(form):
            threshold_cases.close(
                threshold_cases.get(case_id),
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The case is closed.")
            return redirect(url_for("staff_rules.case", case_id=case_id), 303)
    return _case_page(case_id, form)


def _rule_page(form: RuleForm) -> ResponseReturnValue:
    """Give the form; once it is sound, what the rule would have made in a year."""
    reviewed = form.is_submitted() and not form.errors
    form.confirmed.data = "yes" if reviewed else ""
    terms = form.terms() if reviewed else None
    today = clock.today()
    page = render_template(
        "staff/rules/new.html",
        form=form,
        words=threshold_rules.sentence(terms) if terms else "",
        simulated=thresholds.simulate(terms, today - SIMULATED, today) if terms else [],
        since=today - SIMULATED,
        shown=SHOWN,
    )
    return page, 422 if form.errors else 200


def _case_page(case_id: int, form: CloseForm) -> ResponseReturnValue:
    found = threshold_cases.open_for_staff(case_id, by=signed_in_user(), at=clock.now())
    recipients = case_recipients.of_case(found)
    rows = [
        (
            recipient,
            contacts.name_of(case_recipients.who(recipient)),
            case_recipients.deliveries_of(recipient),
        )
        for recipient in recipients
    ]
    page = render_template(
        "staff/cases/case.html",
        form=form,
        case=found,
        rule=threshold_rules.sentence(found.rule),
        entries=threshold_cases.entries(found),
        recipients=rows,
        state_words=delivery_desk.state_words,
        replies=answers.newest_of(recipients),
        reply_words=answers.in_words,
        history=answers.history,
        tickets_of=answers.tickets_of,
        faxed=faxed_replies.of_recipients(recipients),
        reasons=faxed_replies.REASONS,
        care_notes=care_notes.of_case(found),
    )
    return page, 422 if form.errors else 200

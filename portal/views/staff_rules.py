"""Threshold rules in sentences, their versions, and the cases that they made."""

from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import RuleKind, RuleStatus
from pmp import clock, sorting
from pmp.deliveries import contacts, delivery_desk
from pmp.permissions import Permission
from pmp.thresholds import (
    answers,
    care_notes,
    case_recipients,
    faxed_replies,
    full_checks,
    outcomes,
    reached,
    rule_sentences,
    several_cases,
    shown_rows,
    simulation,
    threshold_cases,
    threshold_rules,
)
from pmp.thresholds.threshold_rules import Terms
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.simulated_period import SimulatedPeriodForm
from portal.forms.staff_cases import CaseFilterForm
from portal.forms.staff_rules import CloseForm, RuleForm, rule_form, switch_form
from portal.numbers import whole
from portal.paging import sort_asked_for
from portal.views.staff_cases import cases_page

bp = Blueprint("staff_rules", __name__)
SAMPLE = 20
MOST_PATIENTS = 200_000
MOST_ADDED_UP = 20_000
"""That a page counts: more than that a person would wait for. Fewer, where the whole
history of each is added up."""


@bp.get("/staff/rules")
@requires(Permission.RULE_READ)
def index() -> ResponseReturnValue:
    sort = sorting.known(
        sort_asked_for(), threshold_rules.SORTS, otherwise=threshold_rules.ACTIVE_FIRST
    )
    return render_template(
        "staff/rules/index.html",
        rules=threshold_rules.newest(sort),
        sort=sort,
        sentence=threshold_rules.sentence,
        sending=threshold_rules.sending,
        check=full_checks.last(),
        now=clock.now(),
    )


@bp.get("/staff/rules/<int:rule_id>")
@requires(Permission.RULE_READ)
def rule(rule_id: int) -> ResponseReturnValue:
    return render_template(
        "staff/rules/rule.html",
        versions=threshold_rules.versions(threshold_rules.get(rule_id)),
        sentence=threshold_rules.sentence,
        sending=threshold_rules.sending,
        outcomes=outcomes.of_rule(threshold_rules.get(rule_id)),
        outcome_columns=outcomes.COLUMNS,
    )


@bp.route("/staff/rules/new", methods=["GET", "POST"])
@requires(Permission.RULE_WRITE)
def new() -> ResponseReturnValue:
    old = _begun_with()
    wanted = old.kind if old else request.values.get("kind", "")
    if wanted not in set(RuleKind):
        return _start_page()
    form = rule_form(RuleKind(wanted))
    if form.validate_on_submit():
        with rule_errors(form):
            threshold_rules.require_sound(form.terms(), form.reason.data or "")
            if form.confirmed.data == "yes" and "again" not in request.form:
                written = threshold_rules.write(
                    terms=form.terms(),
                    reason=form.reason.data or "",
                    by=signed_in_user(),
                    at=clock.now(),
                    replaces=request.form.get("replaces", 0, type=whole),
                )
                flash(
                    f"Version {written.version} of {written.name} is written:"
                    f" {written.status.value}."
                )
                return redirect(url_for("staff_rules.index"), 303)
    elif not form.is_submitted() and old:
        form.offer(old)
    return _rule_page(form)


@bp.route("/staff/rules/<int:rule_id>/switch", methods=["GET", "POST"])
@requires(Permission.RULE_WRITE)
def switch(rule_id: int) -> ResponseReturnValue:
    rule = threshold_rules.get(rule_id)
    form = switch_form(rule.status)
    if form.validate_on_submit() and form.confirmed.data == "yes":
        with rule_errors(form):
            written = threshold_rules.switch(
                rule,
                RuleStatus(form.status.data),
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"{written.name} is {written.status.value} now.")
            return redirect(url_for("staff_rules.index"), 303)
    reviewed = form.is_submitted() and not form.errors
    form.confirmed.data = "yes" if reviewed else ""
    page = render_template(
        "staff/rules/switch.html",
        form=form,
        rule=rule,
        words=threshold_rules.sentence(rule),
        reviewed=reviewed,
        past_days=threshold_cases.PAST.days,
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/cases")
@requires(Permission.CASE_WORK)
def cases() -> ResponseReturnValue:
    return cases_page(CaseFilterForm(request.args))


@bp.get("/staff/cases/<int:case_id>")
@requires(Permission.CASE_WORK)
def case(case_id: int) -> ResponseReturnValue:
    return _case_page(case_id, CloseForm())


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


def _begun_with() -> Terms | None:
    """Give the terms that a form begins with: of a rule, or of a preset."""
    if request.method == "POST":
        return None
    if old := request.args.get("of", type=whole):
        return threshold_rules.terms_of(threshold_rules.get(old))
    wanted = request.args.get("preset")
    known = (each for each in threshold_rules.PRESETS if each.name == wanted)
    return next(known, None)


def _start_page() -> ResponseReturnValue:
    return render_template(
        "staff/rules/start.html",
        kinds=rule_sentences.KIND_WORDS,
        presets=threshold_rules.PRESETS,
        sentence=threshold_rules.sentence,
    )


def _rule_page(form: RuleForm) -> ResponseReturnValue:
    """Give the form; once it is sound, what the rule would have sent in a period."""
    reviewed = form.is_submitted() and not form.errors
    form.confirmed.data = "yes" if reviewed else ""
    terms = form.terms() if reviewed else None
    replaced = threshold_rules.named(terms.name) if terms else None
    form.replaces.data = str(replaced.id) if replaced else ""
    period = SimulatedPeriodForm()
    page = render_template(
        "staff/rules/new.html",
        form=form,
        kind=rule_sentences.KIND_WORDS[RuleKind(form.kind.data)],
        words=threshold_rules.sentence(terms) if terms else "",
        sending=threshold_rules.sending(terms) if terms else "",
        counted=partial(reached.crossing_words, terms) if terms else None,
        past_days=threshold_cases.PAST.days,
        replaced=replaced,
        sentence=threshold_rules.sentence,
        period=period,
        found=_simulated(terms, period) if terms else None,
        sample=SAMPLE,
    )
    return page, 422 if form.errors or period.errors else 200


def _simulated(
    terms: Terms, period: SimulatedPeriodForm
) -> simulation.Comparison | None:
    """Give what a rule would have sent in the days typed; None if they are wrong."""
    period.offer(*simulation.last_quarter(clock.today()))
    found = None
    if period.validate():
        since, until = period.days()
        by_people = terms.kind == RuleKind.PROVIDERS
        most = MOST_PATIENTS if by_people else MOST_ADDED_UP
        with rule_errors(period):
            found = simulation.compare(
                terms, since=since, until=until, most=most, today=clock.today()
            )
    return found


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
        reached=threshold_cases.reached_words(found),
        may_be_released=several_cases.may_be_released(found),
        may_be_closed=several_cases.may_be_closed(found),
        entries=shown_rows.of_case(found),
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

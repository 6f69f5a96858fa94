"""What is denied of a patient's record, how that was reviewed, what was mailed."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from models import ReviewOutcome
from pmp import clock
from pmp.disclosures import (
    denial_reviews,
    letter_mailings,
    part_denials,
    patient_requests,
)
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import Form, rule_errors
from portal.forms.staff_denials import (
    MailedForm,
    PartForm,
    ReviewAskedForm,
    ReviewForm,
)
from portal.forms.staff_disclosures import day_in
from portal.patient_request_pages import done, letter_kind

bp = Blueprint("staff_denials", __name__)


@bp.route("/staff/disclosures/requests/<int:request_id>/part", methods=["GET", "POST"])
@requires(Permission.DISCLOSURE_WORK)
def part(request_id: int) -> ResponseReturnValue:
    form = PartForm()
    user, now = signed_in_user(), clock.now()
    form.offer(part_denials.entries(request_id, by=user, at=now))
    if form.validate_on_submit():
        with rule_errors(form):
            part_denials.deny(
                request_id,
                form.entries.data or [],
                ground=form.chosen_ground(),
                reason=form.reason.data or "",
                by=user,
                at=now,
            )
            flash(
                "A part is denied. Print the letter that tells the patient, and make"
                " the paper with the rest."
            )
            address = url_for("staff_disclosures.show", request_id=request_id)
            return redirect(address, 303)
    asked = patient_requests.get(request_id)
    page = render_template("staff/disclosures/part.html", form=form, asked=asked)
    return page, 422 if form.errors else 200


@bp.post("/staff/disclosures/requests/<int:request_id>/all")
@requires(Permission.DISCLOSURE_WORK)
def give_all(request_id: int) -> ResponseReturnValue:
    def give() -> None:
        part_denials.give_all(request_id, by=signed_in_user(), at=clock.now())
        flash("Nothing is denied any more. Make the paper with all of it.")

    return done(request_id, Form(), give)


@bp.post("/staff/disclosures/requests/<int:request_id>/review")
@requires(Permission.DISCLOSURE_WORK)
def ask_review(request_id: int) -> ResponseReturnValue:
    form = ReviewAskedForm()

    def ask() -> None:
        denial_reviews.ask(
            request_id,
            asked_on=day_in(form.asked_on),
            by=signed_in_user(),
            at=clock.now(),
        )
        flash("The review is written down. Give it to who reviews denials.")

    return done(request_id, form, ask)


@bp.post("/staff/disclosures/requests/<int:request_id>/reviewed")
@requires(Permission.DISCLOSURE_WORK)
def reviewed(request_id: int) -> ResponseReturnValue:
    form = ReviewForm()

    def end() -> None:
        denial_reviews.end(
            request_id,
            ReviewOutcome(form.outcome.data),
            reviewer=form.reviewer.data or "",
            reason=form.review_reason.data or "",
            by=signed_in_user(),
            at=clock.now(),
        )
        flash("The review has ended. Print the letter that tells the patient.")

    return done(request_id, form, end)


@bp.post("/staff/disclosures/requests/<int:request_id>/mailed")
@requires(Permission.DISCLOSURE_WORK)
def mailed(request_id: int) -> ResponseReturnValue:
    form = MailedForm()
    form.offer(letter_mailings.possible(patient_requests.get(request_id)))

    def note() -> None:
        letter_mailings.note(
            request_id,
            letter_kind(form.letter.data or ""),
            mailed_on=day_in(form.mailed_on),
            by=signed_in_user(),
            at=clock.now(),
        )
        flash("The day on which the letter was mailed is written down.")

    return done(request_id, form, note)

"""The page of a patient's request, with all that can be asked for on it."""

from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from pmp import clock
from pmp.disclosures import (
    denial_reviews,
    denials,
    letter_mailings,
    part_denials,
    patient_requests,
    request_letters,
)
from pmp.disclosures.request_letters import LetterKind
from pmp.errors import NotFoundError
from portal.forms import Form, rule_errors
from portal.forms.staff_denials import MailedForm, ReviewAskedForm, ReviewForm
from portal.forms.staff_disclosures import EndForm, ExtendForm

FORMS: dict[str, type[Form]] = {
    "extending": ExtendForm,
    "ending": EndForm,
    "asking": ReviewAskedForm,
    "reviewing": ReviewForm,
    "mailing": MailedForm,
}


def letter_kind(word: str) -> LetterKind:
    """Give which letter an address names; NotFoundError for none."""
    try:
        return LetterKind(word)
    except ValueError:
        raise NotFoundError("There is no such letter.") from None


def done(request_id: int, form: Form, act: Callable[[], None]) -> ResponseReturnValue:
    """Do what a form of a request's page asks; the page again where that is refused."""
    patient_requests.get(request_id)
    if form.validate_on_submit():
        with rule_errors(form):
            act()
            address = url_for("staff_disclosures.show", request_id=request_id)
            return redirect(address, 303)
    return request_page(request_id, form)


def request_page(request_id: int, wrong: Form | None = None) -> ResponseReturnValue:
    """Show a request, with the form that was refused as it was typed."""
    found = patient_requests.get(request_id)
    forms = {
        name: wrong if isinstance(wrong, kind) else kind(formdata=None)
        for name, kind in FORMS.items()
    }
    mailable = letter_mailings.possible(found)
    if isinstance(forms["mailing"], MailedForm):
        forms["mailing"].offer(mailable)
    page = render_template(
        "staff/disclosures/request.html",
        form=wrong,
        asked=found,
        what=patient_requests.WHAT[found.asks],
        is_kept=patient_requests.is_kept(found),
        letters=request_letters.standing(found),
        mailable=mailable,
        ground=denials.words_of(found),
        part=denials.part_of(found),
        grounds=denials.GROUNDS,
        may_deny_part=part_denials.is_possible(found),
        reviews=denial_reviews.of_request(found),
        to_review=denial_reviews.to_review(found),
        under_review=denial_reviews.open_of(found),
        today=clock.today(),
        **forms,
    )
    return page, 422 if wrong is not None else 200

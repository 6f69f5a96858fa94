"""Disclosures: find whom they are about, the accounting, what patients ask for."""

from datetime import date
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from models import PatientRequestState
from pmp import clock
from pmp.disclosures import (
    accountings,
    denial_reviews,
    official_requests,
    patient_requests,
    request_letters,
    request_lists,
)
from pmp.disclosures.accountings import Accounting
from pmp.errors import RuleError
from pmp.matching import patient_files
from pmp.paging import pages_of
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import Form, rule_errors
from portal.forms.staff_disclosures import (
    DaysForm,
    EndForm,
    ExtendForm,
    NumberForm,
    PatientRequestForm,
    RequestsForm,
)
from portal.forms.staff_matches import NameForm, RowCodeForm
from portal.paging import page_asked_for, sort_asked_for
from portal.patient_request_pages import done, letter_kind, request_page
from portal.pdf_files import pdf_answer

if TYPE_CHECKING:
    from pmp.lookup.patient_search import Candidate

bp = Blueprint("staff_disclosures", __name__)
LINES_A_PAGE = 50


@bp.route("/staff/disclosures", methods=["GET", "POST"])
@requires(Permission.DISCLOSURE_WORK)
def index() -> ResponseReturnValue:
    finder = Finder()
    patient_id = finder.patient()
    if patient_id is not None:
        return redirect(url_for(".accounting", patient_id=patient_id), 303)
    page = render_template(
        "staff/disclosures/index.html",
        finder=finder,
        form=finder.wrong,
        waiting=list(patient_requests.waiting()),
        owed=request_letters.owed(),
        reviews=list(denial_reviews.waiting()),
        official=official_requests.under_way(),
        today=clock.today(),
    )
    return page, 422 if finder.wrong else 200


@bp.get("/staff/disclosures/requests")
@requires(Permission.DISCLOSURE_WORK)
def requests() -> ResponseReturnValue:
    form = RequestsForm(request.args)
    form.validate()
    return _requests(form)


@bp.get("/staff/disclosures/requests.csv")
@requires(Permission.DISCLOSURE_WORK)
def requests_csv() -> ResponseReturnValue:
    form = RequestsForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = request_lists.lines_of_patients(wanted, by=signed_in_user(), at=now)
            name = "patients-requests.csv"
            return csv_answer(name, request_lists.PATIENT_HEADINGS, rows)
    return _requests(form)


@bp.get("/staff/disclosures/patients/<int:patient_id>")
@requires(Permission.DISCLOSURE_WORK)
def accounting(patient_id: int) -> ResponseReturnValue:
    now = accountings.patient_now(patient_id)
    if now.id != patient_id:
        return redirect(url_for(".accounting", patient_id=now.id), 303)
    form, made = _made(patient_id, "page")
    number = page_asked_for()
    lines = made.lines if made else []
    page = render_template(
        "staff/disclosures/accounting.html",
        form=form,
        accounting=made,
        patient_id=patient_id,
        lines=lines[(number - 1) * LINES_A_PAGE : number * LINES_A_PAGE],
        page=number,
        pages=pages_of(len(lines), LINES_A_PAGE),
        days={k: v for k, v in request.args.items() if k in form and v},
        requests=patient_requests.of_patient(patient_id),
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/disclosures/patients/<int:patient_id>.csv")
@requires(Permission.DISCLOSURE_WORK)
def accounting_csv(patient_id: int) -> ResponseReturnValue:
    _, made = _made(patient_id, "CSV")
    if made is None:
        return accounting(patient_id)
    name = f"accounting-{patient_id}.csv"
    return csv_answer(name, accountings.HEADINGS, accountings.table(made))


@bp.get("/staff/disclosures/patients/<int:patient_id>.pdf")
@requires(Permission.DISCLOSURE_WORK)
def accounting_pdf(patient_id: int) -> ResponseReturnValue:
    _, made = _made(patient_id, "PDF")
    if made is None:
        return accounting(patient_id)
    body = documents.long_pdf("accounting", accounting=made)
    return pdf_answer(f"accounting-{patient_id}.pdf", body)


@bp.route(
    "/staff/disclosures/patients/<int:patient_id>/request", methods=["GET", "POST"]
)
@requires(Permission.DISCLOSURE_WORK)
def take(patient_id: int) -> ResponseReturnValue:
    patient = accountings.patient_now(patient_id)
    form = PatientRequestForm()
    form.offer()
    if form.validate_on_submit():
        with rule_errors(form):
            made = patient_requests.take(
                patient.id, form.told(), by=signed_in_user(), at=clock.now()
            )
            flash(f"Request {made.id} is written down.")
            return redirect(url_for(".show", request_id=made.id), 303)
    if not form.is_submitted():
        form.since.data, form.until.data = accountings.longest(clock.now())
        form.received_on.data = clock.today()
    page = render_template(
        "staff/disclosures/take.html", form=form, patient_id=patient.id
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/disclosures/requests/<int:request_id>")
@requires(Permission.DISCLOSURE_WORK)
def show(request_id: int) -> ResponseReturnValue:
    return request_page(request_id)


@bp.post("/staff/disclosures/requests/<int:request_id>/paper")
@requires(Permission.DISCLOSURE_WORK)
def make_paper(request_id: int) -> ResponseReturnValue:
    def make() -> None:
        gathered = patient_requests.gather(
            request_id, by=signed_in_user(), at=clock.now()
        )
        body = documents.pdf("patient_request", gathered=gathered)
        pages = documents.page_count(body)
        patient_requests.keep(gathered, body=body, pages=pages)
        flash(f"The paper is made: {pages} pages, {gathered.code}.")

    return done(request_id, Form(), make)


@bp.get("/staff/disclosures/requests/<int:request_id>/paper.pdf")
@requires(Permission.DISCLOSURE_WORK)
def paper(request_id: int) -> ResponseReturnValue:
    body = patient_requests.open_paper(request_id, by=signed_in_user(), at=clock.now())
    return pdf_answer(f"patient-request-{request_id}.pdf", body)


@bp.post("/staff/disclosures/requests/<int:request_id>/extend")
@requires(Permission.DISCLOSURE_WORK)
def extend(request_id: int) -> ResponseReturnValue:
    form = ExtendForm()

    def more_days() -> None:
        patient_requests.extend(
            request_id,
            reason=form.reason.data or "",
            by=signed_in_user(),
            at=clock.now(),
        )
        flash("The request is extended. Print the letter that tells the patient.")

    return done(request_id, form, more_days)


@bp.post("/staff/disclosures/requests/<int:request_id>/end")
@requires(Permission.DISCLOSURE_WORK)
def end(request_id: int) -> ResponseReturnValue:
    form = EndForm()

    def ended() -> None:
        patient_requests.end(
            request_id,
            PatientRequestState(form.state.data),
            note=form.note.data or "",
            ground=form.chosen_ground(),
            by=signed_in_user(),
            at=clock.now(),
        )
        denied = form.state.data == PatientRequestState.DENIED.value
        further = " Print the letter that tells the patient." if denied else ""
        flash(f"The request has ended.{further}")

    return done(request_id, form, ended)


@bp.post("/staff/disclosures/requests/<int:request_id>/reopen")
@requires(Permission.DISCLOSURE_WORK)
def reopen(request_id: int) -> ResponseReturnValue:
    def opened() -> None:
        patient_requests.reopen(request_id, by=signed_in_user(), at=clock.now())
        flash("The request is open again.")

    return done(request_id, Form(), opened)


@bp.post("/staff/disclosures/requests/<int:request_id>/letters/<kind>")
@requires(Permission.DISCLOSURE_WORK)
def make_letter(request_id: int, kind: str) -> ResponseReturnValue:
    which = letter_kind(kind)

    def make() -> None:
        letter = request_letters.gather(
            request_id, which, by=signed_in_user(), at=clock.now()
        )
        request_letters.keep(
            letter, body=documents.pdf("request_letter", letter=letter)
        )
        flash("The letter is ready. Open it, print it, and hand it over or mail it.")

    return done(request_id, Form(), make)


@bp.get("/staff/disclosures/requests/<int:request_id>/letters/<kind>.pdf")
@requires(Permission.DISCLOSURE_WORK)
def letter(request_id: int, kind: str) -> ResponseReturnValue:
    body = request_letters.open_letter(
        request_id, letter_kind(kind), by=signed_in_user(), at=clock.now()
    )
    return pdf_answer(f"patient-request-{request_id}-{kind}.pdf", body)


class Finder:
    """Three ways to find a person: by number, by row code, by name and birth date."""

    def __init__(self) -> None:
        self.numbered, self.coded, self.named = NumberForm(), RowCodeForm(), NameForm()
        by = request.form.get("by", "number")
        forms: dict[str, Form] = {"code": self.coded, "name": self.named}
        self.chosen = forms.get(by, self.numbered)
        self.found: list[Candidate] | None = None

    @property
    def wrong(self) -> Form | None:
        """The form that was sent and refused."""
        return self.chosen if self.chosen.errors else None

    def patient(self) -> int | None:
        """Give whom the sent form names; by name, the page lists who fits."""
        found = None
        if self.chosen.validate_on_submit():
            with rule_errors(self.chosen):
                found = self._patient()
        return found

    def _patient(self) -> int | None:
        user, at = signed_in_user(), clock.now()
        if self.chosen is self.coded:
            code = self.coded.row_code.data or ""
            return patient_files.find_by_row_code(code, by=user, at=at)
        if self.chosen is self.numbered:
            try:
                return accountings.patient_now(self.numbered.number.data or 0).id
            except RuleError as refusal:
                raise RuleError(refusal.message, field="number") from refusal
        self.found = patient_files.find_by_name(
            first_name=self.named.first_name.data or "",
            last_name=self.named.last_name.data or "",
            birth_date=self.named.birth_date.data or date.min,
            by=user,
            at=at,
        )
        return None


def _requests(form: RequestsForm) -> ResponseReturnValue:
    wanted = form.wanted(sort_asked_for())
    listed = request_lists.of_patients(wanted, page=page_asked_for())
    page = render_template(
        "staff/disclosures/requests.html",
        form=form,
        listed=listed,
        denied=request_lists.denied_of(listed.rows),
        filters=form.in_address(),
        sort=wanted.order,
        what=patient_requests.WHAT,
        today=clock.today(),
    )
    return page, 422 if form.errors else 200


def _made(patient_id: int, what: str) -> tuple[DaysForm, Accounting | None]:
    """Make the accounting of the days that the address names, else of all."""
    form = DaysForm(request.args)
    if form.validate():
        first, last = accountings.longest(clock.now())
        days = (form.since.data or first, form.until.data or last)
        with rule_errors(form):
            return form, accountings.open_accounting(
                patient_id, what=what, days=days, by=signed_in_user(), at=clock.now()
            )
    return form, None

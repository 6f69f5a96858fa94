"""The fax desk: faxes that found no registration, and the pages of every fax."""

from datetime import datetime
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
from models import InboundFax
from pmp import clock, desk_holds, faxes
from pmp.deliveries import sealed_searches
from pmp.errors import NotFoundError, RuleError
from pmp.faxes import dividing, fax_lists, fax_sheets, guesses, undoing
from pmp.permissions import Permission
from pmp.reaching import checks, fax_numbers
from pmp.registration import comparison
from pmp.registration.approval import ReturnReason
from pmp.reporting import fax_answers
from pmp.thresholds import faxed_replies
from pmp.tickets import faxed_papers
from pmp.wording import phone
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_faxes import (
    AsideFilterForm,
    DivideForm,
    TicketPaperForm,
    TrayFilterForm,
)
from portal.forms.staff_registrations import AttachForm, DismissForm, ReturnFaxForm
from portal.forms.staff_rules import ReplyForm
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_faxes", __name__)

QUARTERS = (90, 180, 270)
LARGEST = 3  # as many times as large

FORMS = {
    "attach": AttachForm,
    "ticket": TicketPaperForm,
    "divide": DivideForm,
    "return": ReturnFaxForm,
    "dismiss": DismissForm,
}
LISTS: dict[str, type[TrayFilterForm | AsideFilterForm]] = {
    "tray": TrayFilterForm,
    "aside": AsideFilterForm,
}


@bp.get("/staff/faxes")
@requires(Permission.FAX_DESK)
def tray() -> ResponseReturnValue:
    return _listed(TrayFilterForm.of_address())


@bp.get("/staff/faxes/put-aside")
@requires(Permission.FAX_DESK)
def aside() -> ResponseReturnValue:
    return _listed(AsideFilterForm.of_address())


@bp.post("/staff/faxes/search/<any(tray, aside):which>")
@requires(Permission.FAX_DESK)
def search(which: str) -> ResponseReturnValue:
    """Take what was typed into the list's address, the number sealed."""
    form = LISTS[which]()
    if form.validate():
        narrowed = form.in_address()
        sort = request.form.get("sort") or None
        return redirect(url_for(f".{which}", sort=sort, **narrowed), 303)
    return _listed(form)


@bp.get("/staff/faxes/<any(tray, aside):which>.csv")
@requires(Permission.FAX_DESK)
def csv(which: str) -> ResponseReturnValue:
    form = LISTS[which].of_address()
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = fax_lists.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer(f"faxes-{which}.csv", fax_lists.HEADINGS, rows)
    return _listed(form)


@bp.get("/staff/faxes/<int:fax_id>")
@requires(Permission.FAX_DESK)
def fax(fax_id: int) -> ResponseReturnValue:
    return _at_the_desk(faxes.by_id(fax_id))


@bp.get("/staff/faxes/<int:fax_id>/pages/<int:number>.png")
@requires(Permission.FAX_DESK)
def page(fax_id: int, number: int) -> ResponseReturnValue:
    found = faxes.by_id(fax_id)
    if not 1 <= number <= fax_sheets.in_file(found):
        raise NotFoundError("There is no such page.")
    body = faxes.viewed(found, page=number, by=signed_in_user(), at=clock.now())
    media_type = found.document.media_type if found.document else ""
    picture = documents.faxed_page_png(
        body, media_type, number, turn=turn_asked_for(), large="large" in request.args
    )
    return Response(picture, mimetype="image/png")


@bp.get("/staff/faxes/<int:fax_id>/look/<int:number>")
@requires(Permission.FAX_DESK)
def look(fax_id: int, number: int) -> ResponseReturnValue:
    """Show one page alone: larger, turned, with the pages beside it."""
    found = faxes.by_id(fax_id)
    if not 1 <= number <= fax_sheets.in_file(found):
        raise NotFoundError("There is no such page.")
    size = request.args.get("size", default=1, type=int)
    return render_template(
        "staff/faxes/look.html",
        fax=found,
        number=number,
        total=fax_sheets.in_file(found),
        turn=turn_asked_for(),
        size=min(max(size, 1), LARGEST),
        largest=LARGEST,
    )


@bp.post("/staff/faxes/<int:fax_id>/attach")
@requires(Permission.FAX_DESK)
def attach(fax_id: int) -> ResponseReturnValue:
    found, form = faxes.by_id(fax_id), _form("attach")
    if form.validate():
        with rule_errors(form):
            application = faxes.attach(
                found, code=form.code.data, by=signed_in_user(), at=clock.now()
            )
            flash(f"The fax is attached to {application.code}.")
            to = url_for("staff_registrations.compare", code=application.code)
            return redirect(to, 303)
    return _at_the_desk(found, attach=form)


@bp.post("/staff/faxes/<int:fax_id>/ticket")
@requires(Permission.FAX_DESK)
def attach_to_ticket(fax_id: int) -> ResponseReturnValue:
    found, form = faxes.by_id(fax_id), _form("ticket")
    if form.validate():
        with rule_errors(form):
            ticket = faxes.attach_to_ticket(
                found,
                code=form.code.data,
                cut=documents.cut_pages,
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"The fax is a paper of ticket {ticket.number} now.")
            return redirect(url_for("staff_tickets.ticket", number=ticket.number), 303)
    return _at_the_desk(found, ticket=form)


@bp.post("/staff/faxes/<int:fax_id>/test-page")
@requires(Permission.FAX_DESK)
def confirm_test_page(fax_id: int) -> ResponseReturnValue:
    found, code = faxes.by_id(fax_id), request.form.get("code", "")
    try:
        check = faxes.confirm_test_page(
            found, code=code, by=signed_in_user(), at=clock.now()
        )
    except RuleError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".fax", fax_id=found.id), 303)
    name = fax_numbers.name_of(checks.owner_of(check))
    flash(f"{phone(check.address)} is confirmed for {name}.")
    return redirect(url_for(".tray"), 303)


@bp.post("/staff/faxes/<int:fax_id>/divide")
@requires(Permission.FAX_DESK)
def divide(fax_id: int) -> ResponseReturnValue:
    found, form = faxes.by_id(fax_id), _form("divide")
    if form.validate():
        with rule_errors(form):
            part = dividing.take_out(
                found, page=form.page.data, by=signed_in_user(), at=clock.now()
            )
            flash(f"Those pages are fax {part.id} now. Say what it is.")
            return redirect(url_for(".fax", fax_id=part.id), 303)
    return _at_the_desk(found, divide=form)


@bp.post("/staff/faxes/<int:fax_id>/put-back")
@requires(Permission.FAX_DESK)
def put_back(fax_id: int) -> ResponseReturnValue:
    to = dividing.put_back(faxes.by_id(fax_id), by=signed_in_user(), at=clock.now())
    flash(f"Its pages are with fax {to.id} again.")
    return redirect(url_for(".fax", fax_id=to.id), 303)


@bp.get("/staff/faxes/<int:fax_id>/original")
@requires(Permission.FAX_DESK)
def original(fax_id: int) -> ResponseReturnValue:
    """Give the file as it came, to be saved: the program could not open it."""
    found = faxes.by_id(fax_id)
    body = faxes.viewed(found, page=0, by=signed_in_user(), at=clock.now())
    name = f"fax-{found.id}.bin"
    return Response(
        body,
        mimetype="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.post("/staff/faxes/<int:fax_id>/return")
@requires(Permission.FAX_DESK)
def send_back(fax_id: int) -> ResponseReturnValue:
    found, form = faxes.by_id(fax_id), _form("return")
    if form.validate():
        with rule_errors(form):
            application = faxes.return_(
                found,
                code=form.code.data,
                reason=ReturnReason(form.reason.data),
                note=form.note.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"Returned. The applicant of {application.code} is being told.")
            return redirect(url_for(".tray"), 303)
    return _at_the_desk(found, **{"return": form})


@bp.post("/staff/faxes/<int:fax_id>/dismiss")
@requires(Permission.FAX_DESK)
def dismiss(fax_id: int) -> ResponseReturnValue:
    found, form = faxes.by_id(fax_id), _form("dismiss")
    if form.validate():
        with rule_errors(form):
            faxes.dismiss(
                found, reason=form.note.data, by=signed_in_user(), at=clock.now()
            )
            flash("The fax is put aside.")
            return redirect(url_for(".tray"), 303)
    return _at_the_desk(found, dismiss=form)


def turn_asked_for() -> int:
    """Give by how many degrees a page shall be turned to the right: `?turn=90`."""
    asked = request.args.get("turn", default=0, type=int)
    return asked if asked in QUARTERS else 0


def _listed(form: TrayFilterForm | AsideFilterForm) -> ResponseReturnValue:
    if not form.errors:
        form.validate()
    now, wanted = clock.now(), form.wanted(sort_asked_for())
    listed = fax_lists.listed(wanted, page=page_asked_for())
    rows = listed.rows
    page = render_template(
        f"staff/faxes/{'aside' if wanted.aside else 'tray'}.html",
        form=form,
        listed=listed,
        filters=form.in_address(),
        sort=wanted.order,
        holds=desk_holds.held(rows, at=now),
        subject_of=desk_holds.subject_of,
        first_guess={} if wanted.aside else guesses.first_of(rows, at=now),
        now=now,
    )
    return page, 422 if form.errors else 200


def _form(name: str) -> Any:
    return FORMS[name](prefix=f"{name}-")


def _following(found: InboundFax, at: datetime) -> InboundFax | None:
    """Give the next fax of the tray that nobody else has, from the oldest on."""
    rows = [row for row in faxes.tray() if row.id != found.id]
    holds = desk_holds.held(rows, at=at)
    mine = signed_in_user()
    for row in rows:
        hold = holds.get(desk_holds.subject_of(row))
        if hold is None or hold.user == mine:
            return row
    return None


def _at_the_desk(found: InboundFax, **sent: Any) -> ResponseReturnValue:
    """Show a fax; `sent` is the form that was refused, if one was."""
    now, in_tray = clock.now(), found.status in faxes.TRAY
    forms = {
        name: kind(prefix=f"{name}-", formdata=None) for name, kind in FORMS.items()
    }
    shown = render_template(
        "staff/faxes/fax.html",
        fax=faxes.by_id(found.id),
        in_tray=in_tray,
        whole="whole" in request.args,
        blank=fax_sheets.blank(found),
        parts=fax_sheets.parts_of(found),
        test_pages=fax_numbers.faxed_back(found.codes) if in_tray else [],
        sealed=sealed_searches.seal,
        owner_name=lambda check: fax_numbers.name_of(checks.owner_of(check)),
        divisible=dividing.can_divide(found),
        goes_back_to=dividing.before(found),
        tickets=faxed_papers.of_fax(found),
        guesses=guesses.guesses(found, at=now) if in_tray else [],
        candidates=faxes.candidates(found),
        name_of=comparison.applicant_name,
        answer=fax_answers.of(found),
        replies=faxed_replies.of_fax(found),
        reply_form=ReplyForm(prefix="reply-", formdata=None),
        hold=desk_holds.holder(found, at=now),
        can_come_back=undoing.can_come_back(found),
        following=_following(found, now) if in_tray else None,
        forms=forms | sent,
        form=next(iter(sent.values()), None),
        now=now,
    )
    return shown, 422 if sent else 200

"""The papers of a ticket: attachments, and the evidence pack made of all there is."""

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from models import Audience
from pmp import clock, settings, tickets
from pmp.permissions import Permission
from pmp.tickets import attachments, dispenser_questions, evidence
from pmp.tickets.evidence import Evidence
from portal.access import requires, signed_in_user, uploads
from portal.forms import Form, rule_errors
from portal.forms.staff_tickets import AttachmentForm, EvidenceForm
from portal.views.staff_tickets import to_ticket

bp = Blueprint("staff_ticket_papers", __name__)


@bp.route("/staff/tickets/<number>/attachments", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
@uploads
def attach(number: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    form = AttachmentForm()
    if form.validate_on_submit():
        with rule_errors(form):
            attachments.add(
                found,
                body=form.file.data.read() if form.file.data else b"",
                what=form.what.data or "",
                audience=Audience(form.audience.data),
                pharmacy=dispenser_questions.pharmacy_of(form.pharmacy.data or ""),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The paper is in the ticket.")
            return to_ticket(found)
    page = render_template("staff/tickets/attach.html", form=form, ticket=found)
    return page, 422 if form.errors else 200


@bp.get("/staff/tickets/attachments/<int:attachment_id>")
@requires(Permission.TICKET_WORK)
def attachment(attachment_id: int) -> ResponseReturnValue:
    found, body = attachments.open_one(
        attachment_id, by=signed_in_user(), at=clock.now()
    )
    name = attachments.filename(found)
    return _download(body, found.document.media_type, name)


@bp.route(
    "/staff/tickets/attachments/<int:attachment_id>/remove", methods=["GET", "POST"]
)
@requires(Permission.TICKET_WORK)
def remove(attachment_id: int) -> ResponseReturnValue:
    found = attachments.get(attachment_id, by=signed_in_user())
    form = Form()
    if form.validate_on_submit():
        attachments.remove(attachment_id, by=signed_in_user(), at=clock.now())
        flash("The paper is removed.")
        return to_ticket(found.ticket)
    return render_template("staff/tickets/remove.html", form=form, paper=found)


@bp.route("/staff/tickets/<number>/evidence", methods=["GET", "POST"])
@requires(Permission.TICKET_WORK)
def pack(number: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    form = EvidenceForm(recipient=settings.current().referral_office)
    if form.validate_on_submit():
        with rule_errors(form):
            gathered = evidence.gather(
                found,
                recipient=form.recipient.data or "",
                reason=form.reason.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            body = _drawn(gathered)
            made = evidence.keep(gathered, body=body, pages=documents.page_count(body))
            flash(f"Evidence pack {made.code} is made: {made.pages} pages.")
            to = url_for("staff_tickets.ticket", number=number, _anchor="packs")
            return redirect(to, 303)
    page = render_template(
        "staff/tickets/evidence.html",
        form=form,
        ticket=found,
        papers=attachments.of(found),
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/tickets/<number>/evidence/<code>.pdf")
@requires(Permission.TICKET_WORK)
def pack_pdf(number: str, code: str) -> ResponseReturnValue:
    found = tickets.of_desk(number, by=signed_in_user())
    made, body = evidence.open_pack(found, code, by=signed_in_user(), at=clock.now())
    return _download(body, "application/pdf", f"{found.number}-{made.code}.pdf")


def _drawn(gathered: Evidence) -> bytes:
    entry = gathered.entry
    body = documents.long_pdf(
        "evidence_pack",
        evidence=gathered,
        ticket=gathered.ticket,
        entry=entry,
        person=entry.identity,
    )
    papers = (
        (paper, each.document.media_type, f"{gathered.code}, attachment {number}")
        for number, (each, paper) in enumerate(gathered.papers, start=1)
    )
    return documents.with_papers(body, papers)


def _download(body: bytes, media_type: str, filename: str) -> ResponseReturnValue:
    """Give a file to save: a stranger's file never opens within the portal."""
    answer = Response(body, mimetype=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=filename)
    return answer

"""The fax desk: faxes that found no registration, and the pages of every fax."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from models import InboundFax
from pmp import clock, faxes
from pmp.errors import NotFoundError
from pmp.permissions import Permission
from pmp.registration import comparison
from pmp.registration.approval import ReturnReason
from pmp.reporting import fax_answers
from pmp.thresholds import faxed_replies
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_registrations import AttachForm, DismissForm, ReturnFaxForm
from portal.forms.staff_rules import ReplyForm

bp = Blueprint("staff_faxes", __name__)

FORMS = {"attach": AttachForm, "return": ReturnFaxForm, "dismiss": DismissForm}


@bp.get("/staff/faxes")
@requires(Permission.FAX_DESK)
def tray() -> ResponseReturnValue:
    return render_template("staff/faxes/tray.html", rows=faxes.tray(), now=clock.now())


@bp.get("/staff/faxes/<int:fax_id>")
@requires(Permission.FAX_DESK)
def fax(fax_id: int) -> ResponseReturnValue:
    return _at_the_desk(faxes.by_id(fax_id))


@bp.get("/staff/faxes/<int:fax_id>/pages/<int:number>.png")
@requires(Permission.FAX_DESK)
def page(fax_id: int, number: int) -> ResponseReturnValue:
    found = faxes.by_id(fax_id)
    if not 1 <= number <= found.pages:
        raise NotFoundError("There is no such page.")
    body = faxes.viewed(found, page=number, by=signed_in_user(), at=clock.now())
    media_type = found.document.media_type if found.document else ""
    return Response(documents.page_png(body, media_type, number), mimetype="image/png")


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


def _form(name: str) -> Any:
    return FORMS[name](prefix=f"{name}-")


def _at_the_desk(found: InboundFax, **sent: Any) -> ResponseReturnValue:
    """Show a fax; `sent` is the form that was refused, if one was."""
    forms = {
        name: kind(prefix=f"{name}-", formdata=None) for name, kind in FORMS.items()
    }
    shown = render_template(
        "staff/faxes/fax.html",
        fax=faxes.by_id(found.id),
        in_tray=found.status in faxes.TRAY,
        candidates=faxes.candidates(found),
        name_of=comparison.applicant_name,
        answer=fax_answers.of(found),
        replies=faxed_replies.of_fax(found),
        reply_form=ReplyForm(prefix="reply-", formdata=None),
        forms=forms | sent,
        form=next(iter(sent.values()), None),
        now=clock.now(),
    )
    return shown, 422 if sent else 200

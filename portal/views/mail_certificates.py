"""Certificates and pass phrases for sealed email: one's own, and those staff keep."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import MailCertificate
from pmp import clock
from pmp.deliveries import certificate_lists, certificates, protections
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.mail_certificates import (
    CertificateForm,
    CertificatesForm,
    OwnCertificateForm,
)
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("mail_certificates", __name__)


@bp.route("/account/certificate", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def own() -> ResponseReturnValue:
    address = _own_address()
    form = OwnCertificateForm()
    if form.validate_on_submit():
        with rule_errors(form):
            _add(form, address)
            return redirect(url_for(".own"), 303)
    page = render_template(
        "account/certificate.html",
        form=form,
        address=address,
        certificate=certificates.of_address(address),
        now=clock.now(),
    )
    return page, 422 if form.errors else 200


@bp.post("/account/certificate/withdraw")
@requires(Permission.ACCOUNT)
def withdraw_own() -> ResponseReturnValue:
    found = certificates.of_address(_own_address())
    if found is not None:
        _withdraw(found)
    return redirect(url_for(".own"), 303)


@bp.route("/account/pass-phrase", methods=["GET", "POST"])
@requires(Permission.ACCOUNT)
def pass_phrase() -> ResponseReturnValue:
    """Show a new pass phrase in answer to the press of a button, and never again."""
    if not protections.are_phrases_used():
        abort(404)
    user, made = signed_in_user(), ""
    if request.method == "POST":
        whence = request.remote_addr or ""
        made = protections.make_phrase(user, at=clock.now(), whence=whence)
    return render_template(
        "account/pass_phrase.html",
        made=made,
        address=_own_address(),
        kept=protections.of_address(_own_address()),
    )


@bp.post("/account/pass-phrase/withdraw")
@requires(Permission.ACCOUNT)
def withdraw_pass_phrase() -> ResponseReturnValue:
    whence = request.remote_addr or ""
    protections.withdraw_phrase(signed_in_user(), at=clock.now(), whence=whence)
    flash(
        "No more PDFs are sent to you. Email says that a report waits here, as before."
    )
    return redirect(url_for(".pass_phrase"), 303)


@bp.route("/staff/mail-certificates", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def listing() -> ResponseReturnValue:
    form = CertificateForm()
    if form.validate_on_submit():
        with rule_errors(form):
            _add(form, form.address.data or "")
            return redirect(url_for(".listing"), 303)
    narrow = CertificatesForm(request.args)
    narrow.validate()
    return _listing(form, narrow)


@bp.get("/staff/mail-certificates.csv")
@requires(Permission.DELIVERY_WATCH)
def csv() -> ResponseReturnValue:
    narrow = CertificatesForm(request.args)
    if narrow.validate():
        with rule_errors(narrow):
            wanted, now = narrow.wanted(sort_asked_for()), clock.now()
            rows = certificate_lists.rows_of(wanted, by=signed_in_user(), at=now)
            name = "mail-certificates.csv"
            return csv_answer(name, certificate_lists.HEADINGS, rows)
    return _listing(CertificateForm(formdata=None), narrow)


@bp.post("/staff/mail-certificates/<int:certificate_id>/withdraw")
@requires(Permission.DELIVERY_WATCH)
def withdraw(certificate_id: int) -> ResponseReturnValue:
    _withdraw(certificates.get(certificate_id))
    return redirect(url_for(".listing"), 303)


def _listing(form: CertificateForm, narrow: CertificatesForm) -> ResponseReturnValue:
    wanted, now = narrow.wanted(sort_asked_for()), clock.now()
    page = render_template(
        "staff/mail/certificates.html",
        form=narrow if narrow.errors else form,
        add=form,
        narrow=narrow,
        listed=certificate_lists.listed(wanted, at=now, page=page_asked_for()),
        filters=narrow.in_address(),
        sort=wanted.order,
        are_used=certificates.are_used(),
        now=now,
    )
    return page, 422 if form.errors or narrow.errors else 200


def _own_address() -> str:
    address = signed_in_user().email
    if not address or not certificates.are_used():
        abort(404)
    return address


def _add(form: OwnCertificateForm, address: str) -> None:
    kept = certificates.add(
        form.content(),
        address=address,
        by=signed_in_user(),
        at=clock.now(),
        whence=request.remote_addr or "",
    )
    flash(f"Reports to {kept.address} are sealed with this certificate from now on.")


def _withdraw(found: MailCertificate) -> None:
    certificates.withdraw(
        found.id,
        by=signed_in_user(),
        at=clock.now(),
        whence=request.remote_addr or "",
    )
    flash(f"The certificate of {found.address} is not used any more.")

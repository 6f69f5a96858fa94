"""Letters that the post brings back: scanned or typed one after another, and undone."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import documents
from pmp import clock
from pmp.deliveries import delivery_desk, letter_codes, letters
from pmp.errors import RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms import rule_errors
from portal.forms.staff_letters import ReturnedForm, ScanForm

bp = Blueprint("staff_returned_letters", __name__)
NO_CODE = (
    "No code could be read on it. Scan at 200 dots an inch or more, the window side up,"
    " or type the codes above."
)


@bp.get("/staff/letters/returned")
@requires(Permission.LETTER_PRINT)
def index() -> ResponseReturnValue:
    return _shown(ReturnedForm(request.args), ScanForm())


@bp.post("/staff/letters/returned")
@requires(Permission.LETTER_PRINT)
def returned() -> ResponseReturnValue:
    form = ReturnedForm()
    if form.validate():
        with rule_errors(form):
            letter = letters.returned_by_code(
                form.code.data or "",
                why=form.why.data or "",
                by=signed_in_user(),
                at=clock.now(),
            )
            flash(f"{letter_codes.letter_code(letter.id)} is marked as returned.")
            # What the post wrote is often the same on the next one.
            return redirect(url_for(".index", why=form.why.data or None), 303)
    return _shown(form, ScanForm())


@bp.post("/staff/letters/returned/scan")
@requires(Permission.LETTER_PRINT)
def scanned() -> ResponseReturnValue:
    form = ScanForm()
    if form.validate() and _read(form):
        return redirect(url_for(".index"), 303)
    return _shown(ReturnedForm(formdata=None), form)


@bp.post("/staff/letters/returned/<int:letter_id>/undo")
@requires(Permission.LETTER_PRINT)
def undo(letter_id: int) -> ResponseReturnValue:
    delivery_desk.get(letter_id)
    try:
        letters.undo_returned(letter_id, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        flash(refusal.message, "warn")
    else:
        flash(f"{letter_codes.letter_code(letter_id)} counts as mailed again.")
    return redirect(url_for(".index"), 303)


@bp.post("/staff/letters/<int:letter_id>/returned")
@requires(Permission.LETTER_PRINT)
def mark_returned(letter_id: int) -> ResponseReturnValue:
    delivery_desk.get(letter_id)
    try:
        letters.mark_returned(letter_id, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        flash(refusal.message, "warn")
    else:
        flash("It is marked as returned.")
    return redirect(url_for("staff_deliveries.show", delivery_id=letter_id), 303)


def _read(form: ScanForm) -> bool:
    """Mark every letter whose code is on a scan; False where none could be."""
    try:
        found = documents.codes_on(form.file.data.read() if form.file.data else b"")
    except documents.UnreadableScan as fault:
        form.file.errors = [f"{fault} Choose a PDF, TIFF, PNG or JPEG."]
        return False
    marked, refused = [], []
    for code in found:
        try:
            letter = letters.returned_by_code(
                code, by=signed_in_user(), at=clock.now(), why=""
            )
        except RuleError as refusal:
            refused.append(refusal.message)
        else:
            marked.append(letter_codes.letter_code(letter.id))
    if not found:
        form.file.errors = [NO_CODE]
        return False
    for message in refused:
        flash(message, "warn")
    if marked:
        flash(f"Marked as returned: {', '.join(marked)}.")
    return True


def _shown(form: ReturnedForm, scan: ScanForm) -> ResponseReturnValue:
    page = render_template(
        "staff/letters/returned.html",
        form=scan if scan.errors else form,
        code_form=form,
        scan=scan,
        rows=letters.returned_today(at=clock.now()),
        code=letter_codes.letter_code,
        desk=delivery_desk,
        secret_dies=letters.SECRET_DIES,
    )
    return page, 422 if form.errors or scan.errors else 200

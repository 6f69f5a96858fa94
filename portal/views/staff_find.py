"""The box in the staff frame: what is printed on a paper leads to the thing."""

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from pmp import clock, codes
from pmp.codes import printed
from pmp.codes.hits import Hit
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.forms.staff_find import FindForm

bp = Blueprint("staff_find", __name__)


@bp.get("/staff/anything")
@requires(Permission.STAFF_CONSOLE)
def index() -> ResponseReturnValue:
    return _page(FindForm(formdata=None), [])


@bp.post("/staff/anything")
@requires(Permission.STAFF_CONSOLE)
def find() -> ResponseReturnValue:
    form, hits = FindForm(), list[Hit]()
    if form.validate():
        typed = form.anything.data or ""
        answer = codes.find(typed, by=signed_in_user(), at=clock.now())
        hits = answer.hits
        if len(hits) == 1:
            return redirect(hits[0].address, 303)
        if not hits:
            nothing = f"“{typed}” is no code, number or user name that we know."
            form.anything.errors = answer.would_be or [nothing]
    return _page(form, hits)


def _page(form: FindForm, hits: list[Hit]) -> ResponseReturnValue:
    page = render_template(
        "staff/find.html", form=form, hits=hits, kinds=printed.kinds()
    )
    return page, 422 if form.errors else 200

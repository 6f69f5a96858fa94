"""Fax numbers for staff: proven or not, what answers there, wrong ones, test pages."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import ChannelName, HowConfirmed, StationVerdict
from pmp import clock
from pmp.deliveries import barred, sealed_searches
from pmp.errors import NotFoundError, RuleError
from pmp.identifiers import e164, not_a_number
from pmp.permissions import Permission
from pmp.reaching import checks, fax_numbers, number_lists, own_ways, stations
from pmp.reaching.proofs import kind_of
from pmp.wording import phone
from portal import reaching_pages
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.filters import FilterForm
from portal.forms.reaching import FindNumberForm, ToldCodeForm, WrongNumberForm
from portal.paging import asked_of_others, page_asked_for, sort_asked_for

bp = Blueprint("staff_fax_numbers", __name__)


@bp.route("/staff/fax-numbers", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def index() -> ResponseReturnValue:
    form = ToldCodeForm()
    if form.validate_on_submit():
        with rule_errors(form):
            check = fax_numbers.confirm_by_code(
                form.code.data or "",
                how=HowConfirmed.TOLD,
                by=signed_in_user().username,
                at=clock.now(),
            )
            name = fax_numbers.name_of(checks.owner_of(check))
            flash(f"{phone(check.address)} is confirmed for {name}.")
            return redirect(url_for(".index"), 303)
    return _lists(form)


@bp.get("/staff/fax-numbers/<any(changes, out, wrong):which>.csv")
@requires(Permission.DELIVERY_WATCH)
def csv(which: str) -> ResponseReturnValue:
    form, sort = FilterForm(request.args), sort_asked_for()
    if form.validate():
        with rule_errors(form):
            user, now = signed_in_user(), clock.now()
            rows = number_lists.rows_of(which, sort=sort, by=user, at=now)
            headings = number_lists.LISTS[which].headings
            return csv_answer(f"fax-numbers-{which}.csv", headings, rows)
    return _lists(ToldCodeForm(formdata=None), refused=form)


@bp.post("/staff/fax-numbers/find")
@requires(Permission.DELIVERY_WATCH)
def find() -> ResponseReturnValue:
    typed = FindNumberForm().fax.data or ""
    if number := e164(typed):
        return redirect(url_for(".show", word=sealed_searches.seal(number)), 303)
    flash(not_a_number(typed[:40]), "bad")
    return redirect(url_for(".index"), 303)


@bp.get("/staff/fax-numbers/<word>")
@requires(Permission.DELIVERY_WATCH)
def show(word: str) -> ResponseReturnValue:
    return _shown(_number(word), WrongNumberForm(formdata=None))


@bp.post("/staff/fax-numbers/<word>/test")
@requires(Permission.DELIVERY_WATCH)
def test(word: str) -> ResponseReturnValue:
    number, wanted = _number(word), request.form.get("owner", "")
    by, at = signed_in_user(), clock.now()
    for owner in fax_numbers.owners_of(number):
        if wanted == f"{kind_of(owner)}:{owner.id}":
            try:
                channel = ChannelName.FAX
                checks.ask(owner, channel=channel, address=number, by=by, at=at)
                name = fax_numbers.name_of(owner)
                flash(f"A test page for {name} is being faxed to {phone(number)}.")
            except RuleError as refusal:
                flash(refusal.message, "warn")
    return redirect(url_for(".show", word=word), 303)


@bp.post("/staff/fax-numbers/<word>/wrong")
@requires(Permission.DELIVERY_WATCH)
def wrong(word: str) -> ResponseReturnValue:
    number, form = _number(word), WrongNumberForm()
    if form.validate():
        with rule_errors(form):
            why, by = form.why.data or "", signed_in_user().username
            fax_numbers.block(number, why=why, by=by, at=clock.now())
            flash(f"Nothing more is sent to {phone(number)}.")
            return redirect(url_for(".show", word=word), 303)
    return _shown(number, form)


@bp.post("/staff/fax-numbers/<word>/right")
@requires(Permission.DELIVERY_WATCH)
def right(word: str) -> ResponseReturnValue:
    number = _number(word)
    fax_numbers.release(number, by=signed_in_user(), at=clock.now())
    if closed := barred.why(number):
        flash(
            f"It is not blocked any more, but still nothing is sent. {closed}", "warn"
        )
    else:
        words = "may be used again. Send a test page before you rely on it."
        flash(f"{phone(number)} {words}")
    return redirect(url_for(".show", word=word), 303)


@bp.post("/staff/fax-numbers/changes/<int:change_id>")
@requires(Permission.DELIVERY_WATCH)
def settle(change_id: int) -> ResponseReturnValue:
    said = request.form.get("verdict", "")
    if said not in set(StationVerdict):
        raise NotFoundError("There is no such answer.")
    verdict = StationVerdict(said)
    try:
        settled = stations.settle(
            change_id, verdict, by=signed_in_user(), at=clock.now()
        )
    except RuleError as refusal:
        flash(refusal.message, "warn")
        return redirect(url_for(".index"), 303)
    if verdict is StationVerdict.RIGHT:
        flash("Kept: it is their new machine.")
        return redirect(url_for(".index"), 303)
    way = "It goes by the next way." if settled.goes_on else "It has no other way."
    flash(
        f"Nothing more goes to that number. {way} Write down who has the fax.", "warn"
    )
    delivery = settled.change.delivery.id
    return redirect(url_for("staff_deliveries.show", delivery_id=delivery), 303)


@bp.route("/staff/users/<int:user_id>/reaching", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def of_user(user_id: int) -> ResponseReturnValue:
    here = url_for(".of_user", user_id=user_id)
    template = "staff/fax_numbers/of_user.html"
    return reaching_pages.page(own_ways.get(user_id), template=template, here=here)


def _lists(
    form: ToldCodeForm, *, refused: FilterForm | None = None
) -> ResponseReturnValue:
    now, all_lists = clock.now(), number_lists.LISTS
    orders = {
        which: each.order(sort_asked_for(f"{which}_"))
        for which, each in all_lists.items()
    }
    page = render_template(
        "staff/fax_numbers/index.html",
        form=refused or form,
        told=form,
        find=FindNumberForm(formdata=None),
        lists={
            which: number_lists.listed(
                which, sort=order, at=now, page=page_asked_for(f"{which}_")
            )
            for which, order in orders.items()
        },
        orders=orders,
        others={which: asked_of_others(all_lists, than=which) for which in all_lists},
        owner_name=_owner_name,
        sealed=sealed_searches.seal,
    )
    return page, 422 if (refused or form).errors else 200


def _number(word: str) -> str:
    """Open the number of a page's address: no log or history holds it in the clear."""
    number = e164(sealed_searches.opened(word))
    if number is None:
        raise NotFoundError("This is not a fax number.")
    return number


def _owner_name(check: Any) -> str:
    return fax_numbers.name_of(checks.owner_of(check))


def _shown(number: str, form: WrongNumberForm) -> ResponseReturnValue:
    at = clock.now()
    owners = [
        (
            f"{kind_of(owner)}:{owner.id}",
            owner,
            fax_numbers.standing(owner, number, at=at),
        )
        for owner in fax_numbers.owners_of(number)
    ]
    page = render_template(
        "staff/fax_numbers/number.html",
        number=number,
        word=sealed_searches.seal(number),
        known=fax_numbers.known(number),
        closed=fax_numbers.is_closed(number),
        incidents=barred.incidents(number),
        owners=owners,
        name_of=fax_numbers.name_of,
        kind_of=kind_of,
        checks=fax_numbers.checks_of(number),
        owner_name=_owner_name,
        changes=stations.changes_of(number),
        form=form,
        now=at,
    )
    return page, 422 if form.errors else 200

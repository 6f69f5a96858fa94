"""Messages that reached the wrong person: write down, list, assess."""

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
from models import Misdelivery
from pmp import (
    breach_log,
    clock,
    destroy_notices,
    misdeliveries,
    misdelivery_lists,
    stray_pages,
)
from pmp.deliveries import barred, delivery_desk
from pmp.errors import NotFoundError, RuleError
from pmp.permissions import Permission
from portal.access import requires, signed_in_user
from portal.csv_files import csv_answer
from portal.forms import rule_errors
from portal.forms.staff_misdeliveries import (
    AssessmentForm,
    FindForm,
    IncidentsForm,
    MisdeliveryForm,
)
from portal.paging import page_asked_for, sort_asked_for

bp = Blueprint("staff_misdeliveries", __name__)


@bp.get("/staff/misdeliveries")
@requires(Permission.DELIVERY_WATCH)
def index() -> ResponseReturnValue:
    return _listed(IncidentsForm(request.args))


@bp.get("/staff/misdeliveries.csv")
@requires(Permission.DELIVERY_WATCH)
def csv() -> ResponseReturnValue:
    form = IncidentsForm(request.args)
    if form.validate():
        with rule_errors(form):
            wanted, now = form.wanted(sort_asked_for()), clock.now()
            rows = misdelivery_lists.rows_of(wanted, by=signed_in_user(), at=now)
            return csv_answer("incidents.csv", misdelivery_lists.HEADINGS, rows)
    return _listed(form)


@bp.route("/staff/misdeliveries/find", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def find() -> ResponseReturnValue:
    """Find what a caller holds; by POST, for it may be a patient's number."""
    form, found = FindForm(), None
    if form.validate_on_submit():
        found = stray_pages.found_by(form.text.data or "")
    page = render_template(
        "staff/misdeliveries/find.html",
        form=form,
        found=found,
        may_record=misdeliveries.may_record,
        incident_of=misdeliveries.of_delivery,
        desk=delivery_desk,
    )
    return page, 422 if form.errors else 200


@bp.get("/staff/misdeliveries/log/<int:year>")
@requires(Permission.DELIVERY_WATCH)
def log(year: int) -> ResponseReturnValue:
    return render_template(
        "staff/misdeliveries/log.html",
        log=_log(year),
        years=breach_log.years(at=clock.now()),
        breach_words=breach_log.breach_words,
        now=clock.now(),
    )


@bp.get("/staff/misdeliveries/log/<int:year>.csv")
@requires(Permission.DELIVERY_WATCH)
def log_csv(year: int) -> ResponseReturnValue:
    rows = breach_log.lines(_log(year), by=signed_in_user(), at=clock.now())
    return csv_answer(f"breach-log-{year}.csv", breach_log.HEADINGS, rows)


@bp.route("/staff/deliveries/<int:delivery_id>/wrong-person", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def record(delivery_id: int) -> ResponseReturnValue:
    form = MisdeliveryForm()
    if form.validate_on_submit():
        with rule_errors(form):
            incident = misdeliveries.record(
                delivery_id,
                form.told(),
                by=signed_in_user(),
                at=clock.now(),
                address=request.remote_addr or "",
            )
            flash(f"It is written down as incident {incident.id}.")
            return redirect(url_for(".incident", incident_id=incident.id), 303)
    delivery = delivery_desk.get(delivery_id)
    page = render_template(
        "staff/misdeliveries/record.html",
        form=form,
        delivery=delivery,
        then=misdeliveries.then_words(delivery),
        stopped=misdeliveries.stopped_by_it(delivery),
        desk=delivery_desk,
    )
    return page, 422 if form.errors else 200


@bp.route("/staff/misdeliveries/<int:incident_id>", methods=["GET", "POST"])
@requires(Permission.DELIVERY_WATCH)
def incident(incident_id: int) -> ResponseReturnValue:
    form = AssessmentForm()
    if form.validate_on_submit():
        with rule_errors(form):
            misdeliveries.assess(
                incident_id,
                assessment=form.assessment.data or "",
                is_breach=form.breach.data == "yes",
                bar_address=bool(form.bar_address.data),
                by=signed_in_user(),
                at=clock.now(),
            )
            flash("The incident is closed.")
            return redirect(url_for(".incident", incident_id=incident_id), 303)
    found = misdeliveries.get(incident_id)
    if not form.is_submitted():
        form.bar_address.data = found.address_barred
    return _shown(found, form)


@bp.post("/staff/misdeliveries/<int:incident_id>/address")
@requires(Permission.DELIVERY_WATCH)
def address(incident_id: int) -> ResponseReturnValue:
    """Use the address of a closed incident again, or not after all."""
    is_barred = request.form.get("barred") == "yes"
    misdeliveries.get(incident_id)
    try:
        misdeliveries.bar(
            incident_id, barred=is_barred, by=signed_in_user(), at=clock.now()
        )
    except RuleError as refusal:
        flash(refusal.message, "warn")
    return redirect(url_for(".incident", incident_id=incident_id), 303)


@bp.post("/staff/misdeliveries/<int:incident_id>/notice.pdf")
@requires(Permission.DELIVERY_WATCH)
def print_notice(incident_id: int) -> ResponseReturnValue:
    sheet = destroy_notices.printed(incident_id, by=signed_in_user(), at=clock.now())
    body = documents.pdf("destroy_notice", sheet=sheet)
    answer = Response(body, mimetype="application/pdf")
    name = f"please-destroy-{incident_id}.pdf"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@bp.post("/staff/misdeliveries/<int:incident_id>/notice")
@requires(Permission.DELIVERY_WATCH)
def send_notice(incident_id: int) -> ResponseReturnValue:
    misdeliveries.get(incident_id)
    try:
        made = destroy_notices.send(incident_id, by=signed_in_user(), at=clock.now())
    except RuleError as refusal:
        flash(refusal.message, "warn")
    else:
        flash(f"Delivery {made.id} asks them to destroy it.")
    return redirect(url_for(".incident", incident_id=incident_id), 303)


def _listed(form: IncidentsForm) -> ResponseReturnValue:
    wanted = form.wanted(sort_asked_for())
    page = render_template(
        "staff/misdeliveries/index.html",
        form=form,
        listed=misdelivery_lists.listed(wanted, page=page_asked_for()),
        filters=form.in_address(),
        sort=wanted.order,
        this_year=clock.today().year,
    )
    return page, 422 if form.errors else 200


def _log(year: int) -> breach_log.Log:
    if year not in breach_log.years(at=clock.now()):
        raise NotFoundError("There is no log of this year.")
    return breach_log.of_year(year)


def _shown(found: Misdelivery, form: AssessmentForm) -> ResponseReturnValue:
    page = render_template(
        "staff/misdeliveries/incident.html",
        form=form,
        incident=found,
        breach=breach_log.breach_words(found),
        others=misdeliveries.others_there(found.delivery),
        closed=barred.why(found.delivery.address),
        notices=destroy_notices.sent(found),
        may_send_notice=destroy_notices.may_send(found),
        desk=delivery_desk,
    )
    return page, 422 if form.errors else 200

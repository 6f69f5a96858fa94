"""Sending a message by another way than the one that does not work.

Staff choose among the ways that are known of the recipient, or type the right fax
number twice. A new delivery takes the place of the old one, which is cancelled if it
has not left. A password goes to the address of record and by no other way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from peewee import DoesNotExist

from models import (
    CareNote,
    CaseRecipient,
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    OutsideReporter,
    ReportingNotice,
    Submission,
    TicketQuestion,
    User,
)
from pmp import database, identifiers, settings
from pmp.deliveries import (
    Route,
    as_seen,
    barred,
    contacts,
    delivery_desk,
    outbox,
    stopping,
)
from pmp.errors import RuleError
from pmp.reaching import checks, held_faxes
from pmp.thresholds import case_recipients
from pmp.tickets import outside_answers

_NEW_CODE = (
    "The code in it proves the number or address that it was sent to, and no other."
    " Ask for a new code for that number or address."
)
# What goes one way only, and what to do instead.
ONE_WAY = {
    DeliveryKind.CREDENTIAL_LETTER: (
        "A letter with a password goes to the address of record and nowhere else."
        " Issue a new one from the registration instead."
    ),
    DeliveryKind.DESTROY_NOTICE: (
        "This asks whoever has the pages to destroy them, and goes where those went."
        " Print it from the incident instead."
    ),
    DeliveryKind.FAX_TEST_PAGE: _NEW_CODE,
    DeliveryKind.EMAIL_CHECK: _NEW_CODE,
    DeliveryKind.MOBILE_CODE: _NEW_CODE,
    DeliveryKind.CONTACT_CHANGE: (
        "This tells whoever was reached at the old number or address that it was"
        " changed, and is of no use anywhere else. Ring them instead."
    ),
    DeliveryKind.FORGOTTEN_PASSWORD: (
        "The link in it goes to the address that we have of the user and nowhere else."
        " Send another link from Sign-in help, or mail a new password letter."
    ),
    DeliveryKind.STAFF_ALERT: (
        "Alerts go to staff alone. Where they go is set in PMP_STAFF_MAIL_TO."
    ),
}
MAIL_ONLY = frozenset({DeliveryKind.LOOK_UP_CORRECTION})
# On its way, or there: a second way would bring a second copy. So may a letter that is
# in a print run: its paper must first be pulled out, by cancelling it.
_GONE = frozenset(
    {
        DeliveryState.SENDING,
        DeliveryState.SUBMITTED,
        DeliveryState.IN_DOUBT,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.BATCHED,
        DeliveryState.PRINTED,
        DeliveryState.MAILED,
    }
)


@dataclass(frozen=True)
class Way:
    """A way to reach the recipient; `why_not` says why it cannot be chosen."""

    route: Route
    why_not: str = ""


def _case_routes(recipient: CaseRecipient) -> list[Route]:
    return contacts.routes_for(case_recipients.who(recipient))


def _pharmacy_of(notice: ReportingNotice) -> list[Route]:
    if notice.pharmacy is not None:
        return contacts.routes_for(notice.pharmacy)
    sender: User | None = notice.submission.submitted_by if notice.submission else None
    return contacts.routes_of_user(sender) if sender else []


def _user_routes(user_id: int) -> list[Route]:
    return contacts.routes_of_user(User.get_by_id(user_id))


# Kind → the ways of its recipient, by the id of its subject. Where a kind is not
# here, the ways are those that its own delivery and the ones before it were given.
_ROUTES: dict[DeliveryKind, Callable[[int], list[Route]]] = {
    DeliveryKind.THRESHOLD_REPORT: lambda id_: _case_routes(
        CaseRecipient.get_by_id(id_)
    ),
    DeliveryKind.CORRECTION_NOTICE: lambda id_: _case_routes(
        CorrectionNotice.get_by_id(id_).recipient
    ),
    DeliveryKind.CARE_NOTE: lambda id_: _case_routes(CareNote.get_by_id(id_).addressee),
    DeliveryKind.TICKET_QUESTION: lambda id_: contacts.routes_for(
        TicketQuestion.get_by_id(id_).pharmacy
    ),
    DeliveryKind.REPORTING_NOTICE: lambda id_: _pharmacy_of(
        ReportingNotice.get_by_id(id_)
    ),
    DeliveryKind.SUBMISSION_RECEIPT: lambda id_: contacts.own_routes(
        Submission.get_by_id(id_).submitted_by
    ),
    DeliveryKind.OUTSIDE_ANSWER: lambda id_: outside_answers.routes(
        OutsideReporter.get_by_id(id_)
    ),
    DeliveryKind.LOOK_UP_CORRECTION: _user_routes,
}


def may_choose(delivery: Delivery) -> bool:
    """Tell whether another way may take this one's place."""
    open_ways = delivery.kind not in ONE_WAY and delivery.state not in _GONE
    is_over = delivery.state == DeliveryState.CANCELLED
    return open_ways and not is_over and child_of(delivery) is None


def one_way_words(delivery: Delivery) -> str:
    """Say why it goes by no other way ever, and what to do instead; "" if it may."""
    return ONE_WAY.get(delivery.kind, "")


def may_type(delivery: Delivery) -> bool:
    """Tell whether it may go to a fax number that staff type."""
    return delivery.kind not in {*ONE_WAY, *MAIL_ONLY}


def ways(delivery: Delivery) -> list[Way]:
    """Give the ways that are known of its recipient, each once, its own first."""
    known = [Route(delivery.channel, delivery.address)]
    before: Delivery | None = delivery
    while before is not None:
        known += [Route(before.channel, before.address)]
        known += [
            Route(ChannelName(name), where) for name, where in before.further_routes
        ]
        before = before.parent
    known += _of_recipient(delivery)
    once: dict[tuple[ChannelName, str], Route] = {}
    for each in known:
        if each.address:
            once.setdefault((each.channel, each.address), each)
    routes = list(once.values())
    closed = barred.among(each.address for each in routes)
    return [Way(each, _why_not(delivery, each, closed)) for each in routes]


def warning(delivery: Delivery, route: Route, *, typed: bool = False) -> str:
    """Say that a message with patient data would go to a number that nobody proved.

    Nothing of one that is held until the number is proven.
    """
    who = held_faxes.recipient_of(delivery)
    if who is None or route.channel != ChannelName.FAX or route.awaits:
        return ""
    if typed:
        is_off = settings.current().fax_verified_only == "off"
        proven = Route(route.channel, route.address) in contacts.routes_for(who)
        return "" if is_off or proven else stopping.UNPROVEN
    untested = contacts.ways_to(who).untested
    return stopping.UNPROVEN if route.address == untested else ""


def child_of(delivery: Delivery) -> Delivery | None:
    """Give the delivery that took this one's place, if one did."""
    found: Delivery | None = (
        Delivery.select()
        .where(Delivery.parent == delivery)
        .order_by(Delivery.id)
        .first()
    )
    return found


def typed_fax(number: str, again: str) -> Route:
    """Read a fax number that was typed twice; RuleError at `number` or `again`."""
    read = identifiers.e164(number)
    if read is None:
        message = "Write the fax number with area code, such as (860) 555-0123."
        raise RuleError(message, field="number")
    if identifiers.e164(again) != read:
        raise RuleError("The two numbers differ. Type it again.", field="again")
    return Route(ChannelName.FAX, read)


def send_by(
    delivery_id: int,
    route: Route,
    *,
    typed: bool = False,
    by: User,
    at: datetime,
    seen: str = "",
) -> Delivery:
    """Have a message go by another way; give the delivery that takes its place.

    The old one is cancelled if it waits; a failed one stays failed. `typed` says that
    staff typed the number. RuleError for a way that is not the recipient's, or where
    a message reached somebody else; ConflictError if something happened meanwhile.
    """
    with database.atomic():
        delivery_desk.get(delivery_id)
        old = outbox.taken(delivery_id)
        as_seen.require(old, seen)
        _require_open(old, route, typed=typed)
        delivery_desk.note_action(old, "other way", by=by, at=at)
        maybe_sent = old.state == DeliveryState.HELD and old.possible_duplicate
        _end(old, route, by=by, at=at)
        new = outbox.request(
            kind=old.kind,
            subject_id=old.subject_id,
            routes=[route, *(way for way in outbox.ways_left(old) if way != route)],
            dedupe_key=f"{old.dedupe_key}>{old.id}",
            at=at,
            priority=old.priority,
            document=old.document,
        )
        new.parent, new.possible_duplicate = old, maybe_sent
        new.save(only=[Delivery.parent, Delivery.possible_duplicate])
        who = held_faxes.recipient_of(old) if route.awaits else None
        if who is not None:
            checks.ask_if_untested(who, at=at)
        if typed:
            text = "the number was typed twice by hand"
            outbox.note(new, None, source=by.username, at=at, text=text)
    return new


def _of_recipient(delivery: Delivery) -> list[Route]:
    routes_of = _ROUTES.get(delivery.kind)
    try:
        return routes_of(delivery.subject_id) if routes_of else []
    except DoesNotExist:  # what it was about is gone
        return []


def _require_open(old: Delivery, route: Route, *, typed: bool) -> None:
    if words := one_way_words(old):
        raise RuleError(words)
    if not may_choose(old):
        state = delivery_desk.state_words(old).lower()
        raise RuleError(f"It can go by no other way now. Its state: {state}.")
    if typed and not may_type(old):
        raise RuleError("This message goes by no fax.", field="number")
    field = "number" if typed else "way"
    if closed := barred.why(route.address):
        raise RuleError(f"{closed} Or choose another way.", field=field)
    if not typed and route not in [each.route for each in ways(old)]:
        raise RuleError("Choose one of those that are listed.", field=field)
    if route == Route(old.channel, old.address):
        raise RuleError("It goes there already. Choose another way.", field=field)


def _end(old: Delivery, route: Route, *, by: User, at: datetime) -> None:
    text = f"goes by {route.channel.value} instead"
    old.needs_staff = False
    if old.state in outbox.FINAL:
        old.revision += 1
        old.save()
        outbox.note(old, None, source=by.username, at=at, text=text)
        return
    outbox.change(old, DeliveryState.CANCELLED, source=by.username, text=text, at=at)


def _why_not(delivery: Delivery, route: Route, closed: set[str]) -> str:
    if route.address in closed:
        return barred.why(route.address)
    if route == Route(delivery.channel, delivery.address):
        return "it goes there already"
    if delivery.kind in MAIL_ONLY and route.channel != ChannelName.EMAIL:
        return "this message goes by email alone"
    return ""

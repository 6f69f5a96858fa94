"""Proving a number or an address: a code goes there and comes back.

By fax on a test page, by email as a link, by text message as six digits. A user's new
number is theirs only once it is proven; until then the old one stays in use. Whoever
has the old one is told of the change.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from models import (
    ChannelName,
    ContactCheck,
    DeliveryKind,
    HowConfirmed,
    Pharmacy,
    Prescriber,
    User,
)
from pmp import audit, database, deliveries, settings
from pmp.deliveries import Route, barred, contacts
from pmp.errors import RuleError
from pmp.reaching import held_faxes, page_codes, proofs, telling, texts
from pmp.reaching.proofs import Owner

GOOD_FOR = {
    ChannelName.FAX: timedelta(days=14),
    ChannelName.EMAIL: timedelta(days=3),
    ChannelName.SMS: timedelta(hours=1),
}
MOST_TRIES = 5
MOST_A_DAY = 5
KINDS = {
    ChannelName.FAX: DeliveryKind.FAX_TEST_PAGE,
    ChannelName.EMAIL: DeliveryKind.EMAIL_CHECK,
    ChannelName.SMS: DeliveryKind.MOBILE_CODE,
}
FIELDS = {
    ChannelName.FAX: "fax",
    ChannelName.EMAIL: "email",
    ChannelName.SMS: "mobile",
}
# Somebody waits beside the machine, or with the telephone in hand.
PRIORITY = 2


def ask(
    owner: Owner,
    *,
    channel: ChannelName,
    address: str,
    by: User | None,
    at: datetime,
) -> ContactCheck:
    """Send a code to somebody's number or address; `by` None: the program itself.

    A user's other number becomes theirs when the code comes back. An earlier code for
    the same person and channel is no longer good. RuleError, at the field, for an
    address of somebody else and after too many codes in a day.
    """
    field = FIELDS[channel]
    if barred.among([address]):
        raise RuleError(
            "A fax to this number reached somebody else, so nothing is sent there."
            " Give another one, or call us.",
            field=field,
        )
    name, kind = by.username if by else "system", proofs.kind_of(owner)
    with database.atomic():
        if by is not None and by == owner:
            _refuse_too_many(by, field, at=at)
        _end_open(owner, channel, at=at)
        check: ContactCheck = ContactCheck.create(
            channel=channel,
            address=address,
            code=_new_code(channel),
            adopt=isinstance(owner, User) and address != getattr(owner, field),
            asked_by=name,
            asked_at=at,
            expires_at=at + GOOD_FOR[channel],
            **{kind: owner},
        )
        deliveries.request(
            kind=KINDS[channel],
            subject_id=check.id,
            routes=[Route(channel, address)],
            dedupe_key=f"contact-check:{check.id}",
            priority=PRIORITY,
            at=at,
        )
        detail = {"channel": channel.value, "check": check.id}
        _record(audit.Event.CONTACT_CHECK_ASKED, check, name, at, detail)
    return check


def ask_once(owner: Owner, *, number: str, at: datetime) -> ContactCheck | None:
    """Have a test page sent to a number that a report should have gone to.

    None while a code is out to them, to this number or to one that they ask for: a
    machine is not rung each night.
    """
    if open_check(owner, ChannelName.FAX, at=at) or barred.among([number]):
        return None
    return ask(owner, channel=ChannelName.FAX, address=number, by=None, at=at)


def ask_if_untested(
    who: Prescriber | Pharmacy, *, at: datetime, ways: contacts.Ways | None = None
) -> ContactCheck | None:
    """Have a test page sent to whoever is reached by a number that is not proven.

    For each message with patient data, in the transaction that requests it: what is
    held waits for the code. `ways` if they are known; None as `ask_once`, and where
    there is nothing to prove.
    """
    ways = ways or contacts.ways_to(who)
    if not ways.untested:
        return None
    return ask_once(ways.user or who, number=ways.untested, at=at)


def confirm(
    check: ContactCheck, *, how: HowConfirmed, by: str, at: datetime
) -> ContactCheck:
    """Take a code that came back: the number is proven, and the user's if it is new.

    Faxes that waited for it go out. A second time changes nothing; RuleError if the
    code is too old or was replaced by another.
    """
    with database.atomic():
        moved = (
            ContactCheck.update(confirmed_at=at, confirmed_how=how, confirmed_by=by)
            .where(ContactCheck.id == check.id)
            .where(ContactCheck.confirmed_at.is_null())
            .where(ContactCheck.ended_at.is_null())
            .where(ContactCheck.expires_at > at)
            .execute()
        )
        check = ContactCheck.get_by_id(check.id)
        if not moved:
            if check.confirmed_at and not check.ended_at:
                return check
            raise RuleError(too_old(check), field="code")
        user = check.user if check.adopt else None
        before = telling.report_routes(user) if user else []
        old = _adopt(check, user) if user else ""
        if check.channel == ChannelName.FAX:
            held_faxes.release(check.address, at=at)
        if check.channel == ChannelName.SMS:
            texts.agree(check.address, by=by, at=at)
        detail = {"channel": check.channel.value, "how": how.value, "check": check.id}
        _record(audit.Event.CONTACT_CONFIRMED, check, by, at, detail)
        if user:  # where reports came first, and what was theirs: told once if the same
            telling.tell_if_moved(user, before, at=at)
        if user and old:
            telling.tell_old(user, Route(check.channel, old), at=at)
    return check


def typed(
    user: User, *, channel: ChannelName, code: str, by: User, at: datetime
) -> ContactCheck:
    """Take a code that a user types, or tells staff; RuleError if it is not theirs.

    After five wrong ones the code is no longer good, and they ask for another.
    """
    check = open_check(user, channel, at=at)
    if check is None:
        raise RuleError("No code waits for you. Ask for a new one.", field="code")
    read = page_codes.read_code(code) if channel == ChannelName.FAX else code.strip()
    if read is None or not hmac.compare_digest(read.encode(), check.code.encode()):
        raise RuleError(_wrong(check, at=at), field="code")
    how = HowConfirmed.TYPED if by == user else HowConfirmed.TOLD
    return confirm(check, how=how, by=by.username, at=at)


def open_check(
    owner: Owner, channel: ChannelName, *, at: datetime
) -> ContactCheck | None:
    """Give the code that is out to somebody by a channel, if one is good yet."""
    check: ContactCheck | None = (
        ContactCheck.select()
        .where(_of(owner))
        .where(ContactCheck.channel == channel)
        .where(ContactCheck.confirmed_at.is_null())
        .where(ContactCheck.ended_at.is_null())
        .where(ContactCheck.expires_at > at)
        .order_by(ContactCheck.id.desc())
        .first()
    )
    return check


def last_confirmed(
    owner: Owner, channel: ChannelName, address: str
) -> ContactCheck | None:
    """Give how somebody's number or address was proven; None if it is not."""
    check: ContactCheck | None = (
        ContactCheck.select()
        .where(_of(owner))
        .where(ContactCheck.channel == channel)
        .where(ContactCheck.address == address)
        .where(ContactCheck.confirmed_at.is_null(is_null=False))
        .where(ContactCheck.ended_at.is_null())
        .order_by(ContactCheck.confirmed_at.desc())
        .first()
    )
    return check


def give_up(owner: Owner, channel: ChannelName, *, by: User, at: datetime) -> None:
    """Forget a code that is out: the old number or address stays."""
    with database.atomic():
        if _end_open(owner, channel, at=at):
            audit.record(
                audit.Event.CONTACT_CHANGED,
                actor=by.username,
                subject=f"{proofs.kind_of(owner)}:{owner.id}",
                at=at,
                detail={"channel": channel.value, "what": "change given up"},
            )


def seal_of(check: ContactCheck) -> str:
    """Give what the link of an email carries: it cannot be made from the tables."""
    key = settings.current().secret_key.get_secret_value().encode()
    text = f"contact-check:{check.id}:{check.code}".encode()
    return hmac.new(key, text, "sha256").hexdigest()[:40]


def by_link(user: User, *, check_id: int, seal: str) -> ContactCheck:
    """Give the check of an email's link; RuleError if the link is not this user's."""
    check: ContactCheck | None = ContactCheck.get_or_none(
        ContactCheck.id == check_id, ContactCheck.user == user
    )
    if check is None or not hmac.compare_digest(seal.encode(), seal_of(check).encode()):
        raise RuleError(
            "This link is not for the account that you are signed in to. Open the"
            " newest mail, or ask for another on this page."
        )
    return check


def too_old(check: ContactCheck) -> str:
    """Say why a code is no longer good."""
    why = "was replaced by a newer one" if check.ended_at else "is too old"
    return f"This code {why}. Ask for a new one."


def is_open(check: ContactCheck, *, at: datetime) -> bool:
    """Tell whether a code may still come back."""
    waits = check.confirmed_at is None and check.ended_at is None
    return bool(waits and check.expires_at > at)


def owner_of(check: ContactCheck) -> Owner:
    """Give whose number or address it is."""
    found: Any = check.user or check.licence or check.prescriber or check.pharmacy
    owner: Owner = found  # a CHECK: exactly one
    return owner


def _of(owner: Owner) -> Any:
    column: Any = getattr(ContactCheck, proofs.kind_of(owner))
    return column == owner.id


def _end_open(owner: Owner, channel: ChannelName, *, at: datetime) -> int:
    ended: int = (
        ContactCheck.update(ended_at=at)
        .where(_of(owner))
        .where(ContactCheck.channel == channel)
        .where(ContactCheck.confirmed_at.is_null())
        .where(ContactCheck.ended_at.is_null())
        .execute()
    )
    return ended


def _refuse_too_many(user: User, field: str, *, at: datetime) -> None:
    asked = (
        ContactCheck.select()
        .where(ContactCheck.user == user)
        .where(ContactCheck.asked_at > at - timedelta(days=1))
        .count()
    )
    if asked >= MOST_A_DAY:
        raise RuleError(
            f"{MOST_A_DAY} codes were sent within a day. Wait until tomorrow, or"
            " call us.",
            field=field,
        )


def _new_code(channel: ChannelName) -> str:
    if channel == ChannelName.FAX:
        return page_codes.new_code()
    if channel == ChannelName.SMS:
        return f"{secrets.randbelow(10**6):06d}"
    return secrets.token_urlsafe(16)


def _wrong(check: ContactCheck, *, at: datetime) -> str:
    """Count a wrong code and say what follows; the count stands although it failed."""
    tries = check.wrong_tries + 1
    over = tries >= MOST_TRIES
    changes: dict[str, Any] = {"wrong_tries": ContactCheck.wrong_tries + 1}
    if over:
        changes["ended_at"] = at
    ContactCheck.update(**changes).where(ContactCheck.id == check.id).execute()
    if over:
        return "This is not the code, for the fifth time. Ask for a new one."
    return "This is not the code that was sent last. Compare each sign."


def _adopt(check: ContactCheck, user: User) -> str:
    """Make the number or address the user's own; give the one that it replaces."""
    field = FIELDS[check.channel]
    old = str(getattr(user, field) or "")
    setattr(user, field, check.address)
    user.save(only=[getattr(User, field)])
    return old if old != check.address else ""


def _record(
    event: audit.Event,
    check: ContactCheck,
    actor: str,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    owner = owner_of(check)
    subject = f"{proofs.kind_of(owner)}:{owner.id}"
    audit.record(event, actor=actor, subject=subject, at=at, detail=detail)

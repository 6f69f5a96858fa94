"""How to reach a prescriber or a pharmacy, user or not: which channel, in which order.

Numbers and addresses come from the user's own account, then from the roster; never from
what another dispenser typed into a record. An email is a notice that must be opened in
the portal, so only a user can be reached by one; everybody else gets fax or letter. A
letter goes to the address of record on the licence and nowhere else. A text message is
no way to reach anybody here.

A fax number that is not proven (PMP_FAX_VERIFIED_ONLY) gets no patient data: the other
ways come instead and, where there is none, the message is held for the test page.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from models import (
    ChannelName,
    Delegation,
    DelegationStatus,
    Licence,
    Pharmacy,
    Prescriber,
    Role,
    User,
    UserStatus,
)
from pmp import identifiers, settings, wording
from pmp.deliveries import Route, barred
from pmp.reaching import proofs

ORDER = (ChannelName.FAX, ChannelName.EMAIL, ChannelName.LETTER)
AWAITS_TEST_PAGE = "waits until its test page is confirmed: the number is not proven"


@dataclass(frozen=True)
class Known:
    """What is known of addresses: which are closed to us, which numbers are proven."""

    closed: frozenset[str]
    proven: frozenset[proofs.Proof]


@dataclass(frozen=True)
class Ways:
    """How somebody is reached; `untested` is a fax number that has yet to be proven."""

    routes: list[Route]
    user: User | None = None
    untested: str = ""


def routes_for(who: Prescriber | Pharmacy, *, with_patient: bool = True) -> list[Route]:
    """Give the ways to reach them, first choice first; none: staff must find one.

    The preferred channel of the user, or of the roster, then fax, email, letter. With
    patient data no fax number that is not proven, or it alone, held until it is.
    """
    return ways_to(who, with_patient=with_patient).routes


def ways_to(who: Prescriber | Pharmacy, *, with_patient: bool = True) -> Ways:
    """Give the same, with who they are in the portal and the number to be tested."""
    user, licence = user_of(who), licence_of(who)
    known = known_of(addresses_of(who, user, licence).values())
    return ways_from(who, user, licence, known, with_patient=with_patient)


def known_of(addresses: Iterable[str]) -> Known:
    """Ask what is known of addresses, in a few queries for however many."""
    wanted = {each for each in addresses if each}
    numbers = [each for each in wanted if each.startswith("+")]
    return Known(frozenset(barred.among(wanted)), proofs.among(numbers))


def addresses_of(
    who: Prescriber | Pharmacy, user: User | None, licence: Licence | None
) -> dict[ChannelName, str]:
    """Give somebody's address for each channel, empty where there is none."""
    return {
        ChannelName.FAX: _fax(user, licence, who),
        ChannelName.EMAIL: (user.email or "") if user else "",
        ChannelName.LETTER: "\n".join(address_lines(licence)) if licence else "",
    }


def ways_from(
    who: Prescriber | Pharmacy,
    user: User | None,
    licence: Licence | None,
    known: Known,
    *,
    with_patient: bool = True,
) -> Ways:
    """Give the ways of somebody of whom all is known, without a query."""
    addresses = addresses_of(who, user, licence)
    preferred = _preferred(user, licence)
    order = sorted(ORDER, key=lambda channel: channel != preferred)
    routes = [
        Route(way, addresses[way])
        for way in order
        if addresses[way] and addresses[way] not in known.closed
    ]
    number = addresses[ChannelName.FAX]
    waits = (
        with_patient
        and number not in known.closed
        and _must_be_proven(number, licence, who)
        and not proofs.is_among(known.proven, number, (user, licence, who))
    )
    if not waits:
        return Ways(routes, user)
    others = [route for route in routes if route.channel != ChannelName.FAX]
    held = Route(ChannelName.FAX, number, awaits=AWAITS_TEST_PAGE)
    return Ways(others or [held], user, number)


def routes_of_user(user: User) -> list[Route]:
    """Give the ways to reach a user about what they did in the portal."""
    who = user.prescriber or user.pharmacy
    if who is not None:
        return routes_for(who, with_patient=False)
    return [Route(ChannelName.EMAIL, user.email)] if user.email else []


def own_routes(user: User) -> list[Route]:
    """Give the ways to tell a user of what they did themselves: email, fax.

    Only this user is told, not a colleague of the same pharmacy; who prefers fax has
    it first.  None, if neither is known: a letter would come too late to be of use.
    """
    number = _number(user.fax)
    for known in (user.licence, user.pharmacy, user.prescriber):
        number = number or (_number(known.fax) if known else "")
    routes = [
        Route(ChannelName.EMAIL, user.email or ""),
        Route(ChannelName.FAX, number),
    ]
    if user.preferred_channel == ChannelName.FAX:
        routes.reverse()
    closed = barred.among(route.address for route in routes)
    return [each for each in routes if each.address and each.address not in closed]


def staff_routes() -> list[Route]:
    """Give where staff are told, each to be told: as set, else every active one."""
    if to := settings.current().staff_mail_to:
        return [Route(ChannelName.EMAIL, each.strip()) for each in to.split(",")]
    staff = (
        User.select()
        .where(User.role == Role.STAFF)
        .where(User.status == UserStatus.ACTIVE)
        .where(~User.email.is_null())
        .order_by(User.id)
    )
    return [Route(ChannelName.EMAIL, user.email) for user in staff if user.email]


def user_of(who: Prescriber | Pharmacy) -> User | None:
    """Give the active user who is this prescriber or pharmacy, if there is one."""
    mine = User.prescriber if isinstance(who, Prescriber) else User.pharmacy
    linked = mine == who.id
    if who.licence:
        linked |= (User.licence == who.licence) & mine.is_null()
    user: User | None = (
        User.select()
        .where(linked)
        .where(User.status == UserStatus.ACTIVE)
        .order_by(User.id)
        .first()
    )
    return user


def licence_of(who: Prescriber | Pharmacy) -> Licence | None:
    """Give their licence: as linked, else the one active licence with their DEA."""
    if who.licence:
        linked: Licence = who.licence
        return linked
    if not who.dea or (isinstance(who, Prescriber) and who.dea_suffix):
        return None  # a hospital's number with a suffix stands for many people
    found = list(
        Licence.select().where(Licence.dea == who.dea).where(Licence.active).limit(2)
    )
    return found[0] if len(found) == 1 else None


def name_of(who: Prescriber | Pharmacy) -> str:
    """Write the name of a prescriber (LAST, FIRST) or a pharmacy."""
    if isinstance(who, Prescriber):
        name = wording.person_name(who.last_name, who.first_name)
    else:
        name = (who.name or "").upper()
    return name or f"DEA {who.dea}"


def phone_of(who: Prescriber | Pharmacy) -> str:
    """Give the number to ring, +1 and ten digits; empty if none is known."""
    user, licence = user_of(who), licence_of(who)
    known = (who.phone, licence and licence.phone, user and user.phone)
    return next((number for each in known if (number := _number(each))), "")


def fax_of(who: Prescriber | Pharmacy) -> str:
    """Give the fax number, +1 and ten digits; empty if none is known.

    Also where faxes to it came to somebody else: nobody shall send more there.
    """
    number = _fax(user_of(who), licence_of(who), who)
    return "" if barred.among([number]) else number


def address_lines(licence: Licence) -> list[str]:
    """Give the lines of a letter's address of record; none where it is incomplete."""
    if not (licence.street and licence.city and licence.state):
        return []
    streets = [line.strip() for line in licence.street.splitlines() if line.strip()]
    town = f"{licence.city} {licence.state} {wording.zip_code(licence.zip)}".strip()
    return [licence.name, *streets[:3], town]


def letter_lines(user: User) -> list[str]:
    """Give the lines of a letter to a user: the licence's address of record.

    A delegate has none: theirs is their supervisor's, while they never had another,
    who would get the way into what is not theirs to see. None where it is incomplete.
    """
    if user.licence:
        return address_lines(user.licence)
    agreed = [DelegationStatus.APPROVED, DelegationStatus.ENDED]
    rows = list(
        Delegation.select()
        .where(Delegation.delegate == user)
        .where(Delegation.status.in_(agreed))
        .order_by(Delegation.id.desc())
    )
    alone = len({row.__data__["supervisor"] for row in rows}) == 1
    is_standing = alone and rows[0].status == DelegationStatus.APPROVED
    licence = rows[0].supervisor.licence if is_standing else None
    lines = address_lines(licence) if licence else []
    return [user.name, f"c/o {lines[0]}", *lines[1:]] if lines else []


def _preferred(user: User | None, licence: Licence | None) -> ChannelName | None:
    chosen: ChannelName | None = user.preferred_channel if user else None
    return chosen or (licence.preferred_channel if licence else None)


def _must_be_proven(
    number: str, licence: Licence | None, who: Prescriber | Pharmacy
) -> bool:
    """Tell whether the policy wants a test page; the Department's numbers may do."""
    policy = settings.current().fax_verified_only
    if policy == "off" or not number:
        return False
    listed = [_number(known.fax) for known in (licence, who) if known]
    return policy == "all" or number not in listed


def _fax(user: User | None, licence: Licence | None, who: Prescriber | Pharmacy) -> str:
    own = user.fax if user else None
    listed = licence.fax if licence else None
    # What its holder once told CMS comes last, and must be proven.
    nppes = licence.nppes_fax if licence else None
    known = (own, listed, who.fax, nppes)
    return next((number for each in known if (number := _number(each))), "")


def _number(text: object) -> str:
    return identifiers.e164(str(text)) or "" if text else ""

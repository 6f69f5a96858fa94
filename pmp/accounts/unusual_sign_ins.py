"""A sign-in from a browser or a network that a user was not seen with before.

The user is told by email: whoever has a password of theirs was not them. What is known
of a browser is its name and system, of a network the part of its address that a house
shares (IPv4 /24, IPv6 /48); both stand in the table of sessions.
"""

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from models import NoticeOfAccount, Session, User
from pmp import settings
from pmp.accounts import account_notices
from pmp.accounts.browsers import browser_name

REMEMBERED = timedelta(days=180)
IPV4_SHARED, IPV6_SHARED = 24, 48
MOST_SESSIONS = 500


def tell_if_new(user: User, *, address: str, browser: str, at: datetime) -> bool:
    """Tell a user of a sign-in that is unlike those before; whether it was told.

    The first sign-in is like any: there is nothing to compare it with. To be called
    before the session begins.
    """
    if not settings.current().sign_in_notices:
        return False
    before: list[Session] = list(
        Session.select(Session.address, Session.browser)
        .where((Session.user == user) & (Session.created_at > at - REMEMBERED))
        .order_by(Session.created_at.desc())
        .limit(MOST_SESSIONS)
    )
    name = browser_name(browser)
    new_browser = name not in {browser_name(each.browser) for each in before}
    new_network = _network(address) not in {_network(each.address) for each in before}
    if not before or not (new_browser or new_network):
        return False
    account_notices.tell(
        user,
        NoticeOfAccount.NEW_SIGN_IN,
        at=at,
        detail={"browser": name, "address": address},
    )
    return True


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    shared = IPV4_SHARED if parsed.version == 4 else IPV6_SHARED
    return str(ip_network(f"{address}/{shared}", strict=False))

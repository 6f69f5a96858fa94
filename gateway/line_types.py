"""Is a fax number a mobile? Twilio's Lookup v2 is asked, and never waited for long.

Only a warning comes of it. Where it is off, slow, down or does not know, nothing does.
"""

import logging

from gateway import twilio_calls
from gateway.message import DeliveryError
from pmp import clock
from pmp.identifiers import e164
from pmp.reaching import line_types

log = logging.getLogger(__name__)

SECONDS = 3.0


def is_mobile(number: str) -> bool:
    """Tell whether a number is surely a mobile; no transaction may be open."""
    plain = e164(number)
    account = twilio_calls.account()
    if plain is None or account is None:
        return False
    known = line_types.known(plain, at=clock.now())
    return (known or _asked(account, plain)) == line_types.MOBILE


def _asked(account: twilio_calls.Account, number: str) -> str:
    """Ask, and keep the answer; one that did not come is asked for again next time."""
    try:
        content = twilio_calls.call(
            account,
            "GET",
            account.line(number),
            params={"Fields": "line_type_intelligence"},
            seconds=SECONDS,
        )
    except DeliveryError as error:
        log.warning("a line's type could not be asked: %s", error.error_class)
        return ""
    told = content.get("line_type_intelligence")
    line_type = str(told.get("type") or "") if isinstance(told, dict) else ""
    line_types.keep(number, line_type[:40], at=clock.now())
    return line_type

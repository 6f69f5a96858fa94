"""What a mail relay's answer means for the message, by its two codes and its moment.

The first code is RFC 5321's, the second, more exact one RFC 3463's and its registry's
(https://www.iana.org/assignments/smtp-enhanced-status-codes/). The same code means one
thing when the sender was named (it is about us), another when the recipient was.
"""

import re
from enum import StrEnum

from models import ErrorClass

_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")


class Moment(StrEnum):
    SENDER = "sender"  # connecting, signing in, MAIL FROM
    RECIPIENT = "recipient"  # RCPT TO
    TEXT = "text"  # DATA and after the last dot


# Subject and detail of 5.x.y that say what they say at any moment.
_LASTING = {
    (1, 7): ErrorClass.CONFIGURATION,  # our own address is malformed
    (1, 8): ErrorClass.CONFIGURATION,  # our own domain is not known
    (2, 2): ErrorClass.BUSY,  # a full mailbox: it may be emptied
    (2, 3): ErrorClass.DOCUMENT,  # longer than the mailbox allows
    (3, 4): ErrorClass.DOCUMENT,  # larger than the relay allows
    (7, 2): ErrorClass.REJECTED,  # a list that not everybody may write to
    (7, 13): ErrorClass.REJECTED,  # the account is disabled
    (7, 17): ErrorClass.REJECTED,  # the mailbox has a new owner
    (7, 18): ErrorClass.REJECTED,  # the domain has a new owner
}

# Details of 5.7.x that are about how we send: our sign-in, our keys, our server's name.
_OURS = frozenset({8, 9, 11, 14, *range(20, 30)})
# 5.7.0 and 5.7.1 may be a recipient's own rule. One such must not stop all email, and a
# relay that turns us away must not fail every message: its words tell the two apart.
_ABOUT_US = re.compile(
    r"relay|block|spamhaus|reputation|authenticat|\b(?:spf|dkim|dmarc)\b", re.IGNORECASE
)


def meaning(moment: Moment, code: int, text: str) -> ErrorClass:
    """Say what follows from an answer that is not a yes.

    BUSY is the recipient's trouble and passes, or is given up after some hours for the
    next route; CARRIER_DOWN and THROTTLED are the relay's; CONFIGURATION is about us;
    UNKNOWN is some rule of theirs, tried for half a day.
    """
    found = _ENHANCED.match(text)
    fits = found is not None and found[1] == str(code)[0]
    subject, detail = (int(found[2]), int(found[3])) if found and fits else (0, 0)
    if 500 <= code < 600:
        return _lasting(moment, code, text, subject, detail)
    if subject == 7 or (subject, detail) == (5, 3):
        at_the_door = moment == Moment.SENDER
        return ErrorClass.THROTTLED if at_the_door else ErrorClass.BUSY
    if subject == 2 and moment != Moment.SENDER:
        return ErrorClass.BUSY
    return ErrorClass.CARRIER_DOWN


def _lasting(
    moment: Moment, code: int, text: str, subject: int, detail: int
) -> ErrorClass:
    if moment == Moment.SENDER:
        too_large = code == 552 or (subject, detail) == (3, 4)
        return ErrorClass.DOCUMENT if too_large else ErrorClass.CONFIGURATION
    if (subject, detail) in _LASTING:
        return _LASTING[subject, detail]
    if subject == 7:
        ours = detail in _OURS or code == 530 or _ABOUT_US.search(text)
        return ErrorClass.CONFIGURATION if ours else ErrorClass.UNKNOWN
    if subject == 6 or (moment == Moment.TEXT and subject != 1):
        return ErrorClass.DOCUMENT
    if moment == Moment.RECIPIENT and not subject:
        # 552 to a recipient is "over quota"; 530 wants TLS or a sign-in first.
        plain = {552: ErrorClass.BUSY, 530: ErrorClass.CONFIGURATION}
        return plain.get(code, ErrorClass.REJECTED)
    return ErrorClass.REJECTED

"""What kind of failure a HylaFAX job's status names, for the outbox's waits."""

import re

from models import ErrorClass

# The first that is found in the status of a failed job; of HylaFAX 6.0's own texts.
_ERRORS = (
    (r"busy signal", ErrorClass.BUSY),
    (r"T1 timeout|no carrier|Phase A|no DIS|cannot receive", ErrorClass.NOT_A_FAX),
    (r"no T\.4 receiver", ErrorClass.NOT_A_FAX),
    (r"no answer|ringback|ring detect|no ring", ErrorClass.NO_ANSWER),
    (r"dial ?tone|setup modem|configure modem|lock modem", ErrorClass.CARRIER_DOWN),
    (r"dial ?string|blocked by|reject", ErrorClass.REJECTED),
    (r"document|TIFF|too many pages|conver[st]", ErrorClass.DOCUMENT),
    (r"kill time|killed|removed|job abort", ErrorClass.UNKNOWN),
    (r"COMREC|RSPREC|Phase [BCD]|DCN|PP[SR]|RTN|EOR", ErrorClass.LINE_DROPPED),
    (r"failure to|train|silence|transmit|carrier|hang ?up", ErrorClass.LINE_DROPPED),
    (
        r"disconnect|giving up|no response|too many attempts to send",
        ErrorClass.LINE_DROPPED,
    ),
)


def error_class_of(status: str) -> ErrorClass:
    """Tell what kind of failure the status of a HylaFAX job names."""
    for pattern, error_class in _ERRORS:
        if re.search(pattern, status, re.IGNORECASE):
            return error_class
    return ErrorClass.UNKNOWN

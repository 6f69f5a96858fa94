"""What a carrier's error numbers and words mean for us.

Sources: Twilio's error dictionary (twilio.com/docs/api/errors: 34002 callee busy, 34003
did not answer, 34004 error during transmission, 34005 no longer available, 112xx HTTP
retrieval, 21211 and 21212 invalid To and From), which LaML carriers kept; SpanDSP's
result texts, as FreeSWITCH documents them for fax_result_text; Sinch's error messages
(developers.sinch.com/docs/fax/api-reference/fax/tag/Error-Messages).
"""

from models import ErrorClass

UNREACHED = "could not fetch the pages: can it reach PMP_PUBLIC_URL from outside?"

# Twilio's numbers. A carrier that cannot fetch from us will not for any other fax
# either: that is a fault of our settings, not of this document.
_CODES = {
    "11200": ErrorClass.CONFIGURATION,
    "11205": ErrorClass.CONFIGURATION,
    "11206": ErrorClass.CONFIGURATION,
    "11210": ErrorClass.CONFIGURATION,
    "11220": ErrorClass.CONFIGURATION,
    "11237": ErrorClass.CONFIGURATION,
    "12300": ErrorClass.DOCUMENT,
    "13224": ErrorClass.REJECTED,
    "13225": ErrorClass.REJECTED,
    "13227": ErrorClass.CONFIGURATION,
    "20003": ErrorClass.CONFIGURATION,
    "21205": ErrorClass.CONFIGURATION,
    "21210": ErrorClass.CONFIGURATION,
    "21211": ErrorClass.REJECTED,
    "21212": ErrorClass.CONFIGURATION,
    "21214": ErrorClass.REJECTED,
    "21217": ErrorClass.REJECTED,
    "21606": ErrorClass.CONFIGURATION,
    "34002": ErrorClass.BUSY,
    "34003": ErrorClass.NO_ANSWER,
    "34004": ErrorClass.LINE_DROPPED,
    "34005": ErrorClass.CONFIGURATION,
}
FETCH_CODES = frozenset({"11200", "11205", "11206", "11210", "11220", "11237"})

# The first that is found in the text counts.
_WORDS = (
    ("busy", ErrorClass.BUSY),
    ("did not answer", ErrorClass.NO_ANSWER),
    ("no answer from a fax", ErrorClass.NOT_A_FAX),
    ("no answer", ErrorClass.NO_ANSWER),
    ("ring timeout", ErrorClass.NO_ANSWER),
    ("waiting for initial communication", ErrorClass.NOT_A_FAX),
    ("no fax tone", ErrorClass.NOT_A_FAX),
    ("no carrier detected", ErrorClass.NOT_A_FAX),
    ("not a fax", ErrorClass.NOT_A_FAX),
    ("ced tone exceeded", ErrorClass.NOT_A_FAX),
    ("far end is not compatible", ErrorClass.NOT_A_FAX),
    ("far end is not able to receive", ErrorClass.NOT_A_FAX),
    ("far end cannot receive", ErrorClass.DOCUMENT),
    ("not in service", ErrorClass.REJECTED),
    ("unallocated", ErrorClass.REJECTED),
    ("not operational", ErrorClass.REJECTED),
    ("not active", ErrorClass.REJECTED),
    ("invalid number", ErrorClass.REJECTED),
    ("invalid phone number", ErrorClass.REJECTED),
    ("number is invalid", ErrorClass.REJECTED),
    ("insufficient funds", ErrorClass.CONFIGURATION),
    ("download", ErrorClass.CONFIGURATION),
    ("could not access", ErrorClass.CONFIGURATION),
    ("fetch", ErrorClass.CONFIGURATION),
    ("retrieve media", ErrorClass.CONFIGURATION),
    ("unsupported media", ErrorClass.DOCUMENT),
    ("content-type", ErrorClass.DOCUMENT),
    ("invalid media", ErrorClass.DOCUMENT),
    ("page count", ErrorClass.DOCUMENT),
    ("congestion", ErrorClass.CARRIER_DOWN),
)

_SINCH_CALL = {
    11: ErrorClass.LINE_DROPPED,
    15: ErrorClass.CARRIER_DOWN,
    16: ErrorClass.NO_ANSWER,
    17: ErrorClass.BUSY,
    19: ErrorClass.LINE_DROPPED,
    30: ErrorClass.NOT_A_FAX,
    32: ErrorClass.NOT_A_FAX,
    34: ErrorClass.REJECTED,
    43: ErrorClass.CARRIER_DOWN,
    49: ErrorClass.REJECTED,
}
_SINCH_FAX = {
    7: ErrorClass.DOCUMENT,
    14: ErrorClass.NOT_A_FAX,
    25: ErrorClass.DOCUMENT,
    31: ErrorClass.NOT_A_FAX,
    40: ErrorClass.CARRIER_DOWN,
    44: ErrorClass.CARRIER_DOWN,
    46: ErrorClass.CONFIGURATION,
    48: ErrorClass.NO_ANSWER,
    68: ErrorClass.NOT_A_FAX,
    75: ErrorClass.UNKNOWN,
    76: ErrorClass.CARRIER_DOWN,
    113: ErrorClass.DOCUMENT,
    132: ErrorClass.NOT_A_FAX,
    133: ErrorClass.REJECTED,
}
# 57 and 69: the carrier could not store the file.
_SINCH_DOCUMENT = {57: ErrorClass.CARRIER_DOWN, 69: ErrorClass.CARRIER_DOWN}
_SINCH = {
    "CALL_ERROR": (_SINCH_CALL, ErrorClass.UNKNOWN),
    "FAX_ERROR": (_SINCH_FAX, ErrorClass.LINE_DROPPED),
    "LINE_ERROR": ({}, ErrorClass.LINE_DROPPED),
    "DOCUMENT_CONVERSION_ERROR": (_SINCH_DOCUMENT, ErrorClass.DOCUMENT),
}
_SINCH_FIELDS = {
    "to": ErrorClass.REJECTED,
    "file": ErrorClass.DOCUMENT,
    "files": ErrorClass.DOCUMENT,
}


def of_laml(code: str, text: str) -> ErrorClass | None:
    """Give the class of a LaML error; None where number and words say nothing."""
    return _CODES.get(code.strip()) or of_words(text)


def of_words(text: str) -> ErrorClass | None:
    """Give the class that a carrier's words point to; None if to none."""
    said = text.lower()
    return next((kind for words, kind in _WORDS if words in said), None)


def of_sinch(kind: str, code: int | None, text: str) -> ErrorClass:
    """Give the class of a Sinch error: of its number, its words, or its kind."""
    numbers, otherwise = _SINCH.get(kind.upper(), ({}, ErrorClass.UNKNOWN))
    return numbers.get(code or 0) or of_words(text) or otherwise


def of_sinch_field(name: str) -> ErrorClass:
    """Give the class of a field that Sinch refused; those that we set are our fault."""
    return _SINCH_FIELDS.get(name, ErrorClass.CONFIGURATION)

"""Tracking numbers of certified and registered letters, typed or scanned. Pure.

USPS Publication 199 (Intelligent Mail package barcode): 20 to 22 digits, before which
a scanner reads 420 and the ZIP of the addressee; or two letters, nine digits and US.
"""

import re

_FORM = re.compile(r"(?:420\d{5}(?:\d{4})?)?(9\d{19,21}|[A-Z]{2}\d{9}US)", re.ASCII)


def tracking_number(typed: str) -> str:
    """Bring a tracking number to its plain form; ValueError, in words, for others."""
    plain = "".join(sign for sign in typed.upper() if sign.isascii() and sign.isalnum())
    found = _FORM.fullmatch(plain)
    if not found:
        raise ValueError(
            f"“{typed.strip()[:40]}” is no tracking number: 20 to 22 digits that begin"
            " with 9 are expected, or two letters, nine digits and US."
        )
    return found[1]

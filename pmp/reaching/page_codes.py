"""The code on a fax test page, FXT-7K3Q-9XW4: random, it says nothing of anybody."""

import secrets
from collections.abc import Iterable

from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign

PREFIX = "FXT"
LENGTH = 8
HALF = LENGTH // 2


def new_code() -> str:
    """Give a new code; its last sign finds any one wrong sign."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(LENGTH - 1))
    return _written(signs + check_sign(signs))


def read_code(text: str) -> str | None:
    """Bring a typed code to its written form, FXT-7K3Q-9XW4; None if it is none.

    Case, blanks and hyphens do not matter, and the prefix may be left out.
    """
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if len(plain) > LENGTH:
        plain = plain.removeprefix(PREFIX)
    signs = plain.translate(LIKE)
    if len(signs) != LENGTH or set(signs) - set(SIGNS):
        return None
    return _written(signs) if check_sign(signs[:-1]) == signs[-1] else None


def codes_in(texts: Iterable[str]) -> list[str]:
    """Give the test pages' codes among what was read from a fax: prefix and all."""
    found = {read_code(text) for text in texts if text.upper().startswith(PREFIX)}
    return sorted(code for code in found if code)


def _written(signs: str) -> str:
    return f"{PREFIX}-{signs[:HALF]}-{signs[HALF:]}"

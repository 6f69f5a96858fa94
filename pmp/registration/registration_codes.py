"""The code of a registration: CTR-7K3Q9-XW4MT, on paper, in addresses, on the phone.

Ten of Crockford's 32 signs after the programme's prefix: nine are random (45 bits), the
last finds each single wrong sign and each pair of swapped ones. It holds nothing about
the person, and fifteen characters fit the smallest QR code.
"""

import secrets

from pmp import settings
from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign

LENGTH = 10
HALF = LENGTH // 2


def new_code() -> str:
    """Make a code at random; that nobody has it yet, the table's constraint says."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(LENGTH - 1))
    return _written(signs + check_sign(signs))


def read_code(text: str) -> str | None:
    """Bring a code to its written form, however it was typed; None if it is none.

    Case, blanks and hyphens do not matter, O is read as 0, I and L as 1, and the
    prefix may be left out.
    """
    plain = "".join(sign for sign in text.upper() if sign.isalnum()).translate(LIKE)
    prefix = settings.current().registration_prefix.upper().translate(LIKE)
    if len(plain) > LENGTH:
        plain = plain.removeprefix(prefix)
    if len(plain) != LENGTH or set(plain) - set(SIGNS):
        return None
    return _written(plain) if check_sign(plain[:-1]) == plain[-1] else None


def _written(signs: str) -> str:
    prefix = settings.current().registration_prefix
    return f"{prefix}-{signs[:HALF]}-{signs[HALF:]}"

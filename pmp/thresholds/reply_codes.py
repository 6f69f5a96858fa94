"""The code on a reply page, RPL-7K3Q9-XW4MT: random, it says nothing of the patient."""

import secrets

from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign

PREFIX = "RPL"
HALF = 5


def new_code() -> str:
    """Give a new code; its last sign finds any one wrong sign."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(2 * HALF - 1))
    return _written(signs + check_sign(signs))


def read_code(text: str) -> str | None:
    """Bring a reply code to its written form, RPL-7K3Q9-XW4MT; None if it is none."""
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if not plain.startswith(PREFIX):
        return None
    signs = plain.removeprefix(PREFIX).translate(LIKE)
    if len(signs) != 2 * HALF or set(signs) - set(SIGNS):
        return None
    return _written(signs) if check_sign(signs[:-1]) == signs[-1] else None


def _written(signs: str) -> str:
    return f"{PREFIX}-{signs[:HALF]}-{signs[HALF:]}"

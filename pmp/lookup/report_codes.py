"""The code that a report's PDF carries: typed from paper, never guessed.

Ten random signs of Crockford's 32 (50 bits) and a check sign, V-7K3Q9X-2M4P7: no I, L,
O or U to mistake, and each wrong sign or pair of swapped signs is found.
"""

import secrets

from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign

PREFIX = "V"
LENGTH = 10
EXAMPLE = "V-7K3Q9X-2M4P7"


def new_code() -> str:
    """Make a code that no report has."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
    return _written(signs + check_sign(signs))


def read(typed: str) -> str:
    """Give a code as it is kept, however it was typed; ValueError, for the person."""
    signs = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(signs) == LENGTH + 2:
        signs = signs.removeprefix(PREFIX)
    signs = signs.translate(LIKE)
    if len(signs) != LENGTH + 1 or set(signs) - set(SIGNS):
        raise ValueError(f"A code has twelve letters and digits, like {EXAMPLE}")
    if check_sign(signs[:-1]) != signs[-1]:
        raise ValueError(
            "This code has a letter or digit wrong. Compare it with the foot of the"
            " report"
        )
    return _written(signs)


def _written(signs: str) -> str:
    half = (LENGTH + 2) // 2
    return f"{PREFIX}-{signs[:half]}-{signs[half:]}"

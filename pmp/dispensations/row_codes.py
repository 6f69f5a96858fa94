"""The code of a dispensation that people say on the phone: D-7K3Q9XT.

Crockford's 32 signs: no I, L, O or U to mishear.  The code is the row's own number,
stirred so that neighbours look unlike, with a check sign that finds each single wrong
sign and each pair of swapped signs.  No two rows can have the same code.
"""

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = "D-"
LENGTH = 6  # signs before the check: over a thousand million rows
_ROOM = 1 << 5 * LENGTH
_STIR = 0x2545F491 % _ROOM | 1  # odd, so that it can be undone
_UNSTIR = pow(_STIR, -1, _ROOM)
LIKE = str.maketrans("OIL", "011")


def row_code(number: int) -> str:
    """Give the code of a row by its id; ValueError beyond 32**6 rows."""
    if not 0 < number < _ROOM:
        raise ValueError(number)
    left = number * _STIR % _ROOM
    signs = ""
    for _ in range(LENGTH):
        left, sign = divmod(left, 32)
        signs = SIGNS[sign] + signs
    return f"{PREFIX}{signs}{check_sign(signs)}"


def row_number(typed: str) -> int:
    """Give the id that a code stands for, however it was typed.

    ValueError, with a sentence for the person, if it cannot be a code.
    """
    signs = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(signs) == LENGTH + 2:
        signs = signs.removeprefix("D")
    signs = signs.translate(LIKE)
    if len(signs) != LENGTH + 1 or set(signs) - set(SIGNS):
        raise ValueError("A row code has seven letters and digits, like D-7K3Q9XT")
    if check_sign(signs[:-1]) != signs[-1]:
        raise ValueError("This row code has a letter or digit wrong")
    number = 0
    for sign in signs[:-1]:
        number = number * 32 + SIGNS.index(sign)
    return number * _UNSTIR % _ROOM


def check_sign(signs: str) -> str:
    """Give the sign that finds any one wrong sign and any two swapped ones.

    `signs` are of SIGNS, at most 30 of them.
    """
    # Horner's rule in the field of 32: each place weighs differently.
    total = 0
    for sign in signs:
        total = _double(total) ^ SIGNS.index(sign)
    return SIGNS[_double(total)]


def _double(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 32 else value

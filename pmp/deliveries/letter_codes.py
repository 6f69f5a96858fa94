"""The code on a letter, LTR-0002K7: its delivery's number, with a check sign.

It is printed as a 2-D code and in words, so that a letter that the post brings back is
scanned, or typed, and known. It says nothing of anybody; whoever copies it can do no
more with it than say that a letter came back, and only staff are believed.
"""

from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign

PREFIX = "LTR"
SHORTEST, LONGEST = 5, 7


def letter_code(delivery_id: int) -> str:
    """Give the code of a letter by its delivery's id."""
    signs, left = "", delivery_id
    while left or len(signs) < SHORTEST:
        left, sign = divmod(left, 32)
        signs = SIGNS[sign] + signs
    return f"{PREFIX}-{signs}{check_sign(signs)}"


def read_code(text: str) -> int | None:
    """Give the delivery's id that a code stands for; None if it is no such code.

    Case, blanks and hyphens do not matter; O is read as 0, I and L as 1.
    """
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if not plain.startswith(PREFIX):
        return None
    signs = plain.removeprefix(PREFIX).translate(LIKE)
    if not SHORTEST < len(signs) <= LONGEST + 1 or set(signs) - set(SIGNS):
        return None
    number = 0
    for sign in signs[:-1]:
        number = number * 32 + SIGNS.index(sign)
    if (
        check_sign(signs[:-1]) != signs[-1]
        or letter_code(number) != f"{PREFIX}-{signs}"
    ):
        return None
    return number or None

"""Papers of ours with a code that may come by fax, beside those that `filing` knows.

Each names how its code is read, and why a person must look at it: it stands in the tray
with that reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pmp.deliveries import letter_codes
from pmp.reaching import page_codes


@dataclass(frozen=True)
class OtherPaper:
    """`read_code` gives the written form, None for another's; `refusal` "" if none."""

    read_code: Callable[[str], str | None]
    refusal: Callable[[str], str]


def _test_page(text: str) -> str | None:
    found = page_codes.codes_in([text])
    return found[0] if found else None


def _to_confirm(code: str) -> str:
    # Whoever got the page has its code, also who writes "wrong number" on it.
    return f"Test page {code}: look at it, then confirm the number."


def _letter(text: str) -> str | None:
    number = letter_codes.read_code(text)
    return letter_codes.letter_code(number) if number else None


def _not_by_fax(code: str) -> str:
    # Whoever got the letter has its code, and a return ends a password: not by fax.
    return (
        f"It shows letter {code}. Has it come back? Scan it at Letters that came back."
    )


PAPERS: tuple[OtherPaper, ...] = (
    OtherPaper(_test_page, refusal=_to_confirm),
    OtherPaper(_letter, refusal=_not_by_fax),
)


def read_code(text: str) -> str | None:
    """Bring a code of one of these papers to its written form; None if it is none."""
    found = (code for each in PAPERS if (code := each.read_code(text)))
    return next(found, None)


def refusal(code: str) -> str:
    """Say why a paper with a code is not taken in; empty if it is."""
    return _of(code).refusal(code)


def _of(code: str) -> OtherPaper:
    return next(each for each in PAPERS if each.read_code(code))

"""Papers of ours with a code that may come by fax, beside those that `filing` knows.

Each names how its code is read, what speaks against taking it in, and what is done with
it.  What is refused stands in the tray with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from models import InboundFax
from pmp.deliveries import letter_codes
from pmp.reaching import fax_numbers, page_codes


@dataclass(frozen=True)
class OtherPaper:
    """`read_code` gives the written form, None for another's; `refusal` "" if none.

    `take` runs in the transaction that files the fax and gives a sentence for the desk.
    """

    read_code: Callable[[str], str | None]
    refusal: Callable[[str], str]
    take: Callable[[InboundFax, str, datetime], str]


def _test_page(text: str) -> str | None:
    found = page_codes.codes_in([text])
    return found[0] if found else None


def _take_test_page(fax: InboundFax, code: str, at: datetime) -> str:
    return fax_numbers.faxed_back([code], fax=fax, at=at)


def _letter(text: str) -> str | None:
    number = letter_codes.read_code(text)
    return letter_codes.letter_code(number) if number else None


def _not_by_fax(code: str) -> str:
    # Whoever got the letter has its code, and a return ends a password: not by fax.
    return (
        f"It shows letter {code}. Has it come back? Scan it at Letters that came back."
    )


def _nothing(_fax: InboundFax, _code: str, _at: datetime) -> str:
    return ""


PAPERS: tuple[OtherPaper, ...] = (
    OtherPaper(_test_page, refusal=lambda _: "", take=_take_test_page),
    OtherPaper(_letter, refusal=_not_by_fax, take=_nothing),
)


def read_code(text: str) -> str | None:
    """Bring a code of one of these papers to its written form; None if it is none."""
    found = (code for each in PAPERS if (code := each.read_code(text)))
    return next(found, None)


def refusal(code: str) -> str:
    """Say why a paper with a code is not taken in; empty if it is."""
    return _of(code).refusal(code)


def take(fax: InboundFax, code: str, *, at: datetime) -> str:
    """Do what a paper asks for; give a sentence for the fax desk."""
    return _of(code).take(fax, code, at)


def _of(code: str) -> OtherPaper:
    return next(each for each in PAPERS if each.read_code(code))

"""Papers of ours with a code that may come by fax, beside those that `filing` knows.

Each names how its code is read, what speaks against taking it in, and what is done with
it.  What is refused stands in the tray with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from models import InboundFax


@dataclass(frozen=True)
class OtherPaper:
    """`read_code` gives the written form, None for another's; `refusal` "" if none.

    `take` runs in the transaction that files the fax and gives a sentence for the desk.
    """

    read_code: Callable[[str], str | None]
    refusal: Callable[[str], str]
    take: Callable[[InboundFax, str, datetime], str]


PAPERS: tuple[OtherPaper, ...] = ()


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

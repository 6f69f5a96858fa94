"""Whatever is printed on a paper of ours leads to the thing itself.

Staff type it into one box: a code, a number, a user name, a licence or DEA number.
Case, blanks and hyphens do not matter, O is read as 0, I and L as 1, and what stands
before a code's first hyphen may be left out.
"""

from dataclasses import dataclass
from datetime import datetime

from models import User
from pmp.codes import names, numbers, printed
from pmp.codes.hits import Hit
from pmp.permissions import can

LONGEST = 80


@dataclass(frozen=True)
class Answer:
    """What was found; where nothing was, `would_be` says what the code looks like."""

    hits: list[Hit]
    would_be: list[str]


def find(typed: str, *, by: User, at: datetime) -> Answer:
    """Find what a paper's code, or a number or a user name, stands for.

    What the person may not open is not found. A row code leads to a patient: that it
    was asked is on the audit record.
    """
    text = typed.replace("\0", "").strip()[:LONGEST]
    read = printed.read(text)
    hits = [
        *printed.found(read, by=by, at=at),
        *numbers.found(text),
        *names.found(text),
    ]
    allowed = {hit.address: hit for hit in hits if can(by.role, hit.permission)}
    would_be = [] if allowed else printed.would_be(text, read)
    return Answer(list(allowed.values()), would_be)

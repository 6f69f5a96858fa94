"""HylaFAX's log of calls, for jobs that are no longer in its queues.

xferfaxlog(5): one line a call, fields parted by tabs. Of a call that sends: time, SEND,
communication, device, job, the job's tag, owner, number, station that answered,
parameters, pages, two durations, and why it failed (empty: it did not), in quotes.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from gateway.hfaxd import Refused, Session
from gateway.message import DeliveryError
from models import ErrorClass

IN_SPOOL = "log/xferfaxlog"
NOT_THERE = "No such file"


class UnreadableLogError(DeliveryError):
    """HylaFAX's log of calls is not for us."""


@dataclass(frozen=True)
class Call:
    """A call that a job made; `reason` is why it failed, empty if it did not.

    `pages` are those of this call, or those of all calls of the job so far.
    """

    job: str
    tag: str
    station: str
    pages: int
    reason: str


def last_call(session: Session, digits: str, *, file: str = "") -> Call | None:
    """Give the last call of the job whose tag ends so; None: it made none.

    With the pages of all its calls: one that was cut is gone on with, not begun anew.
    Read from a file of this machine if one is named, else asked of hfaxd.
    UnreadableLogError where it may not be read: nobody can say then.
    """
    try:
        lines = _read(file) if file else session.lines(f"RETR {IN_SPOOL}")
    except Refused as refused:
        if NOT_THERE in str(refused):  # nothing was ever sent
            return None
        text = f"HylaFAX's log of calls cannot be read: {refused}"
        raise UnreadableLogError(ErrorClass.CARRIER_DOWN, text) from None
    calls = [call for line in lines if (call := _call(line))]
    mine = [call for call in calls if call.tag.endswith(f".{digits}")]
    if not mine:
        return None
    pages = sum(call.pages for call in mine if call.job == mine[-1].job)
    return replace(mine[-1], pages=pages)


def _read(file: str) -> list[str]:
    try:
        return Path(file).read_text("latin-1").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Refused(error.strerror or "unreadable") from None


def _call(line: str) -> Call | None:
    fields = [each.strip('" ') for each in line.split("\t")]
    if len(fields) < 14 or fields[1] != "SEND":
        return None
    pages = int(fields[10]) if fields[10].isdecimal() else 0
    return Call(fields[4], fields[5], fields[8], pages, fields[13])

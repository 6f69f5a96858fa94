"""Fax by a HylaFAX server of the programme's own, with its own modem or line.

PMP_FAX_URL is hylafax://user:password@127.0.0.1:4559/modem. The pages go there as the
dots of a fax, drawn here: no other program has to read our PDF. HylaFAX has no
idempotency key, but a job carries a tag of ours, the attempt's key and a part of its
token's hash, by which a fax in doubt is found in the queues and in the log of calls.

HylaFAX dials three times at most, and after a cut call goes on with the page that
broke; the long waits are the outbox's.
"""

import hashlib
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from gateway import fax_pages, hfaxd, hylafax_log, pages
from gateway.channels.listed_faxes import Finding
from gateway.documents import DocumentError
from gateway.hfaxd import Account, Job, Refused, Session, Unanswered
from gateway.hylafax_errors import error_class_of
from gateway.message import DeliveryError, Message
from gateway.pages import UnreadableFax
from models import ErrorClass
from pmp import clock, settings
from pmp.deliveries import carrier_copies
from pmp.deliveries.callbacks import CarrierReport, Progress

CARRIER = "hylafax"
REPEATABLE = False

MOST_DIALS, MOST_TRIES = 3, 3
LONGEST_LIFE = timedelta(days=3)
HASH_DIGITS = 24
# faxqclean leaves a job that is over for fifteen minutes.
KEPT_IN_QUEUE = timedelta(minutes=10)
CHECKED_FOR_SECONDS = 600.0
BATCHES = re.compile(r"^\s*MaxBatchJobs\s*:\s*\"?(\d+)", re.IGNORECASE)
BATCHES_BY_DEFAULT = 64
PAPER = re.compile(r"docq/doc[\w.;]+$")
HANG_UP_SECONDS = 10

log = logging.getLogger(__name__)

# faxstat's letter → what staff read.
_STATES = {
    "T": "suspended",
    "P": "not yet due",
    "S": "will dial again",
    "B": "waits for another fax to this number",
    "W": "waits for a line",
    "R": "sending",
}
_checked: dict[Account, float] = {}


def send(message: Message) -> str:
    """Submit a fax; give "<job>:<tag>" as its reference."""
    if message.pdf is None:
        raise DeliveryError(ErrorClass.DOCUMENT, "there is nothing to fax")
    quality = settings.current().fax_quality
    try:
        dots = fax_pages.as_tiff(message.pdf, quality=quality)
    except (UnreadableFax, DocumentError) as error:
        raise DeliveryError(ErrorClass.DOCUMENT, str(error)) from None
    tag = f"{message.key}.{_hash(message.media_url)[:HASH_DIGITS]}"
    with _session() as session:
        _refuse_batches(session)
        number = _prepare(session, message, dots, tag)
        try:
            session.ask("JSUBM")
        except (Refused, Unanswered) as error:
            # Its file may stand in the queue, and be sent once the scheduler is back.
            raise DeliveryError(ErrorClass.IN_DOUBT, f"submitted: {error}") from None
    return f"{number}:{tag}"


def look(reference: str) -> CarrierReport:
    """Ask what became of a fax."""
    tag = reference.partition(":")[2]
    found = _found(tag.rpartition(".")[2])
    if found is None:
        raise DeliveryError(ErrorClass.CARRIER_DOWN, "HylaFAX knows no such job")
    return found


def find(address: str, media_sha256: str) -> CarrierReport | None:  # noqa: ARG001 - the tag is enough
    """Find the fax of an attempt by its tag; None if it was surely never submitted."""
    try:
        return _found(media_sha256[:HASH_DIGITS])
    except hylafax_log.UnreadableLogError:
        began = carrier_copies.began_at(media_sha256)
        if began and clock.now() - began < KEPT_IN_QUEUE:
            return None
        raise


def stop(reference: str) -> None:
    """End the call of a fax, or have it never made."""
    tag = reference.partition(":")[2]
    with _session() as session:
        for job in _of_tag(session, tag):
            if job.state not in "DF":
                _kill(session, job)


def forget(reference: str) -> None:
    """Have HylaFAX destroy its copy; a fax that is not out yet is killed."""
    tag = reference.partition(":")[2]
    with _session() as session:
        for job in _of_tag(session, tag):
            papers = _papers(session, job)
            if job.state not in "DF":
                _kill(session, job)
            _ask_if_there(session, f"JDELE {job.number}")
            for paper in papers:  # JDELE leaves them to faxqclean
                _ask_if_there(session, f"DELE {paper}")


def check() -> Iterator[Finding]:
    """Look at what our faxes need there, without sending."""
    with _session() as session:
        waiting = sum(job.state not in "DF" for job in session.jobs())
        text = (
            f"HylaFAX takes our user and password; {waiting} faxes wait or run there."
        )
        yield Finding(is_good=True, text=text)
        yield _about_batches(_batches(session))
        yield _about_received(session)
        yield _about_log(session)


@contextmanager
def session_at(account: Account) -> Iterator[Session]:
    """Talk to a server; its faults as DeliveryError."""
    seconds = settings.current().channel_timeout_seconds
    try:
        with hfaxd.opened(account, seconds=seconds) as session:
            yield session
    except Refused as refused:
        text = f"HylaFAX says {refused}"
        raise DeliveryError(ErrorClass.CONFIGURATION, text) from None
    except Unanswered as broken:
        text = f"no answer from HylaFAX ({broken})"
        raise DeliveryError(ErrorClass.CARRIER_DOWN, text) from None


def account() -> Account | None:
    """Give the HylaFAX server that the settings name, if they name one."""
    address = settings.current().fax_url.get_secret_value()
    return Account.of(address) if urlsplit(address).scheme == CARRIER else None


@contextmanager
def _session() -> Iterator[Session]:
    chosen = account()
    if chosen is None:
        raise DeliveryError(ErrorClass.CONFIGURATION, "no HylaFAX server is set")
    with session_at(chosen) as session:
        yield session


def _prepare(session: Session, message: Message, dots: bytes, tag: str) -> int:
    """Upload the pages and make a job of them, not yet submitted; give its number."""
    file = session.store(dots)
    made = re.search(r"jobid: (\d+)", session.ask("JNEW"))
    if made is None or not file:
        raise Unanswered("not understood")
    chosen, quality = account(), settings.current().fax_quality
    for parameter in (
        "FROMUSER PMP",
        f"JOBINFO {tag}",
        f"LASTTIME {_life(message.until)}",
        f"MAXDIALS {MOST_DIALS}",
        f"MAXTRIES {MOST_TRIES}",
        "NOTIFY none",
        f"MODEM {chosen.modem if chosen else 'any'}",
        f"VRES {fax_pages.LINES_PER_INCH[quality]}",
        f"USEXVRES {'YES' if quality == 'superfine' else 'NO'}",
        "PAGEWIDTH 216",
        "PAGELENGTH 280",  # a letter page has 279.4 mm: 279 would have it drawn anew
        "PAGECHOP none",
        "USECONTCOVER NO",
    ):
        session.ask(f"JPARM {parameter}")
    _dial(session, message.address)
    session.ask(f"JPARM DOCUMENT {file}")
    return int(made[1])


def _dial(session: Session, address: str) -> None:
    number = "".join(sign for sign in address if sign.isdecimal() or sign == "+")
    try:
        session.ask(f"JPARM EXTERNAL {number}")
        session.ask(f"JPARM DIALSTRING {number}")
    except Refused as refused:
        raise DeliveryError(ErrorClass.REJECTED, f"HylaFAX says {refused}") from None


def _life(until: datetime | None) -> str:
    """Write for how long HylaFAX may try, as days, hours and minutes: DDHHMM."""
    life = min(until - clock.now(), LONGEST_LIFE) if until else LONGEST_LIFE
    minutes = max(int(life.total_seconds() // 60), 1)
    return f"{minutes // 1440:02}{minutes // 60 % 24:02}{minutes % 60:02}"


def _found(digits: str) -> CarrierReport | None:
    """Find a fax by the end of its tag: in the queues, else in the log of calls."""
    with _session() as session:
        rows = [job for job in session.jobs() if job.tag.endswith(f".{digits}")]
        for job in [each for each in rows if each.state == "T"]:
            # A worker stopped before it submitted this: it would never go.
            _ask_if_there(session, f"JDELE {job.number}")
        submitted = [job for job in rows if job.state != "T"]
        if not submitted:
            logged = hylafax_log.last_call(session, digits, file=_log_file())
            return _past(logged) if logged else None
        return _report(submitted[-1], _station(session, submitted[-1]))


def _log_file() -> str:
    chosen = account()
    return chosen.log if chosen else ""


def _of_tag(session: Session, tag: str) -> list[Job]:
    return [job for job in session.jobs() if job.tag == tag]


def _kill(session: Session, job: Job) -> None:
    """End a job; one in the middle of a call takes some seconds to hang up."""
    _ask_if_there(session, f"JKILL {job.number}")
    for _ in range(HANG_UP_SECONDS):
        if all(each.state in "DF" for each in _of_tag(session, job.tag)):
            return
        time.sleep(1)


def _station(session: Session, job: Job) -> str:
    """Give how the machine called itself that answered a job that is over."""
    if job.state not in "DF":
        return ""
    given = [line for line in _job_file(session, job) if line.startswith("csi:")]
    return given[-1].partition(":")[2].strip() if given else ""


def _papers(session: Session, job: Job) -> list[str]:
    """Name the documents of a job: lines like !tiff:0::docq/doc2.tif in its file."""
    found = (PAPER.search(line) for line in _job_file(session, job))
    return [paper[0] for paper in found if paper]


def _job_file(session: Session, job: Job) -> list[str]:
    queue = "doneq" if job.state in "DF" else "sendq"
    try:
        return session.lines(f"RETR {queue}/q{job.number}")
    except Refused:
        return []


def _report(job: Job, station: str) -> CarrierReport:
    progress, status, error_class = Progress.UNDERWAY, _STATES.get(job.state, "?"), None
    if job.state == "D":
        progress, status = Progress.DELIVERED, "delivered"
    elif job.state == "F":
        progress, status = Progress.FAILED, "failed"
        error_class = error_class_of(job.status)
    return CarrierReport(
        reference=f"{job.number}:{job.tag}",
        status=status,
        progress=progress,
        error_class=error_class,
        text=job.status[:120],
        pages=job.pages,
        station=station,
    )


def _past(call: hylafax_log.Call) -> CarrierReport:
    """Report a job that HylaFAX has cleaned away, by its last call."""
    failed = bool(call.reason)
    return CarrierReport(
        reference=f"{call.job}:{call.tag}",
        status="failed" if failed else "delivered",
        progress=Progress.FAILED if failed else Progress.DELIVERED,
        error_class=error_class_of(call.reason) if failed else None,
        text=call.reason[:120],
        pages=call.pages,
        station=call.station,
    )


def _refuse_batches(session: Session) -> None:
    """Refuse a server that would send several of our faxes in one call.

    They may be about different patients, and one cut call would leave several half
    sent. Asked every ten minutes.
    """
    chosen = account()
    now = time.monotonic()
    if chosen is None or now - _checked.get(chosen, -1e9) < CHECKED_FOR_SECONDS:
        return
    batches = _batches(session)
    if batches is None:
        log.warning("HylaFAX: etc/config cannot be read; MaxBatchJobs must be 1")
    elif batches != 1:
        raise DeliveryError(ErrorClass.CONFIGURATION, _too_many(batches))
    _checked[chosen] = now


def _batches(session: Session) -> int | None:
    """Read MaxBatchJobs; None where we may not."""
    try:
        lines = session.lines("RETR etc/config")
    except Refused:
        return None
    given = [int(found[1]) for line in lines if (found := BATCHES.match(line))]
    return given[-1] if given else BATCHES_BY_DEFAULT


def _too_many(batches: int) -> str:
    return (
        f"MaxBatchJobs is {batches} in HylaFAX's etc/config: several faxes would go in"
        " one call. Write MaxBatchJobs: 1 there"
    )


def _about_batches(batches: int | None) -> Finding:
    if batches is None:
        text = "etc/config cannot be read: see to it that MaxBatchJobs: 1 stands there."
        return Finding(is_good=None, text=text)
    if batches != 1:
        return Finding(is_good=False, text=f"{_too_many(batches)}.")
    return Finding(
        is_good=True, text="Each fax is a call of its own: MaxBatchJobs is 1."
    )


def _about_received(session: Session) -> Finding:
    if session.is_admin:
        large = [each for each in session.received() if each.size > pages.LARGEST_FILE]
        if large:
            text = (
                f"{large[0].file} in recvq is larger than {pages.LARGEST_FILE >> 20} MB"
                " and stays there: look at it by hand, then delete it"
                f" ({len(large)} such)."
            )
            return Finding(is_good=False, text=text)
        text = "Received faxes can be fetched from there, and deleted."
        return Finding(is_good=True, text=text)
    text = (
        "Its administrator's password is not ours: received faxes can only come by the"
        " hook FaxDispatch. Name it in PMP_FAX_URL: ?admin=password."
    )
    return Finding(is_good=False, text=text)


def _about_log(session: Session) -> Finding:
    try:
        hylafax_log.last_call(session, "none", file=_log_file())
    except DeliveryError:
        text = (
            "Its log of calls cannot be read: a fax in doubt for more than ten minutes"
            " will be left to staff. Name a file that we may read in PMP_FAX_URL:"
            " ?log=/var/spool/hylafax/log/xferfaxlog."
        )
        return Finding(is_good=False, text=text)
    return Finding(is_good=True, text="Its log of calls can be read.")


def _ask_if_there(session: Session, command: str) -> None:
    try:
        session.ask(command)
    except Refused as refused:
        log.info("HylaFAX: %s: %s", command.split(maxsplit=1)[0], str(refused)[:3])


def _hash(media_url: str) -> str:
    token = urlsplit(media_url).path.rpartition("/")[2]
    return hashlib.sha256(token.encode()).hexdigest()

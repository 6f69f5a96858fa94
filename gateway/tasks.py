"""What the portal and the timer ask the worker to do: ids in, a rule called.

A task may run twice, or never: the queue can lose it. Each of them finds in the tables
whether there is still something to do, and gateway.schedule finds what was lost.
"""

import logging
from typing import Any

from gateway import asking, barcodes, inbound, pages, sending, submissions_in
from gateway.inbound import laml_received, laml_status
from gateway.line_types import is_mobile
from gateway.queue import huey
from gateway.texts_in import received as sms_received
from gateway.texts_in import status as sms_status
from models import FaxStatus, InboundFax, SubmissionSource
from pmp import clock, database, deliveries, documents, faxes, uploads
from pmp.lookup import schedules
from pmp.uploads import dropped

__all__ = [
    "ask_about_doubt",
    "ask_about_silence",
    "fetch_fax",
    "forget_at_carrier",
    "is_mobile",
    "laml_received",
    "laml_status",
    "nudge",
    "process_submission",
    "read_fax",
    "run_schedule",
    "send_delivery",
    "sms_received",
    "sms_status",
]

log = logging.getLogger(__name__)

# More nudges than this in the queue, and deliveries add none: their rows will wait, and
# the timer finds them. A submitted file must not queue behind a pile of them.
FULL_QUEUE = 500


@huey.task()
def send_delivery(delivery_id: int) -> None:
    """Make one attempt to send one delivery, and record how it went."""
    with database.connected():
        sending.attempt(delivery_id)


@huey.task()
def ask_about_doubt(delivery_id: int) -> None:
    """Find out whether a message that may have been sent was sent."""
    with database.connected():
        asking.about_doubt(delivery_id)


@huey.task()
def ask_about_silence(delivery_id: int) -> None:
    """Ask the carrier what became of a message."""
    with database.connected():
        asking.about_silence(delivery_id)


@huey.task()
def forget_at_carrier(attempt_id: int) -> None:
    """Have the carrier destroy its copy of a message that is over."""
    with database.connected():
        asking.to_forget(attempt_id)


@huey.task()
def fetch_fax(fax_id: int, media_url: str = "") -> None:
    """Fetch the pages of an announced fax, then read its codes."""
    with database.connected():
        fetched = inbound.fetch(fax_id, media_url)
    if fetched:
        read_fax.call_local(fax_id)


@huey.task()
def read_fax(fax_id: int) -> None:
    """Read the codes on a fax and attach it to what they name."""
    with database.connected():
        fax = InboundFax.get_or_none(InboundFax.id == fax_id)
        if fax is None or fax.status != FaxStatus.RECEIVED or fax.document is None:
            return
        try:
            found = barcodes.read_codes(
                documents.read(fax.document), fax.document.media_type
            )
        except pages.UnreadableFax:
            found = []
        found_on = {code: page.page for page in found for code in page.codes}
        faxes.file_by_codes(
            fax,
            codes=list(found_on),
            pages=len(found),
            found_on=found_on,
            at=clock.now(),
        )


@huey.task()
def process_submission(submission_id: int) -> None:
    """Read, check and store a submitted file; then its sender's next dropped one."""
    with database.connected():
        done = uploads.process(submission_id, at=clock.now())
        following = dropped.next_after(done)
        if done.source is SubmissionSource.FOLDER:
            submissions_in.answer()
    if following:
        nudge(process_submission, following)


@huey.task()
def run_schedule(schedule_id: int) -> None:
    """Look up the people of a user's list, one after another."""
    with database.connected():
        while schedules.run_next(schedule_id, at=clock.now()):
            pass


def nudge(task: Any, *ids: Any) -> None:
    """Queue a task; where the queue is out of reach, the timer will find the work."""
    try:
        task(*ids)
    except Exception as error:  # noqa: BLE001 - a file, Postgres or Redis may be away
        log.warning("the queue is out of reach: %s", type(error).__name__)


def is_full() -> bool:
    """Tell whether the queue holds enough; one out of reach is not full."""
    try:
        return bool(huey.pending_count() > FULL_QUEUE)
    except Exception:  # noqa: BLE001 - as for nudge, which says so
        return False


def _send_soon(delivery_id: int) -> None:
    if not is_full():
        nudge(send_delivery, delivery_id)


deliveries.on_request(_send_soon)

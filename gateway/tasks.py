"""What the portal and the timer ask the worker to do: ids in, a rule called.

A task may run twice, or never: the queue can lose it. Each of them finds in the tables
whether there is still something to do, and gateway.schedule finds what was lost.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from gateway import (
    asking,
    asking_letters,
    bounces,
    fax_reading,
    faxes_by_mail,
    hylafax_in,
    inbound,
    laml_hooks,
    lanes,
    sending,
    sinch_hooks,
    submissions_in,
)
from gateway.letters_in import lob_status
from gateway.line_types import is_mobile
from gateway.queue import huey
from gateway.texts_in import received as sms_received
from gateway.texts_in import status as sms_status
from models import ChannelName, Delivery, DeliveryAttempt, SubmissionSource
from pmp import clock, database, deliveries, roster, uploads
from pmp.accounts import forgotten
from pmp.lookup import schedules
from pmp.uploads import dropped

__all__ = [
    "answer_forgotten",
    "ask_about_doubt",
    "ask_about_letter",
    "ask_about_silence",
    "ask_for_faxes",
    "collect_faxes",
    "fetch_fax",
    "forget_at_carrier",
    "forget_received_fax",
    "is_mobile",
    "laml_hooks",
    "lob_status",
    "nudge",
    "process_submission",
    "read_bounces",
    "read_fax",
    "read_fax_mail",
    "run_schedule",
    "send_delivery",
    "sinch_hooks",
    "sms_received",
    "sms_status",
    "take_back_letter",
    "work_on_roster",
]

log = logging.getLogger(__name__)

# More nudges than this in the queue, and deliveries add none: their rows will wait, and
# the timer finds them. A submitted file must not queue behind a pile of them.
FULL_QUEUE = 500
BEFORE_DELIVERIES = 10


@huey.task()
def send_delivery(delivery_id: int) -> None:
    """Make one attempt to send one delivery; then its channel's next, in its turn."""
    with database.connected():
        following = sending.attempt(delivery_id)
    if following is not None:
        _send_soon(following)


@huey.task()
def ask_about_doubt(delivery_id: int) -> None:
    """Find out whether a message that may have been sent was sent."""
    with database.connected(), _lane_of(delivery_id) as free:
        if free:
            asking.about_doubt(delivery_id)


@huey.task()
def ask_about_silence(delivery_id: int) -> None:
    """Ask the carrier what became of a message."""
    with database.connected(), _lane_of(delivery_id) as free:
        if free:
            asking.about_silence(delivery_id)


@huey.task()
def ask_about_letter(delivery_id: int) -> None:
    """Ask a print-and-mail company what became of a letter."""
    with database.connected(), lanes.entered(ChannelName.LETTER) as free:
        if free:
            asking_letters.about_letter(delivery_id)


@huey.task()
def take_back_letter(attempt_id: int) -> None:
    """Have a print-and-mail company stop a letter that was cancelled."""
    with database.connected(), lanes.entered(ChannelName.LETTER) as free:
        if free:
            asking_letters.to_take_back(attempt_id)


@huey.task()
def forget_at_carrier(attempt_id: int) -> None:
    """Have the carrier destroy its copy of a message that is over."""
    with database.connected():
        attempt = DeliveryAttempt.get_or_none(DeliveryAttempt.id == attempt_id)
        if attempt is None:
            return
        with lanes.entered(attempt.delivery.channel) as free:
            if free:
                asking.to_forget(attempt_id)


@huey.task()
def forget_received_fax(fax_id: int) -> None:
    """Have the carrier destroy its copy of a fax that we have kept."""
    with database.connected():
        asking.to_forget_received(fax_id)


@huey.task()
def ask_for_faxes(days: int) -> None:
    """Ask the carrier for faxes that came in of late, and fetch those that are new."""
    at = clock.now()
    with database.connected():
        new = sinch_hooks.look_for_new(since=at - timedelta(days=days), at=at)
    for fax_id in new:
        nudge(fetch_fax, fax_id)


@huey.task(priority=BEFORE_DELIVERIES)
def fetch_fax(fax_id: int, media_url: str = "") -> None:
    """Fetch the pages of an announced fax, then read its codes."""
    with database.connected():
        fetched = inbound.fetch(fax_id, media_url)
    if fetched:
        read_fax.call_local(fax_id)


@huey.task(priority=BEFORE_DELIVERIES)
def read_fax(fax_id: int) -> None:
    """Read the codes on a fax and attach it to what they name; then the next."""
    with database.connected():
        following = fax_reading.read_in_turn(fax_id)
    if following is not None:
        nudge(read_fax, following)


@huey.task()
def read_fax_mail() -> None:
    """Take in the faxes that came by email, and have each read."""
    with database.connected():
        taken = faxes_by_mail.read()
    for fax_id in taken:
        nudge(read_fax, fax_id)


@huey.task()
def collect_faxes() -> None:
    """Take in what HylaFAX has received, and have each read."""
    with database.connected(), lanes.entered(ChannelName.FAX) as free:
        taken = hylafax_in.collect() if free else []
    for fax_id in taken:
        nudge(read_fax, fax_id)


@huey.task()
def read_bounces() -> None:
    """Take in email that came back."""
    with database.connected():
        bounces.read()


@huey.task(priority=BEFORE_DELIVERIES)
def process_submission(submission_id: int) -> None:
    """Read, check and store a submitted file; then its sender's next dropped one."""
    with database.connected():
        done = uploads.process(submission_id, at=clock.now())
        following = dropped.next_after(done)
        if done.source is SubmissionSource.FOLDER:
            submissions_in.answer()
    if following:
        nudge(process_submission, following)


@huey.task(priority=BEFORE_DELIVERIES)
def run_schedule(schedule_id: int) -> None:
    """Look up the people of a user's list, one after another."""
    with database.connected():
        while schedules.run_next(schedule_id, at=clock.now()):
            pass


@huey.task(priority=BEFORE_DELIVERIES)
def answer_forgotten(ask_id: int) -> None:
    """Send who forgot the user name or the password a link or a letter, if due."""
    with database.connected():
        forgotten.answer(ask_id, at=clock.now())


@huey.task()
def work_on_roster(batch_id: int) -> None:
    """Read a roster file, or apply or undo its import."""
    with database.connected():
        roster.work(batch_id, now=clock.now)


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


@contextmanager
def _lane_of(delivery_id: int) -> Iterator[bool]:
    """Be in the lane of a delivery's channel; False where it is full."""
    delivery = Delivery.get_or_none(Delivery.id == delivery_id)
    if delivery is None:
        yield False
        return
    with lanes.entered(delivery.channel) as free:
        yield free


def _send_soon(delivery_id: int) -> None:
    if not is_full():
        nudge(send_delivery, delivery_id)


deliveries.on_request(_send_soon)

"""What runs when: the sweep that finds lost work, and the night's jobs.

Each job first claims its period in the database, so that it runs once however many
worker hosts there are, and runs again by itself after one was killed in the middle.
"""

import logging
import threading
from collections.abc import Callable

from gateway import channels, inbound, submissions_in, tasks
from gateway.channels import fax_hylafax
from models import ChannelName
from pmp import (
    clock,
    csv_submissions,
    database,
    deliveries,
    desk_holds,
    kept_settings,
    periods,
    settings,
    uploads,
)
from pmp.accounts import forgotten, inactivity, kept_forms
from pmp.delegates import reviewing
from pmp.deliveries import (
    alerts,
    callbacks,
    calling,
    carried_letters,
    carrier_copies,
    doubts,
    outbox,
    receipts,
    turns,
)
from pmp.disclosures import paper_expiry
from pmp.entry import drafts
from pmp.faxes import carrier_copies as received_copies
from pmp.faxes import fax_expiry, inbound_media
from pmp.lookup import report_copies, schedules
from pmp.registration import drafts as drafts_of_registrations
from pmp.registration import expiry
from pmp.reporting import held_records, notices, settling
from pmp.roster import batches, licence_notices, reverification
from pmp.thresholds import full_checks, threshold_copies
from pmp.tickets import clocks
from pmp.uploads import dropped

log = logging.getLogger(__name__)

MOST_SUBMISSIONS = 50
MAILBOX_SECONDS = 120
FAX_MAIL_SECONDS = 60
# Hours of the programme's zone within which pharmacies are written to: faxes ring.
OFFICE_HOURS = range(8, 18)
_last: dict[str, str] = {}


def tick() -> None:
    """Run what is due now; a job that fails is logged and the others still run."""
    at = clock.now()
    seconds = settings.current().sweep_seconds
    if _is_new("sweep", periods.every(seconds, at=at)):
        # What people wait for comes first: a pile of deliveries fills the queue.
        _each(sweep_submissions, sweep_schedules, sweep_forgotten)
        _each(pick_up_faxes, sweep_faxes, sweep_hylafax)
        _each(sweep_leases, sweep_deliveries)
        _each(sweep_letters, sweep_incoming, sweep_rest, sweep_folders, alert)
        _each(sweep_roster, tell_of_forged)
    if _is_new("bounces", periods.every(MAILBOX_SECONDS, at=at)):
        _each(sweep_bounces)
    minutes = settings.current().alert_minutes
    if _is_new("alerts", periods.every(minutes * 60, at=at)):
        _each(tell_staff)
    if _is_new("fax mail", periods.every(FAX_MAIL_SECONDS, at=at)):
        _each(sweep_fax_mail)
    if _is_new("reporting", periods.hourly(at=at)):
        _each(give_up, settle, remind, chase, watch_tickets)
    if _is_new("night", periods.nightly(at=at)):
        _each(expire, evaluate, close_unused, look_at_licences)
        _each(review_delegates, tidy)


def keep_ticking(stop: threading.Event) -> None:
    """Tick every few seconds until told to stop; the worker's timer thread."""
    while not stop.wait(1.0):
        _each(_tick_connected)


def _tick_connected() -> None:
    with database.connected():
        kept_settings.refresh()
        tick()


def sweep_submissions() -> None:
    """Process submissions that wait, the oldest first; dropped ones in their turn."""
    held_up = dropped.held_up(at=clock.now())
    waiting = [number for number in uploads.waiting() if number not in held_up]
    _nudge_all(tasks.process_submission, waiting[:MOST_SUBMISSIONS])


def sweep_schedules() -> None:
    """Look up the people of lists that a lost wake-up left behind."""
    _nudge_all(tasks.run_schedule, schedules.waiting())


def sweep_forgotten() -> None:
    """Answer who forgot a password where a lost wake-up left them waiting."""
    _nudge_all(tasks.answer_forgotten, forgotten.unanswered())


def sweep_roster() -> None:
    """Go on with roster imports whose wake-up or worker was lost."""
    _nudge_all(tasks.work_on_roster, batches.unfinished(at=clock.now()))


def sweep_folders() -> None:
    """Take in dropped files and answer those that are finished."""
    submissions_in.answer()
    if submissions_in.pick_up():
        sweep_submissions()


def sweep_leases() -> None:
    """Take deliveries back from workers that are gone."""
    doubts.end_leases(repeatable=channels.repeatable(), at=clock.now())


def sweep_deliveries() -> None:
    """Wake the worker for what is due, in doubt, or silent."""
    at = clock.now()
    calling.use(channels.carriers(), at=at)
    _nudge_all(tasks.send_delivery, deliveries.due(at=at))
    _nudge_all(tasks.ask_about_doubt, doubts.open_doubts(at=at))
    _nudge_all(tasks.ask_about_silence, receipts.silent(at=at))


def give_up() -> None:
    """Have what waited past its deadline go on by the next route, or to staff."""
    at = clock.now()
    for delivery_id in turns.late(at=at):
        outbox.expire(delivery_id, at=at)


def alert() -> None:
    """Tell staff of carriers that are not called."""
    alerts.tell_of_carriers(at=clock.now())


def tell_of_forged() -> None:
    """Write down how many more forged call-backs came in minutes that are over."""
    callbacks.tell_of_refused(at=clock.now())


def tell_staff() -> None:
    """Tell staff, together, of the deliveries that need them."""
    alerts.tell_of_deliveries(at=clock.now())


def pick_up_faxes() -> None:
    """Take in dropped faxes."""
    for fax_id in inbound.pick_up():
        tasks.nudge(tasks.read_fax, fax_id)


def sweep_faxes() -> None:
    """Fetch and read the faxes that nobody has."""
    at = clock.now()
    _nudge_all(tasks.fetch_fax, inbound_media.unfetched(at=at))
    _nudge_all(tasks.read_fax, inbound_media.unread(at=at))


def sweep_bounces() -> None:
    """Have email that came back read, in a task: a mailbox may keep one waiting."""
    if settings.current().bounce_imap_url.get_secret_value():
        tasks.nudge(tasks.read_bounces)


def sweep_fax_mail() -> None:
    """Have the mailbox of faxes read, in a task: a mailbox may keep one waiting."""
    if settings.current().fax_imap_url.get_secret_value():
        tasks.nudge(tasks.read_fax_mail)


def sweep_letters() -> None:
    """Ask about letters with a company, and have cancelled ones stopped there."""
    at = clock.now()
    _nudge_all(tasks.ask_about_letter, carried_letters.to_ask_about(at=at))
    _nudge_all(tasks.take_back_letter, carried_letters.to_take_back())


def sweep_hylafax() -> None:
    """Have HylaFAX's faxes taken in, in a task: it may keep one waiting."""
    if fax_hylafax.account() is not None:
        tasks.nudge(tasks.collect_faxes)


def sweep_incoming() -> None:
    """Have a carrier asked for new faxes: those of a day, and hourly of a week."""
    if not isinstance(channels.for_channel(ChannelName.FAX), channels.IncomingChannel):
        return
    at = clock.now()
    is_first = periods.claim("incoming", period=periods.hourly(at=at), at=at)
    tasks.nudge(tasks.ask_for_faxes, 7 if is_first else 1)


def sweep_rest() -> None:
    """Have carriers destroy what is over, sent or received."""
    at = clock.now()
    for name in (ChannelName.FAX, ChannelName.SMS):
        carrier = channels.for_channel(name)
        if isinstance(carrier, channels.ReceiptChannel):
            sent = carrier_copies.to_forget(carrier=carrier.CARRIER, at=at)
            _nudge_all(tasks.forget_at_carrier, sent)
    carrier = channels.for_channel(ChannelName.FAX)
    if isinstance(carrier, channels.ReceiptChannel):
        came = received_copies.to_forget(carrier=carrier.CARRIER, at=at)
        _nudge_all(tasks.forget_received_fax, came)


def settle() -> None:
    """Settle the notices of pharmacies that have reported meanwhile."""
    settling.settle(at=clock.now())


def remind() -> None:
    """Tell pharmacies of reports that are due soon or late, in office hours."""
    at = clock.now()
    if clock.local(at).hour in OFFICE_HOURS:
        notices.run(at=at)


def chase() -> None:
    """Tell submitters of records that are held past their term, in office hours."""
    at = clock.now()
    if clock.local(at).hour in OFFICE_HOURS:
        held_records.chase(at=at)


def watch_tickets() -> None:
    """Tell staff of tickets that are overdue, in office hours."""
    at = clock.now()
    if clock.local(at).hour in OFFICE_HOURS:
        clocks.notice_run_out(at=at)


def expire() -> None:
    """Remind of confirmation pages that are awaited; end what never came."""
    at = clock.now()
    drafts_of_registrations.expire(at=at)
    expiry.expire(at=at)
    expiry.remind(at=at)


def evaluate() -> None:
    """Bring every patient's threshold cases to what the entries say."""
    found = full_checks.run(at=clock.now())
    if found.missed:
        log.error("the full check could not look at %d patients", found.missed)
    if found.put_right:
        log.warning(
            "the full check put %d threshold cases right that nobody had touched: %s",
            found.put_right,
            ", ".join(map(str, found.cases)),
        )


def close_unused() -> None:
    """Tell the users of accounts that nobody uses, and close those told before."""
    inactivity.run(at=clock.now())


def review_delegates() -> None:
    """Tell supervisors whom to confirm; end what a closed account leaves behind."""
    reviewing.run(at=clock.now())


def look_at_licences() -> None:
    """Ask staff about licences that have run out, tell users of theirs that will."""
    at = clock.now()
    reverification.recheck_between_imports(at=at)
    licence_notices.tell(at=at)


def tidy() -> None:
    """Drop what has had its time: claims, waiting voids, drafts, files, lists."""
    at = clock.now()
    periods.forget_old(at=at)
    uploads.forget_waiting_voids(at=at)
    drafts.expire(at=at)
    csv_submissions.expire(at=at)
    report_copies.purge(at=at)
    threshold_copies.purge(at=at)
    paper_expiry.purge(at=at)
    schedules.expire(at=at)
    fax_expiry.purge(at=at)
    forgotten.forget_old(at=at)
    kept_forms.forget_old(at=at)
    desk_holds.forget_old(at=at)
    batches.expire(at=at)


def _is_new(job: str, period: str) -> bool:
    """Claim a period; one that this process knows of costs no query."""
    if _last.get(job) == period:
        return False
    claimed = periods.claim(job, period=period, at=clock.now())
    _last[job] = period
    return claimed


def _nudge_all(task: object, ids: list[int]) -> None:
    if not ids or tasks.is_full():
        return
    for each in ids:
        tasks.nudge(task, each)


def _each(*jobs: Callable[[], None]) -> None:
    for job in jobs:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - one job must not stop the others
            name = getattr(job, "__name__", "job")
            log.warning("%s failed: %s", name, type(error).__name__)

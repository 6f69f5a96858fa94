"""Reading the mailbox that undeliverable email comes back to."""

import logging

from peewee import PeeweeException

from gateway import mailbox
from pmp import clock, settings
from pmp.deliveries import (
    bounce_reports,
    bounces,
    mail_problems,  # noqa: F401 - it watches what fails
)
from pmp.deliveries.bounces import Taken

log = logging.getLogger(__name__)

# What a person should look at; all else needs nobody.
_ASIDE = frozenset({Taken.NOT_UNDERSTOOD, Taken.FORGED})


def read() -> int:
    """Take in what came back; give how many messages were read.

    Each is put away only once the database has it; what cannot be understood is set
    aside for a person and never deleted. A mailbox that cannot be read is logged. What
    the database refuses stays, and the reading ends (PeeweeException).
    """
    url = settings.current().bounce_imap_url.get_secret_value()
    if not url:
        return 0
    count = 0
    try:
        for mail in mailbox.unread(url, largest=bounce_reports.LARGEST):
            _take_in(mail)
            count += 1
    except mailbox.MailboxError as error:
        log.warning("the mailbox of bounces: %s", error)
    return count


def _take_in(mail: mailbox.Received) -> None:
    try:
        taken, about = bounces.take_in(mail.raw, at=clock.now())
    except PeeweeException:
        raise  # the database is away: it comes again
    except Exception as error:  # noqa: BLE001 - one mail must not stop all after it
        log.warning("a mail came back: %s, set aside", type(error).__name__)
        mail.set_aside()
        return
    log.info("a mail came back: %s: %s", taken.value, about)
    if taken == Taken.LATER:
        return
    if taken in _ASIDE:
        mail.set_aside()
    else:
        mail.done()

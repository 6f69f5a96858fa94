"""What the codes on a fax say: a registration, a notice, threshold reports, tickets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models import Application, ApplicationStatus, FaxStatus
from pmp import registration, settings
from pmp.faxes import other_papers
from pmp.registration.registration_codes import read_code
from pmp.reporting import fax_answers, notices
from pmp.thresholds import faxed_replies, reply_codes
from pmp.tickets import faxed_papers
from pmp.wording import words

LATE = (
    "Registration {} is expired: its page came too late. Attach it all the same, and it"
    " is decided as any other; or put it aside."
)
NO_PAGES = "The pages could not be opened."


@dataclass(frozen=True)
class Reading:
    """What the codes on a fax say: where it goes, and why not to a registration."""

    status: FaxStatus
    note: str
    application: Application | None
    registrations: list[str]
    notices: list[str]  # codes of reporting notices that it answers
    reports: list[str]  # codes of threshold reports that it answers
    tickets: list[str]  # codes of tickets that it is a paper of
    others: list[str]  # codes of other papers of ours

    @property
    def codes(self) -> list[str]:
        first = [*self.registrations, *self.notices, *self.reports]
        return [*first, *self.tickets, *self.others]


def known(texts: Iterable[str]) -> tuple[str, ...]:
    """Give the codes of ours among texts read from a page, in their written form.

    A text without the prefix of a registration is none, though people may leave it out:
    one in 32 numbers of another's form would pass for one.
    """
    readers = (
        _registration,
        notices.read_code,
        reply_codes.read_code,
        faxed_papers.read_code,
        other_papers.read_code,
    )
    found = (code for text in texts for read in readers if (code := read(text)))
    return tuple(dict.fromkeys(found))


def read(codes: Sequence[str], pages: int, why: str = "") -> Reading:
    """Tell where a fax goes by the codes that were read from so many pages.

    Of no pages `why` says the reason.
    """
    codes = known(codes)
    found = sorted({code for text in codes if (code := _registration(text))})
    answered = [] if found else fax_answers.codes_in(codes)
    reports = faxed_replies.codes_in(codes)
    tickets = sorted({code for text in codes if (code := faxed_papers.read_code(text))})
    others = sorted({code for text in codes if (code := other_papers.read_code(text))})
    note, application = _reason(found)
    status = FaxStatus.MATCHED if application else FaxStatus.UNMATCHED
    if (reports or tickets or others) and not found:
        refusals = [*map(faxed_papers.refusal, tickets)]
        refusals += map(other_papers.refusal, others)
        note = " ".join(filter(None, (_unknown(reports), *refusals)))
        if not note and not answered:
            status = FaxStatus.MATCHED if reports else FaxStatus.FILED
    if not pages:
        status, note = FaxStatus.UNREADABLE, why or NO_PAGES
    return Reading(status, note, application, found, answered, reports, tickets, others)


def _registration(code: str) -> str | None:
    prefix = f"{settings.current().registration_prefix.upper()}-"
    return read_code(code) if code.upper().startswith(prefix) else None


def _unknown(reports: list[str]) -> str:
    unknown = faxed_replies.unknown(reports)
    return f"No report has the reply code {', '.join(unknown)}." if unknown else ""


def _reason(codes: list[str]) -> tuple[str, Application | None]:
    """Say why a fax cannot be attached, or give the one registration it is for."""
    if not codes:
        return "No registration code could be read.", None
    if len(codes) > 1:
        return f"It holds more than one registration: {', '.join(codes)}.", None
    application = registration.by_code(codes[0])
    if application is None:
        return f"There is no registration {codes[0]}.", None
    if application.status == ApplicationStatus.EXPIRED:
        return LATE.format(codes[0]), None
    if application.status not in registration.OPEN:
        return f"Registration {codes[0]} is {words(application.status).lower()}.", None
    return "", application

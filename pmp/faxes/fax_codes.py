"""What the codes on a fax say: a registration, a notice, threshold reports."""

from collections.abc import Sequence
from dataclasses import dataclass

from models import Application, FaxStatus
from pmp import registration
from pmp.reaching import page_codes
from pmp.registration.registration_codes import read_code
from pmp.reporting import fax_answers
from pmp.thresholds import faxed_replies
from pmp.wording import words


@dataclass(frozen=True)
class Reading:
    """What the codes on a fax say: where it goes, and why not to a registration."""

    status: FaxStatus
    note: str
    application: Application | None
    registrations: list[str]
    notices: list[str]  # codes of reporting notices that it answers
    reports: list[str]  # codes of threshold reports that it answers
    test_pages: list[str]  # codes of fax test pages that came back

    @property
    def codes(self) -> list[str]:
        return [*self.registrations, *self.notices, *self.reports, *self.test_pages]


def read(codes: Sequence[str], pages: int) -> Reading:
    """Tell where a fax goes by the codes that were read from so many pages."""
    found = sorted({code for text in codes if (code := read_code(text))})
    notices = [] if found else fax_answers.codes_in(codes)
    reports = faxed_replies.codes_in(codes)
    note, application = _reason(found, pages)
    status = FaxStatus.MATCHED if application else FaxStatus.UNMATCHED
    if reports and not found:
        unknown = faxed_replies.unknown(reports)
        note = f"No report has the reply code {', '.join(unknown)}." if unknown else ""
        if not unknown and not notices:
            status = FaxStatus.MATCHED
    tests = page_codes.codes_in(codes)
    if tests and not (found or notices or reports):
        status, note = FaxStatus.FILED, ""
    if not pages:
        status = FaxStatus.UNREADABLE
    return Reading(status, note, application, found, notices, reports, tests)


def _reason(codes: list[str], pages: int) -> tuple[str, Application | None]:
    """Say why a fax cannot be attached, or give the one registration it is for."""
    if not pages:
        return "The pages could not be opened.", None
    if not codes:
        return "No registration code could be read.", None
    if len(codes) > 1:
        return f"It holds more than one registration: {', '.join(codes)}.", None
    application = registration.by_code(codes[0])
    if application is None:
        return f"There is no registration {codes[0]}.", None
    if application.status not in registration.OPEN:
        return f"Registration {codes[0]} is {words(application.status).lower()}.", None
    return "", application

"""What an applicant may know of the address to which the letter goes.

Only once the registration is approved: before, it would tell whether a licence exists.
Only the town, masked: enough to know an old address again, not enough to find anybody.
"""

from models import Application, ApplicationStatus, Licence
from pmp.registration.names import name_key

SHOWN_IN = (ApplicationStatus.APPROVED, ApplicationStatus.CREDENTIALS_MAILED)


def other_town(application: Application) -> str:
    """Give the masked town of an address of record that is not the practice's: H••••d.

    Empty while nothing may be told, and where both are the same.
    """
    licence: Licence | None = application.licence
    if licence is None or application.status not in SHOWN_IN:
        return ""
    if _place(licence) == _place(application):
        return ""
    town = licence.city.strip().title()
    hidden = "•" * max(len(town) - 2, 1)
    return f"{town[:1]}{hidden}{town[-1:]}, {licence.state}"


def _place(row: Application | Licence) -> tuple[str, str]:
    return name_key(row.street), row.zip[:5]

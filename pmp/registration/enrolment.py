"""From an approved application to an account and the prescriber or pharmacy it is."""

from datetime import datetime

from models import Application, Licence, Pharmacy, Prescriber, Profession, Role, User
from pmp.accounts import users
from pmp.registration.comparison import applicant_name

DOCTORS = frozenset({"MD", "DO", "DDS", "DMD", "DPM", "DVM", "OD"})


def enrol(
    application: Application, licence: Licence, *, by: User, at: datetime
) -> User:
    """Make the account of an approved applicant, tied to the licence and DEA number.

    Prescriber or pharmacy is the one that dispensers have reported under the DEA
    number, or a new one.
    """
    pharmacy = application.profession == Profession.PHARMACY
    user = users.create(
        username=users.free_username(_wanted_name(application)),
        role=Role.PHARMACY if pharmacy else Role.PRACTITIONER,
        name=applicant_name(application),
        email=application.email,
        phone=application.phone,
        fax=application.fax,
        preferred_channel=application.preferred_channel,
        by=by,
        at=at,
    )
    user.licence = licence
    if pharmacy:
        user.pharmacy = _pharmacy(application, licence)
    else:
        user.prescriber = _prescriber(application, licence)
    user.save()
    return user


def _wanted_name(application: Application) -> str:
    """Give a name that its owner will know again: dr.adams, l.brown, main.pharmacy."""
    if application.profession == Profession.PHARMACY:
        name = application.pharmacy_name.upper().removeprefix("THE ").split()
        return f"{name[0]}.pharmacy"
    degree = application.degree.replace(".", "").upper()
    title = "dr" if degree in DOCTORS else application.first_name[:1]
    return f"{title}.{application.last_name}"


def _prescriber(application: Application, licence: Licence) -> Prescriber:
    row: Prescriber = Prescriber.get_or_none(
        (Prescriber.dea == application.dea) & (Prescriber.dea_suffix == "")
    ) or Prescriber.create(dea=application.dea)
    row.last_name = row.last_name or application.last_name.upper()
    row.first_name = row.first_name or application.first_name.upper()
    _fill(row, application, licence)
    return row


def _pharmacy(application: Application, licence: Licence) -> Pharmacy:
    row: Pharmacy = Pharmacy.get_or_none(
        Pharmacy.dea == application.dea
    ) or Pharmacy.create(dea=application.dea)
    row.name = row.name or application.pharmacy_name.upper()
    row.ncpdp = application.ncpdp or row.ncpdp
    if not row.street:
        row.street, row.city = application.street, application.city
        row.state, row.zip = application.state, application.zip
    _fill(row, application, licence)
    return row


def _fill(
    row: Prescriber | Pharmacy, application: Application, licence: Licence
) -> None:
    # What a person says of how to reach them wins over what others reported.
    row.licence = licence
    for name in ("npi", "phone", "fax", "email"):
        setattr(row, name, getattr(application, name) or getattr(row, name))
    row.save()

"""Rows whose every default is valid; a test names only what it is about.

Each owner of a part adds the makers of its rows here.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from peewee import fn

from models import (
    Application,
    ChannelName,
    Connective,
    ContactCheck,
    Dispensation,
    DocumentKind,
    DrugClass,
    HowConfirmed,
    Licence,
    Patient,
    Pharmacy,
    Prescriber,
    Product,
    Profession,
    ReportedDay,
    ReportedIdentity,
    Role,
    Submission,
    SubmissionStatus,
    ThresholdCase,
    ThresholdRule,
    Ticket,
    TicketProblem,
    User,
    UserStatus,
)
from pmp import clock, documents, registration, thresholds, tickets
from pmp.dispensations.row_codes import row_code
from pmp.matching.identities import name_key, sound
from pmp.reaching import page_codes
from pmp.reaching.proofs import Owner, kind_of
from pmp.registration.answers import Answers
from tests.conftest import NOW

_numbers = count(1)


def make_user(role: Role = Role.STAFF, **fields: Any) -> User:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "username": f"user{number}",
        "role": role,
        "status": UserStatus.ACTIVE,
        "name": f"User {number}",
        "email": f"user{number}@example.org",
        "created_at": NOW,
        "attested_at": clock.now(),
    }
    user: User = User.create(**(defaults | fields))
    return user


def make_dea(number: int, letters: str = "BP") -> str:
    """Make a DEA number with a right check digit."""
    digits = f"{number:06d}"
    odd, even = (sum(map(int, digits[start::2])) for start in (0, 1))
    return f"{letters}{digits}{(odd + 2 * even) % 10}"


def make_licence(
    profession: Profession = Profession.PHARMACY, **fields: Any
) -> Licence:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "credential_id": f"L{number}",
        "code": f"PCY.{number:07d}",
        "profession": profession,
        "name": f"LICENSEE {number}",
        "status": "ACTIVE",
        "active": True,
        "street": f"{number} Main Street",
        "city": "HARTFORD",
        "state": "CT",
        "zip": "06106",
    }
    licence: Licence = Licence.create(**(defaults | fields))
    return licence


def prove_fax(owner: Owner, number: str) -> ContactCheck:
    """Have a fax number proven for somebody: its test page came back."""
    check: ContactCheck = ContactCheck.create(
        channel=ChannelName.FAX,
        address=number,
        code=page_codes.new_code(),
        asked_by="system",
        asked_at=NOW,
        expires_at=NOW + timedelta(days=14),
        confirmed_at=NOW,
        confirmed_how=HowConfirmed.TOLD,
        confirmed_by="staff.lee",
        **{kind_of(owner): owner},
    )
    return check


def make_pharmacy(**fields: Any) -> Pharmacy:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "dea": make_dea(100_000 + number, "BP"),
        "name": f"PHARMACY {number}",
        "street": f"{number} Elm Street",
        "city": "HARTFORD",
        "state": "CT",
        "zip": "06106",
        "phone": "8605550100",
    }
    pharmacy: Pharmacy = Pharmacy.create(**(defaults | fields))
    return pharmacy


def make_prescriber(**fields: Any) -> Prescriber:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "dea": make_dea(200_000 + number, "AB"),
        "last_name": f"PRESCRIBER{number}",
        "first_name": "PAT",
        "phone": "8605550101",
    }
    prescriber: Prescriber = Prescriber.create(**(defaults | fields))
    return prescriber


def make_identity(patient: Patient | None = None, **fields: Any) -> ReportedIdentity:
    """Make what a dispenser reported, linked to a patient of its own or given."""
    number = next(_numbers)
    last = fields.get("last_name", f"SAMPLE{number}")
    first = fields.get("first_name", "ANNA")
    defaults: dict[str, Any] = {
        "fingerprint": f"{number:064x}",
        "patient": patient or Patient.create(created_at=NOW),
        "last_name": last,
        "first_name": first,
        "birth_date": date(1971, 4, 28),
        "sex": "F",
        "street": "1 Oak Street",
        "city": "HARTFORD",
        "state": "CT",
        "zip": "06106",
        "last_key": name_key(last),
        "first_key": name_key(first),
        "last_sound": sound(last),
        "linked_at": NOW,
    }
    identity: ReportedIdentity = ReportedIdentity.create(**(defaults | fields))
    return identity


def make_patient(**fields: Any) -> Patient:
    """Make a patient with one reported identity; `fields` are the identity's."""
    patient: Patient = make_identity(**fields).patient
    return patient


def make_product(**fields: Any) -> Product:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "ndc": f"{number:011d}",
        "name": "Oxycodone Hydrochloride 10 mg tablet",
        "ingredient": "oxycodone hydrochloride",
        "strength": Decimal(10),
        "strength_unit": "mg",
        "form": "TABLET",
        "route": "ORAL",
        "schedule": "CII",
        "drug_class": DrugClass.OPIOID,
        "mme_key": "oxycodone",
        "source": "test",
    }
    product: Product = Product.create(**(defaults | fields))
    return product


def make_submission(**fields: Any) -> Submission:
    """Make a processed submission; its file is there, encrypted."""
    body = fields.pop("body", b"TH*4.2B*1*01**20261123*1014*P**~~\r\n")
    document = fields.pop("document", None) or documents.keep(
        kind=DocumentKind.SUBMISSION, media_type="text/plain", body=body, at=NOW
    )
    defaults: dict[str, Any] = {
        "filename": "november.dat",
        "sha256": document.sha256,
        "document": document,
        "received_at": NOW,
        "status": SubmissionStatus.PROCESSED,
    }
    fields.setdefault("submitted_by", None)
    fields["submitted_by"] = fields["submitted_by"] or make_user(Role.PHARMACY)
    submission: Submission = Submission.create(**(defaults | fields))
    return submission


def make_reported_day(
    pharmacy: Pharmacy, day: date | None, *, came: datetime | None = None, **fields: Any
) -> ReportedDay:
    """Have a submission come with a record of a pharmacy that it filled on a day.

    It came at noon, Eastern time, of the next day if `came` does not say.
    """
    at = came
    if at is None:
        assert day is not None
        at = datetime.combine(day + timedelta(days=1), time(17), tzinfo=UTC)
    submission = fields.pop("submission", None)
    submission = submission or make_submission(received_at=at, **fields)
    row: ReportedDay = ReportedDay.create(
        submission=submission, pharmacy=pharmacy, day=day, received_at=at, records=1
    )
    return row


def make_dispensation(
    identity: ReportedIdentity | None = None, **fields: Any
) -> Dispensation:
    """Make a current fill of 60 oxycodone 10 mg for 30 days, filled 2026-11-01."""
    number = next(_numbers)
    if patient := fields.pop("patient", None):
        identity = patient.identities.get()
    identity = identity or make_identity()
    filled_on = fields.get("filled_on", date(2026, 11, 1))
    last = Dispensation.select(fn.MAX(Dispensation.id)).scalar() or 0
    defaults: dict[str, Any] = {
        "row_code": row_code(last + 1),
        "patient": identity.patient,
        "identity": identity,
        "prescription_number": f"RX{number}",
        "filled_on": filled_on,
        "written_on": filled_on,
        "sold_on": filled_on,
        "fill_number": 0,
        "product_code": "00406051201",
        "quantity": Decimal(60),
        "days_supply": 30,
        "units": "01",
        "payment": "01",
        "drug_name": "Oxycodone Hydrochloride 10 mg tablet",
        "ingredient": "oxycodone hydrochloride",
        "strength": Decimal(10),
        "strength_unit": "mg",
        "form": "TABLET",
        "schedule": "CII",
        "drug_class": DrugClass.OPIOID,
        "mme_key": "oxycodone",
        "stored_at": NOW,
    }
    for name, make in (("pharmacy", make_pharmacy), ("prescriber", make_prescriber)):
        fields[name] = fields.get(name) or make()
    dispensation: Dispensation = Dispensation.create(**(defaults | fields))
    return dispensation


def make_rule(**fields: Any) -> ThresholdRule:
    """Make the next version of a rule; 3 and 3 in 90 days, CII to CIV, active."""
    name = fields.setdefault("name", "Ours")
    last = ThresholdRule.select(fn.MAX(ThresholdRule.version))
    version = last.where(ThresholdRule.name == name).scalar() or 0
    defaults: dict[str, Any] = {
        "version": version + 1,
        "prescribers": 3,
        "pharmacies": 3,
        "connective": Connective.AND,
        "window_days": 90,
        "schedules": ["CII", "CIII", "CIV"],
        "written_by": "system",
        "written_at": NOW,
    }
    rule: ThresholdRule = ThresholdRule.create(**(defaults | fields))
    return rule


def make_crossing(
    patient: Patient, *, fills: int = 3, day: date = date(2026, 11, 1)
) -> Any:
    """Give a patient fills on days that end on `day`, each of others; the last case.

    Three of them cross the default rule. None while no rule is crossed.
    """
    for number in reversed(range(fills)):
        make_dispensation(patient=patient, filled_on=day - timedelta(days=number))
    thresholds.evaluate([patient.id], at=NOW)
    case: ThresholdCase | None = (
        ThresholdCase.select()
        .where(ThresholdCase.patient == patient)
        .order_by(ThresholdCase.id.desc())
        .first()
    )
    return case


def make_answers(
    profession: Profession = Profession.PRACTITIONER, **changes: str
) -> Answers:
    """Give what an applicant types; every number has a right check digit."""
    person = {"last_name": "Rodkin", "first_name": "Semyon", "degree": "MD"}
    shop = {
        "pharmacy_name": "Elm Street Pharmacy",
        "pharmacist_in_charge": "Ada Fielding",
        "ncpdp": "0712340",
    }
    common = {
        "licence_number": "CSP.0012345",
        "dea": make_dea(123456, "BR"),
        "npi": "1234567893",
        "street": "12 Elm Street",
        "city": "Hartford",
        "state": "CT",
        "zip": "06106",
        "phone": "(860) 555-0123",
        "fax": "860 555 0124",
        "email": "rodkin@example.org",
    }
    own = person if profession == Profession.PRACTITIONER else shop
    return Answers(**(common | own | changes))


def make_application(
    profession: Profession = Profession.PRACTITIONER, **fields: Any
) -> Application:
    """Make a registration through its rule; answers by name, other fields after it."""
    names = Answers.__dataclass_fields__
    typed = {name: fields.pop(name) for name in list(fields) if name in names}
    application = registration.submit(
        profession=profession,
        answers=make_answers(profession, **typed),
        attested=True,
        at=fields.pop("at", NOW),
        by=fields.pop("by", None),
    )
    for name, value in fields.items():
        setattr(application, name, value)
    application.save()
    return application


def make_practitioner_licence(**fields: Any) -> Licence:
    """Make the licence that the default answers name."""
    defaults = {
        "code": "CSP.0012345",
        "name": "SEMYON A RODKIN",
        "street": "77 Record Road",
        "city": "New Haven",
        "zip": "065110001",
        "dea": make_dea(123456, "BR"),
    }
    return make_licence(Profession.PRACTITIONER, **(defaults | fields))


def make_ticket(
    dispensation: Dispensation | None = None, *, by: User | None = None, **fields: Any
) -> Ticket:
    """Open a ticket about an entry: by its pharmacy's user, a wrong quantity."""
    entry = dispensation or make_dispensation()
    reporter = by or make_user(Role.PHARMACY, pharmacy=entry.pharmacy)
    given: dict[str, Any] = {
        "problem": TicketProblem.WRONG_QUANTITY,
        "note": "It was thirty.",
        "at": NOW,
    }
    shown = tickets.find_shown(entry.row_code, by=reporter)
    ticket: Ticket = tickets.open_ticket(shown, by=reporter, **(given | fields))
    return ticket


def entry_of(ticket: Ticket) -> Dispensation:
    """Give the entry that a ticket is about; it must be about one."""
    entry: Dispensation | None = ticket.dispensation
    assert entry is not None
    return entry

"""What benchmarks of pages and papers stand on: a program with patients in it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import models
from models import (
    Dispensation,
    DrugClass,
    Patient,
    Pharmacy,
    Prescriber,
    Purpose,
    ReportedIdentity,
    Role,
    User,
    UserStatus,
)
from pmp import clock, database, lookup, settings
from pmp.dispensations.row_codes import row_code
from pmp.matching import Identity, link

FIRST, BORN = "Maria", date(1971, 4, 28)
DAYS = 330
NAMES = ("Barlow", "Castillo", "Quimby")  # nobody takes one for another
_DRUGS = (
    ("OXYCODONE HCL 10 MG TAB", "oxycodone", DrugClass.OPIOID, 10, 60),
    ("HYDROCODONE-APAP 5-325 MG", "hydrocodone", DrugClass.OPIOID, 5, 60),
    ("ALPRAZOLAM 0.5 MG TAB", "alprazolam", DrugClass.BENZODIAZEPINE, 1, 30),
    ("ZOLPIDEM 10 MG TAB", "zolpidem", DrugClass.SEDATIVE, 10, 30),
)


@contextmanager
def program(url: str) -> Iterator[dict[str, str]]:
    """Set up empty tables at an address; give the settings for another process."""
    given = {
        "PMP_SECRET_KEY": secrets.token_hex(32),
        "PMP_DOCUMENT_KEY": secrets.token_hex(32),
        "PMP_DATABASE_URL": url,
    }
    settings.use(settings.load(given))
    database.begin_use()
    database.upgrade()
    with database.connected():
        yield given
    models.database.obj.close()
    if not database.is_sqlite():
        models.database.obj.close_all()


def make_user() -> User:
    """Make a practitioner who looks up."""
    user: User = User.create(
        username="bench",
        role=Role.PRACTITIONER,
        status=UserStatus.ACTIVE,
        name="Bench",
        created_at=clock.now(),
        attested_at=clock.now(),
    )
    return user


def make_patient(last: str, fills: int) -> Patient:
    """Make a patient with so many fills within a year, of six doctors and shops."""
    identity = Identity(
        last, FIRST, "", "", BORN, "F", f"1 {last} ST", "AVON", "CT", "06001", ""
    )
    made = link([identity], at=clock.now())[0]
    row = ReportedIdentity.get_by_id(made.identity_id)
    people = list(product(_prescribers(last), _pharmacies(last)))
    first = clock.today() - timedelta(days=DAYS)
    start = (Dispensation.select().count() or 0) + 1
    with database.atomic():
        for number in range(fills):
            drug = _DRUGS[number % len(_DRUGS)]
            day = first + timedelta(days=number * DAYS // fills)
            prescriber, pharmacy = people[number % len(people)]
            Dispensation.create(
                row_code=row_code(start + number),
                patient=row.patient,
                identity=row,
                prescriber=prescriber,
                pharmacy=pharmacy,
                prescription_number=str(600000 + number),
                filled_on=day,
                written_on=day,
                fill_number=0,
                product_code="00406051201",
                quantity=Decimal(drug[4]),
                days_supply=15,
                units="01",
                payment="04",
                drug_name=drug[0],
                ingredient=drug[1],
                strength=Decimal(drug[3]),
                strength_unit="mg",
                form="TABLET",
                schedule="CII",
                drug_class=drug[2],
                mme_key=drug[1] if drug[2] is DrugClass.OPIOID else "",
                stored_at=clock.now(),
            )
    patient: Patient = row.patient
    return patient


def _prescribers(last: str) -> list[Prescriber]:
    return [
        Prescriber.create(
            dea=f"{last}-{number}",
            last_name=f"NOVAK{number}",
            first_name="PAT",
            phone="8605550123",
        )
        for number in range(3)
    ]


def _pharmacies(last: str) -> list[Pharmacy]:
    return [
        Pharmacy.create(
            dea=f"{last}-{number}",
            name=f"SHOP {number}",
            city="AVON",
            state="CT",
            phone="8605550150",
        )
        for number in range(2)
    ]


def look_up(last: str, *, by: User) -> lookup.Answer:
    """Look a patient up, a year back."""
    today = clock.today()
    criteria = lookup.Criteria(
        FIRST,
        last,
        BORN,
        Purpose.TREATING,
        since=today - timedelta(days=365),
        until=today,
    )
    return lookup.search(criteria=criteria, by=by, at=clock.now())

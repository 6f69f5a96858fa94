"""A case whose recipients are each reached in another way, and what they were sent."""

import io
from datetime import date

import pypdf

from gateway import schedule
from models import (
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryKind,
    Profession,
    Role,
    ThresholdCase,
)
from pmp import clock
from pmp.deliveries import media
from pmp.thresholds import threshold_rules
from tests.factories import (
    make_dispensation,
    make_licence,
    make_patient,
    make_pharmacy,
    make_practitioner_licence,
    make_prescriber,
    make_user,
)
from tests.gateway.conftest import Clock
from tests.servers.carrier import Carrier

NAMES = ("CANARYQUIST", "ZEPHYRINE", "04/28/1971")


def cross(*, day: date) -> ThresholdCase:
    """Have three prescribers and three pharmacies, each reached in another way."""
    shops = [make_pharmacy(name=f"SHOP {n}", phone="8605550100") for n in range(3)]
    doctors = [make_prescriber(last_name=f"DOCTOR{n}") for n in range(3)]
    make_user(
        Role.PRACTITIONER,
        prescriber=doctors[0],
        email="doctor@example.org",
        preferred_channel=ChannelName.EMAIL,
    )
    make_practitioner_licence(
        code="CSP.0000101", dea=doctors[1].dea, fax="+18605550131"
    )
    make_practitioner_licence(code="CSP.0000102", dea=doctors[2].dea)
    for n, shop in enumerate(shops):
        make_licence(Profession.PHARMACY, dea=shop.dea, fax=f"+1860555014{n}")
    patient = make_patient(last_name="CANARYQUIST", first_name="ZEPHYRINE")
    for doctor, shop in zip(doctors, shops, strict=True):
        make_dispensation(
            patient=patient, prescriber=doctor, pharmacy=shop, filled_on=day
        )
    threshold_rules.seed(at=clock.now())
    schedule.evaluate()
    found: ThresholdCase = ThresholdCase.get()
    return found


def deliveries_of(recipient: CaseRecipient) -> list[Delivery]:
    """Give the ways that a recipient's report was tried by, the first first."""
    return list(
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
        .where(Delivery.subject_id == recipient.id)
        .order_by(Delivery.id)
    )


def paper(carrier: Carrier, number: str, now: Clock) -> bytes:
    """Give the pages that the carrier fetched for a number."""
    fax = next(each for each in carrier.taken if each.to == number)
    return media.fetched(fax.media_url.rpartition("/")[2], at=now(), address="")


def pages_of(body: bytes) -> list[str]:
    reader = pypdf.PdfReader(io.BytesIO(body))
    return [" ".join(page.extract_text().split()) for page in reader.pages]

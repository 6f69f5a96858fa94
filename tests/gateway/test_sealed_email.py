"""Threshold reports by email, sealed for whoever has a certificate."""

import io
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import Certificate
from pypdf import PdfReader

from gateway import tasks
from gateway.channels import email_smtp
from gateway.message import DeliveryError, Message
from models import (
    AuditEvent,
    CaseRecipient,
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Disclosure,
    Dispensation,
    ErrorClass,
    MailCertificate,
    MailPassPhrase,
    Role,
    User,
)
from pmp import deliveries, dispensations, settings
from pmp.deliveries import Route, certificates, protections
from pmp.errors import NotFoundError, RuleError
from pmp.thresholds import case_recipients
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_licence,
    make_patient,
    make_prescriber,
    make_user,
)
from tests.gateway.conftest import Clock, fresh
from tests.servers.certificates import (
    KEY,
    curve_key,
    make_mail_certificate,
    pem,
    private_pem,
    small_key,
)
from tests.servers.crooked_relay import CrookedRelay

OAKES = "oakes@example.org"
PATIENT = {"last_name": "CANARYQUIST", "first_name": "ZEPHYRINE"}

pytestmark = pytest.mark.usefixtures("db", "now")


@pytest.fixture
def relay() -> Iterator[CrookedRelay]:
    with (
        CrookedRelay() as running,
        settings.changed(mail_url=running.url, mail_documents="smime"),
    ):
        yield running


@pytest.fixture
def staff() -> User:
    return make_user(Role.STAFF, username="staff.lee")


def add(certificate: Certificate, address: str = OAKES) -> MailCertificate:
    staff = User.get_or_none(username="clerk") or make_user(username="clerk")
    return certificates.add(pem(certificate), address=address, by=staff, at=NOW)


def report_to(**licence: Any) -> CaseRecipient:
    """Let a case arise whose prescriber is on the roster with an email address."""
    patient = make_patient(**PATIENT)
    doctor = make_prescriber(
        last_name="OAKES",
        licence=make_licence(name="RAE OAKES", **({"email": OAKES} | licence)),
    )
    make_dispensation(patient=patient, prescriber=doctor, filled_on=date(2026, 10, 20))
    case = make_crossing(patient, fills=2)
    return next(
        each
        for each in case_recipients.of_case(case)
        if each.prescriber and each.prescriber.last_name == "OAKES"
    )


def delivery_of(recipient: CaseRecipient) -> Delivery:
    return (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
        .where(Delivery.subject_id == recipient.id)
        .order_by(Delivery.id)
        .get()
    )


def one_more(recipient: CaseRecipient) -> Delivery:
    return deliveries.request(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
        routes=[Route(ChannelName.EMAIL, OAKES)],
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW,
    )


def opened(relay: CrookedRelay, certificate: Certificate) -> tuple[str, bytes]:
    """Open the last mail at the relay with the key: its text and its PDF."""
    sealed = relay.taken[-1].get_payload(decode=True)
    inside = message_from_bytes(
        pkcs7.pkcs7_decrypt_der(sealed, certificate, KEY, []), policy=policy.default
    )
    text, attachment = inside.iter_parts()
    return text.get_content(), attachment.get_content()


def test_a_report_to_one_who_is_no_user_goes_sealed(
    relay: CrookedRelay, staff: User
) -> None:
    certificate = make_mail_certificate()
    add(make_mail_certificate("other@example.org"), "other@example.org")
    add(certificate)
    delivery = delivery_of(report_to())
    assert (delivery.channel, delivery.address) == (ChannelName.EMAIL, OAKES)

    tasks.send_delivery.call_local(delivery.id)

    assert fresh(delivery).state == DeliveryState.SENT
    text, report = opened(relay, certificate)
    assert "attached Patient Threshold Report" in text
    assert report.startswith(b"%PDF")
    [mail], [raw] = relay.taken, relay.texts
    assert mail.get_content_type() == "application/pkcs7-mime"
    assert mail.get_param("smime-type") == "enveloped-data"
    assert mail["Subject"] == "A sealed message from CPMRS"
    for word in (b"CANARYQUIST", b"ZEPHYRINE", b"%PDF"):
        assert word not in raw
    assert max(len(line) for line in raw.splitlines()) <= 78
    disclosed = Disclosure.get()
    assert disclosed.address == OAKES


def test_only_the_key_of_the_certificate_opens_it(relay: CrookedRelay) -> None:
    certificate = make_mail_certificate()
    add(certificate)
    tasks.send_delivery.call_local(delivery_of(report_to()).id)
    sealed = relay.taken[-1].get_payload(decode=True)
    other = small_key()

    with pytest.raises(ValueError, match=r"."):
        pkcs7.pkcs7_decrypt_der(
            sealed, make_mail_certificate(key=other, days=(-1, 1)), other, []
        )


def test_without_the_policy_nothing_is_sealed(relay: CrookedRelay) -> None:
    add(make_mail_certificate())
    with settings.changed(mail_documents="never"):
        assert delivery_of(report_to()).channel == ChannelName.LETTER


@pytest.mark.parametrize(
    ("licence", "ways"),
    [
        ({}, ["email", "letter"]),
        ({"fax": "8605550143"}, ["fax", "email", "letter"]),
        (
            {"fax": "8605550143", "preferred_channel": ChannelName.EMAIL},
            ["email", "fax", "letter"],
        ),
        ({"email": "changed@example.org"}, ["letter"]),
        ({"email": ""}, ["letter"]),
    ],
)
def test_sealed_email_has_its_place_among_the_ways(
    relay: CrookedRelay, licence: dict[str, str], ways: list[str]
) -> None:
    add(make_mail_certificate())

    delivery = delivery_of(report_to(**licence))

    found = [delivery.channel.value, *(way for way, _ in delivery.further_routes)]
    assert found == ways


def test_a_user_gets_a_link_until_they_hand_in_a_certificate(
    relay: CrookedRelay,
) -> None:
    recipient = report_to(email="")
    doctor = make_user(Role.PRACTITIONER, username="dr.oakes", email=OAKES)
    first = one_more(recipient)
    tasks.send_delivery.call_local(first.id)
    assert "/threshold-reports/" in relay.taken[-1].get_content()

    certificate = make_mail_certificate()
    certificates.add(pem(certificate), address=OAKES, by=doctor, at=NOW)
    second = one_more(recipient)
    tasks.send_delivery.call_local(second.id)

    assert opened(relay, certificate)[1].startswith(b"%PDF")


@pytest.mark.parametrize("how", ["withdrawn", "over", "policy"])
def test_a_certificate_that_is_gone_sends_the_report_the_next_way(
    relay: CrookedRelay, staff: User, now: Clock, how: str
) -> None:
    kept = add(make_mail_certificate(days=(-30, 2)))
    delivery = delivery_of(report_to())
    policy_now = "smime"
    if how == "withdrawn":
        certificates.withdraw(kept.id, by=staff, at=NOW)
    elif how == "over":
        now.go_on(days=3)
    else:
        policy_now = "never"

    with settings.changed(mail_documents=policy_now):
        tasks.send_delivery.call_local(delivery.id)

    after = fresh(delivery)
    assert (after.state, after.error_class) == (
        DeliveryState.FAILED,
        ErrorClass.DOCUMENT,
    )
    assert Delivery.get(parent=delivery).channel == ChannelName.LETTER
    assert relay.connections == 0


def test_a_correction_to_one_who_is_no_user_goes_sealed_too(
    relay: CrookedRelay, staff: User
) -> None:
    certificate = make_mail_certificate()
    add(certificate)
    recipient = report_to()
    tasks.send_delivery.call_local(delivery_of(recipient).id)
    entry = Dispensation.get(Dispensation.prescriber == recipient.prescriber)

    dispensations.void(entry, reason="x", by=staff, at=NOW)
    notice = CorrectionNotice.get()
    delivery = Delivery.get(kind=DeliveryKind.CORRECTION_NOTICE, subject_id=notice.id)
    tasks.send_delivery.call_local(delivery.id)

    assert fresh(delivery).state == DeliveryState.SENT
    text, correction = opened(relay, certificate)
    assert "correction to a Patient Threshold" in text
    assert correction.startswith(b"%PDF")


def test_a_sealed_message_without_a_certificate_is_refused() -> None:
    message = Message(OAKES, text="T\n", pdf=b"%PDF-1", certificate="no")

    with pytest.raises(DeliveryError, match="not sealed") as error:
        email_smtp.made(message)

    assert error.value.error_class == ErrorClass.DOCUMENT


# --- A PDF that a pass phrase opens


def locked(relay: CrookedRelay) -> tuple[str, PdfReader]:
    """Give the text of the last mail at the relay, and its PDF."""
    text, attachment = relay.taken[-1].iter_parts()
    assert attachment.get_filename() == "report.pdf"
    return text.get_content(), PdfReader(io.BytesIO(attachment.get_content()))


@pytest.fixture
def phrases(relay: CrookedRelay) -> Iterator[None]:
    with settings.changed(mail_documents="pdf"):
        yield


@pytest.mark.usefixtures("phrases")
def test_a_user_with_a_pass_phrase_gets_the_report_as_a_locked_pdf(
    relay: CrookedRelay,
) -> None:
    recipient = report_to(email="")
    doctor = make_user(Role.PRACTITIONER, username="dr.oakes", email=OAKES.upper())
    make_user(Role.PRACTITIONER, email="other@example.org")
    phrase = protections.make_phrase(doctor, at=NOW)

    tasks.send_delivery.call_local(one_more(recipient).id)

    text, report = locked(relay)
    assert "opens with the pass phrase" in text
    assert phrase not in text
    assert report.is_encrypted
    encryption: Any = report.trailer["/Encrypt"].get_object()
    assert (encryption["/V"], encryption["/R"]) == (5, 6)
    assert encryption["/CF"]["/StdCF"]["/CFM"] == "/AESV3"
    assert not report.decrypt("")
    assert not report.decrypt(phrase.lower())
    assert report.decrypt(phrase)
    assert "CANARYQUIST" in " ".join(page.extract_text() for page in report.pages)
    [raw] = relay.texts
    assert phrase.encode() not in raw
    assert b"CANARYQUIST" not in raw
    assert Disclosure.select().count() == 1


@pytest.mark.usefixtures("phrases")
def test_a_certificate_goes_before_a_pass_phrase(relay: CrookedRelay) -> None:
    recipient = report_to(email="")
    doctor = make_user(Role.PRACTITIONER, username="dr.oakes", email=OAKES)
    protections.make_phrase(doctor, at=NOW)
    certificate = make_mail_certificate()
    add(certificate)

    tasks.send_delivery.call_local(one_more(recipient).id)

    assert opened(relay, certificate)[1].startswith(b"%PDF")


@pytest.mark.parametrize("how", ["withdrawn", "policy"])
def test_without_a_pass_phrase_email_is_a_notice_and_a_link(
    relay: CrookedRelay, how: str
) -> None:
    recipient = report_to(email="")
    doctor = make_user(Role.PRACTITIONER, username="dr.oakes", email=OAKES)
    protections.make_phrase(doctor, at=NOW)
    if how == "withdrawn":
        protections.withdraw_phrase(doctor, at=NOW)

    with settings.changed(mail_documents="pdf" if how == "withdrawn" else "smime"):
        tasks.send_delivery.call_local(one_more(recipient).id)

    assert "/threshold-reports/" in relay.taken[-1].get_content()


def test_a_pass_phrase_is_kept_sealed_and_the_last_one_counts() -> None:
    doctor = make_user(Role.PRACTITIONER, username="dr.oakes", email=OAKES)
    first = protections.make_phrase(doctor, at=NOW)
    second = protections.make_phrase(doctor, at=NOW)

    assert first != second
    assert len(second) == 24
    kept = MailPassPhrase.get()
    assert second.encode() not in bytes(kept.sealed)
    with settings.changed(mail_documents="pdf"):
        delivery = Delivery(channel=ChannelName.EMAIL, address=OAKES)
        found = protections.of(delivery, at=NOW)
    assert found is not None
    assert found.pass_phrase == second
    assert second not in repr(found)
    assert second not in repr(Message(OAKES, pass_phrase=second))


@pytest.mark.usefixtures("phrases")
def test_a_pass_phrase_of_another_document_key_sends_nothing_in_clear(
    relay: CrookedRelay,
) -> None:
    recipient = report_to(email="")
    doctor = make_user(Role.PRACTITIONER, username="dr.oakes", email=OAKES)
    protections.make_phrase(doctor, at=NOW)
    MailPassPhrase.update(sealed=os.urandom(60)).execute()

    delivery = one_more(recipient)
    tasks.send_delivery.call_local(delivery.id)

    assert fresh(delivery).error_class == ErrorClass.DOCUMENT
    assert relay.connections == 0


# --- What is no certificate to seal for


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            lambda: pem(make_mail_certificate("x@example.org")),
            "it is for x@example.org",
        ),
        (lambda: pem(make_mail_certificate(named_in="nowhere")), "names no address"),
        (lambda: pem(make_mail_certificate(days=(-30, -1))), "was good until"),
        (lambda: pem(make_mail_certificate(days=(1, 30))), "not in force yet"),
        (lambda: pem(make_mail_certificate(key=small_key())), "has 1024 bits"),
        (lambda: pem(make_mail_certificate(key=curve_key())), "with an RSA key"),
        (lambda: pem(make_mail_certificate(purpose="web")), "not made for sealing"),
        (lambda: pem(make_mail_certificate(seals=False)), "not made for sealing"),
        (lambda: pem(make_mail_certificate(authority=True)), "not made for sealing"),
        (lambda: pem(make_mail_certificate()) + private_pem(), "holds a private key"),
        (lambda: b"%PDF-1.7", "is no certificate"),
        (lambda: b"", "is no certificate"),
        (lambda: os.urandom(5000), "is no certificate"),
        (lambda: b"0" * 70_000, "too large"),
    ],
    ids=range(14),
)
def test_an_unfit_certificate_is_refused_with_its_reason(
    raw: Callable[[], bytes], words: str, staff: User
) -> None:
    with pytest.raises(RuleError, match=words) as error:
        certificates.add(raw(), address=OAKES, by=staff, at=NOW)

    assert error.value.field == "certificate"
    assert MailCertificate.select().count() == 0


@pytest.mark.parametrize(
    "raw",
    [
        lambda one: pem(make_mail_certificate("ca@example.org"), one),
        lambda one: one.public_bytes(Encoding.DER),
        lambda one: pkcs7.serialize_certificates([one], Encoding.DER),
        lambda one: pkcs7.serialize_certificates([one], Encoding.PEM),
    ],
    ids=["chain", "der", "p7b", "p7b pem"],
)
def test_each_form_of_file_is_read(
    raw: Callable[[Certificate], bytes], staff: User
) -> None:
    one = make_mail_certificate("Oakes@Example.org", named_in="subject")

    kept = certificates.add(raw(one), address=OAKES, by=staff, at=NOW)

    assert kept.holder == "Rae Oakes"
    assert kept.issuer == "Test Mail Authority"
    assert kept.not_after == NOW + timedelta(days=365)


def test_a_new_certificate_takes_the_place_of_the_old_one(staff: User) -> None:
    first = add(make_mail_certificate())
    second = add(make_mail_certificate())

    assert certificates.of_address(OAKES) == second
    assert MailCertificate.get_by_id(first.id).withdrawn_at == NOW
    with pytest.raises(NotFoundError):
        certificates.withdraw(first.id, by=staff, at=NOW)
    events = [each.event for each in AuditEvent.select().order_by(AuditEvent.id)]
    assert events[-3:] == [
        "mail:certificate_added",
        "mail:certificate_withdrawn",
        "mail:certificate_added",
    ]

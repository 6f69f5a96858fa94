"""The credential letter: in its window, to the roster's address, its secret nowhere."""

import logging
import re
from pathlib import Path

import pytest

import models
from gateway import letters_check, pages, sending
from gateway.messages import credential_letter
from models import (
    Application,
    ApplicationStatus,
    AuditEvent,
    Credential,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    User,
)
from pmp import accounts, database, documents, settings
from pmp.accounts import credentials
from pmp.deliveries import letters, mailings, outbox, print_runs
from pmp.errors import RuleError
from pmp.registration import approval
from tests.conftest import NOW
from tests.factories import make_application, make_practitioner_licence, make_user

SECRET = re.compile(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}")


@pytest.fixture
def approved(db: settings.Settings) -> User:
    make_practitioner_licence()
    application = make_application(status=ApplicationStatus.CONFIRMATION_RECEIVED)
    return approval.approve(
        application, checked=list(approval.Check), by=make_user(), at=NOW
    )


def letter_of(user: User) -> Delivery:
    delivery: Delivery = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
        .where(Delivery.subject_id == user.id)
        .order_by(Delivery.id.desc())
        .get()
    )
    return delivery


def composed(delivery: Delivery) -> bytes:
    attempt = DeliveryAttempt(delivery=delivery, number=1, started_at=NOW)
    body = credential_letter.compose(delivery, attempt).pdf
    assert body is not None
    return body


def text_of(pdf: bytes) -> str:
    return " ".join(box.text for box in pages.text_boxes(pdf))


def secret_in(pdf: bytes) -> str:
    [secret] = SECRET.findall(text_of(pdf))
    return str(secret)


def check(user: User, secret: str, *, code: str | None = None) -> Credential:
    application = Application.get(Application.user == user)
    return accounts.check_letter(
        username=user.username,
        secret=secret,
        code=application.code if code is None else code,
        address="192.0.2.1",
        at=NOW,
    )


def come_in(user: User) -> None:
    """Sign in for the first time, with the letter that is ready to be printed."""
    document = letter_of(user).document
    assert document is not None
    accounts.activate(
        credential=check(user, secret_in(documents.read(document))),
        password="corduroy lampshade violin",
        address="192.0.2.1",
        browser="test",
        at=NOW,
    )


def is_destroyed(letter: Delivery) -> bool:
    document = Delivery.get_by_id(letter.id).document
    return document is not None and document.sealed is None


def test_the_letter_fits_its_window_and_names_the_address_of_record(
    approved: User,
) -> None:
    pdf = composed(letter_of(approved))
    text = text_of(pdf)
    assert letters_check.problems(pdf) == []
    assert pages.pages(pdf, "application/pdf") == 1
    assert "77 RECORD RD" in text
    assert "Elm Street" not in text
    assert approved.username in text
    assert "12/14/2026" in text


def test_the_letter_does_not_hold_the_registration_code(approved: User) -> None:
    code = Application.get(Application.user == approved).code
    assert code not in text_of(composed(letter_of(approved)))


def test_the_secret_of_the_letter_opens_the_account(approved: User) -> None:
    secret = secret_in(composed(letter_of(approved)))
    assert check(approved, secret).user == approved
    with pytest.raises(RuleError):
        check(approved, secret, code="CTR-00000-00000")
    with pytest.raises(RuleError):
        check(approved, "7K3Q-9XW4-MT2A-B8CD")


def test_who_has_come_in_leaves_no_letter_to_print(approved: User, now: object) -> None:
    sending.attempt(letter_of(approved).id)
    come_in(approved)
    assert is_destroyed(letter_of(approved))
    assert letter_of(approved).state == DeliveryState.CANCELLED
    assert list(letters.waiting()) == []


def test_a_used_letter_is_not_printed_again_but_may_be_called_mailed(
    approved: User, now: object
) -> None:
    sending.attempt(letter_of(approved).id)
    letter, staff = letter_of(approved), make_user()
    run = print_runs.open_run(sheets=len, by=staff, at=NOW)
    print_runs.confirm(run.id, by=staff, at=NOW)
    come_in(approved)
    with pytest.raises(RuleError, match="has no pages any more"):
        print_runs.papers(run.id, by=staff, at=NOW)
    assert mailings.mail(run.id, on=NOW.date(), by=staff, at=NOW) == 1
    assert letter_of(approved) == letter


def test_composed_again_it_is_the_same_letter(approved: User) -> None:
    delivery = letter_of(approved)
    first = composed(delivery)
    assert composed(Delivery.get_by_id(delivery.id)) == first
    assert Credential.select().count() == 1


def test_a_letter_that_cannot_be_drawn_leaves_no_password(
    approved: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_context: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("gateway.documents.pdf", broken)
    with pytest.raises(ZeroDivisionError):
        composed(letter_of(approved))
    assert Credential.select().count() == 0
    assert letter_of(approved).document is None


def test_the_secret_is_in_no_row_and_no_log(
    approved: User, caplog: pytest.LogCaptureFixture, tmp_path: Path, now: object
) -> None:
    caplog.set_level(logging.DEBUG)
    sending.attempt(letter_of(approved).id)
    delivery = letter_of(approved)
    assert delivery.state == DeliveryState.SUBMITTED
    assert delivery.document is not None
    secret = secret_in(documents.read(delivery.document))
    plain = secret.replace("-", "")
    everything = "\n".join(
        str(row) for table in models.TABLES for row in table.select().dicts()
    )
    assert approved.username in everything  # the search does look at the rows
    for clear in (secret, plain, secret.lower(), secret.encode().hex()):
        assert clear not in everything
        assert clear not in caplog.text
        files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert not any(clear.encode() in body for body in files)


def test_a_new_letter_ends_the_old_one(approved: User) -> None:
    old = letter_of(approved)
    old_secret = secret_in(composed(old))

    credentials.reissue(approved, reason="It came back", by=make_user(), at=NOW)
    with pytest.raises(RuleError):
        check(approved, old_secret)
    new_secret = secret_in(composed(letter_of(approved)))

    assert new_secret != old_secret
    assert check(approved, new_secret).user == approved
    assert is_destroyed(old)
    with pytest.raises(RuleError):
        composed(Delivery.get_by_id(old.id))


def test_our_copy_is_destroyed_once_the_letter_is_mailed(approved: User) -> None:
    delivery = letter_of(approved)
    secret = secret_in(composed(delivery))
    with database.atomic():
        outbox.change(
            outbox.taken(delivery.id), DeliveryState.MAILED, source="lee", at=NOW
        )
    application = Application.get(Application.user == approved)
    assert application.status == ApplicationStatus.CREDENTIALS_MAILED
    assert is_destroyed(delivery)
    assert check(approved, secret).user == approved


def test_a_letter_that_came_back_is_dead(approved: User) -> None:
    delivery = letter_of(approved)
    secret = secret_in(composed(delivery))
    with database.atomic():
        outbox.change(
            outbox.taken(delivery.id), DeliveryState.RETURNED, source="lee", at=NOW
        )
    with pytest.raises(RuleError):
        check(approved, secret)


def test_issuing_is_on_the_audit_record(approved: User) -> None:
    composed(letter_of(approved))
    [event] = AuditEvent.select().where(AuditEvent.event == "credential:issued")
    assert event.subject == f"user:{approved.id}"

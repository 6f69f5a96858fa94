"""What staff did about an account reaches its owner by mail, fax and letter."""

from io import BytesIO

import pypdf
import pytest

from gateway import letters_check, messages
from models import ChannelName, Delivery, DeliveryAttempt, DeliveryKind, Role, User
from pmp import deliveries
from pmp.accounts import role_changes, user_desk
from pmp.deliveries import Route
from tests.conftest import NOW
from tests.factories import make_practitioner_licence, make_user

pytestmark = pytest.mark.usefixtures("db")

LETTER = "RAE OAKES\n2 Main Street\nHartford CT 06106"


@pytest.fixture
def chief() -> User:
    return make_user(Role.ADMINISTRATOR, username="chief")


def notice() -> Delivery:
    row: Delivery = Delivery.get(Delivery.kind == DeliveryKind.ACCOUNT_NOTICE)
    return row


def text_of(row: Delivery) -> str:
    attempt = DeliveryAttempt(delivery=row, number=1, started_at=NOW)
    message = messages.compose(row, attempt)
    if message.pdf is None:
        return f"{message.subject}\n{message.text}"
    if row.channel == ChannelName.LETTER:
        assert letters_check.problems(message.pdf) == []
    last = pypdf.PdfReader(BytesIO(message.pdf)).pages[-1]
    return " ".join(last.extract_text().split())


def test_a_mail_says_what_was_done_and_not_why(chief: User) -> None:
    user = make_user(Role.STAFF, username="rae.oakes")
    user_desk.suspend(user.id, reason="under suspicion", seen="", by=chief, at=NOW)

    text = text_of(notice())

    assert text.startswith("Your account is suspended\n")
    assert "suspended your account on 11/23/2026 10:14 AM ET." in text
    assert "call (860) 713-6073" in text
    for secret in ("suspicion", "rae.oakes", "chief"):
        assert secret not in text


@pytest.mark.parametrize(
    ("channel", "address"),
    [(ChannelName.FAX, "+18605550143"), (ChannelName.LETTER, LETTER)],
)
def test_who_has_no_email_is_told_on_paper(
    chief: User, channel: ChannelName, address: str
) -> None:
    user = make_user(name="Rae Oakes")
    user_desk.suspend(user.id, reason="x", seen="", by=chief, at=NOW)
    row = deliveries.request(
        kind=DeliveryKind.ACCOUNT_NOTICE,
        subject_id=notice().subject_id,
        routes=[Route(channel, address)],
        dedupe_key="paper",
        at=NOW,
    )
    text = text_of(row)
    assert "You cannot sign in" in text
    assert "rae oakes" in text.lower()


def test_a_new_letter_and_another_role_are_told_in_their_own_words(
    chief: User,
) -> None:
    doctor = make_user(Role.PRACTITIONER, licence=make_practitioner_licence())
    user_desk.new_letter(doctor.id, reason="lost", seen="", by=chief, at=NOW)
    assert "It goes to your address of record." in text_of(notice())
    Delivery.delete().execute()

    clerk = make_user(Role.STAFF)
    change = role_changes.propose(
        clerk.id, role=Role.AUDITOR, reason="moves", seen="", by=chief, at=NOW
    )
    second = make_user(Role.ADMINISTRATOR)
    role_changes.confirm(change.id, by=second, at=NOW)
    assert "Its role was staff, and is auditor now." in text_of(notice())


def test_who_is_let_in_again_is_told_how_they_come_in(chief: User) -> None:
    for role, hashed, words in (
        (Role.STAFF, "kept", "your own password"),
        (Role.PHARMACY, None, "of the letter"),
        (Role.STAFF, None, "Ask for a link to set it: http"),
    ):
        user = make_user(role, password_hash=hashed)
        user_desk.suspend(user.id, reason="x", seen="", by=chief, at=NOW)
        Delivery.delete().execute()
        user_desk.reactivate(user.id, reason="x", seen="", by=chief, at=NOW)
        assert words in text_of(notice())
        Delivery.delete().execute()

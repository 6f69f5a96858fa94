"""Notices to applicants: by each channel, with a code and a link and nothing else."""

from typing import Any

import pytest

from gateway import letters_check, pages
from gateway.messages import registration_notice
from models import (
    Application,
    ApplicationStatus,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
)
from pmp import settings
from pmp.registration import approval
from pmp.registration.approval import ReturnReason
from tests.conftest import NOW
from tests.factories import make_application, make_user

RECEIVED = ApplicationStatus.CONFIRMATION_RECEIVED


def notice(application: Application) -> Delivery:
    delivery: Delivery = Delivery.get(
        kind=DeliveryKind.REGISTRATION_NOTICE, subject_id=application.id
    )
    return delivery


def returned(**fields: Any) -> Application:
    application = make_application(status=RECEIVED, **fields)
    approval.return_(
        application,
        reason=ReturnReason.UNSIGNED,
        note="Ms. Private-Note",
        by=make_user(),
        at=NOW,
    )
    return application


def test_an_email_holds_reason_code_and_link_and_nothing_of_the_person(
    db: settings.Settings,
) -> None:
    application = returned()
    delivery = notice(application)
    message = registration_notice.compose(delivery, DeliveryAttempt(started_at=NOW))
    whole = f"{message.subject}\n{message.text}"
    assert message.address == "rodkin@example.org"
    assert application.code in message.subject
    assert f"/registration/{application.code}" in message.text
    assert "not signed" in message.text
    for private in ("Rodkin", "Semyon", "BR1234563", "Elm", "Private-Note"):
        assert private not in whole


@pytest.mark.parametrize("channel", [ChannelName.FAX, ChannelName.LETTER])
def test_a_fax_or_letter_holds_the_same(
    db: settings.Settings, channel: ChannelName
) -> None:
    application = returned(preferred_channel=channel.value)
    delivery = notice(application)
    assert delivery.channel == channel
    message = registration_notice.compose(delivery, DeliveryAttempt(started_at=NOW))
    assert message.pdf is not None
    text = " ".join(box.text for box in pages.text_boxes(message.pdf))
    assert application.code in text
    assert "not signed" in text
    assert "Private-Note" not in text
    if channel == ChannelName.LETTER:
        assert letters_check.problems(message.pdf) == []


def test_a_notice_says_what_holds_when_it_is_sent(db: settings.Settings) -> None:
    application = returned()
    approval.reject(application, reason="Not a prescriber", by=make_user(), at=NOW)
    message = registration_notice.compose(
        notice(application), DeliveryAttempt(started_at=NOW)
    )
    assert "not accepted" in message.text
    assert "Not a prescriber" not in message.text

"""The receipt of a submission, through a real relay and as a fax page."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pypdfium2
import pytest

from gateway import messages, tasks
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Role,
    Submission,
    User,
)
from pmp import settings, uploads
from tests.factories import make_pharmacy, make_product, make_user
from tests.gateway.conftest import Clock
from tests.servers.relay import Relay
from tests.submission_files import ELM, OXYCODONE, fill, submission

PHI = ("CANARYQUIST", "ZEPHYRINE", "19800216", "600100", "canaryquist.dat")


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as running, settings.changed(mail_url=running.url):
        yield running


@pytest.fixture
def elm(db: settings.Settings, now: Clock) -> User:
    make_product(ndc=OXYCODONE)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2]))


def send(by: User, now: Clock, *records: list[str], **how: Any) -> Submission:
    received = uploads.receive(
        filename="canaryquist.dat",
        body=submission((ELM, records), **how),
        by=by,
        at=now(),
    )
    return uploads.process(received.id, at=now())


def person(number: str, **values: str) -> list[str]:
    return fill(number, last="CANARYQUIST", first="ZEPHYRINE", **values)


def test_a_receipt_says_the_counts_and_what_to_do_and_names_nobody(
    elm: User, now: Clock, relay: Relay
) -> None:
    done = send(elm, now, person("600100"), person("600101", days="0"))
    delivery = Delivery.get()
    tasks.send_delivery.call_local(delivery.id)
    tasks.send_delivery.call_local(delivery.id)

    [mail] = relay.taken
    assert relay.recipients == [elm.email]
    assert mail["Subject"] == f"Submission {done.id}: 1 record waits for correction"
    text = mail.get_content()
    for part in (
        "1  stored",
        "1  held for correction",
        "2  records in the file",
        "within 7 days",
        f"/submissions/{done.id}\r\n",
        "(866) 683-3246",
        "11/23/2026 10:14 AM ET",
    ):
        assert part in text
    assert not [each for each in PHI if each in mail.as_string()]
    assert Delivery.get_by_id(delivery.id).state == DeliveryState.SENT


@pytest.mark.parametrize(
    ("how", "subject", "words"),
    [
        ({}, "was accepted", "nothing for you to do"),
        ({"complete": False}, "was refused", "could not be read"),
        ({"kind": "T"}, "was a test", "TH07"),
    ],
)
def test_each_end_has_its_own_words(
    elm: User, now: Clock, relay: Relay, how: dict[str, Any], subject: str, words: str
) -> None:
    send(elm, now, person("600100"), **how)
    tasks.send_delivery.call_local(Delivery.get().id)

    [mail] = relay.taken
    assert subject in mail["Subject"]
    assert words in mail.get_content()


def test_a_receipt_by_fax_is_one_page_behind_its_cover_that_names_nobody(
    elm: User, now: Clock
) -> None:
    elm.email, elm.fax = None, "8605550123"
    elm.save()
    done = send(elm, now, person("600100"), person("600101", days="0"))
    delivery = Delivery.get()
    assert delivery.channel == ChannelName.FAX
    attempt = DeliveryAttempt(delivery=delivery, number=1, started_at=now())
    message = messages.compose(delivery, attempt)

    assert message.pdf
    with pypdfium2.PdfDocument(BytesIO(message.pdf)) as document:
        cover, text = (sheet.get_textpage().get_text_bounded() for sheet in document)
    assert "2, with this one" in cover
    for part in (f"Submission {done.id}", "held for correction", "(866) 683-3246"):
        assert part in text
    assert not [each for each in PHI if each in text]

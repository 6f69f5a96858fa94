"""The page that asks a stranger to destroy what came: it goes out, and says nothing."""

from io import BytesIO

import pypdf
import pytest

from gateway import letters_check, messages, sending
from models import (
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Misdelivery,
    WhatBecame,
)
from pmp import destroy_notices, misdeliveries
from pmp.misdeliveries import Told
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user
from tests.gateway.conftest import Clock, fresh
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.usefixtures("db")

FAX = "+18605550143"
LINES = "RAE OAKES\n2 Main Street\nHartford CT 06106"


def strayed(channel: ChannelName, address: str) -> Misdelivery:
    make_crossing(make_patient(last_name="CANARYQUIST"))
    recipient = CaseRecipient.select().first()
    Delivery.update(
        channel=channel, address=address, state="delivered", submitted_at=NOW
    ).where(Delivery.subject_id == recipient.id).execute()
    row = Delivery.get(Delivery.address == address)
    Delivery.update(state="cancelled").where(Delivery.id != row.id).execute()
    told = Told("A bakery", WhatBecame.KEPT)
    return misdeliveries.record(row.id, told, by=make_user(), at=NOW)


def test_it_is_faxed_to_the_number_that_is_barred(now: Clock, carrier: Carrier) -> None:
    incident = strayed(ChannelName.FAX, FAX)
    notice = destroy_notices.send(incident.id, by=make_user(), at=NOW)

    sending.attempt(notice.id)

    assert fresh(notice).state == DeliveryState.SUBMITTED
    assert [fax.to for fax in carrier.taken] == [FAX]


@pytest.mark.parametrize(
    ("channel", "address"), [(ChannelName.FAX, FAX), (ChannelName.LETTER, LINES)]
)
def test_the_page_says_when_and_where_and_nothing_of_the_patient(
    channel: ChannelName, address: str
) -> None:
    incident = strayed(channel, address)
    notice = destroy_notices.send(incident.id, by=make_user(), at=NOW)
    attempt = DeliveryAttempt(delivery=notice, number=1, started_at=NOW)

    message = messages.compose(notice, attempt)

    assert message.pdf is not None
    [page] = pypdf.PdfReader(BytesIO(message.pdf)).pages
    text = " ".join(page.extract_text().split())
    assert "11/23/2026" in text
    assert f"delivery {incident.delivery.id}" in text
    assert ("(860) 555-0143" in text) == (channel == ChannelName.FAX)
    assert ("RAE OAKES" in text) == (channel == ChannelName.LETTER)
    assert "CANARY" not in text
    if channel == ChannelName.LETTER:
        assert letters_check.problems(message.pdf) == []

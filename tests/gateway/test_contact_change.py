"""The news of a change reaches the old place by fax and by letter."""

from io import BytesIO

import pypdf
import pytest

from gateway import letters_check, messages
from models import ChannelName, DeliveryAttempt, DeliveryKind
from pmp import deliveries
from pmp.deliveries import Route
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("db")

LETTER = "RAE OAKES\n2 Main Street\nHartford CT 06106"


@pytest.mark.parametrize(
    ("channel", "address", "named"),
    [
        (ChannelName.FAX, "+18605550143", "Rae Oakes"),
        (ChannelName.LETTER, LETTER, "RAE OAKES"),
    ],
)
def test_it_says_what_happened_and_whom_to_call(
    channel: ChannelName, address: str, named: str
) -> None:
    row = deliveries.request(
        kind=DeliveryKind.CONTACT_CHANGE,
        subject_id=make_user(name="Rae Oakes").id,
        routes=[Route(channel, address)],
        dedupe_key="news",
        at=NOW,
    )
    attempt = DeliveryAttempt(delivery=row, number=1, started_at=NOW)

    message = messages.compose(row, attempt)

    assert message.pdf is not None
    pages = pypdf.PdfReader(BytesIO(message.pdf)).pages
    text = " ".join(pages[-1].extract_text().split())
    assert len(pages) == (2 if channel == ChannelName.FAX else 1)  # a fax has a cover
    assert named in text
    assert "somebody else may be using your account" in text
    if channel == ChannelName.LETTER:
        assert letters_check.problems(message.pdf) == []

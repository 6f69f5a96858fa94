"""Notices about an account say what happened and whom to call, in every way."""

from io import BytesIO

import pypdf
import pytest

from gateway import letters_check, messages
from models import (
    AccountNotice,
    ChannelName,
    DeliveryAttempt,
    DeliveryKind,
    NoticeOfAccount,
)
from pmp import deliveries
from pmp.deliveries import Route
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("db")

LETTER = "RAE OAKES\n2 Main Street\nHartford CT 06106"
DETAIL = {
    "browser": "Firefox on Windows",
    "address": "192.0.2.7",
    "closes_at": NOW.isoformat(),
    "from": "staff",
    "to": "auditor",
    "standing": "LAPSED",
    "ends_on": "2026-12-23",
}
# What somebody may have done who has the password: it says of which account.
NAMED = {
    NoticeOfAccount.FACTOR_ADDED,
    NoticeOfAccount.FACTOR_REMOVED,
    NoticeOfAccount.PASSWORD_CHANGED,
    NoticeOfAccount.NEW_SIGN_IN,
    NoticeOfAccount.CLOSING,
    NoticeOfAccount.CLOSED,
}


@pytest.mark.parametrize("kind", list(NoticeOfAccount))
@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (ChannelName.EMAIL, "rae@example.org"),
        (ChannelName.FAX, "+18605550143"),
        (ChannelName.LETTER, LETTER),
    ],
)
def test_notice_reads_well_in_each_way(
    kind: NoticeOfAccount, channel: ChannelName, address: str
) -> None:
    user = make_user(name="Rae Oakes", username="rae.oakes")
    notice = AccountNotice.create(user=user, kind=kind, detail=DETAIL, made_at=NOW)
    row = deliveries.request(
        kind=DeliveryKind.ACCOUNT_NOTICE,
        subject_id=notice.id,
        routes=[Route(channel, address)],
        dedupe_key="notice",
        at=NOW,
    )
    attempt = DeliveryAttempt(delivery=row, number=1, started_at=NOW)

    message = messages.compose(row, attempt)

    text = message.text
    if message.pdf is not None:
        pages = pypdf.PdfReader(BytesIO(message.pdf)).pages
        text = " ".join(pages[-1].extract_text().split())
    assert ("rae.oakes" in text) is (kind in NAMED)
    assert "{" not in text
    assert "(860) 713-6073" in text
    assert "rae.oakes" not in message.subject
    if channel == ChannelName.LETTER:
        assert message.pdf is not None
        assert letters_check.problems(message.pdf) == []

"""The list of deliveries: narrowed, sorted, as a file; whom a text means."""

from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Role,
)
from pmp import audit, deliveries, downloads
from pmp.deliveries import Route, delivery_lists, sealed_searches
from pmp.deliveries.delivery_lists import Wanted
from pmp.errors import RuleError
from tests.conftest import NOW
from tests.factories import make_licence, make_prescriber, make_user

pytestmark = pytest.mark.usefixtures("db")

LETTER = "RAE OAKES\n2 Main Street\nHartford CT 06106"


def made(
    channel: ChannelName = ChannelName.FAX,
    address: str = "+18605550123",
    *,
    kind: DeliveryKind = DeliveryKind.TICKET_NOTICE,
    days: int = 0,
    **fields: Any,
) -> Delivery:
    row = deliveries.request(
        kind=kind,
        subject_id=1,
        routes=[Route(channel, address)],
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW - timedelta(days=days),
    )
    if fields:
        Delivery.update(**fields).where(Delivery.id == row.id).execute()
    return row


def ids(**wanted: Any) -> list[int]:
    return [row.id for row in delivery_lists.listed(Wanted(**wanted), page=1).rows]


def test_each_filter_narrows_the_list() -> None:
    fax = made(state=DeliveryState.FAILED, needs_staff=True, final_at=NOW)
    mail = made(ChannelName.EMAIL, "doctor@example.org", days=3)
    letter = made(
        ChannelName.LETTER,
        LETTER,
        kind=DeliveryKind.CREDENTIAL_LETTER,
        possible_duplicate=True,
    )

    assert ids() == [letter.id, mail.id, fax.id]
    assert ids(state=DeliveryState.FAILED) == [fax.id]
    assert ids(group="not_arrived") == [fax.id]
    assert ids(group="waiting") == [letter.id, mail.id]
    assert ids(channel=ChannelName.EMAIL) == [mail.id]
    assert ids(kind=DeliveryKind.CREDENTIAL_LETTER) == [letter.id]
    assert ids(needs_staff=True) == [fax.id]
    assert ids(duplicate=True) == [letter.id]
    assert ids(number=str(mail.id)) == [mail.id]
    assert ids(number=f"{mail.id}-2") == [mail.id]


def test_days_are_those_of_the_program_and_of_the_end_where_it_is_asked_for() -> None:
    old = made(days=5, final_at=NOW, state=DeliveryState.SENT)
    new = made()
    today = date(2026, 11, 23)

    assert ids(since=today) == [new.id]
    assert ids(until=today - timedelta(days=1)) == [old.id]
    assert ids(since=today, until=today, by_end=True) == [old.id]


def test_a_carriers_reference_finds_its_delivery() -> None:
    made()
    row = made()
    claimed = deliveries.claim(row.id, carrier="laml", at=NOW)
    assert claimed is not None
    deliveries.mark_submitted(claimed, reference="FX0042", at=NOW)

    assert ids(number="FX0042") == [row.id]
    assert ids(number="FX004") == []


def test_a_recipient_is_found_by_number_address_or_name() -> None:
    licence = make_licence(name="MARIGOLD PHARMACY", fax="8605550177")
    make_prescriber(last_name="THORNBURY", first_name="IDA", fax="8605550188")
    make_user(Role.PRACTITIONER, name="IDA NORTHCOTE", email="ida@example.org")
    pharmacy = made(address="+18605550177")
    doctor = made(address="+18605550188")
    mail = made(ChannelName.EMAIL, "ida@example.org")
    letter = made(ChannelName.LETTER, LETTER)
    made(address="+18605550199")  # that nothing below finds

    assert licence.fax
    assert ids(recipient="(860) 555-0177") == [pharmacy.id]
    assert ids(recipient="0188") == [doctor.id]
    assert ids(recipient="marigold") == [pharmacy.id]
    assert ids(recipient="Thornbury, Ida") == [doctor.id]
    assert ids(recipient="northcote") == [mail.id]
    assert ids(recipient="IDA@example") == [mail.id]
    assert ids(recipient="oakes") == [letter.id]
    assert ids(recipient="%") == []
    assert ids(recipient="188") == []  # three digits are no number, and no name


def test_sorting_puts_what_has_no_end_last() -> None:
    late = made(final_at=NOW, state=DeliveryState.SENT)
    open_ = made()
    early = made(final_at=NOW - timedelta(hours=1), state=DeliveryState.SENT)

    assert ids(sort="ended") == [early.id, late.id, open_.id]
    assert ids(sort="-ended") == [late.id, early.id, open_.id]
    assert ids(sort="nonsense") == [late.id, open_.id, early.id]


def test_a_file_holds_no_address_of_somebody_outside_and_is_on_record() -> None:
    made(
        ChannelName.LETTER,
        "CANARY QUIST\n1 Elm Street",
        kind=DeliveryKind.OUTSIDE_ANSWER,
    )
    made(address="+18605550123")
    staff = make_user()

    rows = delivery_lists.rows_of(Wanted(), by=staff, at=NOW)

    assert all(len(row) == len(delivery_lists.HEADINGS) for row in rows)
    assert [row[3] for row in rows] == ["(860) 555-0123", "withheld"]
    assert "CANARY" not in str(rows)
    [event] = AuditEvent.select().where(
        AuditEvent.event == audit.Event.DELIVERIES_DOWNLOADED
    )
    assert (event.actor, event.detail) == (staff.username, {"rows": 2})


def test_a_file_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    made()
    made()

    with pytest.raises(RuleError, match="fewer days"):
        delivery_lists.rows_of(Wanted(), by=make_user(), at=NOW)
    assert not AuditEvent.select().where(
        AuditEvent.event == audit.Event.DELIVERIES_DOWNLOADED
    )


def test_a_sealed_search_opens_again_and_says_nothing() -> None:
    word = sealed_searches.seal("  Canary Quist ")

    assert sealed_searches.opened(word) == "Canary Quist"
    assert "Canary" not in word
    assert word != sealed_searches.seal("Canary Quist")
    changed = word[:-2] + ("A" if word[-2] != "A" else "B") + word[-1]
    for other in ("", "x", "nonsense", "ü", word[:-4], changed):
        assert sealed_searches.opened(other) == ""
    assert sealed_searches.seal("   ") == ""

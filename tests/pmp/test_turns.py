"""Who is next: the urgent first, the old not last, nobody behind another's pile."""

from datetime import UTC, datetime, timedelta

import pytest

from models import ChannelName, Delivery, DeliveryKind, DeliveryState, ErrorClass
from pmp import bulk, database, deliveries, settings
from pmp.deliveries import Route, calling, circuits, fax_hours, turns
from tests.conftest import NOW

EMAIL, FAX, LETTER = ChannelName.EMAIL, ChannelName.FAX, ChannelName.LETTER
NIGHT = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)  # 23:30 in New York
MORNING = datetime(2026, 11, 24, 12, tzinfo=UTC)
LAML = "laml+https://project:token@fax.example.org"


def pile(count: int, *, priority: int, due_at: datetime = NOW) -> None:
    last = Delivery.select().count()
    rows = [
        {
            "kind": DeliveryKind.TICKET_NOTICE,
            "subject_id": number,
            "channel": EMAIL,
            "address": "doctor@example.org",
            "dedupe_key": f"pile:{number}",
            "priority": priority,
            "state": DeliveryState.QUEUED,
            "due_at": due_at,
            "deadline_at": NOW + timedelta(days=4),
            "created_at": NOW,
        }
        for number in range(last + 1, last + count + 1)
    ]
    with database.atomic():
        bulk.insert(Delivery, rows)


def requested(
    channel: ChannelName, *, priority: int = 5, at: datetime = NOW
) -> Delivery:
    number = Delivery.select().count()
    return deliveries.request(
        kind=DeliveryKind.CREDENTIAL_LETTER,
        subject_id=number,
        routes=[Route(channel, "somewhere")],
        dedupe_key=f"one:{number}",
        priority=priority,
        at=at,
    )


def test_one_letter_is_not_behind_five_thousand_notices(db: settings.Settings) -> None:
    pile(5000, priority=5)
    letter = requested(LETTER)
    urgent = requested(EMAIL, priority=3)

    first = turns.due(at=NOW)

    assert letter.id in first
    assert first[0] == urgent.id
    assert turns.following(EMAIL, at=NOW) == urgent.id
    assert turns.following(LETTER, at=NOW) == letter.id
    assert turns.following(FAX, at=NOW) is None


def test_what_has_waited_long_goes_before_what_is_urgent_and_new(
    db: settings.Settings,
) -> None:
    old = requested(EMAIL, priority=7, at=NOW - 5 * turns.STEP)
    pile(300, priority=3)

    assert turns.following(EMAIL, at=NOW) == old.id


def test_a_wake_up_behind_others_sends_what_is_more_urgent(
    db: settings.Settings,
) -> None:
    notice, alike = requested(EMAIL, priority=5), requested(EMAIL, priority=5)
    assert turns.instead_of(alike, at=NOW) == alike.id

    urgent = requested(EMAIL, priority=3)

    assert turns.instead_of(notice, at=NOW) == urgent.id
    assert turns.instead_of(urgent, at=NOW) == urgent.id


def test_faxes_wait_for_the_morning_and_the_rest_does_not(
    db: settings.Settings,
) -> None:
    with settings.changed(fax_url=LAML, fax_hours="7-21"):
        fax, email = requested(FAX, at=NIGHT), requested(EMAIL, at=NIGHT)

        assert turns.due(at=NIGHT) == [email.id]
        assert MORNING <= fax.due_at < MORNING + fax_hours.SPREAD
        assert fax.id in turns.due(at=fax.due_at)


def test_a_fax_that_was_not_sent_in_time_waits_for_the_morning(
    db: settings.Settings,
) -> None:
    with settings.changed(fax_url=LAML, fax_hours="7-21"):
        fax = requested(FAX, at=NIGHT - timedelta(hours=3))

        assert turns.due(at=NIGHT) == []
        assert deliveries.claim(fax.id, carrier="laml", at=NIGHT) is None
        assert turns.due(at=MORNING) == [fax.id]
        assert deliveries.claim(fax.id, carrier="laml", at=MORNING)


def test_staff_can_have_a_fax_sent_at_night(db: settings.Settings) -> None:
    with settings.changed(fax_url=LAML, fax_hours="7-21"):
        fax = requested(FAX, at=NIGHT)
        Delivery.update(due_at=NIGHT).execute()  # as “Send now” does

        assert turns.due(at=NIGHT) == [fax.id]
        assert deliveries.claim(fax.id, carrier="laml", at=NIGHT)


@pytest.mark.parametrize(
    ("hours", "url"), [("0-24", LAML), ("7-21", "folder:")], ids=["any", "folder"]
)
def test_hours_do_not_matter_where_it_does_not_ring_or_may_at_any_time(
    db: settings.Settings, hours: str, url: str
) -> None:
    with settings.changed(fax_url=url, fax_hours=hours):
        assert requested(FAX, at=NIGHT).due_at == NIGHT


def test_a_retry_lies_within_the_hours(db: settings.Settings) -> None:
    with settings.changed(fax_url=LAML, fax_hours="7-21"):
        dusk = NIGHT - timedelta(hours=2, minutes=35)  # 20:55
        fax = requested(FAX, at=dusk)
        claimed = deliveries.claim(fax.id, carrier="laml", at=dusk)
        assert claimed is not None
        deliveries.mark_failed(
            claimed, error_class=ErrorClass.NO_ANSWER, text="", at=dusk
        )
        assert Delivery.get().due_at >= MORNING


def test_hours_are_those_of_the_wall_clock_when_clocks_change(
    program: settings.Settings,
) -> None:
    spring = datetime(2027, 3, 14, 6, 30, tzinfo=UTC)  # 1:30, an hour before the jump
    assert fax_hours.opening(spring) == datetime(2027, 3, 14, 11, tzinfo=UTC)
    autumn = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    assert fax_hours.opening(autumn) == datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_hours_that_never_come_are_refused(program: settings.Settings) -> None:
    with pytest.raises(settings.SettingsError, match="PMP_FAX_HOURS: write two hours"):
        settings.load(
            {
                "PMP_SECRET_KEY": "s" * 32,
                "PMP_DOCUMENT_KEY": "d" * 32,
                "PMP_FAX_HOURS": "",
            }
        )


def letters_of_the_company(count: int = 3) -> list[Delivery]:
    return [
        deliveries.request(
            kind=DeliveryKind.TICKET_NOTICE,
            subject_id=number,
            routes=[Route(LETTER, "somewhere")],
            dedupe_key=f"company:{number}",
            priority=1,
            at=NOW - timedelta(hours=2),
        )
        for number in range(count)
    ]


def shut(channel: ChannelName, carrier: str) -> None:
    calling.use({channel: carrier}, at=NOW)
    circuits.pause(carrier, channel=channel, by=None, at=NOW, reason="Machine broken")


def test_a_password_letter_does_not_wait_for_the_company_that_prints_the_others(
    db: settings.Settings,
) -> None:
    shut(LETTER, "lob")
    others, letter = letters_of_the_company(), requested(LETTER)

    assert turns.due(at=NOW) == [letter.id]
    assert turns.instead_of(letter, at=NOW) == letter.id
    assert circuits.waiting_words(letter) == ""
    assert "lob" in circuits.waiting_words(others[0])
    assert deliveries.claim(letter.id, carrier="print", at=NOW)
    assert deliveries.claim(others[0].id, carrier="lob", at=NOW) is None


def test_where_the_company_prints_passwords_too_all_letters_wait(
    db: settings.Settings,
) -> None:
    shut(LETTER, "lob")
    letter = requested(LETTER)

    with settings.changed(letters_credentials="carrier"):
        assert turns.due(at=NOW) == []
        assert "lob" in circuits.waiting_words(letter)


def test_a_carrier_that_was_paused_and_is_no_longer_used_holds_nothing_up(
    db: settings.Settings,
) -> None:
    shut(LETTER, "lob")
    calling.use({LETTER: "print"}, at=NOW)
    letter = requested(LETTER)

    assert turns.due(at=NOW) == [letter.id]
    assert calling.may_call(LETTER, "lob", at=NOW)
    assert deliveries.claim(letter.id, carrier="lob", at=NOW)

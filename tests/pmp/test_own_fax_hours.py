"""Hours that a recipient chose for their number: faxes wait for them, others do not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryEvent,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    FaxNumber,
    Role,
    User,
)
from pmp import clock, clock_hours, deliveries, settings
from pmp.deliveries import Route, fax_hours
from pmp.errors import RuleError
from pmp.reaching import own_ways
from tests.factories import make_pharmacy, make_user

LAML = "laml+https://project:token@fax.example.org"
NUMBER, OTHER = "+18605550123", "+18605550124"
NINE = datetime(2026, 11, 24, 14, tzinfo=UTC)  # 9 AM in New York
TWO = NINE + timedelta(hours=5)
NEXT_EIGHT = NINE + timedelta(hours=23)

pytestmark = pytest.mark.usefixtures("rings")


@pytest.fixture
def rings(db: settings.Settings) -> Iterator[settings.Settings]:
    FaxNumber.create(number=OTHER, hours="20-21")  # noise
    FaxNumber.create(number=NUMBER, hours="8-12")
    with settings.changed(fax_url=LAML, fax_hours="7-21") as chosen:
        yield chosen


@pytest.fixture
def user(rings: settings.Settings) -> User:
    pharmacy = make_pharmacy(name="ELM DRUG")
    return make_user(Role.PHARMACY, fax=NUMBER, pharmacy=pharmacy)


def requested(
    at: datetime,
    *,
    number: str = NUMBER,
    kind: DeliveryKind = DeliveryKind.TICKET_NOTICE,
) -> Delivery:
    count = Delivery.select().count()
    return deliveries.request(
        kind=kind,
        subject_id=count,
        routes=[Route(ChannelName.FAX, number)],
        dedupe_key=f"own:{count}",
        at=at,
    )


def fresh(row: Delivery) -> Delivery:
    return Delivery.get_by_id(row.id)


def test_a_fax_waits_for_the_hours_of_its_number_and_others_do_not() -> None:
    inside, after = requested(NINE), requested(TWO)
    elsewhere = requested(TWO, number="+18605550125")

    assert inside.due_at == NINE
    assert NEXT_EIGHT <= after.due_at < NEXT_EIGHT + fax_hours.SPREAD
    assert elsewhere.due_at == TWO


def test_a_test_page_comes_at_once_whoever_asks_stands_at_the_machine() -> None:
    page = requested(TWO, kind=DeliveryKind.FAX_TEST_PAGE)

    assert page.due_at == TWO


def test_a_retry_lies_within_the_hours_of_the_number() -> None:
    noon = NINE + timedelta(hours=2, minutes=58)
    row = requested(noon)
    claimed = deliveries.claim(row.id, carrier="laml", at=noon)
    assert claimed is not None

    deliveries.mark_failed(
        claimed, error_class=ErrorClass.NO_ANSWER, text="no answer", at=noon
    )

    assert NEXT_EIGHT <= fresh(row).due_at < NEXT_EIGHT + fax_hours.SPREAD


def test_one_whose_turn_comes_too_late_is_put_off_once() -> None:
    row, other = requested(NINE), requested(NINE, number=OTHER)

    assert not fax_hours.put_off(fresh(row), at=NINE + timedelta(hours=1))
    assert fax_hours.put_off(fresh(row), at=TWO)
    assert not fax_hours.put_off(fresh(row), at=TWO)

    assert NEXT_EIGHT <= fresh(row).due_at < NEXT_EIGHT + fax_hours.SPREAD
    notes = [each.note for each in DeliveryEvent.select() if each.delivery == row]
    assert notes.count("waits for the hours of its number") == 1
    evening = NINE + timedelta(hours=11)
    assert fresh(other).due_at >= evening


def test_what_staff_send_by_hand_leaves_at_once() -> None:
    row = requested(TWO)
    Delivery.update(due_at=TWO).execute()  # as “Send now” does

    assert not fax_hours.put_off(fresh(row), at=TWO)
    assert deliveries.claim(row.id, carrier="laml", at=TWO)


def test_at_night_the_programmes_hours_are_enough() -> None:
    row = requested(NINE)
    night = NINE + timedelta(hours=14)

    assert not fax_hours.put_off(fresh(row), at=night)
    assert fresh(row).due_at == NINE
    assert fresh(row).state == DeliveryState.QUEUED


def test_hours_that_the_programme_no_longer_has_count_for_nothing() -> None:
    with settings.changed(fax_hours="13-21"):
        assert requested(TWO).due_at == TWO


@pytest.mark.parametrize(
    ("start", "end", "kept", "said"),
    [
        (8, 12, "8-12", "8 AM to noon"),
        (None, 17, "7-17", "7 AM to 5 PM"),
        (20, None, "20-21", "8 PM to 9 PM"),
        (18, 8, "18-8", "6 PM to 8 AM"),
        (20, 24, "20-24", "8 PM to midnight"),
        (None, None, "", ""),
    ],
)
def test_a_user_chooses_hours(
    user: User, start: int | None, end: int | None, kept: str, said: str
) -> None:
    FaxNumber.update(hours="9-10").where(FaxNumber.number == NUMBER).execute()

    chosen = own_ways.choose_fax_hours(
        user, start=start, end=end, by=user, at=clock.now()
    )

    assert (chosen, clock_hours.spoken_hours(chosen)) == (kept, said)
    assert (FaxNumber.get(number=NUMBER).hours or "") == kept
    assert FaxNumber.get(number=OTHER).hours == "20-21"
    [event] = AuditEvent.select().where(AuditEvent.subject == f"user:{user.id}")
    assert (said or "whenever") in own_ways.event_words(event)


@pytest.mark.parametrize(
    ("start", "end", "field"), [(22, 23, "start"), (9, 9, "end"), (None, 7, "end")]
)
def test_hours_in_which_no_fax_could_come_are_refused(
    user: User, start: int | None, end: int | None, field: str
) -> None:
    with pytest.raises(RuleError) as refusal:
        own_ways.choose_fax_hours(user, start=start, end=end, by=user, at=clock.now())

    assert refusal.value.field == field
    assert FaxNumber.get(number=NUMBER).hours == "8-12"


def test_without_a_number_there_is_nothing_to_choose(user: User) -> None:
    nobody = make_user(Role.PHARMACY, fax="")

    with pytest.raises(RuleError, match="fax number first"):
        own_ways.choose_fax_hours(nobody, start=8, end=9, by=user, at=clock.now())

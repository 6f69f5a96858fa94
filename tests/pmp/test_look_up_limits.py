"""Nobody trawls: limits by time, by misses, and of searches with similar spellings."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from models import (
    LookUp,
    LookUpOrigin,
    LookUpOutcome,
    Purpose,
    Role,
    UnusualKind,
    UnusualLookUp,
    User,
)
from pmp import audit, lookup, settings
from pmp.lookup import Answer, Criteria
from pmp.lookup.keeping import LimitError
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_patient, make_user

MINUTE = timedelta(minutes=1)


@pytest.fixture
def doctor(db: Settings) -> User:
    make_patient(first_name="MARIA", last_name="DELGADO")
    return make_user(Role.PRACTITIONER)


def search(
    by: User,
    *,
    at: datetime = NOW,
    last_name: str = "Delgado",
    similar: bool = False,
    origin: LookUpOrigin = LookUpOrigin.SEARCH,
) -> Answer:
    criteria = Criteria(
        first_name="Maria",
        last_name=last_name,
        birth_date=date(1971, 4, 28),
        purpose=Purpose.TREATING,
        since=date(2025, 11, 24),
        until=date(2026, 11, 23),
        similar=similar,
    )
    return lookup.search(criteria=criteria, by=by, at=at, origin=origin)


def refused(by: User, *, at: datetime, **fields: Any) -> str:
    with pytest.raises(LimitError) as refusal:
        search(by, at=at, **fields)
    return refusal.value.message


def test_the_ten_minutes_end_when_the_oldest_search_leaves_them(doctor: User) -> None:
    with settings.changed(look_ups_per_ten_minutes=3):
        for minute in range(3):
            search(doctor, at=NOW + minute * MINUTE)
        said = refused(doctor, at=NOW + 3 * MINUTE)
        refused(doctor, at=NOW + 9 * MINUTE)  # refused ones do not count
        assert search(doctor, at=NOW + 10 * MINUTE).token
        refused(doctor, at=NOW + 10 * MINUTE)

    assert "You have looked up 3 times in 10 minutes" in said
    assert "You can go on at 11/23/2026 10:24 AM ET" in said
    assert "(860) 713-6073" in said


def test_a_day_has_a_limit_until_midnight_of_the_programs_zone(doctor: User) -> None:
    with settings.changed(look_ups_per_day=2):
        search(doctor)
        search(doctor, at=NOW + timedelta(hours=2))
        said = refused(doctor, at=NOW + timedelta(hours=13, minutes=45))  # 11:59 PM
        midnight = datetime.fromisoformat("2026-11-24T05:00:00+00:00")
        assert search(doctor, at=midnight).token

    assert "You can go on at 11/24/2026 12:00 AM ET" in said


def test_misses_in_a_row_have_a_limit_that_one_hit_lifts(doctor: User) -> None:
    with settings.changed(look_up_misses_in_a_row=3):
        for minute in range(2):
            search(doctor, at=NOW + minute * MINUTE, last_name="Nobody")
        search(doctor, at=NOW + 2 * MINUTE)
        for minute in range(3, 6):
            search(doctor, at=NOW + minute * MINUTE, last_name="Nobody")
        said = refused(doctor, at=NOW + 6 * MINUTE)
        assert search(doctor, at=NOW + 63 * MINUTE).token

    assert "3 searches in a row have found nobody" in said
    assert "You can go on at 11/23/2026 11:17 AM ET" in said


def test_a_search_that_waits_for_its_answer_breaks_no_row_of_misses(
    doctor: User,
) -> None:
    with settings.changed(look_up_misses_in_a_row=3):
        for minute in range(3):
            search(doctor, at=NOW + minute * MINUTE, last_name="Nobody")
        last = LookUp.select().order_by(LookUp.id.desc()).get()
        last.outcome = LookUpOutcome.ASKED  # as another request at this time leaves it
        last.save()

        assert "3 searches in a row" in refused(doctor, at=NOW + 3 * MINUTE)


def test_similar_spellings_have_a_limit_of_their_own(doctor: User) -> None:
    with settings.changed(similar_look_ups_per_hour=2):
        search(doctor, similar=True)
        search(doctor, similar=True, at=NOW + MINUTE)
        said = refused(doctor, similar=True, at=NOW + 2 * MINUTE)
        assert search(doctor, at=NOW + 2 * MINUTE).token
        assert search(doctor, similar=True, at=NOW + 60 * MINUTE).token

    assert "2 times in an hour with similar spellings" in said


def test_lists_of_patients_neither_count_nor_are_refused(doctor: User) -> None:
    with settings.changed(look_ups_per_ten_minutes=1, look_ups_per_day=2):
        search(doctor, origin=LookUpOrigin.SCHEDULE)
        search(doctor, origin=LookUpOrigin.SCHEDULE)
        assert search(doctor).token
        assert search(doctor, origin=LookUpOrigin.SCHEDULE).token


def test_another_user_is_not_held_up(doctor: User) -> None:
    with settings.changed(look_ups_per_ten_minutes=1):
        search(doctor)
        refused(doctor, at=NOW)
        assert search(make_user(Role.PRACTITIONER)).token


def test_a_refused_search_is_kept_recorded_and_seen_by_staff_once_a_day(
    doctor: User,
) -> None:
    with settings.changed(look_ups_per_ten_minutes=1):
        search(doctor)
        refused(doctor, at=NOW + MINUTE)
        refused(doctor, at=NOW + 2 * MINUTE)

    kept = LookUp.select().where(LookUp.outcome == LookUpOutcome.REFUSED)
    assert [each.refusal for each in kept] == ["ten_minutes"] * 2
    assert kept[0].last_name == "Delgado"
    [noticed] = UnusualLookUp.select().where(UnusualLookUp.kind == UnusualKind.LIMIT)
    assert noticed.reason == "Refused: too many look-ups in ten minutes."
    assert audit.verify() == []

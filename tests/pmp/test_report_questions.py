"""What opening a report asks of the database, and how often it goes there."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from models import Patient, Purpose, Role, User
from pmp import database, lookup
from pmp.lookup import Criteria, reports
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_dispensation, make_patient, make_user
from tests.statements import statements

pytestmark = pytest.mark.each_engine

BORN = date(1971, 4, 28)
TWICE = ("decided_identity", "INSERT INTO")
"""Whether staff decided meanwhile is asked again; two rows of the audit record."""


@pytest.fixture
def doctor(db: Settings) -> User:
    return make_user(Role.PRACTITIONER, name="Ruth Adams")


@pytest.fixture
def token(doctor: User) -> str:
    """Look up a patient of several fills, of two shops."""
    patient: Patient = make_patient(
        first_name="MARIA", last_name="DELGADO", birth_date=BORN
    )
    for _ in range(3):
        make_dispensation(patient=patient)
    make_dispensation()  # noise: another's
    asked = Criteria(
        first_name="Maria",
        last_name="Delgado",
        birth_date=BORN,
        purpose=Purpose.TREATING,
        since=date(2025, 11, 24),
        until=date(2026, 11, 23),
    )
    return lookup.search(criteria=asked, by=doctor, at=NOW).token


def test_a_report_asks_nothing_twice(doctor: User, token: str) -> None:
    """What is asked ahead is what is asked later, or it would be asked again."""
    reports.open_report(token=token, what="page", by=doctor, at=NOW)
    with statements() as asked:
        opened = reports.open_report(token=token, what="page", by=doctor, at=NOW)

    assert len(opened.report.entries) == 3
    times = Counter(sql for sql, _ in asked)
    again = [sql for sql, number in times.items() if number > 1]
    assert all(any(word in sql for word in TWICE) for sql in again), again


def test_a_report_goes_to_postgres_a_dozen_times(doctor: User, token: str) -> None:
    reports.open_report(token=token, what="page", by=doctor, at=NOW)
    with statements() as asked, journeys() as together:
        reports.open_report(token=token, what="page", by=doctor, at=NOW)

    assert len(asked) > 20
    if database.is_sqlite():  # a question there is a call, no journey
        assert together == []
    else:
        assert len(asked) - sum(together) + len(together) <= 12


@contextmanager
def journeys() -> Iterator[list[int]]:
    """Collect how many questions went together each time."""
    found: list[int] = []
    one = database.one_journey

    @contextmanager
    def counted() -> Iterator[None]:
        with statements() as within, one():
            yield
        found.append(len(within))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "one_journey", counted)
        yield found

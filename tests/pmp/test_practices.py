import pytest

from models import Prescriber, Profession
from pmp.thresholds import practices
from tests.factories import make_licence, make_prescriber

pytestmark = pytest.mark.usefixtures("db")

HOME = {"street": "12 Elm Street, Suite 4", "zip": "06106"}


def prescriber(reported: str | None = "8605550123", **licence: str) -> Prescriber:
    licensed = make_licence(Profession.PRACTITIONER, **(HOME | licence))
    return make_prescriber(phone=reported, licence=licensed)


def practices_of(*prescribers: Prescriber) -> list[int]:
    found = practices.of_prescribers({each.id for each in prescribers})
    return [found[each.id] for each in prescribers]


def test_address_of_record_and_telephone_make_one_practice_however_written() -> None:
    one = prescriber()
    two = prescriber("+18605550123", street="12 ELM STREET SUITE 4", zip="06106-1234")
    by_licence = prescriber(None, phone="(860) 555-0123")

    assert practices_of(one, two, by_licence) == [one.id] * 3


def test_another_suite_zip_or_telephone_is_another_practice() -> None:
    one = prescriber()
    others = [
        prescriber(street="12 Elm Street, Suite 5"),
        prescriber(zip="06105"),
        prescriber("8605550124"),
    ]

    assert practices_of(one, *others) == [one.id, *(each.id for each in others)]


def test_whose_address_or_telephone_is_not_known_is_a_practice_alone() -> None:
    unknown = [
        prescriber(street=""),
        prescriber(street=""),
        prescriber(None),
        prescriber(None),
        make_prescriber(phone="8605550123"),
        make_prescriber(phone="8605550123"),
    ]

    assert practices_of(*unknown) == [each.id for each in unknown]

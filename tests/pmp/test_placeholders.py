"""What is typed where nothing is known is never taken for agreement."""

from dataclasses import replace
from datetime import date

import pytest

from pmp.matching import placeholders
from pmp.matching.identities import Identity
from pmp.matching.likeness import Band, compare

ADA = Identity(
    last="KOWALCZYK",
    first="KATHERINE",
    middle="",
    suffix="",
    birth_date=date(1980, 2, 16),
    sex="F",
    street="12 MAPLE ST",
    city="HAMDEN",
    state="CT",
    zip="06514",
    phone="2035550111",
)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("2035550111", "2035550111"),
        ("(203) 555-0111", "2035550111"),
        ("1-203-555-0111", "2035550111"),
        ("555-0111", "5550111"),
        ("0000000000", ""),
        ("000-0000", ""),
        ("9999999999", ""),
        ("203-999-9999", ""),
        ("2035551212", ""),
        ("555-1212", ""),
        ("1234567890", ""),
        ("203-123-4567", ""),
        ("999-555-0111", ""),
        ("UNKNOWN", ""),
        ("12", ""),
        ("", ""),
    ],
)
def test_a_telephone_number_is_one_that_somebody_may_have(
    written: str, digits: str
) -> None:
    assert placeholders.phone_digits(written) == digits
    assert replace(ADA, phone=written).phone_key == digits


@pytest.mark.parametrize(
    "street",
    [
        "UNKNOWN",
        "Address Unknown",
        "GENERAL DELIVERY",
        "Gen Del",
        "HOMELESS",
        "TRANSIENT",
        "100 MAIN ST SHELTER",
        "Rescue Mission, 3 Elm St",
        "NO FIXED ADDRESS",
        "N/A",
        "NONE",
        "XXX",
        "0",
        "",
    ],
)
def test_no_home_is_no_street(street: str) -> None:
    assert replace(ADA, street=street).street_key == ""


@pytest.mark.parametrize(
    "street", ["12 MAPLE ST", "9 Shelter Rock Rd", "12 N A ST", "4 SAME ST", "PO BOX 9"]
)
def test_a_street_that_sounds_like_none_is_one(street: str) -> None:
    assert replace(ADA, street=street).street_key


@pytest.mark.parametrize(
    ("last", "first"),
    [
        ("SMITH", "BABY BOY"),
        ("SMITH", "Babygirl"),
        ("UNKNOWN", "MARY"),
        ("DOE", "JOHN"),
        ("Doe", "Jane"),
        ("TEST", "PATIENT"),
        ("PATIENT", "TEST"),
        ("XXXXX", "MARY"),
        ("SMITH", "NFN"),
    ],
)
def test_a_name_that_stands_for_nobody_joins_nobody(last: str, first: str) -> None:
    nobody = replace(ADA, last=last, first=first)

    assert nobody.is_nobody
    assert compare(nobody, replace(nobody, phone="")).band is Band.REVIEW


@pytest.mark.parametrize(
    ("last", "first"),
    [("NA", "SUNHEE"), ("NULL", "ANNA"), ("DOE", "MARTHA"), ("O", "J")],
)
def test_a_rare_name_is_somebodys(last: str, first: str) -> None:
    assert not replace(ADA, last=last, first=first).is_nobody


@pytest.mark.parametrize(
    "day",
    [date(1900, 1, 1), date(1901, 1, 1), date(1970, 1, 1), date(1899, 12, 31)],
)
def test_a_default_date_of_birth_joins_nobody(day: date) -> None:
    undated = replace(ADA, birth_date=day)

    assert compare(undated, replace(undated, phone="")).band is Band.REVIEW
    assert compare(undated, ADA).band is not Band.SAME


def test_the_first_of_january_of_any_year_says_less_than_another_day() -> None:
    new_year = replace(ADA, birth_date=date(1963, 1, 1))

    same = compare(new_year, new_year).bits
    assert same < compare(ADA, ADA).bits - 4
    assert compare(new_year, new_year).band is Band.SAME


@pytest.mark.parametrize(
    ("code", "key"), [("00000", ""), ("99999", ""), ("4011", "4011")]
)
def test_a_zip_code_of_zeros_is_none(code: str, key: str) -> None:
    assert replace(ADA, zip=code).zip_key == key


def test_placeholders_for_phone_and_street_do_not_bring_two_together() -> None:
    slip = date(1980, 2, 17)
    nowhere = replace(ADA, street="GENERAL DELIVERY", phone="0000000000")

    found = compare(nowhere, replace(nowhere, birth_date=slip))

    assert "street" not in found.evidence
    assert "phone" not in found.evidence
    assert found.band is not Band.SAME

"""Check digits, NDCs and phones: what is taken, what is refused, in which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmp import identifiers


@pytest.mark.parametrize("number", ["BV5100110", "AS3045122", "F91234563", "MW1234563"])
def test_a_good_dea_number_has_no_problem(number: str) -> None:
    assert identifiers.dea_problem(number) is None


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("AS3045129", "digit wrong"),
        ("AS304512", "not a DEA number"),
        ("as3045122", "not a DEA number"),
        ("AS 3045122", "without blanks"),
        ("9S3045122", "not a DEA number"),
        ("AS304512\uff12", "not a DEA number"),
        ("", "not a DEA number"),
    ],
)
def test_a_bad_dea_number_is_told_in_words(number: str, word: str) -> None:
    assert word in (identifiers.dea_problem(number) or "")


@pytest.mark.parametrize("number", ["1234567893", "1928374655", "1245319599"])
def test_a_good_npi_has_no_problem(number: str) -> None:
    assert identifiers.npi_problem(number) is None


@pytest.mark.parametrize("number", ["1234567890", "3234567893", "123456789", "abc"])
def test_a_bad_npi_has_a_problem(number: str) -> None:
    assert "NPI" in (identifiers.npi_problem(number) or "")


@pytest.mark.parametrize("number", ["0720018", "0720020", "5900419"])
def test_a_good_ncpdp_number_has_no_problem(number: str) -> None:
    assert identifiers.ncpdp_problem(number) is None


@pytest.mark.parametrize("number", ["0720019", "720018", "07200181", "072001X"])
def test_a_bad_ncpdp_number_has_a_problem(number: str) -> None:
    assert "NCPDP" in (identifiers.ncpdp_problem(number) or "")


@pytest.mark.parametrize("problem", ["dea", "ncpdp"])
@given(
    digits=st.text("0123456789", min_size=6, max_size=6),
    place=st.integers(0, 5),
    to=st.sampled_from("0123456789"),
)
def test_any_single_wrong_digit_is_found(
    problem: str, digits: str, place: int, to: str
) -> None:
    check = identifiers.dea_check_digit(digits)
    wrong = digits[:place] + to + digits[place + 1 :]
    prefix = "AB" if problem == "dea" else ""
    found = getattr(identifiers, f"{problem}_problem")

    assert found(prefix + digits + check) is None
    # The even places weigh 2, so two digits five apart cannot be told from each other.
    blind = place % 2 == 1 and abs(int(digits[place]) - int(to)) == 5
    if to != digits[place] and not blind:
        assert found(prefix + wrong + check) is not None


@given(digits=st.text("0123456789", min_size=8, max_size=8))
def test_npi_check_digit_makes_a_good_npi(digits: str) -> None:
    start = "1" + digits
    good = [
        last for last in "0123456789" if identifiers.npi_problem(start + last) is None
    ]
    assert good == [identifiers.npi_check_digit(start)]


@pytest.mark.parametrize(
    ("written", "ndc"),
    [
        ("0406-0512-01", "00406051201"),
        ("12345-678-90", "12345067890"),
        ("12345-6789-0", "12345678900"),
        ("00406-0512-01", "00406051201"),
        (" 00406051201 ", "00406051201"),
        ("58118-1397-3", "58118139703"),
        ("62856-405-30", "62856040530"),
        ("0574-4072-05", "00574407205"),
        ("000406-0512-01", "00406051201"),  # as written from 2033 on
        ("123456-7890-12", "123456789012"),
    ],
)
def test_an_ndc_becomes_eleven_digits_or_twelve(written: str, ndc: str) -> None:
    assert identifiers.parse_ndc(written) == ndc


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("0406051201", "three different products"),
        ("004060512011", "12 digits"),
        ("406-0512-01", "3-4-2"),
        ("1234-567890", "not an NDC"),
        ("123456-789-12", "6-3-2"),
        ("0406-512-01", "4-3-2"),
        ("ASPIRIN", "not an NDC"),
        ("", "not an NDC"),
        ("0040605120\uff11", "not an NDC"),
    ],
)
def test_a_doubtful_ndc_is_refused(written: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        identifiers.parse_ndc(written)


@pytest.mark.parametrize(
    "written",
    ["(860) 555-0142", "860.555.0142", "+1 860 555 0142", "18605550142", "8605550142"],
)
def test_a_phone_number_becomes_e164(written: str) -> None:
    assert identifiers.e164(written) == "+18605550142"


@pytest.mark.parametrize("written", ["0000000000", "555-0142", "", "n/a", "44 20 7946"])
def test_what_is_no_phone_number_is_none(written: str) -> None:
    assert identifiers.e164(written) is None


def test_zip_and_state() -> None:
    assert identifiers.zip_problem("06510") is None
    assert identifiers.zip_problem("06510-1234") is None
    assert identifiers.zip_problem("065101234") is None
    assert "ZIP" in (identifiers.zip_problem("6510") or "")
    assert identifiers.state_problem("CT") is None
    assert "state" in (identifiers.state_problem("XX") or "")

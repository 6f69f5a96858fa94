import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmp.dispensations.row_codes import LENGTH, SIGNS, row_code, row_number

numbers = st.integers(min_value=1, max_value=32**LENGTH - 1)


@given(numbers)
def test_a_code_stands_for_its_row_alone(number: int) -> None:
    assert row_number(row_code(number)) == number


def test_neighbours_look_unlike() -> None:
    first, second = row_code(1)[2:], row_code(2)[2:]

    assert sum(a != b for a, b in zip(first, second, strict=True)) > 3


@given(numbers, st.integers(min_value=0, max_value=LENGTH), st.sampled_from(SIGNS))
def test_one_wrong_sign_is_found(number: int, place: int, sign: str) -> None:
    code = row_code(number)[2:]
    wrong = code[:place] + sign + code[place + 1 :]

    if wrong != code:
        with pytest.raises(ValueError, match="wrong"):
            row_number(wrong)


@given(numbers, st.integers(min_value=0, max_value=LENGTH - 1))
def test_two_swapped_signs_are_found(number: int, place: int) -> None:
    code = row_code(number)[2:]
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    if swapped != code:
        with pytest.raises(ValueError, match="wrong"):
            row_number(swapped)


def test_a_code_is_read_as_people_say_it() -> None:
    code = row_code(40)

    assert row_number(f" {code.lower().replace('1', 'l').replace('0', 'o')} ") == 40
    assert row_number(code.replace("-", "")) == 40
    assert row_number(code[2:]) == 40


@pytest.mark.parametrize("typed", ["", "D-", "D-123", "D-7K3Q9XTT", "D-!!!!!!!"])
def test_what_cannot_be_a_code_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValueError, match="seven letters and digits"):
        row_number(typed)

"""Registration codes: random, and wrong ones are known by their check sign."""

from hypothesis import given
from hypothesis import strategies as st

from pmp import settings
from pmp.dispensations.row_codes import SIGNS
from pmp.registration.registration_codes import new_code, read_code


def test_a_code_reads_back_however_it_is_typed() -> None:
    code = new_code()
    plain = code.replace("-", "")
    typed = [code, code.lower(), f" {plain} ", plain.removeprefix("CTR")]
    typed.append(code.replace("0", "o").replace("1", "l"))
    assert [read_code(text) for text in typed] == [code] * len(typed)


@given(place=st.integers(0, 9), other=st.sampled_from(SIGNS))
def test_any_one_wrong_sign_is_found(place: int, other: str) -> None:
    signs = list(new_code().replace("-", "")[3:])
    if signs[place] == other:
        return
    signs[place] = other
    assert read_code("".join(signs)) is None


@given(place=st.integers(0, 8))
def test_two_swapped_signs_are_found(place: int) -> None:
    signs = list(new_code().replace("-", "")[3:])
    if signs[place] == signs[place + 1]:
        return
    signs[place], signs[place + 1] = signs[place + 1], signs[place]
    assert read_code("".join(signs)) is None


def test_what_is_no_code_is_none() -> None:
    noise = ["", "CTR-", "hello", "CTR-ABCDE-ÄBCDE", "https://example.org", "0" * 400]
    assert [read_code(text) for text in noise] == [None] * len(noise)


def test_another_state_has_its_own_prefix() -> None:
    with settings.changed(registration_prefix="OHI"):
        code = new_code()
        assert code.startswith("OHI-")
        assert read_code(code.lower()) == code

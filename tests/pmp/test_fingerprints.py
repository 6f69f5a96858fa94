"""A fingerprint is of the words reported, whatever blanks and case they came with."""

import hashlib
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from pmp.matching import Identity

TEXT = st.text(alphabet="Aa \t\x1f\u00a0\u2003\u00dfz", max_size=5)
BORN = date(1980, 2, 16)


@given(fields=st.lists(TEXT, min_size=10, max_size=10))
def test_a_fingerprint_is_of_words_in_upper_case(fields: list[str]) -> None:
    last, first, middle, suffix, street, city, state, zip_code, phone, animal = fields
    identity = Identity(
        last, first, middle, suffix, BORN, "F", street, city, state, zip_code, phone,
        "human", animal,
    )  # fmt: skip
    given_in_order = [
        *fields[:4], BORN.isoformat(), "F", *fields[4:9], "human", animal,
    ]  # fmt: skip
    words = [" ".join(field.split()).upper() for field in given_in_order]
    text = "\x1f".join(words)

    assert identity.fingerprint == hashlib.sha256(text.encode()).hexdigest()

"""A birth date is read however it is typed, and asked about where it is not clear."""

from datetime import date

import pytest

from pmp.lookup import birth_dates

TODAY = date(2026, 11, 23)
BORN = date(1971, 4, 28)


@pytest.mark.parametrize(
    "typed",
    [
        "04/28/1971",
        "4/28/1971",
        "4-28-71",
        "4.28.1971",
        "04 28 1971",
        "04281971",
        "042871",
        "710428",
        "19710428",
        "1971-04-28",
        "1971/4/28",
        "28 Apr 1971",
        "28-apr-1971",
        "28th April 1971",
        "Apr 28 1971",
        "April 28, 1971",
        "APR. 28, 71",
        "  April   28,1971 ",
    ],
)
def test_the_usual_ways_are_read(typed: str) -> None:
    assert birth_dates.parse(typed, today=TODAY) == BORN


@pytest.mark.parametrize(
    ("typed", "born"),
    [
        ("Sept 3, 1980", date(1980, 9, 3)),
        ("1 May 1999", date(1999, 5, 1)),
        ("11/23/2026", TODAY),
        ("02/29/1972", date(1972, 2, 29)),
        ("12/31/26", date(1926, 12, 31)),  # 2026 has not come so far
        ("20010203", date(2001, 2, 3)),
        ("12122001", date(2001, 12, 12)),
        ("101150", date(1950, 10, 11)),
    ],
)
def test_edges_are_read(typed: str, born: date) -> None:
    assert birth_dates.parse(typed, today=TODAY) == born


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("4-28-25", "Was it 1925 or 2025?"),
        ("04/28/05", "Was it 1905 or 2005?"),
        ("042805", "Was it 1905 or 2005?"),
        ("28/04/1971", "If you mean day 28 of month 4, write 04/28/1971"),
        ("509912", "There is no such day"),
        ("120530", "with slashes, as 12/05/30"),
        ("02/30/1971", "There is no such day"),
        ("13/13/1971", "There is no such day"),
        ("11/24/2026", "in the future"),
        ("04/28/1071", "1071 is too long ago"),
        ("spring", "Write the date of birth as month, day and year"),
        ("J 28 1971", "Write the date of birth"),
        ("Ju 28 1971", "Write the date of birth"),
        ("28 1971", "Write the date of birth"),
        ("Apr 28 971", "Write the date of birth"),
        ("April 1971", "Write the date of birth"),
        ("04/28", "Write the date of birth"),
        ("", "Write the date of birth"),
        ("0" * 400, "Write the date of birth"),
        ("\u0660\u0664/\u0662\u0668/\u0661\u0669\u0667\u0661", "Write the date"),
    ],
)
def test_what_is_not_clear_is_asked_in_words(typed: str, asked: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its words are below
        birth_dates.parse(typed, today=TODAY)

    assert asked in str(refused.value)

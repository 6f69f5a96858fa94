"""Lists are read in anybody's columns, and a rough one is known by what it lacks."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from random import Random

import pytest

from pmp.errors import RuleError
from pmp.matching import lists
from pmp.matching.likeness import Crowd

HEADINGS = ["given_name", "surname", "address_1", "postcode", "date_of_birth"]
LAST = [
    *("KOWALCZYK", "NAKAMURA", "OYELARAN", "LINDQVIST"),
    *("MORETTI", "HAVERFORD", "TILLINGHAST"),
]
FIRST = [
    *("JOHN", "MARY", "PEDRO", "OLGA", "WALTER"),
    *("GRETCHEN", "SAMUEL", "PRISCILLA", "HENRY", "RUTH"),
]
ENDS = ["", "S", "ER", "TON", "MAN", "FIELD", "WICK", "BY", "SON", "HAM", "LEY"]
STREETS = ["MAPLE", "WILLOW", "ORCHARD", "HARBOR", "QUARRY", "MEADOWBROOK", "PROSPECT"]


def slip(rng: Random, text: str) -> str:
    """Give a text with one letter wrong, missing or too many."""
    place = rng.randrange(len(text))
    return rng.choice(
        [
            text[:place] + rng.choice("abcdexyz") + text[place + 1 :],
            text[:place] + text[place + 1 :],
            text[:place] + rng.choice("abcdexyz") + text[place:],
        ]
    )


def rough_list(seed: int, people: int = 300) -> tuple[list[dict[str, str]], list[int]]:
    """Give rows of whom nobody is related, each person once clean and once not."""
    rng = Random(seed)  # noqa: S311 - no secret
    rows, truth = [], []
    for person in range(people):
        row = {
            "given_name": rng.choice(FIRST).lower(),
            "surname": f"{rng.choice(LAST)}{rng.choice(ENDS)}".lower(),
            "address_1": f"{rng.randrange(1, 400)} {rng.choice(STREETS)} st".lower(),
            "postcode": f"{rng.randrange(2000, 7000)}",
            "date_of_birth": f"{rng.randrange(1920, 2000)}{rng.randrange(1, 13):02}"
            f"{rng.randrange(1, 28):02}",
        }
        again = dict(row)
        for column in rng.sample(HEADINGS, 2):
            gone = rng.random() < 0.2
            again[column] = "" if gone else slip(rng, again[column])
        rows += [row, again]
        truth += [person, person]
    order = list(range(len(rows)))
    rng.shuffle(order)
    return [rows[place] for place in order], [truth[place] for place in order]


def pairs(sizes: Counter[object]) -> int:
    """Count the pairs within groups of these sizes."""
    return sum(size * (size - 1) // 2 for size in sizes.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_rough_list_without_relatives_is_matched_by_weights_alone(seed: int) -> None:
    rows, truth = rough_list(seed)
    at = lists.columns(HEADINGS, {})
    character = lists.look_over(rows, at)
    assert character.is_rough

    crowd = Crowd(len(rows), gaps=True, relatives=False)
    people = lists.people(rows, at, crowd, character.frequencies)
    found = [told.person for told in people]

    right = pairs(Counter(zip(truth, found, strict=True)))
    assert right >= 0.98 * pairs(Counter(truth))
    assert right >= 0.97 * pairs(Counter(found))


def told_apart(rows: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """Give the same list with something in it that says who is related."""
    yield [row | {"sex": "F" if n % 2 else "M"} for n, row in enumerate(rows)]
    yield [row | {"phone": "2035550111"} for row in rows]
    parents = [
        row | {"given_name": "brunhild", "date_of_birth": "19010305"} for row in rows
    ]
    yield rows + parents


def test_a_list_is_rough_only_if_nothing_in_it_tells_relatives_apart() -> None:
    rows, _ = rough_list(7)
    headings = [*HEADINGS, "sex", "phone"]
    at = lists.columns(headings, {})

    assert lists.look_over(rows, at).is_rough
    assert not lists.look_over(rows[:50], at).is_rough
    for changed in told_apart(rows):
        assert not lists.look_over(changed, at).is_rough


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1980-02-16", date(1980, 2, 16)),
        ("19800216", date(1980, 2, 16)),
        ("1980/02/16", date(1980, 2, 16)),
        ("02/16/1980", date(1980, 2, 16)),
        ("2/6/1980", date(1980, 2, 6)),
        ("02161980", date(1980, 2, 16)),
        ("16 Feb 1980", date(1980, 2, 16)),
        ("February 16, 1980", date(1980, 2, 16)),
        ("1980-02-16T00:00:00", date(1980, 2, 16)),
        ("1980-02-16 00:00", date(1980, 2, 16)),
        ("1980-02-31", None),
        ("16/02/1980", None),
        ("0080-02-16", None),
        ("n/a", None),
        ("", None),
    ],
)
def test_a_date_of_birth_is_read_as_lists_write_it(
    written: str, read: date | None
) -> None:
    assert lists.day(written) == read


def test_days_come_first_where_it_is_said() -> None:
    assert lists.day("16/02/1980", day_first=True) == date(1980, 2, 16)
    assert lists.day("03/02/1980", day_first=True) == date(1980, 2, 3)


def test_columns_are_found_by_usual_headings_and_chosen_ones_go_first() -> None:
    given = ["Record ID", "Last Name", "FIRST_NAME", "Birth Date", "Mother", "Tel."]

    found = lists.columns(given, {"last": "Mother"})

    assert found == {
        "id": "Record ID",
        "last": "Mother",
        "first": "FIRST_NAME",
        "dob": "Birth Date",
        "phone": "Tel.",
    }


@pytest.mark.parametrize(
    ("given", "chosen", "words"),
    [
        (["surname", "born"], {}, "lacks the columns first"),
        (["surname", "first", "dob"], {"last": "NAME"}, "no column “NAME” for last"),
        (["surname", "first", "dob"], {"mother": "dob"}, "no column “mother”"),
    ],
)
def test_a_column_that_is_not_there_is_named(
    given: list[str], chosen: dict[str, str], words: str
) -> None:
    with pytest.raises(RuleError, match=words):
        lists.columns(given, chosen)

"""Who is one person and who is not: slips are forgiven, relatives kept apart."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmp.matching.identities import Identity, name_key, sound
from pmp.matching.likeness import (
    Band,
    Frequencies,
    apart,
    birth_dates_close,
    compare,
)

ADA = Identity(
    last="KOWALCZYK",
    first="KATHERINE",
    middle="L",
    suffix="",
    birth_date=date(1980, 2, 16),
    sex="F",
    street="12 MAPLE ST",
    city="HAMDEN",
    state="CT",
    zip="06514",
    phone="2035550111",
)
HEARD = Frequencies(heard=frozenset({"MARYANN", "JOHN", "KATHERINE"}))
"""As known where so many have been reported that what nobody is called is no name."""

ELSEWHERE = {
    "street": "900 OCEAN AVE",
    "city": "NEW LONDON",
    "zip": "06320",
    "phone": "8605550177",
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"last": "Kowalczyk", "first": "katherine"},
        {"first": "KATE"},
        {"first": "KATHRYN"},
        {"first": "KATHERNIE"},
        {"last": "KOWALZCYK"},
        {"last": "KOWALCZYK-NOWAK"},
        {"last": "K\u041eWALCZYK", "first": "KATHERINE\u200b"},
        {"middle": ""},
        {"middle": "LOUISE"},
        {"birth_date": date(1980, 2, 17)},
        {"birth_date": date(1981, 2, 16)},
        {"last": "KATHERINE", "first": "KOWALCZYK"},
        {"phone": "", "street": "12 Maple Street"},
        ELSEWHERE,
        {"zip": "065141234"},
    ],
)
def test_one_person_with_a_slip_is_one_person(change: dict[str, str]) -> None:
    found = compare(ADA, replace(ADA, **change))  # type: ignore[arg-type]

    assert found.band is Band.SAME, (found.rule, found.bits, found.evidence)
    assert found.rule
    assert found.evidence


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"first": "KRISTINA"}, id="twin"),
        pytest.param({"first": "JAMES", "sex": "M"}, id="twin brother"),
        pytest.param({"birth_date": date(1955, 2, 16)}, id="mother, same name"),
        pytest.param({"birth_date": date(1998, 2, 16)}, id="1980 and 1998"),
        pytest.param({"species": "animal", "animal_name": "REX"}, id="her dog"),
        pytest.param({"last": "NGUYEN", **ELSEWHERE}, id="a stranger's birthday"),
        pytest.param(
            {"last": "NGUYEN", "first": "MARY", "birth_date": date(1944, 1, 1)},
            id="the same phone and house",
        ),
    ],
)
def test_another_person_is_another_person(change: dict[str, str]) -> None:
    found = compare(ADA, replace(ADA, **change))  # type: ignore[arg-type]

    assert found.band is Band.DIFFERENT, (found.rule, found.bits)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"last": "NOWAK"}, id="changed surname, same home"),
        pytest.param({"birth_date": date(1980, 2, 17), **ELSEWHERE}, id="moved, slip"),
    ],
)
def test_a_doubtful_pair_goes_to_the_staff(change: dict[str, str]) -> None:
    assert compare(ADA, replace(ADA, **change)).band is Band.REVIEW  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("JAYDEN", "HAYDEN"),
        ("MARIA", "MARIAH"),
        ("ERIC", "ERICA"),
        ("JULIE", "JULIA"),
        ("TAMRYN", "CAMRYN"),
        ("MARIA", "MARIO"),
    ],
)
def test_twins_with_names_alike_are_never_joined(one: str, other: str) -> None:
    a, b = replace(ADA, first=one, middle=""), replace(ADA, first=other, middle="")

    assert compare(a, b).band is not Band.SAME


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MARY ANN", "MARY JANE"),
        ("MARY-ANN", "MARYJANE"),
        ("MARYANN", "MARYJANE"),
        ("MARIA LUISA", "MARIA LUCIA"),
        ("MARIA ELENA", "MARIA ELISA"),
        ("JOHN PAUL", "JOHN SAUL"),
        ("BILLIE JEAN", "BILLIE JOAN"),
        ("ANNA MARIA", "ANNA MARIO"),
        ("JEAN LUC", "JOAN LUC"),
        ("CHRISTINA", "CHRISTINE"),
        ("KATE", "KATHY"),
        ("WILL", "BILL"),
        ("WILLIAM", "LIAM"),
        ("JACK", "JOHN"),
        ("NED", "TED"),
        ("MARY KATE", "MARY KATHY"),
    ],
)
@pytest.mark.parametrize("known", [Frequencies(), HEARD], ids=["few", "heard"])
def test_names_that_two_siblings_bear_are_for_the_staff(
    one: str, other: str, known: Frequencies
) -> None:
    a, b = replace(ADA, first=one, middle=""), replace(ADA, first=other, middle="")

    assert compare(a, b, known).band is Band.REVIEW
    assert compare(b, a, known).band is Band.REVIEW


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MARY ANN", "MARY"),
        ("MARYANN", "MARY ANN"),
        ("MARY ANN", "MARY ANNE"),
        ("JO ANN", "JOANNE"),
        ("BILL", "WILLIAM"),
        ("BILL JAMES", "WILLIAM JAMES"),
        ("KATHERINE", "KATE"),
        ("KATHRYN", "KATHY"),
        ("CHRIS", "CHRISTINE"),
        ("STEVEN", "STEPHEN"),
        ("KATHERINE ANN", "KATHERNIE ANN"),
    ],
)
@pytest.mark.parametrize("known", [Frequencies(), HEARD], ids=["few", "heard"])
def test_one_name_written_in_two_ways_is_one_person(
    one: str, other: str, known: Frequencies
) -> None:
    a, b = replace(ADA, first=one, middle=""), replace(ADA, first=other, middle="")

    assert compare(a, b, known).band is Band.SAME
    assert compare(b, a, known).band is Band.SAME


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("MARY ANN", "MARY JANE", "different first name"),
        ("CHRISTINA", "CHRISTINE", "different first name"),
        ("BILL", "WILL", ""),
    ],
)
def test_two_short_forms_of_one_name_may_be_one_patients(
    one: str, other: str, why: str
) -> None:
    assert apart(replace(ADA, first=one), replace(ADA, first=other)) == why


@pytest.mark.parametrize(
    ("one", "other", "band"),
    [
        pytest.param(
            {"middle": "JAMES"}, {"middle": "HENRY"}, Band.REVIEW, id="middle names"
        ),
        pytest.param({"middle": "J"}, {"middle": "JAMES"}, Band.SAME, id="initial"),
        pytest.param({"sex": "F"}, {"sex": "M"}, Band.SAME, id="sex mistyped"),
        pytest.param(
            {"first": "ALEX", "sex": "F"},
            {"first": "ALEXANDER", "sex": "M"},
            Band.REVIEW,
            id="twins Alexandra and Alexander",
        ),
        pytest.param({"first": "J"}, {"first": "JAMES"}, Band.REVIEW, id="J for James"),
        pytest.param(
            {"first": "MARY ANN"}, {"first": "MARY"}, Band.SAME, id="Mary Ann"
        ),
        pytest.param(
            {"first": "MARY ANN"},
            {"first": "MARY", "middle": "BETH"},
            Band.DIFFERENT,
            id="Mary Ann and Mary Beth",
        ),
        pytest.param({"suffix": "JR"}, {}, Band.SAME, id="suffix left out"),
        pytest.param(
            {"suffix": "JR", "birth_date": date(1981, 2, 16)},
            {},
            Band.REVIEW,
            id="suffix left out and another year",
        ),
        pytest.param({"last": ""}, {}, Band.REVIEW, id="no last name"),
    ],
)
def test_what_tells_two_of_one_home_apart(
    one: dict[str, str], other: dict[str, str], band: Band
) -> None:
    john = replace(ADA, middle="")
    a, b = (replace(john, **change) for change in (one, other))  # type: ignore[arg-type]

    found = compare(a, b)

    assert found.band is band, (found.rule, found.bits)
    assert compare(b, a).band is band


@pytest.mark.parametrize(
    "written",
    [
        "KOWALCZYK\u200b",
        "KOW\u00adALCZYK",
        "\u041a\u041eWALCZY\u041a",
        "\u039aOWALCZYK",
        "K0WALCZYK",
        "KOWA\u0141CZYK",
        "Kowa\u0142czyk",
        "K\u00d8WALCZYK",
        "\uff2b\uff2f\uff37\uff21\uff2c\uff23\uff3a\uff39\uff2b",
        "K\u00d3WALCZYK",
        "Kowal-Czyk",
        "KOWAL'CZYK",
        "KOWAL\u2019CZYK",
    ],
)
def test_letters_that_look_alike_are_one_letter(written: str) -> None:
    other = replace(ADA, last=written)

    assert other.last_key == ADA.last_key
    assert compare(ADA, other).band is Band.SAME


def test_a_street_with_a_slip_is_one_and_another_number_is_not() -> None:
    slip = replace(ADA, birth_date=date(1980, 2, 17), phone="")

    assert compare(ADA, replace(slip, street="12 MAPEL ST")).band is Band.SAME
    assert compare(ADA, replace(slip, street="14 MAPLE ST")).band is Band.REVIEW


def test_an_animal_of_nobody_is_not_joined() -> None:
    rex = replace(ADA, species="animal", animal_name="REX", last="UNKNOWN")

    assert compare(rex, replace(rex, phone="")).band is not Band.SAME


@pytest.mark.parametrize(
    ("one", "other"),
    [("JR", "SR"), ("Jr.", "III"), ("II", "III"), ("SR", "IV")],
)
def test_generations_are_never_joined(one: str, other: str) -> None:
    junior = replace(ADA, first="JOHN", sex="M", suffix=one)
    senior = replace(ADA, first="JOHN", sex="M", suffix=other)
    in_name = replace(ADA, first="JOHN", sex="M", last=f"KOWALCZYK {other}")

    assert compare(junior, senior).band is Band.DIFFERENT
    assert compare(junior, in_name).band is Band.DIFFERENT


def test_junior_whose_father_has_no_suffix_is_not_joined_by_a_slip_in_the_year() -> (
    None
):
    father = replace(ADA, first="JOHN", sex="M", birth_date=date(1960, 2, 16))
    son = replace(father, suffix="JR", birth_date=date(1970, 2, 16))

    assert compare(father, son).band is not Band.SAME


def test_a_common_name_needs_more_than_a_birth_date() -> None:
    smith = replace(ADA, last="SMITH", first="JOHN", middle="", sex="M")
    other = replace(smith, **ELSEWHERE)  # type: ignore[arg-type]

    assert compare(smith, other).band is Band.REVIEW
    assert compare(smith, replace(smith, phone="")).band is Band.SAME


def test_a_phone_alone_joins_nobody() -> None:
    other = replace(ADA, last="X", first="Y", birth_date=date(1933, 3, 3))

    assert compare(ADA, other).band is Band.DIFFERENT


def test_animals_of_one_owner_are_told_apart_by_name() -> None:
    rex = replace(ADA, species="animal", animal_name="REX")
    again = replace(rex, animal_name="Rex", phone="")
    cat = replace(rex, animal_name="MITZI")
    of_another = replace(rex, first="OLGA")

    assert compare(rex, again).band is Band.SAME
    assert compare(rex, cat).band is Band.DIFFERENT
    assert compare(rex, of_another).band is Band.DIFFERENT


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [
        (date(1980, 2, 11), date(1980, 11, 2), True),
        (date(1980, 2, 16), date(1980, 2, 15), True),
        (date(1980, 2, 16), date(1980, 2, 26), True),
        (date(1980, 2, 16), date(1986, 2, 16), True),
        (date(1980, 2, 29), date(1980, 3, 1), True),
        (date(1979, 12, 31), date(1980, 1, 1), True),
        (date(1980, 2, 16), date(1980, 2, 16), False),
        (date(1980, 2, 16), date(1980, 3, 27), False),
        (date(1968, 2, 16), date(1986, 2, 16), False),
        (date(1960, 2, 16), date(1980, 2, 16), False),
        (date(1980, 2, 16), date(1981, 2, 17), False),
    ],
)
def test_birth_dates_a_slip_apart(one: date, other: date, close: bool) -> None:  # noqa: FBT001
    assert birth_dates_close(one, other) is close
    assert birth_dates_close(other, one) is close


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Peña", "PENA"),
        ("O'Brien-Smith", "OBRIENSMITH"),
        ("SMITH JR.", "SMITH"),
        ("\u0406\u0432anova\u200b", None),
        ("M1CHAEL", "MICHAEL"),
        ("Łukasz", "LUKASZ"),
        ("JUNIOR", "JUNIOR"),
        ("  de  la Cruz ", "DELACRUZ"),
        ("王", "王"),
    ],
)
def test_names_are_compared_by_their_letters(written: str, key: str | None) -> None:
    assert name_key(written) == key or key is None
    assert sound(written)


def test_sounds_bring_spellings_together() -> None:
    assert sound("SMITH") == sound("Smyth")
    assert sound("SMITH") != sound("JONES")


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_names_can_be_compared_both_ways(last: str, first: str) -> None:
    other = replace(ADA, last=last, first=first)

    assert compare(ADA, other).band is compare(other, ADA).band
    assert compare(other, other).band in {Band.SAME, Band.DIFFERENT, Band.REVIEW}

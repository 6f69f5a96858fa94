"""A programme's own rules: which elements it wants, and how grave it finds a fault."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmp import asap
from pmp.asap import Gravity, Use, catalogue, elements, envelope, happy
from pmp.asap.judgement import RULES
from pmp.asap.programme import parse_profile, parse_severities, parse_versions
from pmp.uploads import register
from tests.pmp.asap.files import (
    RECORD,
    TODAY,
    ZERO,
    codes,
    in_chunks,
    pharmacy,
    record,
    submission,
)

ROOT = Path(__file__).parents[3]
BAD = pharmacy(record(DSP04="1", DSP06="2"))  # R06


def read(body: str, **rules: object) -> tuple[asap.Reading, list[asap.Record]]:
    programme = asap.Programme(**rules)  # type: ignore[arg-type]
    reading = asap.read(
        in_chunks(body.encode(), 1 << 20), today=TODAY, programme=programme
    )
    return reading, list(reading)


def several(**changes: str) -> str:
    """Write a good record, then ones that are changed."""
    odd = [record(**(changes | {"DSP02": f"9{n}"})) for n in range(3)]
    return submission(pharmacy(record(), *odd, record(DSP02="8")))


# --- Uses of elements


def test_a_required_element_holds_the_record_that_lacks_it() -> None:
    body = several(PAT17="")

    _, usual = read(body)
    _, found = read(body, uses={"PAT17": Use.REQUIRED})

    assert [each.problems for each in usual] == [()] * 5
    assert [codes(each.problems) for each in found] == [[], *[["E04"]] * 3, []]
    assert found[1].problems[0].element == "PAT17"
    assert found[1].held


def test_an_element_wanted_when_available_only_warns() -> None:
    _, found = read(several(DSP23=""), uses={"DSP23": Use.WHEN_AVAILABLE})

    assert [codes(each.problems) for each in found] == [[], *[["R18"]] * 3, []]
    assert not any(each.held for each in found)


def test_an_optional_element_may_be_empty() -> None:
    _, found = read(several(PAT12=""), uses={"PAT12": Use.OPTIONAL})

    assert [each.problems for each in found] == [()] * 5


def test_an_element_of_a_later_version_is_not_asked_for() -> None:
    body = submission(pharmacy(record(DSP23="", PRE10=""))).replace("4.2B", "4.2")

    _, [found] = read(body, uses={"DSP24": Use.REQUIRED})

    assert found.problems == ()


def test_what_is_not_used_is_neither_judged_nor_kept() -> None:
    body = several(DSP24="77", PAT23="X" * 40, DSP15="SECRET")
    unused = dict.fromkeys(("DSP24", "PAT23", "DSP15"), Use.NOT_USED)

    _, found = read(body, uses=unused)

    assert [each.problems for each in found] == [()] * 5
    assert "SECRET" not in str([each.elements for each in found])
    assert not any("DSP15" in each.elements for each in found)
    assert {each.dispensing.treatment for each in found if each.dispensing} == {""}


def test_an_animal_needs_no_name_where_none_is_used() -> None:
    body = several(PAT20="02", PAT19="U")

    assert codes(read(body)[1][1].problems) == ["R14"]
    _, found = read(body, uses={"PAT23": Use.NOT_USED})
    assert found[1].problems == ()


def test_a_number_that_the_pharmacy_must_give_holds_zero_reports_too() -> None:
    body = submission(pharmacy(record(), ZERO, PHA02=""))

    _, found = read(body, uses={"PHA02": Use.REQUIRED})

    assert [codes(each.problems) for each in found] == [["E04"], ["E04"]]


def test_a_pharmacy_is_told_once_what_it_should_also_give() -> None:
    reading, found = read(
        submission(pharmacy(record(), record(DSP02="2"))),
        uses={"PHA11": Use.WHEN_AVAILABLE},
    )

    assert [(each.code, each.element) for each in reading.problems] == [
        ("W14", "PHA11")
    ]
    assert [each.problems for each in found] == [(), ()]


def test_elements_of_optional_segments_are_asked_for_where_those_are_sent() -> None:
    air = "AIR*CT*RX00012345*CT*06*987654321*03*SAMPLE*ALAN***"
    body = submission(pharmacy([*record(), air], record(DSP02="2")))

    _, found = read(body, uses={"AIR11": Use.REQUIRED})

    assert [codes(each.problems) for each in found] == [["E04"], []]


def test_a_void_is_asked_for_its_own_segment_only() -> None:
    body = submission(pharmacy(record(PAT17="", DSP01="02", DSP17="")))
    wanted = {"PAT17": Use.REQUIRED, "DSP17": Use.REQUIRED}

    _, [found] = read(body, uses=wanted)

    assert [each.element for each in found.problems] == ["DSP17"]


# --- Gravities


def test_a_warning_can_be_made_an_error() -> None:
    _, [found] = read(submission(BAD), gravities={"R06": Gravity.ERROR})

    assert [each.severity for each in found.problems] == [asap.Severity.ERROR]
    assert found.held
    assert found.dispensing is None


def test_a_rule_that_is_off_says_nothing() -> None:
    _, [found] = read(submission(BAD), gravities={"R06": Gravity.OFF})

    assert found.problems == ()


def test_an_error_can_be_made_a_warning() -> None:
    body = several(DSP05="20260108", DSP17="")

    reading, found = read(body, gravities={"E07": Gravity.WARNING})

    assert codes(found[1].problems) == ["E07"]
    assert not found[1].held
    assert found[1].dispensing is not None
    assert reading.counts.held == 0


def test_a_wrong_count_refuses_the_file_of_a_strict_programme() -> None:
    body = submission(pharmacy(record(), trailer="9"))

    reading, _ = read(body, gravities={"W01": Gravity.FATAL})

    assert reading.refused
    assert reading.transactions[0].refused
    assert [each.severity for each in reading.problems] == [asap.Severity.FATAL]


def test_a_warning_of_the_file_can_be_off() -> None:
    body = submission(pharmacy(record(), trailer="9", PHA01="1234567890"))

    reading, _ = read(body, gravities={"W01": Gravity.OFF, "W14": Gravity.OFF})

    assert reading.verdict == "accepted"


def test_odd_numbers_of_a_pharmacy_can_refuse_the_file() -> None:
    reading, _ = read(
        submission(pharmacy(record(), PHA01="1234567890")),
        gravities={"W14": Gravity.FATAL},
    )

    assert reading.refused
    assert reading.transactions[0].refused


def test_a_fatal_fault_of_one_record_refuses_the_file_and_is_told_with_it() -> None:
    reading, found = read(several(PAT07=""), gravities={"E04": Gravity.FATAL})

    assert reading.verdict == "refused"
    assert [(each.code, each.record) for each in reading.problems] == [
        ("E04", number) for number in (2, 3, 4)
    ]
    assert reading.counts.held == 3
    assert found[1].held


def test_fatal_faults_of_many_records_do_not_fill_the_memory() -> None:
    body = submission(pharmacy(*(record(DSP10="0") for _ in range(1500))))

    reading, _ = read(body, gravities={"E10": Gravity.FATAL})

    assert len(reading.problems) == envelope.MOST_PROBLEMS


# --- Social Security numbers, rechecking


def test_a_programme_may_keep_social_security_numbers() -> None:
    body = several(PAT02="07", PAT03="612345678")

    _, found = read(body, keeps_social_security_numbers=True)

    assert [each.problems for each in found] == [()] * 5
    assert found[1].elements["PAT03"] == "612345678"
    assert found[1].dispensing is not None
    assert found[1].dispensing.patient.id_number == "612345678"


def test_a_corrected_record_is_checked_by_the_same_programme() -> None:
    programme = asap.Programme(
        uses={"PAT17": Use.REQUIRED, "DSP15": Use.NOT_USED},
        gravities={"R06": Gravity.ERROR},
        keeps_social_security_numbers=True,
    )
    ssn = {"PAT02": "07", "PAT03": "612345678"}
    given = RECORD | ssn | {"PHA03": "BX5100110", "PAT17": "", "DSP06": "1"}

    checked = asap.recheck(given, version="4.2B", today=TODAY, programme=programme)
    better = asap.recheck(
        given | {"PAT17": "2035550111", "DSP06": "0"},
        version="4.2B",
        today=TODAY,
        programme=programme,
    )

    assert codes(checked.problems) == ["E04", "R06"]
    assert checked.held
    assert better.problems == ()
    assert better.elements["PAT03"] == "612345678"
    assert "DSP15" not in better.elements


# --- The quick way and the rules say the same

_TEXT = st.sampled_from(
    ["", " ", "X", "UNKNOWN", "US", "02", "06", "2", "9" * 10, "20260101", "-5", "A*B"]
)
_USES = st.dictionaries(
    st.sampled_from(
        [each.id for each in elements.of_records() if each.bound is elements.Bound.FREE]
    ),
    st.sampled_from(list(Use)),
    max_size=4,
)
_GRAVITIES = st.dictionaries(
    st.sampled_from(
        [each.code for each in catalogue.entries().values() if len(each.may_be) == 4]
    ),
    st.sampled_from(list(Gravity)),
    max_size=4,
)


@settings(max_examples=120, deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from(sorted(RECORD)), _TEXT, max_size=3),
    uses=_USES,
    gravities=_GRAVITIES,
    keep=st.booleans(),
)
def test_both_ways_say_the_same_under_any_programme(
    changes: dict[str, str],
    uses: dict[str, Use],
    gravities: dict[str, Gravity],
    *,
    keep: bool,
) -> None:
    body = several(**changes)
    rules = {
        "uses": uses,
        "gravities": gravities,
        "keeps_social_security_numbers": keep,
    }
    quick = told(*read(body, **rules))
    with pytest.MonkeyPatch.context() as without:
        without.setattr(happy, "_VERSIONS", set())
        slow = told(*read(body, **rules))

    assert quick == slow


def told(reading: asap.Reading, found: list[asap.Record]) -> object:
    return (
        reading.verdict,
        reading.counts,
        reading.problems,
        [(each.problems, each.elements, each.dispensing) for each in found],
    )


# --- What may be asked for


def test_a_profile_is_read() -> None:
    assert parse_profile("") == {}
    assert parse_profile(" pat17=required, DSP24 = not_used,\nPHA12=Optional ") == {
        "PAT17": Use.REQUIRED,
        "DSP24": Use.NOT_USED,
        "PHA12": Use.OPTIONAL,
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("PAT7=required", "PAT07"),
        ("PAT17=needed", "when_available"),
        ("PAT17", "“”"),
        ("PAT07=optional", "PAT07 stays required"),
        ("DSP08=not_used", "DSP08 stays required"),
        ("PRE02=when_available", "PRE02 stays required"),
        ("DSP13=not_used", "DSP13 tells records apart"),
        ("PHA03=not_used", "PHA03 tells records apart"),
        ("TH07=optional", "no element"),
        ("PAT17=required,PAT17=optional", "twice"),
    ],
)
def test_a_wrong_profile_is_refused_in_a_sentence(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_profile(text)


def test_severities_are_read() -> None:
    assert parse_severities("r05=error,W01=fatal,R10=off") == {
        "R05": Gravity.ERROR,
        "W01": Gravity.FATAL,
        "R10": Gravity.OFF,
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("R5=error", "R05"),
        ("R05=bad", "warning"),
        ("F01=off", "F01 is always fatal"),
        ("F04=warning", "F04 is always fatal"),
        ("E05=off", "E05 can be fatal, error, not off"),
        ("E05=warning", "cannot be stored"),
        ("W01=error", "no record"),
        ("W07=off", "must learn"),
    ],
)
def test_wrong_severities_are_refused_in_a_sentence(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_severities(text)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"R99.*F01.*R10"):
        parse_severities("R99=off,F01=off,R05=error,R10=")
    with pytest.raises(ValueError, match=r"3\.0, 9\.9"):
        parse_versions("9.9,4.2,3.0")
    with pytest.raises(ValueError, match="at least one"):
        parse_versions(" , ")


def test_what_a_record_needs_to_be_stored_cannot_be_left_out() -> None:
    """With all that may be changed at its loosest, a good record has its typed view."""
    loosest = {
        each.id: Use.NOT_USED
        for each in elements.of_records()
        if each.bound is elements.Bound.FREE
    }
    off = {
        code: Gravity.OFF
        for code, entry in catalogue.entries().items()
        if Gravity.OFF in entry.may_be
    }

    reading, found = read(several(**dict.fromkeys(loosest, "")), uses=loosest)
    assert all(each.dispensing for each in found)
    for change in ({"DSP05": "20270101"}, {"PAT18": "20270101"}, {"PRE02": "X1"}):
        reading, found = read(several(**change), uses=loosest, gravities=off)
        assert reading.verdict == "accepted"
        assert all(each.dispensing for each in found)


def test_the_catalogue_names_every_code_and_no_other() -> None:
    told_of = {rule.code for rule in RULES} | set(envelope.WORDINGS) | {"W14"}
    told_of |= set(register.RULES)
    told_of |= set(register.RULES)

    assert set(catalogue.entries()) == told_of
    for entry in catalogue.entries().values():
        assert entry.gravity in entry.may_be
        assert entry.meaning.endswith(".")
        assert entry.why or set(entry.may_be) >= {Gravity.FATAL, Gravity.OFF}
        assert entry.of_record is (entry.code in {rule.code for rule in RULES})


def test_the_page_of_file_checks_is_the_catalogue() -> None:
    page = (ROOT / "docs" / "file-checks.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]

    assert rows == [
        f"| `{entry.code}` | {entry.meaning} | {entry.gravity.value} |"
        f" {_may_be(entry)} |"
        for entry in catalogue.entries().values()
    ]


def _may_be(entry: catalogue.Entry) -> str:
    others = [each.value for each in entry.may_be if each is not entry.gravity]
    return " ".join(filter(None, (", ".join(others) or "no.", entry.why)))

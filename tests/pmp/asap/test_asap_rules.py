"""Each rule: seen to fire, seen not to fire, and the quick way never disagrees."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmp import asap
from pmp.asap import elements, happy
from pmp.asap.judgement import RULES
from tests.pmp.asap.files import (
    RECORD,
    TODAY,
    codes,
    in_chunks,
    pharmacy,
    read,
    record,
    submission,
)

# What breaks a rule, and what is at its very edge but does not.
FIRES: list[tuple[str, str, dict[str, str]]] = [
    ("E21", "", {"PAT18": "", "PAT19": "19800216"}),
    ("E21", "", {"PAT17": "19800216", "PAT18": "F"}),
    ("E04", "PAT07", {"PAT07": ""}),
    ("E04", "PAT18", {"PAT18": ""}),
    ("E04", "DSP01", {"DSP01": ""}),
    ("E04", "DSP02", {"DSP02": ""}),
    ("E04", "DSP10", {"DSP10": ""}),
    ("E04", "PRE02", {"PRE02": ""}),
    ("E05", "PAT18", {"PAT18": "02161980"}),
    ("E05", "DSP05", {"DSP05": "20260230"}),
    ("E05", "DSP17", {"DSP17": "2026-01-03"}),
    ("E06", "PAT18", {"PAT18": "20260104"}),
    ("E06", "PAT18", {"PAT18": "20990216", "DSP05": ""}),
    ("E06", "PAT18", {"PAT18": "18900101"}),
    ("E07", "DSP05", {"DSP05": "20260108", "DSP17": ""}),
    ("E08", "DSP03", {"DSP03": "20260104"}),
    ("E09", "DSP09", {"DSP09": "0"}),
    ("E09", "DSP09", {"DSP09": "-5"}),
    ("E09", "DSP09", {"DSP09": "100000"}),
    ("E09", "DSP09", {"DSP09": "1,5"}),
    ("E10", "DSP10", {"DSP10": "0"}),
    ("E10", "DSP10", {"DSP10": "ENTER DAYS"}),
    ("E11", "DSP07", {"DSP07": "02"}),
    ("E11", "DSP08", {"DSP08": "0040605120"}),
    ("E11", "DSP08", {"DSP08": "00000000000"}),
    ("E12", "DSP07", {"DSP07": "06", "DSP08": "99999000123"}),
    ("E13", "PRE02", {"PRE02": "AS3045129"}),
    ("E13", "PRE02", {"PRE02": "AS 3045122"}),
    ("E14", "DSP01", {"DSP01": "09"}),
    ("E15", "DSP23", {"DSP23": "X" * 201}),
    ("E15", "PAT07", {"PAT07": "X" * 51}),
    ("E18", "DSP13", {"DSP13": "A"}),
    ("E18", "DSP06", {"DSP06": "X"}),
    ("R02", "PRE02", {"PRE02": "BX5100110"}),
    ("R03", "PRE01", {"PRE01": "1245319590"}),
    ("R03", "DSP14", {"DSP14": "1928374650"}),
    ("R04", "PAT19", {"PAT19": "X"}),
    ("R04", "PAT20", {"PAT20": "07"}),
    ("R04", "DSP11", {"DSP11": "09"}),
    ("R04", "DSP16", {"DSP16": "55"}),
    ("R06", "DSP06", {"DSP06": "2", "DSP04": "1"}),
    ("R08", "DSP09", {"DSP09": "1801"}),
    ("R08", "DSP09", {"DSP09": "30001", "DSP11": "02"}),
    ("R08", "DSP09", {"DSP09": "3001", "DSP11": "03"}),
    ("R09", "PAT16", {"PAT16": "6514"}),
    ("R09", "PAT16", {"PAT16": "90210"}),
    ("R10", "PAT12", {"PAT12": "STREET ADDRESS UNKNOWN"}),
    ("R10", "PAT12", {"PAT12": "NOT ON FILE"}),
    ("R10", "PAT12", {"PAT12": "ENTER ADDRESS HERE"}),
    ("R10", "PAT07", {"PAT07": "UNKNOWN"}),
    ("R10", "PAT08", {"PAT08": "ENTER FIRST NAME"}),
    ("R10", "PAT17", {"PAT17": "0000000000"}),
    ("R10", "PAT17", {"PAT17": "2035550100"}),
    ("R11", "DSP17", {"DSP17": "20260102"}),
    ("R13", "PAT07", {"PAT07": "=CMD('X')"}),
    ("R13", "PAT08", {"PAT08": "<SCRIPT>ALERT(1)</SCRIPT>"}),
    ("R13", "PRE05", {"PRE05": "SM1TH"}),
    ("R14", "PAT23", {"PAT20": "02"}),
    ("R16", "DSP03", {"DSP03": "20250601"}),
    ("R17", "DSP12", {"DSP12": "5"}),
    ("R18", "PAT12", {"PAT12": ""}),
    ("R18", "DSP16", {"DSP16": ""}),
    ("R19", "DSP08", {"DSP08": "0406-0512-01"}),
    ("R20", "PAT03", {"PAT02": "07", "PAT03": "612345678"}),
    ("R21", "PAT22", {"PAT22": "CN"}),
    ("W06", "PRE14", {"PRE14": "X"}),
]
QUIET: list[dict[str, str]] = [
    {},
    {"PAT18": "20260103"},
    {"PAT18": "19010101"},
    {"DSP05": "20260107", "DSP17": ""},
    {"DSP03": "20260103"},
    {"DSP09": "0.5"},
    {"DSP09": ".5"},
    {"DSP09": "60.000"},
    {"DSP09": "1800"},
    {"DSP10": "999"},
    {"DSP10": "1"},
    {"DSP23": "X" * 200},
    {"DSP06": "1", "DSP04": "1"},
    {"DSP06": "00", "DSP04": "00"},
    {"DSP17": ""},
    {"DSP13": ""},
    {"DSP13": "3"},
    {"DSP24": "02", "DSP25": "M54.5"},
    {"DSP03": "20250707"},
    {"PAT17": ""},
    {"PAT16": "065141234"},
    {"PAT16": "06514-1234"},
    {"PAT15": "NY", "PAT16": "10001"},
    {"PAT16": "000000000", "PAT22": "CANADA"},
    {"PAT22": "US"},
    {"PAT22": "USA"},
    {"PAT08": "UNKA"},
    {"DSP09": "75", "DSP11": "03"},
    {"DSP09": "150", "DSP11": "03"},
    {"PAT07": "O'BRIEN-SMITH JR."},
    {"PAT07": "PEÑA"},
    {"PAT07": "王"},
    {"PRE02": "as3045122"},
    {"PRE02": "BX5100110", "PRE03": "123"},
    {"PAT20": "02", "PAT23": "REX", "PAT19": "U"},
    {"PAT20": ""},
    {"PAT04": "CT", "PAT05": "02", "PAT06": "A1"},
    {"PAT13": "APT 2"},
    {"DSP11": ""},
    {"DSP14": "", "DSP15": ""},
    {"PRE01": "", "PRE05": "", "PRE06": ""},
]


@pytest.fixture
def both_ways(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[asap.Reading, list[asap.Record]]]:
    """Read the quick way and rule by rule, and hold them to the same answer."""

    def told(body: str | bytes) -> tuple[asap.Reading, list[asap.Record]]:
        quick = read(body, size=1 << 20)
        with monkeypatch.context() as without:
            without.setattr(happy, "_VERSIONS", set())
            slow = read(body, size=1 << 20)
        assert _told(quick) == _told(slow)
        return quick

    return told


def _told(read_: tuple[asap.Reading, list[asap.Record]]) -> object:
    reading, found = read_
    return (
        reading.verdict,
        reading.counts,
        reading.problems,
        [
            (
                each.number,
                each.segment_number,
                each.transaction,
                each.status,
                each.problems,
                each.elements,
                each.dispensing,
                each.zero_report,
            )
            for each in found
        ],
    )


Both = Callable[..., tuple[asap.Reading, list[asap.Record]]]


def _among_others(change: dict[str, str]) -> str:
    """Put a record between good ones that teach the quick way, twice over."""
    good = [record(DSP02=f"1{n}") for n in range(3)]
    odd = record(**(change | {"DSP02": change.get("DSP02", "2")}))
    again = record("DSP", "PRE", **(change | {"DSP02": change.get("DSP02", "3")}))
    return submission(pharmacy(*good, odd, again, odd, *good))


@pytest.mark.parametrize(("code", "element", "change"), FIRES)
def test_a_rule_fires(
    code: str, element: str, change: dict[str, str], both_ways: Both
) -> None:
    _, found = both_ways(_among_others(change))

    odd = found[3]
    assert (code, element) in [(each.code, each.element) for each in odd.problems]
    assert odd.held == any(each.code.startswith("E") for each in odd.problems)
    for problem in odd.problems:
        assert problem.record == 4
        assert problem.message.endswith(".")
        assert problem.fix.endswith(".")
    assert all(each.problems == () for each in (*found[:3], *found[6:]))


@pytest.mark.parametrize("change", QUIET)
def test_no_rule_fires_at_the_edge(change: dict[str, str], both_ways: Both) -> None:
    _, found = both_ways(_among_others(change))

    assert [each.problems for each in found] == [()] * len(found)
    assert all(each.dispensing for each in found)


def test_every_rule_is_seen_to_fire() -> None:
    elsewhere = {"E01", "E02", "E03", "E19", "E20", "R05", "R07"}

    assert {rule.code for rule in RULES} == elsewhere | {each[0] for each in FIRES}


def test_segments_must_be_there_and_in_order(both_ways: Both) -> None:
    patient, dispensed, prescriber = record()
    cases = {
        "E01": [dispensed, prescriber],
        "E02": [patient, dispensed],
        "E03": [patient, prescriber, dispensed],
    }
    for code, lines in cases.items():
        _, found = both_ways(submission(pharmacy(lines), pharmacy(record())))
        assert codes(found[0].problems) == [code]
        assert found[1].problems == ()
    _, [twice] = both_ways(submission(pharmacy([*record(), prescriber])))
    assert codes(twice.problems) == ["E03"]


def test_a_pharmacy_without_any_number_holds_its_records(both_ways: Both) -> None:
    nameless = pharmacy(record(), ZERO_LINES, PHA01="", PHA02="", PHA03="")

    _, found = both_ways(submission(nameless, pharmacy(record())))

    assert [codes(each.problems) for each in found] == [["E19"], ["E19"], []]


ZERO_LINES = ["PAT*******REPORT*ZERO", "DSP*****20260104", "PRE*"]


def test_a_wrong_dea_number_of_the_pharmacy_holds_its_records(both_ways: Both) -> None:
    _, found = both_ways(submission(pharmacy(record(), PHA03="BX5100111")))

    assert [(each.code, each.element) for each in found[0].problems] == [
        ("E13", "PHA03")
    ]


def test_compound_rules(both_ways: Both) -> None:
    compound = record(DSP07="06", DSP08="99999000123")
    bad = ["CDI*1*06*00406324301*3.5*03", "CDI*2*01*00406324301*0*03", "CDI*3*01***03"]

    _, [found] = both_ways(submission(pharmacy([*compound, *bad])))

    assert {(each.code, each.element) for each in found.problems} == {
        ("E04", "CDI03.3"),
        ("E04", "CDI04.3"),
        ("E09", "CDI04.2"),
        ("E12", "CDI02"),
        ("R04", "CDI02"),
    }
    assert {each.segment for each in found.problems if "." in each.element} == {8, 9}


def test_schedule_two_is_not_refilled_in_version_5() -> None:
    body = submission(pharmacy(record(DSP34="02", DSP04="1"))).replace("4.2B", "5.0")

    _, [found] = read(body, accepted=frozenset({"5.0"}))

    assert codes(found.problems) == ["R05"]


def test_schedules_three_and_four_are_not_refilled_after_six_months() -> None:
    late = {"DSP04": "5", "DSP06": "3", "DSP03": "20250601"}
    lines = [record(DSP34=schedule, **late) for schedule in ("03", "04", "05")]
    first = record(DSP34="03", DSP04="5", DSP03="20250601")
    body = submission(pharmacy(*lines, first)).replace("4.2B", "5.0")

    _, found = read(body, accepted=frozenset({"5.0"}))

    assert [codes(each.problems) for each in found] == [
        ["R07", "R16"],
        ["R07", "R16"],
        ["R16"],
        ["R16"],
    ]


def test_a_corrected_record_is_checked_in_the_same_way() -> None:
    _, [held] = read(submission(pharmacy(record(DSP09="-5", PAT19="X"))))

    same = asap.recheck(held.elements, version=held.version, today=TODAY)
    better = asap.recheck(
        held.elements | {"DSP09": " 60 ", "PAT19": "F"}, version="4.2B", today=TODAY
    )
    emptied = asap.recheck(
        held.elements | {"DSP09": "60", "PRE02": ""}, version="4.2B", today=TODAY
    )

    assert codes(same.problems) == codes(held.problems) == ["E09", "R04"]
    assert same.held
    assert better.problems == ()
    assert better.dispensing is not None
    assert better.dispensing.pharmacy == held.pharmacy
    assert codes(emptied.problems) == ["E04", "R04"]


def test_a_corrected_zero_report_is_a_zero_report() -> None:
    body = submission(pharmacy(ZERO_LINES), source="IS*2*C*#20260104#-#20260101#")
    _, [held] = read(body)

    better = asap.recheck(
        held.elements | {"IS03": "#20260101#-#20260104#"}, version="4.2B", today=TODAY
    )

    assert better.zero_report is not None
    assert better.zero_report.until == date(2026, 1, 4)


def test_a_corrected_compound_is_checked_with_its_ingredients() -> None:
    lines = record(DSP07="06", DSP08="99999000123")
    lines += ["CDI*1*01*00406324301*3.5*03", "CDI*2*01*123*1*03"]
    _, [held] = read(submission(pharmacy(lines)))
    assert [each.element for each in held.problems] == ["CDI03.2"]

    better = asap.recheck(
        held.elements | {"CDI03.2": "00574061416"}, version="4.2B", today=TODAY
    )

    assert better.dispensing is not None
    assert len(better.dispensing.ingredients) == 2


@pytest.mark.parametrize("version", elements.VERSIONS)
def test_every_element_has_a_name_for_the_page(version: str) -> None:
    for segment, found in elements.layout(version).items():
        ids = [element.id for element in found]
        assert ids == [f"{segment}{place:02}" for place in range(1, len(ids) + 1)]
        assert all(element.name and element.longest for element in found)
    assert elements.label("DSP09") == "Quantity dispensed"
    assert elements.label("CDI03.2").endswith("(2)")
    assert elements.label("XXX99") == "XXX99"


# --- Whatever the bytes are

_GOOD = submission(
    pharmacy(*(record(DSP02=f"8{n}") for n in range(4))),
    pharmacy(record("PAT"), record("DSP", "PRE"), record("DSP", "PRE", DSP02="9")),
).encode()
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="*~\n"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    cuts=st.lists(
        st.tuples(
            st.integers(0, len(_GOOD)),
            st.integers(0, 60),
            st.binary(max_size=8)
            | st.sampled_from([b"~", b"*", b"PAT*", b"DSP*", b"TH*"]),
        ),
        max_size=6,
    ),
    size=st.integers(1, 3000),
)
def test_no_damage_raises_and_every_record_is_accounted_for(
    cuts: list[tuple[int, int, bytes]], size: int
) -> None:
    body = _GOOD
    for place, length, inserted in cuts:
        body = body[:place] + inserted + body[place + length :]

    reading = asap.read(in_chunks(body, size), today=TODAY)
    found = list(reading)

    assert [each.number for each in found] == list(range(1, len(found) + 1))
    counts = reading.counts
    assert counts.read == len(found)
    assert counts.read == (
        counts.good + counts.held + counts.duplicate + counts.zero_reports
    )
    for each in found:
        assert (each.dispensing is None) == (each.held or each.zero_report is not None)
        assert each.elements
    if body != _GOOD and len(found) < 6:
        assert reading.verdict != "accepted"


@settings(max_examples=150, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(sorted(RECORD)), _TEXT, max_size=3))
def test_the_quick_way_and_the_rules_agree_on_any_values(
    changes: dict[str, str],
) -> None:
    body = _among_others(changes)
    quick = read(body, size=1 << 20)
    patch = pytest.MonkeyPatch()
    with patch.context() as without:
        without.setattr(happy, "_VERSIONS", set())
        slow = read(body, size=1 << 20)

    assert _told(quick) == _told(slow)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "PAT18": st.dates(date(1890, 1, 1), date(2027, 1, 1)).map(
                "{:%Y%m%d}".format
            ),
            "DSP03": st.dates(date(2025, 5, 1), TODAY + timedelta(days=3)).map(
                "{:%Y%m%d}".format
            ),
            "DSP05": st.dates(date(2025, 12, 1), TODAY + timedelta(days=3)).map(
                "{:%Y%m%d}".format
            ),
            "DSP04": st.sampled_from(["", "0", "1", "5", "99", "100", "X"]),
            "DSP06": st.sampled_from(["", "0", "00", "1", "6", "99", "100"]),
            "DSP09": st.sampled_from(["1", "60", "99999.5", "1e3", "0.0", "5000"]),
            "DSP10": st.sampled_from(["1", "30", "1000", "030"]),
            "DSP01": st.sampled_from(["00", "01", "02", "1", "2"]),
            "PAT20": st.sampled_from(["01", "02", "2", "1"]),
            "PAT17": st.sampled_from(["2035550100", "2035550111", "9999999999"]),
            "PRE02": st.sampled_from(["AS3045122", "BX5100110", "XX"]),
            "PAT02": st.sampled_from(["06", "07", "7", "99", ""]),
        },
    )
)
def test_the_quick_way_and_the_rules_agree_near_the_edges(
    changes: dict[str, str],
) -> None:
    test = test_the_quick_way_and_the_rules_agree_on_any_values
    test.hypothesis.inner_test(changes)  # type: ignore[attr-defined]

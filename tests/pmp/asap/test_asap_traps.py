"""What real software writes, and what becomes of it; each was seen in the field."""

import pytest

from pmp import asap
from pmp.asap import Status
from tests.pmp.asap.files import (
    ZERO,
    codes,
    pharmacy,
    read,
    record,
    submission,
)

ALL = frozenset({"4.0", "4.1", "4.2", "4.2A", "4.2B", "5.0"})


def one(*lines: list[str], **changes: str) -> asap.Record:
    """Read a submission of one changed record."""
    _, [found] = read(submission(pharmacy(*(lines or (record(**changes),)))))
    return found


def test_one_delimiter_too_many_at_the_end_does_not_matter() -> None:
    source = "IS*2035550100*CORNER PHARMACY**"
    lines = [f"{line}{'*' * 30}" for line in record()]

    reading, [found] = read(submission(pharmacy(lines), source=source))

    assert reading.verdict == "accepted"
    assert found.problems == ()


@pytest.mark.parametrize(
    ("place", "instead", "step"),
    [("*700100*", "*700100**", "DSP04"), ("*00*700100*", "*700100*", "DSP02")],
)
def test_a_delimiter_too_many_or_too_few_is_named_and_nothing_else(
    place: str, instead: str, step: str
) -> None:
    lines = [line.replace(place, instead) for line in record()]

    found = one(lines)

    [problem] = found.problems
    assert (problem.code, problem.segment_id) == ("E21", "DSP")
    assert step in problem.message
    assert found.held


def test_a_patient_moved_by_a_place_is_told_beside_other_faults() -> None:
    lines = record(DSP10="0")
    lines[0] = lines[0].replace("*SAMPLE*", "**SAMPLE*")

    assert [(each.code, each.segment_id) for each in one(lines).problems] == [
        ("E21", "PAT"),
        ("E10", "DSP"),
    ]


def test_trailers_that_count_as_a_vendor_thinks_are_told_with_both_numbers() -> None:
    body = submission(pharmacy(record(), trailer="7"))

    reading, _ = read(body)

    assert "7 segments, but there are 5" in reading.problems[0].message


def test_a_tilde_inside_a_count_is_told_and_loses_nothing() -> None:
    reading, [found] = read(submission(pharmacy(record(), trailer="~5")))

    assert not reading.refused
    assert {"W01", "W05"} <= set(codes(reading.problems))
    assert found.problems == ()


def test_hyphens_in_an_ndc_are_taken_out() -> None:
    found = one(DSP08="0406-0512-01")

    assert found.dispensing is not None
    assert found.dispensing.ndc == "00406051201"


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("DSP10", "ENTER DAY SUPPLY HERE"),
        ("DSP09", "ENTER QTY"),
        ("DSP08", "[NDC]"),
        ("DSP03", "TBD"),
        ("DSP04", "UNKNOWN"),
        ("PRE02", "N/A"),
        ("DSP01", "<STATUS>"),
    ],
)
def test_a_placeholder_is_called_one(element: str, text: str) -> None:
    found = one(**{element: text})

    [problem] = [each for each in found.problems if each.element == element]
    assert f"“{text}”, a placeholder that nobody filled in" in problem.message
    assert found.held


def test_an_element_that_is_no_value_is_not_called_too_long_besides() -> None:
    assert codes(one(DSP10="ENTER DAY SUPPLY HERE").problems) == ["E10"]


def test_a_transaction_type_may_be_empty_and_must_be_known() -> None:
    empty, _ = read(submission().replace("*01**2026", "***2026"))
    odd, _ = read(submission().replace("*01**2026", "*00**2026"))

    assert empty.verdict == "accepted"
    [problem] = odd.problems
    assert (problem.code, problem.element, problem.value) == ("W12", "TH03", "00")
    assert "01 (send) is expected" in problem.message


@pytest.mark.parametrize(("kind", "what"), [("02", "acknowledgment"), ("3", "error")])
def test_replies_are_named(kind: str, what: str) -> None:
    reading, _ = read(submission().replace("*01**2026", f"*{kind}**2026"))

    assert codes(reading.problems) == ["F11"]
    assert what in reading.problems[0].message


def test_a_file_of_voids_that_voids_nothing_is_told_once() -> None:
    body = submission(pharmacy(*(record(DSP02=f"{n}") for n in range(5))))
    voids = submission(pharmacy(record(DSP01="02")))

    for size in (100, 1 << 20):
        reading, found = read(body + body.replace("*01**2026", "*04**2026"), size=size)
        assert codes(reading.problems) == ["W15"]
        assert {each.status for each in found} == {Status.NEW}
    assert read(voids.replace("*01**2026", "*04**2026"))[0].problems == []


@pytest.mark.parametrize("inside", ["AS 3045122", "AS-3045122", "AS3045 122"])
def test_a_blank_inside_a_dea_number_is_named_with_the_number_meant(
    inside: str,
) -> None:
    [problem] = one(PRE02=inside).problems

    assert problem.code == "E13"
    assert "a blank or hyphen inside" in problem.message
    assert problem.fix == "Write AS3045122."


def test_the_pharmacys_own_dea_number_as_prescriber_is_told() -> None:
    assert codes(one(PRE02="BX5100110").problems) == ["R02"]


def test_a_gel_of_two_grams_a_day_is_nothing_to_warn_of() -> None:
    """Whether it is a tablet, only the drug table knows: it is asked when stored."""
    assert one(DSP09="60", DSP10="30", DSP11="03").problems == ()


def test_the_pharmacys_phone_as_the_patients_is_told() -> None:
    assert codes(one(PAT17="2035550100").problems) == ["R10"]


@pytest.mark.parametrize(
    ("version", "text", "number"),
    [
        ("4.1", "01", 1),
        ("4.1", "02", 0),
        ("4.2", "00", 0),
        ("4.2", "01", 1),
        ("4.2B", "02", 2),
    ],
)
def test_the_sense_of_a_partial_fill_follows_the_version(
    version: str, text: str, number: int
) -> None:
    changes = {"DSP13": text, "DSP23": "", "PRE10": "", "PRE08": ""}
    body = submission(pharmacy(record(**changes))).replace("4.2B", version)

    _, [found] = read(body, accepted=ALL)

    assert found.problems == ()
    assert found.dispensing is not None
    assert found.dispensing.partial_number == number


def test_the_numbering_of_partial_fills_in_an_older_version_is_told() -> None:
    changes = {"DSP13": "00", "DSP23": "", "PRE10": "", "PRE08": ""}
    body = submission(pharmacy(record(**changes))).replace("4.2B", "4.1")

    _, [found] = read(body, accepted=ALL)

    [problem] = found.problems
    assert (problem.code, problem.element) == ("R04", "DSP13")
    assert "01 means a partial fill" in problem.message


@pytest.mark.parametrize("written", ["4.2 B", "42B", "4.2b", "v4.2B", "ASAP 4.2B"])
def test_a_misspelt_version_is_read_and_told(written: str) -> None:
    reading, [found] = read(submission().replace("4.2B", written))

    [problem] = reading.problems
    assert (problem.code, problem.element) == ("W12", "TH01")
    assert f"“{written}”; 4.2B is expected" in problem.message
    assert found.version == reading.version == "4.2B"
    assert found.problems == ()


def test_version_3_is_refused_with_what_to_do_whatever_ends_its_segments() -> None:
    header = "TH*3.0*01*CONTROL-1*01*20260105*101500*P*****:*"
    for body in (submission(header=header), submission(header=header, end="")):
        reading, found = read(body)

        [problem] = reading.problems
        assert found == []
        assert problem.code == "F03"
        assert "Version 3.0" in problem.message
        assert "export version 4.2B" in problem.fix
        assert "vendor" in problem.fix


def test_the_fixed_columns_of_1995_are_refused_with_what_to_do() -> None:
    reading, _ = read(b"ASB123456A2" + b" " * 211, accepted=frozenset({"4.1"}))

    [problem] = reading.problems
    assert "ASAP 1995" in problem.message
    assert "export version 4.1" in problem.fix


@pytest.mark.parametrize(
    ("body", "what", "fix"),
    [
        (b"PK\x03\x04\x14\0" + b"." * 60 + b"xl/workbook.xml", "Excel", "Choose"),
        (b"PK\x03\x04" + b"." * 60 + b"submission.dat", "ZIP", "Unpack"),
        (b"\xd0\xcf\x11\xe0rest", "Word or Excel", "Choose"),
        (b"\x1f\x8b\x08rest", "gzip", "Unpack"),
        (b"-----BEGIN PGP MESSAGE-----", "PGP", "Decrypt"),
    ],
)
def test_what_is_packed_is_named_and_to_be_unpacked(
    body: bytes, what: str, fix: str
) -> None:
    reading, _ = read(body)

    [problem] = reading.problems
    assert problem.code == "F02"
    assert what in problem.message
    assert problem.fix.startswith(fix)


def test_a_country_by_its_code_is_told() -> None:
    [problem] = one(PAT22="CN", PAT15="", PAT16="000000000").problems[-1:]

    assert (problem.code, problem.element) == ("R21", "PAT22")
    assert "Canada" in problem.message
    assert one(PAT22="CANADA", PAT16="000000000").problems == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("02/16/1980", "19800216"),
        ("1980-02-16", "19800216"),
        ("02161980", "19800216"),
        ("2/30/1980", "20260131"),
    ],
)
def test_a_date_in_another_order_is_told_as_it_is_meant(text: str, meant: str) -> None:
    [problem] = [each for each in one(PAT18=text).problems if each.code == "E05"]

    assert meant in problem.fix


def test_a_birth_date_in_the_future_is_told_as_such() -> None:
    [problem] = one(PAT18="20990216").problems

    assert problem.code == "E06"
    assert "in the future" in problem.message


def test_a_pharmacy_element_too_long_is_told_and_one_never_to_be_stored_holds() -> None:
    long, [kept] = read(submission(pharmacy(record(), PHA04="X" * 61)))
    longer, held = read(
        submission(pharmacy(record(), ZERO, PHA04="X" * 201), source="IS*1*2*")
    )

    assert codes(long.problems) == ["W14"]
    assert kept.problems == ()
    assert "W14" in codes(longer.problems)
    assert [codes(each.problems) for each in held] == [["E15"], ["E15"]]


def test_the_patient_of_several_dispensations_is_read_the_quick_way_too() -> None:
    lines = [record("PAT"), *(record("DSP", "PRE", DSP02=f"{n}") for n in range(9))]

    reading, found = read(submission(pharmacy(*lines)), size=1 << 20)

    assert reading.verdict == "accepted"
    assert {each.elements["PAT07"] for each in found} == {"SAMPLE"}
    assert len(found) == 9


def test_a_blank_before_the_terminator_makes_no_other_record() -> None:
    """Whichever way a record is read, it equals itself."""
    lines = [record(), record(DSP02="2"), record()]
    spaced = submission(pharmacy(*lines)).replace("*CT~", "*CT ~", 1)

    for size in (50, 1 << 20):
        reading, _ = read(spaced, size=size)
        assert reading.counts.duplicate == 1

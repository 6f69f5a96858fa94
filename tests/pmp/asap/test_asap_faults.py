"""Files that must be refused, and files that are odd: with the cause in words."""

import pytest

from tests.pmp.asap.files import codes, pharmacy, read, record, submission


@pytest.mark.parametrize("body", [b"", b" \r\n\n", b"\xef\xbb\xbf", b"\0\0\x1a"])
def test_an_empty_file_is_refused(body: bytes) -> None:
    reading, found = read(body)

    assert found == []
    assert "F01" in codes(reading.problems)
    assert reading.verdict == "refused"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"%PDF-1.4\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"II*\0rest", "TIFF"),
        (b"MSH|^~\\&|A", "HL7"),
        (b"ISA*00*          *", "X12"),
        (b"UNA:+.? 'UNB+", "EDIFACT"),
        (b"ASB123456A2" + b" " * 211, "1995"),
        (b"a,b,c,d,e,f,g\n1,2,3,4,5,6,7\n", "spreadsheet"),
        (b"c," * 200_000, "spreadsheet"),
        (b"c," * 32_000 + b"\n", "spreadsheet"),
        (b"Dear Sir or Madam", "something else"),
        (b"THE QUICK BROWN FOX", "something else"),
    ],
)
def test_what_is_not_asap_is_named(body: bytes, what: str) -> None:
    reading, found = read(body)

    assert found == []
    [problem] = reading.problems
    assert problem.code == "F02"
    assert what in problem.message
    assert problem.fix


@pytest.mark.parametrize("version", ["0.0", "3.0", "9.9", "", "4.2C"])
def test_an_unknown_version_is_refused(version: str) -> None:
    reading, _ = read(submission().replace("4.2B", version))

    assert codes(reading.problems)[0] == "F03"
    assert "4.2B" in reading.problems[0].message
    assert reading.refused


def test_a_reply_is_no_submission() -> None:
    reading, _ = read(submission().replace("*01**2026", "*03*X*2026"))

    assert codes(reading.problems) == ["F11"]


def test_a_file_without_its_trailer_is_cut_off() -> None:
    body = submission()

    reading, found = read(body[: body.index("TT*")])

    [problem] = reading.problems
    assert problem.code == "F06"
    assert problem.segment == 8
    assert problem.byte_offset == body.index("TT*") - 1
    assert len(found) == 1


@pytest.mark.parametrize("at", range(5, 400, 13))
def test_a_file_cut_anywhere_is_refused(at: int) -> None:
    body = submission()

    reading, found = read(body[:at])

    assert reading.refused
    assert len(found) == (at >= body.index("\nPRE*"))


def test_a_second_header_before_the_trailer_is_a_cut_too() -> None:
    body = submission()

    reading, found = read(body[: body.index("TT*")] + body)

    assert codes(reading.problems) == ["F06"]
    assert [each.transaction for each in found] == [1, 2]
    assert [each.refused for each in reading.transactions] == [True, False]


def test_only_the_last_terminator_may_be_missing() -> None:
    body = submission().rstrip("~\n")

    assert read(body)[0].verdict == "accepted"
    assert read(body[:-1])[0].verdict == "refused"


def test_other_control_number_in_the_trailer_is_refused() -> None:
    reading, _ = read(submission(trailer="TT*OTHER*8"))

    assert codes(reading.problems) == ["F07"]
    assert "OTHER" in reading.problems[0].message


def test_a_file_without_a_pharmacy_is_refused() -> None:
    reading, [found] = read(submission(record(), trailer="TT*CONTROL-1*6"))

    assert "F05" in codes(reading.problems)
    assert "E19" in codes(found.problems)


def test_no_terminator_at_all_is_told() -> None:
    body = submission(end="", header="TH*4.2B*C*01**20260105*101500*P**")

    reading, found = read(body)

    assert codes(reading.problems) == ["F04"]
    assert found == []


def test_a_lost_terminator_is_named_with_the_segment_after_it() -> None:
    body = submission().replace("*CT~\nTP", "*CT\nTP")

    reading, _ = read(body)

    assert codes(reading.problems)[0] == "F04"
    assert "“TP”" in reading.problems[0].message


def test_a_segment_without_end_stops_the_reading() -> None:
    body = submission()
    start = body.index("PRE*")

    reading, found = read(body[:start] + "PRE*" + "X" * 40_000)

    assert "F04" in codes(reading.problems)
    assert len(found) == 1


def test_text_after_the_end_is_refused() -> None:
    reading, _ = read(submission() + "PHA*lost~")

    assert codes(reading.problems) == ["F12"]


def test_th09_missing_or_different_is_told_and_forgiven() -> None:
    missing = submission(header="TH*4.2B*CONTROL-1*01**20260105*101500*P**")
    different = submission(header="TH*4.2B*CONTROL-1*01**20260105*101500*P**\\")

    for body, named in ((missing, "nothing"), (different, "“\\”")):
        reading, [found] = read(body)
        [problem] = reading.problems
        assert problem.code == "W03"
        assert named in problem.message
        assert found.problems == ()


def test_the_pharmacy_trailer_may_be_missing() -> None:
    lines = pharmacy(record())[:-1]

    reading, [found] = read(submission(lines))

    assert codes(reading.problems) == ["W02"]
    assert found.problems == ()


def test_segments_where_none_belong_are_told() -> None:
    reading, found = read(
        submission(pharmacy(["CDI*1*01*00406324301*3.5*03"], record()))
    )

    assert codes(reading.problems) == ["W10"]
    assert found[0].problems == ()


def test_a_patient_without_a_dispensation_is_told() -> None:
    reading, found = read(submission(pharmacy(record("PAT"), record())))

    assert codes(reading.problems) == ["W11"]
    assert len(found) == 1


def test_dates_and_file_type_of_the_header_are_checked() -> None:
    reading, _ = read(submission(header="TH*4.2B*CONTROL-1*01**00000000*101500*X**~"))

    assert [each.element for each in reading.problems] == ["TH07", "TH05"]
    assert not reading.refused


def test_a_missing_sender_is_told() -> None:
    body = submission().replace("IS*2035550100*CORNER PHARMACY*~\n", "")

    reading, _ = read(body.replace("*8~", "*7~"))

    assert codes(reading.problems) == ["W13"]


def test_nul_bytes_are_taken_out() -> None:
    reading, [found] = read(submission().replace("SAMPLE", "SAM\0PLE"))

    assert codes(reading.problems) == ["W04"]
    assert found.elements["PAT07"] == "SAMPLE"


def test_odd_numbers_of_the_pharmacy_are_told_once_for_all_records() -> None:
    body = submission(
        pharmacy(record(), record(DSP02="2"), PHA01="1234567890", PHA02="0720019")
    )

    reading, found = read(body)

    assert [(each.code, each.element) for each in reading.problems] == [
        ("W14", "PHA01"),
        ("W14", "PHA02"),
    ]
    assert all(each.problems == () for each in found)


def test_a_million_faults_do_not_fill_the_memory() -> None:
    lines = ["ZZZ*1"] * 3000

    reading, _ = read(submission(pharmacy(lines, record())))

    assert len(reading.problems) == 1000
    assert not reading.refused

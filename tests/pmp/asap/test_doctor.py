import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pmp import asap
from pmp.asap import doctor
from pmp.asap.doctor import Excerpt
from pmp.asap.excerpts import ROWS_AROUND, WIDTH, Kind
from pmp.asap.masking import masked
from tests.submission_files import ELM, fill, submission

TODAY = date(2026, 11, 23)
GOOD = submission((ELM, [fill("1"), fill("2"), fill("3")]))


def examine(body: bytes, code: str) -> Excerpt:
    """Read a file and examine the first fatal problem that has this code."""
    reading = asap.read(iter([body]), today=TODAY)
    list(reading)
    found = [p for p in reading.problems if p.severity is asap.Severity.FATAL]
    assert code in {p.code for p in found}, found
    problem = next(p for p in found if p.code == code)
    return doctor.examine(body, code=code, offset=problem.byte_offset)


def marked(found: Excerpt) -> str:
    return "".join(
        piece.text for row in found.rows for piece in row.pieces if piece.marked
    )


def shown(found: Excerpt) -> str:
    return "".join(piece.text for row in found.rows for piece in row.pieces)


def lines_before(body: bytes, place: bytes) -> int:
    return body[: body.index(place)].count(b"\n") + 1


@pytest.mark.parametrize(
    ("body", "found"),
    [(b"", "no byte"), (b" \r\n\0\0\x1a", "6 bytes of blanks")],
)
def test_an_empty_file_says_what_it_has(body: bytes, found: str) -> None:
    told = examine(body, "F01")

    assert found in told.found
    assert "TH" in told.expected
    assert marked(told) == ("CRLFNULNUL^Z" if body else "end of the file").replace(
        "CRLF", " CRLF" if body else "CRLF"
    )


@pytest.mark.parametrize(
    ("body", "what", "mark"),
    [
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "a PDF document", "%PDF-1.4"),
        (b"PK\x03\x04\x14\x00\x06\x00", "a ZIP archive", "PKETXEOT"),
        (b"<!DOCTYPE html><html>", "a web page", "<!DOCTYPE html><"),
        (b"a,b,c,d,e,f\n1,2,3,4,5,6\n", "a spreadsheet", "a,b,c,d,e,f"),
        (b"ASB123456A2" + b" " * 200, "ASAP 1995", "ASB123456A2"),
        (b"Dear Sirs,\nhere it is", "“Dear Sirs,”", "Dear Sirs,"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Word or Excel", "D0CF"),
    ],
)
def test_what_is_no_submission_is_named_and_its_first_bytes_shown(
    body: bytes, what: str, mark: str
) -> None:
    told = examine(body, "F02")

    assert what in told.found
    assert marked(told).startswith(mark)
    assert (told.line, told.offset) == (1, 0)


@pytest.mark.parametrize("version", [b"3.0", b"0.0", b""])
def test_a_version_that_is_not_accepted_is_marked(version: bytes) -> None:
    told = examine(GOOD.replace(b"4.2B", version), "F03")

    assert marked(told) == (version.decode() or "*")
    assert told.found == (f"“{version.decode()}”" if version else "Nothing")
    assert told.offset == 3


def test_a_header_that_no_terminator_follows_is_shown() -> None:
    told = examine(b"TH*4.2B*1*01**20261116*101500*P*\r\nPHA*1*2\r\n", "F04")

    assert marked(told) == "CRLF"
    assert "element 9" in told.expected
    assert told.found == "A line break"


def test_a_lost_terminator_is_found_before_the_segment_that_it_swallowed() -> None:
    body = GOOD.replace(b"~\r\nPRE", b"\r\nPRE", 1)
    told = examine(body, "F04")

    assert marked(told) == "CRLFPRE"
    assert told.expected == "“~” before the PRE segment"
    assert told.line == lines_before(body, b"\r\nPRE")


def test_a_segment_that_never_ends_is_marked_at_its_beginning() -> None:
    body = GOOD.replace(b"TP*", b"ZZZ*" + b"x" * 20_000 + b"TP*")
    told = examine(body, "F04")

    assert marked(told).startswith("ZZZ*xxx")
    assert "16,384" in told.expected
    assert told.offset == body.index(b"ZZZ*")


def test_a_file_without_a_pharmacy_is_marked_where_one_is_missing() -> None:
    pha = next(
        line for line in GOOD.splitlines(keepends=True) if line.startswith(b"PHA")
    )
    told = examine(GOOD.replace(pha, b""), "F05")

    assert marked(told) == "PAT"
    assert "PHA" in told.expected


def test_a_file_cut_inside_a_segment_is_marked_at_its_end() -> None:
    body = GOOD[: GOOD.rindex(b"SMITH")]
    told = examine(body, "F06")

    assert marked(told) == "end of the file"
    assert shown(told).endswith("PRE**AS3045122***end of the file")
    assert "“PRE”" in told.expected
    assert told.offset == len(body)


def test_a_missing_trailer_is_marked_at_the_end() -> None:
    body = GOOD[: GOOD.index(b"TT*")]
    told = examine(body, "F06")

    assert marked(told) == "end of the file"
    assert told.expected.startswith("TT")
    assert told.line == body.count(b"\n") + 1


def test_a_header_before_the_trailer_is_marked() -> None:
    body = GOOD[: GOOD.index(b"TT*")] + submission((ELM, [fill()]))
    told = examine(body, "F06")

    assert marked(told) == "TH"
    assert told.offset == body.rindex(b"TH*4.2B")


def test_a_header_that_names_another_terminator_than_is_used_is_the_cause() -> None:
    body = GOOD.replace(b"**~~", b"**\\\\")
    told = examine(body, "F04")

    assert marked(told) == "~"
    assert told.expected.startswith("“\\”")
    assert told.found.startswith("“~”")


def test_two_control_numbers_are_set_against_each_other() -> None:
    number = GOOD.split(b"*")[2]
    told = examine(GOOD.replace(b"TT*" + number, b"TT*OTHER-1"), "F07")

    assert marked(told) == "OTHER-1"
    assert told.found == "“OTHER-1”"
    assert f"“{number.decode()}”" in told.expected


def test_a_reply_is_marked_at_th03() -> None:
    told = examine(GOOD.replace(b"*01**2026", b"*03**2026", 1), "F11")

    assert marked(told) == "03"


def test_what_follows_the_trailer_is_marked() -> None:
    body = GOOD + b"-- sent by PharmaSoft --\r\nbye"
    told = examine(body, "F12")

    assert marked(told) == "-- sent by PharmaSoft --"
    assert told.line == lines_before(body, b"-- sent")


def test_offsets_of_a_utf16_file_are_those_of_its_text() -> None:
    body = GOOD[: GOOD.rindex(b"SMITH")]
    told = examine(body.decode().encode("utf-16"), "F06")

    assert told.converted
    assert told.offset == len(body)
    assert shown(told).endswith("PRE**AS3045122***end of the file")


def test_a_byte_order_mark_counts_as_bytes() -> None:
    body = b"\xef\xbb\xbf" + GOOD.replace(b"4.2B", b"9.9", 1)
    told = examine(body, "F03")

    assert (marked(told), told.offset) == ("9.9", 6)
    assert shown(told).startswith("U+FEFFTH*9.9")


def test_controls_have_names_and_bytes_that_are_no_utf8_their_number() -> None:
    told = doctor.examine(b"PE\xd1A\0\x1a\t\x1b\r\nx", code="F99", offset=0)

    kinds = [(p.text, p.kind) for row in told.rows for p in row.pieces if not p.marked]
    assert kinds == [
        ("D1", Kind.BYTE),
        ("A", Kind.TEXT),
        ("NUL", Kind.CONTROL),
        ("^Z", Kind.CONTROL),
        ("TAB", Kind.CONTROL),
        ("ESC", Kind.CONTROL),
        ("CR", Kind.CONTROL),
        ("LF", Kind.CONTROL),
        ("x", Kind.TEXT),
    ]


def test_long_lines_are_folded_and_only_rows_around_are_given() -> None:
    body = GOOD.replace(b"\r\n", b"")[:-40]
    told = examine(body, "F06")

    assert len(told.rows) == ROWS_AROUND + 1
    assert all(len(p.text) <= WIDTH for row in told.rows for p in row.pieces)
    assert {row.line for row in told.rows} <= {0, 1}
    (here,) = [row for row in told.rows if row.marked]
    assert here == told.rows[-1]


@pytest.mark.parametrize(
    ("raw", "secret"),
    [
        (b"PAT*CT*07*123456789****A*B~", b"123456789"),
        (b"PAT*CT*07*12-A~", b"12-A"),
        (b"PAT****CT*7*987654321*A~", b"987654321"),
        (b"AIR*CT*1*CT*07*6789*01~", b"6789"),
        (b"PAT*CT*06*123-45-6789*~", b"123-45-6789"),
        (b"ZZZ*123456789*", b"123456789"),
        (b"123 45 6789", b"123 45 6789"),
        (b"DSP*123-45-6789*", b"123-45-6789"),
        (b"DSP*00*123456789*~", b""),
        (b"TT*123456789*12~", b""),
        (b"PAT*****2035550111*19800216*", b""),
        (b"PHA*1234567893*0720018~", b""),
    ],
)
def test_social_security_numbers_are_hidden(raw: bytes, secret: bytes) -> None:
    asterisks = re.sub(rb"\w", b"*", secret)

    assert masked(raw) == (raw.replace(secret, asterisks) if secret else raw)


def test_a_social_security_number_is_not_shown_near_a_fault() -> None:
    named = GOOD.replace(b"PAT*******", b"PAT*CT*07*078051120****")
    body = named[: named.rindex(b"SMITH")]
    told = examine(body, "F06")

    assert "07*********" in shown(told)
    for start in range(200, len(body), 7):
        near = doctor.examine(body[:start], code="F06", offset=start)
        assert "078051120" not in shown(near)
    assert "078051120" not in doctor.examine(b"078-05-1120", code="F02", offset=0).found


@example(b"\xe1\x80\x80", "F03", None)  # the place is inside of a character
@given(
    st.binary(max_size=400) | st.builds(lambda n: GOOD[:n], st.integers(0, len(GOOD))),
    st.sampled_from([*(f"F{n:02}" for n in range(13)), "W01"]),
    st.none() | st.integers(-5, 600),
)
def test_whatever_the_bytes_are_an_excerpt_is_given(
    body: bytes, code: str, offset: int | None
) -> None:
    told = doctor.examine(body, code=code, offset=offset)

    assert told.rows
    assert any(row.marked for row in told.rows)
    assert len(told.rows) <= 2 * ROWS_AROUND + 60


def test_a_large_file_is_not_gone_through_for_each_row() -> None:
    record = b"PAT*******NORTH*SMITH~\r\n"
    body = GOOD[: GOOD.index(b"TP*")] + record * 300_000
    told = doctor.examine(body, code="F06", offset=len(body))

    assert told.line == body.count(b"\n") + 1
    assert len(told.rows) == ROWS_AROUND + 1

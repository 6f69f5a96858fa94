"""Where a fault is: the byte that is pointed at, in the file as it came."""

import pytest

from pmp import asap
from tests.pmp.asap.files import (
    codes,
    pharmacy,
    read,
    record,
    submission,
)

BOM = b"\xef\xbb\xbf"


def around(body: bytes, reading: asap.Reading, code: str) -> tuple[bytes, bytes]:
    """Give what stands before and behind the byte that a problem points at."""
    [found] = [each for each in reading.problems if each.code == code]
    return body[: found.byte_offset], body[found.byte_offset :]


@pytest.fixture(params=[b"", BOM], ids=["plain", "bom"])
def mark(request: pytest.FixtureRequest) -> bytes:
    found: bytes = request.param
    return found


@pytest.fixture(params=["\n", "\r\n", ""], ids=["lf", "crlf", "one line"])
def line(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.mark.parametrize("name", ["PHA", "PAT", "DSP", "PRE", "TP", "TT"])
def test_a_missing_terminator_is_pointed_at_and_hides_nothing(
    name: str, line: str, mark: bytes
) -> None:
    whole = submission(pharmacy(record(), record(DSP02="2")), line=line)
    end = whole.index(f"~{line}{name}*")
    body = mark + (whole[:end] + whole[end + 1 :]).encode()

    for size in (13, 1 << 20):
        reading, found = read(body, size=size)

        faults = [each for each in codes(reading.problems) if each != "W04"]
        assert faults == ["F04"]
        before, behind = around(body, reading, "F04")
        assert behind.startswith(f"{line}{name}*".encode())
        assert len(before) == len(mark) + len(whole[:end].encode())
        [fault] = [each for each in reading.problems if each.code == "F04"]
        assert f"“{name}”" in fault.message
        assert "“~”" in fault.message
        assert fault.segment == 1 + whole[:end].count("~") - 1 + 1
        assert [each.problems for each in found] == [(), ()]


@pytest.mark.parametrize("name", ["CDI", "AIR"])
def test_ingredients_and_who_picked_up_are_found_again(name: str, line: str) -> None:
    lines = record(DSP07="06", DSP08="99999000123")
    lines += ["CDI*1*01*00406324301*3.5*03", "AIR*CT*RX1*CT*06*98*03*SAMPLE*ALAN***02"]
    whole = submission(pharmacy(lines), line=line)

    reading, [found] = read(whole.replace(f"~{line}{name}*", f"{line}{name}*"))

    assert codes(reading.problems) == ["F04"]
    assert found.problems == ()
    assert found.elements["CDI03"] == "00406324301"
    assert found.elements["AIR07"] == "SAMPLE"


def test_a_name_that_reads_like_a_segment_is_a_name(line: str) -> None:
    lines = record(PRE06="PAT", PRE05="AIR", PAT08="PRE", DSP23="CALL PHA")

    reading, [found] = read(submission(pharmacy(lines), line=line))

    assert reading.verdict == "accepted"
    assert found.elements["PRE06"] == "PAT"


def test_line_ends_instead_of_terminators_are_told_once(mark: bytes) -> None:
    header = "TH*4.2B*CONTROL-1*01**20260105*101500*P**~~"
    body = mark + submission(header=header, end="").encode()

    reading, found = read(body)

    assert found == []
    assert [each for each in codes(reading.problems) if each != "W04"] == ["F04"]
    assert around(body, reading, "F04")[1].startswith(b"\nPHA*")
    assert "from here on" in reading.problems[-1].message


def test_no_terminator_at_all_is_pointed_at_behind_the_header() -> None:
    body = submission(end="", header="TH*4.2B*C*01**20260105*101500*P**").encode()

    reading, _ = read(body)

    assert around(body, reading, "F04")[1].startswith(b"\nIS*")
    assert "“IS”" in reading.problems[0].message


def test_a_cut_is_pointed_at_where_the_bytes_end(mark: bytes, line: str) -> None:
    whole = submission(line=line)
    for cut, words in (("TT*", "no trailer"), ("PHARMACY*1 CH", "inside a segment")):
        at = whole.index(cut) + (9 if "PHARMACY" in cut else 0)
        body = mark + whole[:at].encode() + b"\r\n\0\x1a"

        reading, _ = read(body)

        before, behind = around(body, reading, "F06")
        assert before == body.rstrip(b"\r\n\0\x1a")
        assert behind.strip(b"\r\n\0\x1a") == b""
        assert words in reading.problems[-1].message


def test_other_control_numbers_are_pointed_at(mark: bytes, line: str) -> None:
    body = mark + submission(trailer="TT*OTHER*8", line=line).encode()

    for size in (11, 1 << 20):
        reading, _ = read(body, size=size)
        assert around(body, reading, "F07")[1].startswith(b"OTHER*8~")


def test_text_behind_the_end_is_pointed_at(mark: bytes, line: str) -> None:
    body = mark + (submission(line=line) + "\r\nlost~").encode()

    reading, _ = read(body)

    assert around(body, reading, "F12")[1] == b"lost~"


def test_what_is_not_asap_is_pointed_at_behind_the_byte_order_mark() -> None:
    body = BOM + b" \r\nDear Sir or Madam"

    reading, _ = read(body)

    assert around(body, reading, "F02")[1] == b"Dear Sir or Madam"


def test_a_version_and_a_reply_are_pointed_at(mark: bytes) -> None:
    body = mark + submission().replace("4.2B", "3.0").encode()
    assert around(body, read(body)[0], "F03")[1].startswith(b"3.0*")

    body = mark + submission().replace("*01**2026", "*03**2026").encode()
    assert around(body, read(body)[0], "F11")[1].startswith(b"03**2026")


def test_a_segment_without_end_is_pointed_at() -> None:
    start = submission()[: submission().index("PRE*")]
    body = (start + "PRE*" + "X" * 40_000 + "~").encode()

    for size in (4096, 1 << 20):
        reading, _ = read(body, size=size)
        assert around(body, reading, "F04")[1].startswith(b"\nPRE*XX")


def test_each_record_is_pointed_at_its_dispensation(mark: bytes, line: str) -> None:
    lines = [record(DSP02=f"{n}", DSP10="30" if n % 2 else "0") for n in range(6)]
    body = mark + submission(pharmacy(*lines), line=line).encode()

    for size in (17, 1 << 20):
        _, found = read(body, size=size)
        for number, each in enumerate(found):
            assert body[each.byte_offset :].startswith(b"DSP*00*%d*" % number)
            for problem in each.problems:
                assert problem.byte_offset == each.byte_offset


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_a_reading_says_what_its_offsets_count(codec: str, encoding: str) -> None:
    text = submission(pharmacy(record(PAT07="PEÑA")), trailer="TT*OTHER*8")
    body = text.encode(codec)

    reading, [found] = read(body)

    assert reading.encoding == encoding
    counted = body
    if encoding.startswith("utf-16"):
        counted = body.decode(encoding).removeprefix("\ufeff").encode()
    assert around(counted, reading, "F07")[1].startswith(b"OTHER")
    assert counted[found.byte_offset :].startswith(b"DSP*")

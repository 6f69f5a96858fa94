"""Whatever bytes come, there is a sheet or a sentence."""

import csv
import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmp.csv_submissions import csv_reader
from pmp.errors import RuleError

HEADINGS = ["Last name", "First name", "NDC", "Größe"]
ROWS = [["Example", "Ada", "00406051201", "ä"], ["O'Neil", "Ben, Jr", "2", '5" x']]


def written(delimiter: str = ",", *, rows: list[list[str]] | None = None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(HEADINGS)
    writer.writerows(ROWS if rows is None else rows)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"]
)
def test_a_spreadsheet_is_read_as_its_program_wrote_it(
    delimiter: str, encoding: str
) -> None:
    sheet = csv_reader.read(written(delimiter).encode(encoding))

    assert list(sheet.headings) == HEADINGS
    assert [list(row.cells) for row in sheet.rows] == ROWS
    assert [row.number for row in sheet.rows] == [2, 3]


def test_titles_empty_rows_and_columns_do_not_count_but_keep_their_numbers() -> None:
    body = "Elm Drug;;;;\r\n\r\nA;B;C;;\r\n1;2;3;;\r\n;;;;\r\n4;5;6;7;\r\n;;;;\r\n"
    sheet = csv_reader.read(body.encode())

    assert sheet.headings == ("A", "B", "C", "Column D")
    assert [(row.number, row.cells) for row in sheet.rows] == [
        (4, ("1", "2", "3", "")),
        (6, ("4", "5", "6", "7")),
    ]
    assert sheet.empty == (5,)


def test_a_line_that_names_the_delimiter_and_same_headings_are_understood() -> None:
    sheet = csv_reader.read(b"sep=;\r\nDate;Date;Rx, no\r\n1;2;3\r\n")

    assert sheet.headings == ("Date", "Date (2)", "Rx, no")


def test_rows_without_headings_are_named_by_their_letters() -> None:
    sheet = csv_reader.read(b"EXAMPLE,ADA,02/16/1980,00406051201\r\n")

    assert sheet.headings == ("Column A", "Column B", "Column C", "Column D")
    assert len(sheet.rows) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no rows"),
        (b"\r\n  \r\n", "no rows"),
        (b"\r\n,,,\r\n", "no row under the headings"),
        (b"A,B,C\r\n", "no row under the headings"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"TH*4.2B*1*01**20261116*101500*P**~~\r\n", "an ASAP file"),
        (b'A,B,C\r\n1,2,3\r\n1,"2,3\r\n4,5,6\r\n', "Row 3 cannot be read"),
        (b"A,B,C\r\n1," + b"x" * 1_000_000 + b",3\r\n", "Row 2 cannot be read"),
        (b"," * 10_000 + b"x\r\n1\r\n", "10,001 columns"),
        (b"A,B,C\r\n" + b"1,2,3\r\n" * 20_001, "more than 20,000 rows"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_with_what_to_do(
    body: bytes, words: str
) -> None:
    with pytest.raises(RuleError, match=words) as refused:
        csv_reader.read(body)
    assert refused.value.field == "file"


def test_a_hostile_file_takes_no_time() -> None:
    began = time.monotonic()
    for body in (b'"' * 2_000_000, b"=" * 2_000_000, b"a\r" * 1_000_000, b"\0" * 10**6):
        with pytest.raises(RuleError):
            csv_reader.read(body)
    assert time.monotonic() - began < 20


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_any_bytes_give_a_sheet_or_a_sentence(body: bytes) -> None:
    try:
        sheet = csv_reader.read(body)
    except RuleError as refusal:
        assert refusal.message.endswith(".")  # noqa: PT017 - either is right
    else:
        assert {len(row.cells) for row in sheet.rows} == {len(sheet.headings)}
        assert len(set(sheet.headings)) == len(sheet.headings)


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.lists(st.lists(CELL, min_size=4, max_size=4), min_size=1, max_size=8))
@settings(deadline=None)
def test_each_row_that_is_not_empty_is_given_once(rows: list[list[str]]) -> None:
    sheet = csv_reader.read(written(rows=[*rows, ["end"] * 4]).encode())
    filled = [n for n, row in enumerate(rows, start=2) if any(c.strip() for c in row)]

    got = [row.number for row in sheet.rows][:-1]
    assert got == [n for n in filled if n in got]
    lost = set(filled) - set(got)
    # A cell of a single apostrophe or ="" is empty to whoever looks at it.
    assert not [n for n in lost if any(c.isalnum() for c in "".join(rows[n - 2]))]

"""Whole files: what other systems write, and what becomes of it."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from pmp import asap
from pmp.asap import Severity, Status
from pmp.asap.happy import HappyPath
from tests.pmp.asap.files import (
    PHARMACY,
    TODAY,
    ZERO,
    codes,
    in_chunks,
    pharmacy,
    read,
    record,
    segment,
    submission,
)


def test_one_good_dispensation_is_read_whole() -> None:
    body = submission()

    reading, [found] = read(body)

    assert reading.verdict == "accepted"
    assert reading.version == "4.2B"
    assert reading.problems == []
    assert reading.sha256 == hashlib.sha256(body.encode()).hexdigest()
    assert (found.number, found.segment_number, found.transaction) == (1, 5, 1)
    assert body.encode()[found.byte_offset :].startswith(b"DSP*")
    [transaction] = reading.transactions
    assert (transaction.segments, transaction.records, transaction.pharmacies) == (
        8,
        1,
        1,
    )
    assert (transaction.sender_id, transaction.sender) == (
        "2035550100",
        "CORNER PHARMACY",
    )


def test_the_typed_view_says_what_the_segments_say() -> None:
    _, [found] = read(submission())

    given = found.dispensing
    assert given is not None
    assert given.status is Status.NEW
    assert given.prescription_number == "700100"
    assert (given.written_on, given.filled_on) == (date(2026, 1, 2), date(2026, 1, 3))
    assert given.sold_on == date(2026, 1, 3)
    assert given.quantity == Decimal(60)
    assert (given.days_supply, given.fill_number, given.partial_number) == (30, 0, 0)
    assert (given.ndc, given.unit, given.origin, given.payment) == (
        "00406051201",
        "01",
        "05",
        "04",
    )
    assert given.patient.birth_date == date(1980, 2, 16)
    assert (given.patient.last, given.patient.first) == ("SAMPLE", "IRIS")
    assert given.patient.species == "human"
    assert given.prescriber.dea == "AS3045122"
    assert given.pharmacy.dea == PHARMACY["PHA03"] == found.pharmacy.dea
    assert given.directions == "TAKE 1 TABLET TWICE A DAY"


def test_a_compound_lists_its_ingredients() -> None:
    lines = [
        *record(DSP07="06", DSP08="99999000123", DSP11="02", DSP09="120"),
        "CDI*1*01*00406324301*3.5*03",
        "CDI*2*01*00574061416*116.5*02",
    ]

    _, [found] = read(submission(pharmacy(lines)))

    given = found.dispensing
    assert found.problems == ()
    assert given is not None
    assert given.compound
    assert given.ndc == ""
    assert [each.ndc for each in given.ingredients] == ["00406324301", "00574061416"]
    assert given.ingredients[0].quantity == Decimal("3.5")
    assert found.elements["CDI03.2"] == "00574061416"


def test_who_picked_it_up_is_kept_with_the_record() -> None:
    air = "AIR*CT*RX00012345*CT*06*987654321*03*SAMPLE*ALAN***02"

    _, [first, second] = read(
        submission(pharmacy([*record(), air], record(DSP02="700101")))
    )

    assert first.elements["AIR07"] == "SAMPLE"
    assert "AIR07" not in second.elements
    assert codes(first.problems) == codes(second.problems) == []


def test_a_void_and_its_replacement_come_in_order() -> None:
    gone, new = record("DSP", "PRE", DSP01="02"), record("DSP", "PRE", DSP09="30")

    _, found = read(submission(pharmacy(record("PAT"), gone, new)))

    assert [each.status for each in found] == [Status.VOID, Status.NEW]
    quantities = [each.dispensing.quantity for each in found if each.dispensing]
    assert quantities == [Decimal(60), Decimal(30)]


def test_a_void_needs_no_patient() -> None:
    _, [found] = read(submission(pharmacy(record("DSP", DSP01="02"))))

    assert not found.held
    assert found.dispensing is not None
    assert found.dispensing.patient.birth_date is None


def test_an_equal_record_is_a_duplicate_and_a_partial_fill_is_not() -> None:
    reading, found = read(
        submission(
            pharmacy(
                record(DSP13="01"),
                record(DSP13="01"),
                record(DSP13="02", DSP05="20260104", DSP17="20260104"),
            )
        )
    )

    assert (reading.counts.good, reading.counts.duplicate) == (2, 1)
    assert [each.dispensing.partial_number for each in found if each.dispensing] == [
        1,
        1,
        2,
    ]


def test_one_prescription_of_two_pharmacies_is_no_duplicate() -> None:
    other = pharmacy(record(), PHA02="0720020", PHA03="BV5100122", PHA01="")

    reading, _ = read(submission(pharmacy(record()), other))

    assert reading.counts.duplicate == 0
    assert [each.dea for each in reading.pharmacies] == ["BX5100110", "BV5100122"]


def test_an_animal_is_told_from_its_owner() -> None:
    _, [found] = read(submission(pharmacy(record(PAT20="02", PAT23="REX", PAT19="U"))))

    assert found.problems == ()
    assert found.dispensing is not None
    assert found.dispensing.patient.species == "animal"
    assert found.dispensing.patient.animal_name == "REX"


def test_a_zero_report_names_its_pharmacy_and_days() -> None:
    body = submission(pharmacy(ZERO), source="IS*203*CHAIN*#20260101#-#20260104#")

    reading, [found] = read(body)

    assert reading.verdict == "accepted"
    assert found.zero_report is not None
    assert (found.zero_report.since, found.zero_report.until) == (
        date(2026, 1, 1),
        date(2026, 1, 4),
    )
    assert found.dispensing is None
    assert reading.counts.zero_reports == 1


def test_a_zero_report_may_be_in_mixed_case_and_leave_segments_out() -> None:
    zero = ["PAT*******Report*Zero***", "DSP*****20260104***", "PRE**"]

    _, [found] = read(submission(pharmacy(zero)))

    assert found.zero_report is not None
    assert found.zero_report.since == found.zero_report.until == date(2026, 1, 4)


@pytest.mark.parametrize(
    "days",
    [
        "#00000000#-#00000000#",
        "#20260104#-#20260101#",
        "#20260101#-#20260301#",
        "#20200101#-#20260101#",
    ],
)
def test_a_zero_report_of_impossible_days_is_held(days: str) -> None:
    _, [found] = read(submission(pharmacy(ZERO), source=f"IS*203*CHAIN*{days}"))

    assert codes(found.problems) == ["E20"]
    assert found.zero_report is None
    assert found.held


def test_two_pharmacies_one_with_nothing_to_report() -> None:
    other = pharmacy(ZERO, PHA03="BV5100122", PHA02="0720020", PHA01="")

    reading, [dispensed, zero] = read(submission(pharmacy(record()), other))

    assert reading.problems == []
    assert dispensed.zero_report is None
    assert zero.zero_report is not None
    assert zero.zero_report.pharmacy.dea == "BV5100122"


def test_zero_and_records_of_one_pharmacy_are_kept_with_a_warning() -> None:
    for order in ((ZERO, record()), (record(), ZERO), (record(), record(), ZERO)):
        reading, _ = read(submission(pharmacy(*order)))

        assert codes(reading.problems) == ["W09"]
        assert reading.counts.zero_reports == 1
        assert reading.counts.good == 1


@pytest.mark.parametrize("mark", ["*", "|", "^", "+", ":", "-", "\x1d"])
@pytest.mark.parametrize("end", ["~", "\\", "\n", "!", "\x1c", "'"])
def test_delimiters_are_found_and_not_assumed(mark: str, end: str) -> None:
    header = "TH*4.2B*CONTROL 1*01**20260105*101500*P**".replace("*", mark) + end
    source = f"IS{mark}2035550100{mark}CORNER PHARMACY"
    body = submission(
        pharmacy(record(mark=mark, PRE05="SMITH", DSP15="0009876"), mark=mark),
        header=header,
        source=source,
        trailer=f"TT{mark}CONTROL 1{mark}8",
        end=end,
        line="",
        mark=mark,
    )

    reading, [found] = read(body)

    assert reading.problems == []
    assert found.problems == ()
    assert found.elements["PRE05"] == "SMITH"


@pytest.mark.parametrize("line", ["", "\n", "\r\n", "\r\n\r\n", " \n"])
def test_what_stands_between_segments_does_not_count(line: str) -> None:
    reading, [found] = read(submission(line=line) + "\x1a\0\0")

    assert reading.verdict == "accepted"
    assert found.problems == ()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 1 << 20])
def test_the_size_of_chunks_does_not_matter(size: int) -> None:
    body = submission(pharmacy(*(record(DSP02=f"7{n}") for n in range(9))))

    reading, found = read(body, size=size)

    assert reading.verdict == "accepted"
    assert [each.number for each in found] == list(range(1, 10))
    assert [each.elements["DSP02"] for each in found] == [f"7{n}" for n in range(9)]
    whole = [each.byte_offset for each in read(body, size=1 << 20)[1]]
    text = body.encode()
    for each, offset in zip(found, whole, strict=True):
        start = text.index(b"DSP*00*7%d*" % (each.number - 1))
        assert text[each.byte_offset : start].strip() == b""
        assert text[offset:start].strip() == b""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-16-le"])
def test_names_with_accents_are_read_in_any_encoding(encoding: str) -> None:
    body = submission(pharmacy(record(PAT07="PEÑA", PAT08="JOSÉ"))).encode(encoding)

    reading, [found] = read(body)

    assert (found.elements["PAT07"], found.elements["PAT08"]) == ("PEÑA", "JOSÉ")
    assert not found.held
    assert codes(reading.problems) == ([] if encoding == "utf-8" else ["W04"])


def test_a_byte_order_mark_is_skipped() -> None:
    reading, [found] = read(b"\xef\xbb\xbf" + submission(line="\r\n").encode())

    assert codes(reading.problems) == ["W04"]
    assert found.problems == ()


def test_blanks_around_elements_are_trimmed() -> None:
    padded = submission().replace("*", "* ").replace("~", " ~")

    reading, [found] = read(padded)

    assert reading.verdict == "accepted"
    assert found.elements["PAT07"] == "SAMPLE"


def test_segment_names_in_lower_case_are_read_with_a_warning() -> None:
    lower = [line.replace("PAT*", "pat*").replace("DSP*", "dsp*") for line in record()]

    reading, [found] = read(submission(pharmacy(lower)))

    assert codes(reading.problems) == ["W08"]
    assert found.problems == ()


def test_an_unknown_segment_is_passed_over_with_a_warning() -> None:
    reading, [found] = read(submission(pharmacy([*record(), "ZZZ*1*2"])))

    [problem] = reading.problems
    assert (problem.code, problem.segment) == ("W05", 7)
    assert found.problems == ()


def test_a_test_file_is_checked_and_says_so() -> None:
    reading, [found] = read(
        submission(header="TH*4.2B*CONTROL-1*01**20260105*101500*T**~")
    )

    assert reading.test
    assert codes(reading.problems) == ["W07"]
    assert not reading.refused
    assert found.dispensing is not None


def test_several_transactions_have_their_own_delimiters() -> None:
    second = submission(
        pharmacy(record(mark="|", DSP02="2"), mark="|"),
        header="TH|4.2A|CONTROL-2|01||20260105|101500|P||\\",
        source="IS|2035550100|CORNER PHARMACY|",
        trailer="TT|CONTROL-2|8",
        end="\\",
        mark="|",
    )

    reading, found = read(submission() + second + submission())

    assert reading.problems == []
    assert [each.transaction for each in found] == [1, 2, 3]
    assert [each.version for each in found] == ["4.2B", "4.2A", "4.2B"]
    assert [each.segment_number for each in found] == [5, 13, 21]
    assert reading.counts.duplicate == 1


def test_wrong_counts_are_told_and_forgiven() -> None:
    body = submission(pharmacy(record(), trailer="9"), trailer="TT*CONTROL-1*99")

    reading, [found] = read(body)

    assert [(each.code, each.element) for each in reading.problems] == [
        ("W01", "TP01"),
        ("W01", "TT02"),
    ]
    assert "there are 5" in reading.problems[0].message
    assert not found.held


def test_a_reading_can_be_had_once_for_the_verdict_and_again_for_the_records() -> None:
    body = submission().removesuffix("TT*CONTROL-1*8~\n")

    reading, found = read(body)

    assert reading.refused
    assert reading.transactions[0].refused
    assert len(found) == 1  # seen, but not to be stored


@pytest.mark.parametrize("version", ["4.2", "4.2A", "4.2B"])
def test_versions_in_use_are_accepted(version: str) -> None:
    reading, [found] = read(submission().replace("4.2B", version))

    assert not reading.refused
    assert found.version == version
    assert found.problems == () or version == "4.2"


@pytest.mark.parametrize("version", ["4.0", "4.1", "5.0"])
def test_other_versions_are_readable_where_the_programme_accepts_them(
    version: str,
) -> None:
    body = submission(pharmacy(record(DSP23="", PRE10="", DSP17="")))
    body = body.replace("4.2B", version)

    refused, _ = read(body)
    accepted, [found] = read(body, accepted=frozenset({version}))

    assert codes(refused.problems) == ["F03"]
    assert not accepted.refused
    assert found.dispensing is not None


def test_a_partial_fill_means_another_thing_until_version_4_1() -> None:
    body = submission(
        pharmacy(
            record(DSP13="01", DSP23="", PRE10="", DSP17="", DSP01=""),
            record(DSP13="02", DSP23="", PRE10="", DSP17=""),
        )
    ).replace("4.2B", "4.1")

    _, found = read(body, accepted=frozenset({"4.1"}))

    given = [each.dispensing for each in found]
    assert [each.partial_number for each in given if each] == [1, 0]
    assert [each.status for each in given if each] == [Status.NEW, Status.NEW]


def test_version_4_0_needs_no_terminator_element() -> None:
    body = submission(
        pharmacy(record(DSP13="02", DSP23="", PRE10="", DSP17="", PRE08="")),
        header="TH*4.0*CONTROL-1*01**20260105*101500*P*:",
        end="\\",
        line="\r\n",
    )

    reading, [found] = read(body, accepted=frozenset({"4.0"}))

    assert reading.problems == []
    assert found.problems == ()


def test_a_social_security_number_is_not_kept() -> None:
    for change in ({"PAT02": "07", "PAT03": "612345678"}, {"PAT03": "612-34-5678"}):
        _, [found] = read(submission(pharmacy(record(**change))))

        assert codes(found.problems) == ["R20"]
        assert found.dispensing is not None
        assert found.dispensing.patient.id_number == ""
        told = f"{found.elements} {found.problems} {found.dispensing}"
        assert change["PAT03"] not in told


def test_most_records_go_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    slow: list[int] = []
    learn = HappyPath.learn

    def noted(self: HappyPath, found: asap.Record, walk: object) -> None:
        slow.append(found.number)
        learn(self, found, walk)  # type: ignore[arg-type]

    monkeypatch.setattr(HappyPath, "learn", noted)
    body = submission(pharmacy(*(record(DSP02=f"7{n}") for n in range(50))))

    reading, found = read(body, size=1 << 20)

    assert len(found) == reading.counts.good == 50
    # The first teaches, the last has no segment behind it that the quick way knows.
    assert len(slow) <= 2


def test_problems_are_plain_for_json() -> None:
    _, [found] = read(submission(pharmacy(record(DSP09="-5"))))

    [problem] = found.problems
    told = problem.as_json()
    assert told["severity"] == Severity.ERROR.value == "error"
    assert told["element"] == "DSP09"
    assert told["segment"] == 5
    assert told["value"] == "-5"
    assert told["message"]
    assert told["fix"]


def test_ten_thousand_transactions_are_read_in_one_pass() -> None:
    one = submission(line="").encode()
    reading = asap.read(in_chunks(one * 2000, 1 << 16), today=TODAY)

    assert sum(1 for _ in reading) == 2000
    assert not reading.refused


def test_segment_writes_what_it_is_given() -> None:
    assert segment("DSP", {"DSP01": "00", "DSP03": "X", "PAT01": "Y"}) == "DSP*00**X"

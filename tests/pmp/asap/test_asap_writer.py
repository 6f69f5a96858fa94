"""What the product writes, its own reader reads again as it was."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmp import asap
from pmp.asap import elements, writer
from tests.pmp.asap.files import PHARMACY, RECORD, TODAY

AT = datetime(2026, 1, 6, 10, 14)  # noqa: DTZ001 - the file says local time
GOOD = PHARMACY | RECORD


def written(
    *records: dict[str, str], version: str = "4.2B", message: str = ""
) -> bytes:
    return writer.write(
        records,
        version=version,
        control_number="C1",
        sender_id="2035550100",
        sender="CORNER PHARMACY",
        written=AT,
        message=message,
    )


def read_back(
    body: bytes, version: str = "4.2B"
) -> tuple[asap.Reading, list[asap.Record]]:
    reading = asap.read(
        [body], today=TODAY, programme=asap.Programme(frozenset({version}))
    )
    return reading, list(reading)


@pytest.mark.parametrize("version", elements.VERSIONS)
def test_a_record_comes_back_as_it_was_written(version: str) -> None:
    known = elements.by_id(version)
    record = {name: text for name, text in GOOD.items() if name in known}

    reading, [found] = read_back(written(record, version=version), version)

    assert found.elements == record
    assert not [each for each in reading.problems if each.severity != "warning"]
    assert [each.code for each in reading.problems if each.code != "W14"] == []
    assert found.created == "20260106101400"


def test_pharmacies_patients_and_ingredients_keep_their_places() -> None:
    compound = GOOD | {"DSP07": "06", "DSP08": "99999000001", "DSP02": "2"}
    for nth, ndc in (("", "00406051201"), (".2", "00406012301")):
        compound |= {
            f"CDI01{nth}": nth[1:] or "1",
            f"CDI02{nth}": "01",
            f"CDI03{nth}": ndc,
            f"CDI04{nth}": "5",
        }
    other = GOOD | {"PHA03": "BV5100110", "PHA04": "ELM", "DSP02": "3"}

    body = written(GOOD, compound, other)
    reading, records = read_back(body)

    assert [record.elements for record in records] == [GOOD, compound, other]
    assert body.count(b"\nPAT*") == 2  # once for a patient's two records
    assert [pharmacy.name for pharmacy in reading.pharmacies] == [
        "CORNER PHARMACY",
        "ELM",
    ]


def test_a_zero_report_names_its_days() -> None:
    zero = PHARMACY | {"PAT07": "REPORT", "PAT08": "ZERO", "DSP05": "20260105"}

    _, [found] = read_back(written(zero, message="#20260101#-#20260105#"))

    assert found.zero_report
    assert found.zero_report.since == date(2026, 1, 1)
    assert found.zero_report.until == date(2026, 1, 5)


@given(st.text("*|^~\\@# ABCÑé", max_size=20))
def test_no_text_breaks_the_file(directions: str) -> None:
    record = GOOD | {"DSP23": directions}

    _, [found] = read_back(written(record))

    assert found.elements.get("DSP23", "") == " ".join(directions.split())
    assert found.elements["PRE02"] == GOOD["PRE02"]


def test_a_text_with_every_sign_is_refused_not_broken() -> None:
    with pytest.raises(ValueError, match="every character"):
        written(GOOD | {"DSP23": "*|^!`"})

"""Checks a submission's records again, as the user who corrects them changes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from models import RecordStatus, Submission, SubmissionProblem, SubmissionRecord, User
from pmp import asap, clock, drugs, identifiers
from pmp.reporters import Coverage, coverage_of, pharmacy_key
from pmp.uploads.intake import Decided
from pmp.uploads.outcomes import problem_rows
from pmp.uploads.programme import programme
from pmp.uploads.remarks import not_covered

Elements = Mapping[str, str]


@dataclass(frozen=True)
class Checker:
    """What a check of one submission's records needs, the same for all of them.

    `today` is the day on which the file came, so that a record is judged as it was.
    """

    version: str
    today: date
    coverage: Coverage
    programme: asap.Programme

    def check(self, elements: Elements) -> asap.Record:
        """Apply the rules of the standard to elements (“DSP10” → text)."""
        return asap.recheck(
            dict(elements),
            version=self.version,
            today=self.today,
            programme=self.programme,
        )

    def judge(self, elements: Elements) -> Decided:
        """Tell what would hold the elements before they meet the tables of fills."""
        checked = self.check(elements)
        key = pharmacy_key(checked.pharmacy)
        remarks = () if self.covers(checked) else (not_covered(*key),)
        return Decided(checked, RecordStatus.HELD, remarks)

    def covers(self, checked: asap.Record) -> bool:
        """Whether the user may report for the record's pharmacy."""
        return self.coverage.covers(checked.pharmacy)


def checker_for(submission: Submission, *, by: User) -> Checker:
    """Give what checks a submission's records for a user."""
    return Checker(
        version=submission.version,
        today=clock.day_of(submission.received_at),
        coverage=coverage_of(by),
        programme=programme(),
    )


def current(record: SubmissionRecord) -> dict[str, str]:
    """Give a kept record's elements as they are now: as given, then as corrected."""
    given: dict[str, str] = record.elements
    return {**given, **record.corrections}


def changed(record: SubmissionRecord, elements: Elements) -> dict[str, str]:
    """Give the elements that differ from the file's; “” where one was emptied."""
    given: dict[str, str] = record.elements
    return {
        name: text
        for name in sorted(given.keys() | elements.keys())
        if (text := elements.get(name, "")) != given.get(name, "")
    }


def problems_of(
    record: SubmissionRecord, elements: Elements, *, checker: Checker
) -> list[SubmissionProblem]:
    """List what is wrong with a record's elements as they are now; rows not saved.

    A product that the drug table lacks is told as well: the record would be stored
    without its dose.
    """
    rows = problem_rows(checker.judge(elements), record.number)
    rows += _unknown_product(elements, record)
    return [SubmissionProblem(submission=record.submission, **row) for row in rows]


def _unknown_product(
    elements: Elements, record: SubmissionRecord
) -> list[dict[str, Any]]:
    text = elements.get("DSP08", "")
    if elements.get("DSP07", "").zfill(2) != "01" or not text:
        return []
    try:
        ndc = identifiers.parse_ndc(text)
    except ValueError:
        return []
    if not ndc.strip("0") or drugs.facts_for([ndc]):
        return []
    return [
        {
            "record_number": record.number,
            "code": "P05",
            "severity": "warning",
            "segment_id": "DSP",
            "element": "DSP08",
            "value": text,
            "message": "The drug table has no product with this NDC.",
            "fix": "Compare it with the package; leave it if it is right.",
        }
    ]

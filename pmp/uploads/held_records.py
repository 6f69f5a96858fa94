"""Held records as people recognise them: whose it is, what, by whom; which is next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from models import RecordStatus, Submission, SubmissionRecord
from pmp import drugs, identifiers
from pmp.asap.draft import parse_day
from pmp.uploads.suggestions.registered import prescriber_name
from pmp.wording import ndc as written_ndc
from pmp.wording import person_name, us_date


@dataclass(frozen=True)
class Summary:
    """A record in words; “” for what its elements do not tell."""

    patient: str
    born: str
    drug: str
    supply: str
    prescriber: str
    prescription: str
    filled: str

    @property
    def parts(self) -> list[str]:
        """Give what is told, in the order in which it is read."""
        told = (
            self.patient,
            self.born,
            self.drug,
            self.supply,
            self.prescriber,
            self.prescription,
            self.filled,
        )
        return [part for part in told if part]


def summary_of(elements: Mapping[str, str]) -> Summary:
    """Tell what a record is: drug and prescriber by name, days as people write them."""
    (found,) = summaries_of([elements])
    return found


def summaries_of(records: Iterable[Mapping[str, str]]) -> list[Summary]:
    """Tell what each of some records is, in their order."""
    kept = list(records)
    codes = {ndc for elements in kept if (ndc := _ndc(elements))}
    facts = drugs.facts_for(codes)
    names: dict[str, str] = {}
    for elements in kept:
        dea = elements.get("PRE02", "")
        if dea not in names:
            names[dea] = prescriber_name(dea)
    return [_summary(each, facts, names[each.get("PRE02", "")]) for each in kept]


def position(record: SubmissionRecord) -> tuple[int, int]:
    """Give a held record's place among the held ones, from 1, and how many are."""
    place = _held(record.submission).where(SubmissionRecord.number <= record.number)
    return place.count(), _held(record.submission).count()


def next_after(submission: Submission, number: int) -> int | None:
    """Give the next held record's number, from the start again; None if no other is."""
    held = _held(submission).where(SubmissionRecord.number != number)
    lowest = fn.MIN(SubmissionRecord.number)
    for query in (held.where(SubmissionRecord.number > number), held):
        if found := query.select(lowest).scalar():
            return int(found)
    return None


def _held(submission: Submission) -> Any:
    return (
        SubmissionRecord.select()
        .where(SubmissionRecord.submission == submission)
        .where(SubmissionRecord.status == RecordStatus.HELD)
    )


def _summary(
    elements: Mapping[str, str], facts: Mapping[str, drugs.ProductFacts], roster: str
) -> Summary:
    ndc, dea = _ndc(elements), elements.get("PRE02", "")
    drug = facts[ndc].drug_name if ndc in facts else ""
    code = elements.get("DSP08", "")
    named = person_name(elements.get("PRE05", ""), elements.get("PRE06", ""))
    number, fill = elements.get("DSP02", ""), elements.get("DSP06", "")
    return Summary(
        patient=person_name(elements.get("PAT07", ""), elements.get("PAT08", "")).strip(
            ", "
        ),
        born=_day("born ", elements.get("PAT18", "")),
        drug=drug or (f"NDC {written_ndc(code)}" if code else ""),
        supply=_supply(elements),
        prescriber=f"by {roster or named}" if roster or named.strip(", ") else dea,
        prescription=f"Rx {number}, fill {fill or '?'}" if number else "",
        filled=_day("filled ", elements.get("DSP05", "")),
    )


def _supply(elements: Mapping[str, str]) -> str:
    quantity, days = elements.get("DSP09", ""), elements.get("DSP10", "")
    told = f"quantity {quantity}" if quantity else ""
    return f"{told} for {days} days".strip() if days else told


def _day(words: str, text: str) -> str:
    day = parse_day(text)
    return f"{words}{us_date(day)}" if day else ""


def _ndc(elements: Mapping[str, str]) -> str:
    try:
        return identifiers.parse_ndc(elements.get("DSP08", ""))
    except ValueError:
        return ""

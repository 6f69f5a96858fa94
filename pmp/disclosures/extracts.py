"""What of a person's record belongs to a scope: whose, which days, which classes.

No more than was asked for: an earlier fill whose supply runs into the days is not in
it, nor what is withheld, nor a fill for an animal of the same name.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pmp import clock, drug_classes, mme, reported_drugs, settings, withheld
from pmp.disclosures import names
from pmp.history import entries, identities, rows
from pmp.history.entries import Entry
from pmp.history.identities import Identity
from pmp.reported_drugs import Audience


@dataclass(frozen=True)
class Extract:
    """A person's entries within a scope, newest first, and how they were reported."""

    patient_id: int
    name: str
    birth_date: date
    reported_as: Sequence[Identity]
    entries: Sequence[Entry]


def extract(
    patient_id: int,
    *,
    since: date,
    until: date,
    at: datetime,
    classes: Collection[str] = (),
) -> Extract:
    """Give a person's entries of these days, of some classes or, with none, of all."""
    name, birth_date = names.of_patient(patient_id)
    fills = [
        row
        for row in rows.of_patient(patient_id, since, until)
        if row["filled_on"] >= since and _is_wanted(row, classes)
    ]
    found = entries.read(
        fills,
        rules=mme.rule_set(settings.current().mme_rule_set),
        since=since,
        today=clock.day_of(at),
        disputed=rows.disputed_since(patient_id),
        corrected=rows.corrected_at(patient_id),
    )
    return Extract(
        patient_id=patient_id,
        name=name,
        birth_date=birth_date,
        reported_as=_reported_as(patient_id),
        entries=[entry for entry in found if not entry.is_animal],
    )


def classes() -> list[str]:
    """Give the words of the programme's reported drugs that a scope may name."""
    policy = reported_drugs.parse(settings.current().reported_drugs)
    return [word for word, whom in policy.items() if whom is Audience.EVERYONE]


def _is_wanted(row: dict[str, object], wanted: Collection[str]) -> bool:
    words = drug_classes.words_of(str(row["ingredient"]))
    kind = getattr(row["drug_class"], "value", "")
    return (
        not wanted
        or not words.isdisjoint(wanted)
        or bool({kind, row["schedule"]}.intersection(wanted))
    )


def _reported_as(patient_id: int) -> list[Identity]:
    if withheld.only_withheld([patient_id]):
        return []
    found = identities.of_patient(patient_id)
    return [each for each in found if not each.is_animal]

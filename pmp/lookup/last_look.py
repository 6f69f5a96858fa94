"""What has changed in a patient's report since this user looked last.

Each look writes down which entries it showed, in which version; so an entry that was
voided, or that went to another person, is told to whoever had seen it here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from peewee import fn

from models import (
    Dispensation,
    DispensationVersion,
    LookUp,
    ReportSeen,
)
from pmp import withheld
from pmp.history import PatientReport
from pmp.history.entries import Entry
from pmp.lookup.shown_entries import as_shown
from pmp.matching import whereabouts
from pmp.matching.whereabouts import Stay
from pmp.prepared import Given, Question, prepared
from pmp.thresholds.correction_notices import FIELDS
from pmp.wording import us_time

NO_DELEGATION = 0  # an id that no row has
VOIDED = "removed: it was reported in error"
ANOTHERS = "it belongs to another person"


@dataclass(frozen=True)
class Removed:
    """An entry that was shown then and is not this patient's any more."""

    row_code: str
    filled_on: date
    drug: str
    why: str


@dataclass(frozen=True)
class LastLook:
    """The difference from a user's look before this one, by row code.

    `changed` maps an entry to the names of what changed in it.
    """

    at: datetime
    new: frozenset[str] = frozenset()
    changed: Mapping[str, str] = field(default_factory=dict)
    removed: Sequence[Removed] = ()

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        counts = (
            (len(self.new), "new"),
            (len(self.changed), "changed"),
            (len(self.removed), "removed"),
        )
        said = [f"{number} {word}" for number, word in counts if number]
        what = ", ".join(said) if said else "nothing has changed"
        return f"Since your last look on {us_time(self.at)}: {what}."

    def mark(self, entry: Entry) -> str:
        """Give the mark of an entry's row; empty if it was seen as it stands."""
        if entry.row_code in self.new:
            return "new since your last look"
        if names := self.changed.get(entry.row_code):
            return f"changed since your last look: {names}"
        return ""


def note(look_up: LookUp, report: PatientReport, *, at: datetime) -> None:
    """Write down what a look-up's report shows, in the caller's transaction."""
    shown = {entry.row_code: entry.version for entry in report.entries}
    _write.change(look_up=look_up.id, at=at, entries=shown)


def before(look_up: LookUp, report: PatientReport) -> LastLook | None:
    """Compare a report with the one that its user saw last; None if there is none."""
    seen = _seen_before(look_up, report.patient_id)
    if seen is None:
        return None
    known: dict[str, int] = seen.entries
    now = {entry.row_code: entry for entry in report.entries}
    older = {
        code: known[code]
        for code, entry in now.items()
        if code in known and entry.version > known[code]
    }
    gone = {code: known[code] for code in known.keys() - now.keys()}
    return LastLook(
        at=seen.seen_at,
        new=frozenset(
            code
            for code, entry in now.items()
            if code not in known and _is_new(entry, seen)
        ),
        changed=_changes(older, now),
        removed=_removed(gone, report),
    )


def asked(look_up: LookUp, patient_id: int) -> list[Question]:
    """Give what `before` asks of nearly everybody, for `pmp.prepared.ahead`."""
    return [whereabouts.stays_of_asked(patient_id), _seen_of(look_up, patient_id)]


def _seen_of(look_up: LookUp, patient_id: int) -> Question:
    return _seen.asked(
        user=look_up.__data__["user"],
        look_up=look_up.id,
        patient=patient_id,
        delegation=_behalf(look_up),
    )


def _seen_before(look_up: LookUp, patient_id: int) -> ReportSeen | None:
    """Give what the user saw last of whoever is this patient today."""
    stayed = whereabouts.stays_of(patient_id)
    if stayed == [Stay(patient_id)]:  # of nearly everybody staff never decided
        alone: ReportSeen | None = _seen.one(**_seen_of(look_up, patient_id).given)
        return alone
    found: ReportSeen | None = (
        _seen_by(look_up.__data__["user"], look_up.id, _behalf(look_up))
        .where(whereabouts.whose(stayed, LookUp.patient, LookUp.at))
        .first()
    )
    return found


@prepared
def _write() -> Any:
    at = Given("at", into=ReportSeen.seen_at)
    entries = Given("entries", into=ReportSeen.entries)
    return ReportSeen.insert(
        look_up=Given("look_up"), seen_at=at, entries=entries
    ).on_conflict(
        conflict_target=[ReportSeen.look_up],
        update={ReportSeen.seen_at: at, ReportSeen.entries: entries},
    )


@prepared
def _seen() -> Any:
    query = _seen_by(Given("user"), Given("look_up"), Given("delegation"))
    return query.where(LookUp.patient == Given("patient")).limit(1)


def _behalf(look_up: LookUp) -> int:
    number: int | None = look_up.__data__["delegation"]
    return number or NO_DELEGATION


def _seen_by(user: Any, look_up: Any, delegation: Any) -> Any:
    """Give the query of what a user saw before a look-up, the latest first.

    On the same behalf: what a delegate saw for another supervisor is not told.
    """
    return (
        ReportSeen.select(ReportSeen, LookUp.since, LookUp.until)
        .join(LookUp)
        .where(LookUp.user == user)
        .where(LookUp.id < look_up)
        .where(fn.COALESCE(LookUp.delegation, NO_DELEGATION) == delegation)
        .order_by(LookUp.id.desc())
    )


def _is_new(entry: Entry, seen: ReportSeen) -> bool:
    """Tell new entries from old ones that lay outside of the period looked at then."""
    within = seen.look_up.since <= entry.filled_on <= seen.look_up.until
    return within or entry.stored_at > seen.seen_at


def _changes(older: Mapping[str, int], now: Mapping[str, Entry]) -> dict[str, str]:
    """Name what differs from the version that was seen."""
    if not older:
        return {}
    query: Any = (
        DispensationVersion.select(
            DispensationVersion.version,
            DispensationVersion.content,
            Dispensation,
        )
        .join(Dispensation)
        .where(Dispensation.row_code.in_(sorted(older)))
        .where(withheld.shown())
        .dicts()
    )
    changed = dict.fromkeys(older, "")
    for row in query:
        code = row["row_code"]
        if row["version"] == older[code]:
            changed[code] = _names(row)
    return {code: names or "details" for code, names in changed.items() if code in now}


def _names(row: Mapping[str, Any]) -> str:
    was = row["content"]
    differs = (
        words.lower()
        for name, words in FIELDS.items()
        if str(was.get(name)) != str(row.get(name))
    )
    return ", ".join(differs)


def _removed(gone: Mapping[str, int], report: PatientReport) -> list[Removed]:
    """Give what of a look's entries is gone, each as it was shown then."""
    return [
        Removed(
            row_code=each.row_code,
            filled_on=each.filled_on,
            drug=each.drug_name,
            why=VOIDED if each.is_own else ANOTHERS,
        )
        for each in as_shown(gone, patient_id=report.patient_id)
        if report.since <= each.filled_on <= report.until
        if not (each.is_own and each.stands)
    ]

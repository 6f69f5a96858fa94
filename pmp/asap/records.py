"""Records as the reader gives them, and what it counts while it reads."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from pmp.asap import elements
from pmp.asap.advice import social_security_elements
from pmp.asap.dispensing import (
    Dispensing,
    Pharmacy,
    Status,
    ZeroReport,
    dispensing_of,
    pharmacy_of,
    status_of,
    zero_report_of,
)
from pmp.asap.draft import Draft, places_of
from pmp.asap.judgement import problems_of
from pmp.asap.problems import Problem, Severity
from pmp.asap.programme import USUAL, Programme

_HIDDEN = "*********"


@dataclass(slots=True)
class Transaction:
    """One TH…TT of a file.

    `number` counts from 1; `created` is TH05 and TH06, CCYYMMDDHHMMSS, “” if they are
    no time; `segments` counts TH and TT too; `refused` is set as soon
    as a fatal problem is found in it, which can be at its very end.
    """

    number: int
    version: str
    control_number: str
    created: str = ""
    sender_id: str = ""
    sender: str = ""
    test: bool = False
    refused: bool = False
    segments: int = 0
    records: int = 0
    pharmacies: int = 0


@dataclass(slots=True)
class Counts:
    """How many records of a file are what; `warned` are good ones with a warning.

    read = good + held + duplicate + zero_reports.
    """

    read: int = 0
    good: int = 0
    held: int = 0
    duplicate: int = 0
    zero_reports: int = 0
    warned: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """What the records of one PHA segment share; `mark` tells pharmacies apart."""

    transaction: int
    version: str
    delimiter: bytes
    today: date
    pharmacy: Pharmacy
    elements: Mapping[str, str] = field(default_factory=dict)
    place: tuple[int, int] = (0, 0)
    mark: int = 0
    created: str = ""
    programme: Programme = USUAL


@dataclass(slots=True)
class Record:
    """One DSP segment and what belongs to it.

    `number` counts the records of the file from 1; `transaction` tells its TH…TT;
    `segment_number` and `byte_offset` place its DSP.  Reading a large file stays
    cheap because the text is taken apart only when `elements` or `dispensing` is
    asked for.
    """

    number: int
    segment_number: int
    byte_offset: int
    status: Status | None
    origin: Origin
    segments: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    problems: tuple[Problem, ...] = ()
    draft_made: Draft | None = None
    _dispensing: Dispensing | None = None

    @property
    def transaction(self) -> int:
        """The number of its transaction."""
        return self.origin.transaction

    @property
    def version(self) -> str:
        """The version of the standard that it is written in."""
        return self.origin.version

    @property
    def created(self) -> str:
        """When its transaction was written, CCYYMMDDHHMMSS; “” if it does not say."""
        return self.origin.created

    @property
    def pharmacy(self) -> Pharmacy:
        """The pharmacy, also of a held record or a zero report."""
        return self.origin.pharmacy

    @property
    def held(self) -> bool:
        """Whether it must wait for a correction; what is fatal must too."""
        return any(
            problem.severity is not Severity.WARNING for problem in self.problems
        )

    @property
    def draft(self) -> Draft:
        """The elements as the rules see them, Social Security numbers included."""
        if self.draft_made is None:
            self.draft_made = _draft_of(self)
        return self.draft_made

    @property
    def dispensing(self) -> Dispensing | None:
        """The typed view; None for a held record and for a zero report."""
        if self._dispensing is None and not self.held and not self._zero:
            self._dispensing = dispensing_of(self.draft, self.pharmacy)
        return self._dispensing

    @property
    def zero_report(self) -> ZeroReport | None:
        """The days without a dispensation; None for a held record or any other."""
        if self.held or not self._zero:
            return None
        return zero_report_of(self.draft, self.pharmacy)

    @property
    def _zero(self) -> bool:
        """Whether it is a zero report; the quick way reads none, so has no draft."""
        return self.draft_made is not None and self.draft_made.zero

    @property
    def elements(self) -> dict[str, str]:
        """Element id → text, empty ones left out, Social Security numbers hidden."""
        found = dict(self.draft.elements)
        for element in social_security_elements(self.draft):
            found[element] = _HIDDEN
        return found


def recheck(
    elements: Mapping[str, str],
    *,
    version: str,
    today: date,
    programme: Programme = USUAL,
) -> Record:
    """Check the elements of one record again, as corrected on a page.

    `elements` is what `Record.elements` gave, with changes: id → text.  The record
    has number 0 and stands nowhere; `held` tells whether it can be stored now.
    KeyError if the version cannot be read.
    """
    given = {element: text.strip() for element, text in elements.items()}
    given = {
        element: text
        for element, text in given.items()
        if text and element.partition(".")[0] not in programme.not_used
    }
    draft = Draft(given, version, today, places=places_of(given), programme=programme)
    origin = Origin(
        transaction=0,
        version=version,
        delimiter=b"*",
        today=today,
        pharmacy=pharmacy_of(draft),
        programme=programme,
    )
    return record_of(draft, origin=origin, number=0)


def record_of(draft: Draft, *, origin: Origin, number: int) -> Record:
    """Judge a draft by every rule and give its record."""
    segment_number, offset = draft.places.get("DSP", (0, 0))
    return Record(
        number=number,
        segment_number=segment_number,
        byte_offset=offset,
        status=status_of(draft),
        origin=origin,
        problems=problems_of(draft, number=number or None),
        draft_made=draft,
    )


def parse(
    raw: bytes,
    delimiter: bytes,
    segment: str,
    version: str,
    not_used: Collection[str] = (),
) -> dict[str, str]:
    """Take a segment apart: element id → text, blanks trimmed, empty ones left out."""
    ids = _ids(segment, version)
    texts = decode(raw).split(delimiter.decode("latin-1"))[1:]
    found = {
        element: text
        for element, given in zip(ids, texts, strict=False)
        if (text := given.strip())
    }
    for place, given in enumerate(texts[len(ids) :], start=len(ids) + 1):
        if text := given.strip():
            found[f"{segment}{place:02}"] = text
    for element in not_used:
        found.pop(element, None)
    return found


def decode(raw: bytes) -> str:
    """Read bytes as UTF-8, or else as Windows-1252, as older pharmacy systems write."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _ids(segment: str, version: str) -> tuple[str, ...]:
    return _IDS.get((segment, version), ())


_IDS = {
    (segment, version): tuple(element.id for element in found)
    for version in elements.VERSIONS
    for segment, found in elements.layout(version).items()
}


def _draft_of(record: Record) -> Draft:
    """Take apart the segments of a record that the quick way has read."""
    origin, (patient, dispensed, prescriber) = record.origin, record.segments
    given = dict(origin.elements)
    not_used = origin.programme.not_used
    for segment, raw in (("PAT", patient), ("DSP", dispensed), ("PRE", prescriber)):
        given |= parse(raw, origin.delimiter, segment, origin.version, not_used)
    place = (record.segment_number, record.byte_offset)
    places = {"PHA": origin.place, "PAT": place, "DSP": place, "PRE": place}
    return Draft(
        given, origin.version, origin.today, places, programme=origin.programme
    )

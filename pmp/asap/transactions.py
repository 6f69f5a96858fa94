"""One TH…TT of a file, segment by segment: nesting, counts, records."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from pmp.asap import elements
from pmp.asap.advice import pharmacy_faults
from pmp.asap.delimiters import Delimiters
from pmp.asap.dispensing import Pharmacy, pharmacy_of
from pmp.asap.draft import Draft, parse_day
from pmp.asap.envelope import Journal
from pmp.asap.problems import Problem, Severity
from pmp.asap.records import Origin, Record, Transaction, parse, record_of
from pmp.asap.rules import CATALOGUE

NOISE = b" \t\r\n\0\x1a"
"""What may stand between segments: blanks, line ends, NUL, the old end-of-file mark."""

Place = tuple[int, int]
Patient = tuple[bytes, int, int, int]
"""A PAT segment: its text, day of birth as a number if the quick way may use it (else
0), segment number and byte offset."""
Handler = Callable[[bytes, Place], Record | None]
_OF_PHARMACY = ("E13", "E19", "W06")
_REPLIES = {"02", "03"}


@dataclass(slots=True)
class Group:
    """The segments of a record that is not complete yet."""

    draft: Draft
    origin: Origin
    raw: list[bytes]


@dataclass(slots=True)
class Walk:
    """Where the reading of a transaction stands; one object for both ways of reading.

    `segment` is the number in the file of the last segment, `first` that of TH,
    `record` the number in the file of the last record.
    """

    segment: int
    first: int
    record: int
    origin: Origin
    pharmacy_place: Place = (0, 0)
    in_pharmacy: bool = False
    patient: Patient | None = None
    patient_used: bool = True
    orphan_pre: bool = False
    group: Group | None = None
    seen: set[str] = field(default_factory=set)
    sound: bool = False

    @property
    def may_be_quick(self) -> bool:
        """Whether nothing is pending that only the segments one by one settle."""
        return (
            self.sound
            and self.in_pharmacy
            and self.patient_used
            and not self.orphan_pre
            and "zero" not in self.seen
        )


class TransactionReader:
    """Takes the segments of one transaction and makes its records.

    `segment(raw, offset)` gives the record that the segment completes, if any;
    `close()` gives the one still open.  `done` is set by TT.
    """

    def __init__(
        self,
        *,
        header: Transaction,
        delimiters: Delimiters,
        today: date,
        journal: Journal,
        walk_from: tuple[int, int],
    ) -> None:
        self.header = header
        self.journal = journal
        self.today = today
        self.done = False
        self.delimiters = delimiters
        self.pharmacies: list[Pharmacy] = []
        self._element = delimiters.element
        self._named = dict[str, str]()
        nobody = pharmacy_of(Draft({}, header.version, today))
        origin = Origin(header.number, header.version, self._element, today, nobody)
        self.walk = Walk(walk_from[0], walk_from[0], walk_from[1], origin)
        self._broken = re.compile(
            rb"[\r\n]\s*(" + b"|".join(map(str.encode, elements.SEGMENTS)) + rb")"
            rb"\s*" + re.escape(self._element),
            re.IGNORECASE,
        )
        self._handlers: dict[str, Handler] = {
            "IS": self._source,
            "PHA": self._pharmacy,
            "PAT": self._patient,
            "DSP": self._dispensation,
            "PRE": self._prescriber,
            "CDI": self._detail,
            "AIR": self._detail,
            "TP": self._pharmacy_trailer,
            "TT": self._trailer,
        }

    def begin(self, raw: bytes, place: Place) -> None:
        """Take the TH segment."""
        given = self._parse(raw, "TH")
        self.header.control_number = given.get("TH02", "")
        self.header.created = _created(given)
        self.header.test = given.get("TH07", "").upper() == "T"
        if self.header.test:
            self.journal.report("W07", place=place, at="TH07", value="T")
        elif given.get("TH07", "").upper() != "P":
            self._invalid("TH07", given.get("TH07", ""), place)
        if parse_day(given.get("TH05", "")) is None:
            self._invalid("TH05", given.get("TH05", ""), place)
        marks = self.delimiters
        if marks.named != marks.terminator and self.header.version != "4.0":
            named, used = (
                marks.named.decode("latin-1"),
                marks.terminator.decode("latin-1"),
            )
            words = f"“{named}”" if named else "nothing", f"“{used}”"
            self.journal.report("W03", *words, place=place, at="TH09")
        if given.get("TH03") in _REPLIES:
            self._fatal("F11", given["TH03"], place=place, at="TH03")

    def segment(self, raw: bytes, offset: int) -> Record | None:
        """Take the next segment, without its terminator; blank ones do not count."""
        raw = self._clean(raw, offset)
        if not raw:
            return None
        self.walk.segment += 1
        place = (self.walk.segment, offset)
        self._look_for_lost_terminator(raw, place)
        given_id = raw.partition(self._element)[0].strip().decode("latin-1")
        segment_id = given_id.upper()
        if segment_id not in self._handlers:
            self.journal.report("W05", given_id[:8], place=place, at=segment_id[:8])
            return None
        if given_id != segment_id:
            self.journal.once("W08", place=place)
        return self._handlers[segment_id](raw, place)

    def close(self) -> Record | None:
        """Give the record that is open, judged."""
        group, self.walk.group = self.walk.group, None
        if group is None:
            return None
        self.header.records += 1
        record = record_of(group.draft, origin=group.origin, number=self.walk.record)
        if record.draft.zero:
            self._mix("zero", record.draft.places["DSP"])
        else:
            self._mix("records", record.draft.places["DSP"])
        record.segments = (group.raw[0], group.raw[1], group.raw[2])
        return record

    def cut_off(self, how: str, offset: int) -> None:
        """Note that the file ends before the transaction does."""
        self._fatal("F06", how, place=(self.walk.segment + 1, offset))

    def unfinished(self, how: str, offset: int) -> None:
        """Note that a segment does not end."""
        self._fatal("F04", how, place=(self.walk.segment + 1, offset))

    def is_trailer(self, raw: bytes) -> bool:
        """Whether a segment that lacks its terminator is the whole TT all the same."""
        raw = raw.strip(NOISE)
        given = self._parse(raw, "TT") if raw[:2].upper() == b"TT" else {}
        count = self.walk.segment - self.walk.first + 2
        return given.get("TT02") == str(count)

    def _source(self, raw: bytes, _place: Place) -> None:
        given = self._parse(raw, "IS")
        self.header.sender_id = given.get("IS01", "")
        self.header.sender = given.get("IS02", "")
        self.walk.seen.add("IS")
        self._named = {"IS03": given["IS03"]} if "IS03" in given else {}

    def _pharmacy(self, raw: bytes, place: Place) -> Record | None:
        closed = self._leave_pharmacy(place)
        if "IS" not in self.walk.seen:
            self.journal.once("W13", place=place)
        given = self._parse(raw, "PHA")
        draft = Draft(given, self.header.version, self.today, {"PHA": place})
        pharmacy = pharmacy_of(draft)
        self.pharmacies.append(pharmacy)
        self.header.pharmacies += 1
        walk = self.walk
        walk.origin = Origin(
            self.header.number,
            self.header.version,
            self._element,
            self.today,
            pharmacy,
            elements=given | self._named,
            place=place,
            mark=hash((pharmacy.dea, pharmacy.ncpdp, pharmacy.npi)),
            created=self.header.created,
        )
        walk.pharmacy_place, walk.in_pharmacy = place, True
        walk.seen -= {"zero", "records"}
        holding = (CATALOGUE[code].check(draft) for code in _OF_PHARMACY)
        walk.sound = not any(fault for faults in holding for fault in faults)
        self._warn_of_pharmacy(draft)
        return closed

    def _warn_of_pharmacy(self, draft: Draft) -> None:
        for fault in pharmacy_faults(draft):
            segment, number, offset = draft.locate(fault.element)
            self.journal.add(
                Problem(
                    code="W14",
                    severity=Severity.WARNING,
                    segment=number,
                    byte_offset=offset,
                    record=None,
                    segment_id=segment,
                    element=fault.element,
                    value=draft[fault.element],
                    message=fault.message,
                    fix=fault.fix,
                )
            )

    def _patient(self, raw: bytes, place: Place) -> Record | None:
        closed = self._leave_patient()
        walk = self.walk
        walk.patient, walk.patient_used = (raw, 0, *place), False
        return closed

    def _dispensation(self, raw: bytes, place: Place) -> Record | None:
        closed = self.close()
        walk = self.walk
        walk.record += 1
        walk.patient_used = True
        places = {"PHA": walk.origin.place} if walk.in_pharmacy else {}
        if "IS03" in walk.origin.elements:
            places["IS"] = walk.origin.place
        given = dict(walk.origin.elements)
        text = b""
        if walk.patient is not None:
            text, _, *patient_place = walk.patient
            places["PAT"] = (patient_place[0], patient_place[1])
            given |= self._parse(text, "PAT")
        places["DSP"] = place
        given |= self._parse(raw, "DSP")
        draft = Draft(given, self.header.version, self.today, places)
        draft.orphan_pre, walk.orphan_pre = walk.orphan_pre, False
        walk.group = Group(draft, walk.origin, [text, raw, b""])
        return closed

    def _prescriber(self, raw: bytes, place: Place) -> None:
        group = self.walk.group
        if group is None:
            self.walk.orphan_pre = True
        elif group.draft.has("PRE"):
            group.draft.extra_pre = True
        else:
            self._add(group, "PRE", raw, place)
            group.raw[2] = raw

    def _detail(self, raw: bytes, place: Place) -> None:
        segment = raw[:3].decode().upper()
        group = self.walk.group
        if group is None:
            self.journal.report("W10", segment, place=place, at=segment)
            return
        taken = sum(each.partition(".")[0] == segment for each in group.draft.places)
        given = self._parse(raw, segment)
        if given or not group.draft.zero:
            name = f"{segment}.{taken + 1}" if taken else segment
            self._add(group, name, raw, place)
            group.raw[1] += b"\n" + raw

    def _add(self, group: Group, name: str, raw: bytes, place: Place) -> None:
        segment, _, nth = name.partition(".")
        given = self._parse(raw, segment)
        if nth:
            given = {f"{element}.{nth}": text for element, text in given.items()}
        group.draft.elements = {**group.draft.elements, **given}
        group.draft.places = {**group.draft.places, name: place}

    def _pharmacy_trailer(self, raw: bytes, place: Place) -> Record | None:
        closed = self._leave_patient()
        walk = self.walk
        if not walk.in_pharmacy:
            self.journal.report("W10", "TP", place=place, at="TP")
            return closed
        count = walk.segment - walk.pharmacy_place[0] + 1
        self._compare("TP01", self._parse(raw, "TP"), count, place)
        walk.in_pharmacy, walk.patient = False, None
        return closed

    def _trailer(self, raw: bytes, place: Place) -> Record | None:
        closed = self._leave_pharmacy(place)
        given = self._parse(raw, "TT")
        self.header.segments = self.walk.segment - self.walk.first + 1
        if given.get("TT01", "") != self.header.control_number:
            words = given.get("TT01", ""), self.header.control_number
            self._fatal("F07", *words, place=place, at="TT01")
        self._compare("TT02", given, self.header.segments, place)
        if not self.header.pharmacies:
            self._fatal("F05", place=place)
        self.done = True
        return closed

    def _leave_pharmacy(self, place: Place) -> Record | None:
        closed = self._leave_patient()
        if self.walk.in_pharmacy:
            self.journal.report("W02", place=place, at="TP")
        self.walk.in_pharmacy, self.walk.patient = False, None
        return closed

    def _leave_patient(self) -> Record | None:
        closed = self.close()
        walk = self.walk
        if not walk.patient_used and walk.patient:
            self.journal.report("W11", place=walk.patient[2:], at="PAT")
        walk.patient_used = True
        if walk.orphan_pre:
            self.journal.report("W10", "PRE", place=(walk.segment, 0), at="PRE")
            walk.orphan_pre = False
        return closed

    def _compare(
        self, element: str, given: dict[str, str], count: int, place: Place
    ) -> None:
        said = given.get(element, "")
        if said.lstrip("0") != str(count):
            words = (f"The trailer ({element})", said or "no", count)
            self.journal.report("W01", *words, place=place, at=element, value=said)

    def _mix(self, kind: str, place: Place) -> None:
        seen = self.walk.seen
        if kind not in seen:
            seen.add(kind)
            if {"zero", "records"} <= seen:
                self.journal.report("W09", place=place, at="DSP")

    def _clean(self, raw: bytes, offset: int) -> bytes:
        text = raw.strip(NOISE)
        if b"\0" in text:
            self.journal.once("W04", "it has NUL bytes", place=(0, offset))
            text = text.replace(b"\0", b"")
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                words = "it was read as Windows-1252"
                self.journal.once("W04", words, place=(self.walk.segment + 1, offset))
        return text

    def _look_for_lost_terminator(self, raw: bytes, place: Place) -> None:
        lost = self._broken.search(raw)
        if lost:
            words = f"it is not there before “{lost[1].decode()}”"
            self._fatal("F04", words, place=place)

    def _invalid(self, element: str, value: str, place: Place) -> None:
        words = elements.label(element), value
        self.journal.report("W12", *words, place=place, at=element, value=value)

    def _fatal(self, code: str, *words: object, place: Place, at: str = "") -> None:
        self.header.refused = True
        self.journal.report(code, *words, place=place, at=at)

    def _parse(self, raw: bytes, segment: str) -> dict[str, str]:
        return parse(raw, self._element, segment, self.header.version)


def _created(given: dict[str, str]) -> str:
    """Give TH05 and TH06 as CCYYMMDDHHMMSS; a time without seconds, or none, is 00."""
    day, time = given.get("TH05", ""), given.get("TH06", "").rstrip("Zz")
    if parse_day(day) is None or not (time.isdecimal() or not time):
        return ""
    return (day + time[:6]).ljust(14, "0")

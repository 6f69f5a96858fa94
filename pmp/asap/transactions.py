"""One TH…TT of a file, segment by segment: nesting, counts, records."""

from collections.abc import Callable
from datetime import date

from pmp.asap import header as headers
from pmp.asap.advice import pharmacy_faults
from pmp.asap.delimiters import Delimiters
from pmp.asap.dispensing import Pharmacy, Status, pharmacy_of
from pmp.asap.draft import Draft
from pmp.asap.envelope import Journal
from pmp.asap.faults import CATALOGUE
from pmp.asap.problems import Problem, Severity
from pmp.asap.records import Origin, Record, Transaction, parse, record_of
from pmp.asap.seams import Seams
from pmp.asap.walk import NOISE, Group, Place, Walk

Handler = Callable[[bytes, Place], Record | None]
_OF_PHARMACY = ("E04", "E13", "E15", "E19", "W06")
_VOIDS = "04"
_MOST_PHARMACIES = 10_000


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
        self.pharmacies: dict[Pharmacy, None] = {}
        self.seams = Seams(delimiters.element)
        self._element = delimiters.element
        self._named = dict[str, str]()
        self._voids = False
        nobody = pharmacy_of(Draft({}, header.version, today))
        origin = Origin(header.number, header.version, self._element, today, nobody)
        self.walk = Walk(walk_from[0], walk_from[0], walk_from[1], origin)
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
        self.header.created = headers.created(given)
        self.header.test = given.get("TH07", "").upper() == "T"
        self._voids = given.get("TH03", "").zfill(2) == _VOIDS
        for told in headers.faults_of(given, self.delimiters, self.header.version):
            self.tell(
                told.code,
                *told.words,
                place=self._place_of(told.at, raw, place),
                at=told.at,
                value=told.value,
            )

    def segment(self, raw: bytes, offset: int) -> Record | None:
        """Take the next segment, without its terminator; blank ones do not count."""
        offset += len(raw) - len(raw.lstrip(NOISE))
        raw = self._clean(raw, offset)
        if not raw:
            return None
        self.walk.segment += 1
        place = (self.walk.segment, offset)
        given_id = raw.partition(self._element)[0].strip().decode("latin-1")
        segment_id = given_id.upper()
        if segment_id not in self._handlers:
            self.tell("W05", given_id[:8], place=place, at=segment_id[:8])
            return None
        if given_id != segment_id:
            self._tell_once("W08", place=place)
        return self._handlers[segment_id](raw, place)

    def close(self) -> Record | None:
        """Give the record that is open, judged."""
        group, self.walk.group = self.walk.group, None
        if group is None:
            return None
        self.header.records += 1
        record = record_of(group.draft, origin=group.origin, number=self.walk.record)
        place = group.draft.places["DSP"]
        self._mix("zero" if group.draft.zero else "records", place)
        record.segments = (group.raw[0], group.raw[1], group.raw[2])
        for problem in record.problems:
            if problem.severity is Severity.FATAL:
                self.header.refused = True
                self.journal.add(problem)
        if self._voids and record.status is not Status.VOID:
            self._tell_once("W15", group.draft["DSP01"] or "empty", place=place)
        return record

    def cut_off(self, how: str, offset: int) -> None:
        """Note that the file ends before the transaction does."""
        self.tell("F06", how, place=(self.walk.segment + 1, offset))

    def unfinished(self, what: str, how: str, place: Place) -> None:
        """Note that a segment does not end."""
        self.tell("F04", what, how, place=place)

    def glued(self, name: str, offset: int) -> None:
        """Note that no terminator stands before a segment, which begins at `offset`."""
        end = self.delimiters.terminator.decode("latin-1")
        mark = f" (“{end}”)" if end.isprintable() else ""
        place = (self.walk.segment + 2, offset)
        self.tell("F04", mark, f"before the “{name}” segment", place=place, at=name)

    def tell(
        self,
        code: str,
        *words: object,
        place: Place,
        at: str = "",
        value: str = "",
    ) -> None:
        """Note a problem of this transaction; a fatal one refuses it."""
        if self.journal.report(code, *words, place=place, at=at, value=value):
            self.header.refused = True

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
            self._tell_once("W13", place=place)
        given = self._parse(raw, "PHA")
        draft = self._draft(given, {"PHA": place})
        pharmacy = pharmacy_of(draft)
        if len(self.pharmacies) < _MOST_PHARMACIES:
            self.pharmacies[pharmacy] = None
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
            programme=self.journal.programme,
        )
        walk.pharmacy_place, walk.in_pharmacy = place, True
        walk.seen -= {"zero", "records"}
        holding = (CATALOGUE[code].check(draft) for code in _OF_PHARMACY)
        walk.sound = not self._voids and not any(
            fault for faults in holding for fault in faults
        )
        self._warn_of_pharmacy(draft)
        return closed

    def _warn_of_pharmacy(self, draft: Draft) -> None:
        severity = self.journal.programme.severities["W14"]
        if severity is None:
            return
        for fault in pharmacy_faults(draft):
            segment, number, offset = draft.locate(fault.element)
            self.header.refused |= severity is Severity.FATAL
            self.journal.add(
                Problem(
                    code="W14",
                    severity=severity,
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
        draft = self._draft(given, places)
        draft.orphan_pre, walk.orphan_pre = bool(walk.orphan_pre), None
        walk.group = Group(draft, walk.origin, [text, raw, b""])
        return closed

    def _prescriber(self, raw: bytes, place: Place) -> None:
        group = self.walk.group
        if group is None:
            self.walk.orphan_pre = place
        elif group.draft.has("PRE"):
            group.draft.extra_pre = True
        else:
            self._add(group, "PRE", raw, place)
            group.raw[2] = raw

    def _detail(self, raw: bytes, place: Place) -> None:
        segment = raw[:3].decode().upper()
        group = self.walk.group
        if group is None:
            self.tell("W10", segment, place=place, at=segment)
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
            self.tell("W10", "TP", place=place, at="TP")
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
            spot = self._place_of("TT01", raw, place)
            self.tell("F07", *words, place=spot, at="TT01", value=words[0])
        self._compare("TT02", given, self.header.segments, place)
        if not self.header.pharmacies:
            self.tell("F05", place=place)
        self.done = True
        return closed

    def _leave_pharmacy(self, place: Place) -> Record | None:
        closed = self._leave_patient()
        if self.walk.in_pharmacy:
            self.tell("W02", place=place, at="TP")
        self.walk.in_pharmacy, self.walk.patient = False, None
        return closed

    def _leave_patient(self) -> Record | None:
        closed = self.close()
        walk = self.walk
        if not walk.patient_used and walk.patient:
            self.tell("W11", place=walk.patient[2:], at="PAT")
        walk.patient_used = True
        if walk.orphan_pre:
            self.tell("W10", "PRE", place=walk.orphan_pre, at="PRE")
            walk.orphan_pre = None
        return closed

    def _compare(
        self, element: str, given: dict[str, str], count: int, place: Place
    ) -> None:
        said = given.get(element, "")
        if said.lstrip("0") != str(count):
            words = (f"The trailer ({element})", said or "no number of", count)
            self.tell("W01", *words, place=place, at=element, value=said)

    def _mix(self, kind: str, place: Place) -> None:
        seen = self.walk.seen
        if kind not in seen:
            seen.add(kind)
            if {"zero", "records"} <= seen:
                self.tell("W09", place=place, at="DSP")

    def _clean(self, raw: bytes, offset: int) -> bytes:
        text = raw.strip(NOISE)
        if b"\0" in text:
            self._tell_once("W04", "it has NUL bytes", place=(0, offset))
            text = text.replace(b"\0", b"")
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                self.journal.windows_1252 = True
                words = "a segment is written in Windows-1252"
                self._tell_once("W04", words, place=(self.walk.segment + 1, offset))
        return text

    def _tell_once(self, code: str, *words: object, place: Place) -> None:
        if self.journal.once(code, *words, place=place):
            self.header.refused = True

    def _place_of(self, element: str, raw: bytes, place: Place) -> Place:
        """Give where an element begins in its segment, or else where that begins."""
        parts = raw.split(self._element)[: int(element[-2:])]
        before = len(self._element.join(parts)) + 1
        return (place[0], place[1] + before) if before <= len(raw) else place

    def _draft(self, given: dict[str, str], places: dict[str, Place]) -> Draft:
        programme = self.journal.programme
        version = self.header.version
        return Draft(given, version, self.today, places, programme=programme)

    def _parse(self, raw: bytes, segment: str) -> dict[str, str]:
        not_used = self.journal.programme.not_used
        return parse(raw, self._element, segment, self.header.version, not_used)

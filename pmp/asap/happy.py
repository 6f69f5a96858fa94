"""The quick way through a submission: records that no rule objects to, recognised.

One regular expression takes a whole record (PAT if there is one, DSP, PRE) whose
every element has a shape that all rules allow; what needs arithmetic (dates, fill
number) is compared directly, and what needs a table (state and ZIP code, prescriber,
quantity a day) is judged by the rules once and remembered.  Whatever is
not recognised goes rule by rule, so this module can only ever be too strict: a test
holds it to giving the same records as the rules, whatever the programme is.  A
programme can only ask for elements besides, which then must be there.
"""

import re
from collections.abc import Iterator
from datetime import date

from pmp.asap import elements
from pmp.asap.delimiters import Delimiters
from pmp.asap.dispensing import Status
from pmp.asap.draft import parse_day
from pmp.asap.elements import Use
from pmp.asap.judge import Judge
from pmp.asap.marks import Marks
from pmp.asap.programme import Programme
from pmp.asap.records import Record
from pmp.asap.walk import Patient, Walk

_STATUS = {b"00": Status.NEW, b"01": Status.REVISE, b"02": Status.VOID}
_VERSIONS = {"4.2", "4.2A", "4.2B", "5.0"}
_REMEMBERED = 50_000
_OLDEST_DAYS = 124 * 365
_STALE_DAYS = 180
_ONE_DIGIT = "|".join(f"{digit}{{10}}" for digit in range(2, 10))
_NOT_ID = r"(?!\d{3}-\d\d-)"
_NOT_NAMELESS = "(?![Uu][Nn][Kk]|[Nn][Oo][Tt]? |[Ee][Nn][Tt][Ee][Rr])"
_ID_KIND = "(?:0[1-68]|99)?+"
_PAYMENT = "(?:0[1-7]|99)"
_NAME = r"[A-Za-z][A-Za-z '.,-]{0,%d}+"

# What an element may hold; <T> is any printable character but the delimiters, <D> the
# one that parts elements.
# Groups are named where the value is looked at again.
_SHAPES = {
    "PAT02": _ID_KIND,
    "PAT03": _NOT_ID + "<T>{0,20}+",
    "PAT05": _ID_KIND,
    "PAT06": _NOT_ID + "<T>{0,20}+",
    "PAT07": "(?![Rr][Ee][Pp][Oo][Rr][Tt] *<D>)" + _NOT_NAMELESS + _NAME % 49,
    "PAT08": _NOT_NAMELESS + _NAME % 49,
    "PAT09": f"(?:{_NAME % 29})?+",
    "PAT12": r"[0-9]{1,6} [A-Za-z]<T>{0,27}+",
    "PAT14": "(?=[!-~])<T>{1,20}+",
    "PAT15": "(?P<place>[A-Z]{2}",
    "PAT16": r"[0-9]{5}(?:[0-9]{4})?+)",
    "PAT17": rf"(?!{_ONE_DIGIT})(?P<phone>[2-9][0-9][0-9][2-9][0-9]{{6}})?+",
    "PAT18": r"(?P<birth>[0-9]{8})",
    "PAT19": "[FMU]",
    "PAT20": "(?:01|02(?=<D><T>*+<D><T>*+<D>[!-~]))?",
    "PAT21": "(?:0[1-9]|1[01]|9[89])?+",
    "PAT22": "(?:USA?)?+",
    "DSP01": "(?P<status>0[012])",
    "DSP02": "(?=[!-~])<T>{1,25}+",
    "DSP03": r"(?P<dates>[0-9]{8}",
    "DSP04": r"[0-9][0-9]?",
    "DSP05": r"[0-9]{8}",
    "DSP06": r"[0-9][0-9]?)",
    "DSP07": "01",
    "DSP08": r"(?!0{11})[0-9]{11}",
    "DSP09": r"(?P<amount>[0-9]{1,5}(?:\.[0-9]{1,5})?",
    "DSP10": r"[1-9][0-9]{0,2}",
    "DSP11": "(?:0[123])?)",
    "DSP12": "(?:0[1-6]|99)",
    "DSP13": r"(?:[0-9][0-9]?)?+",
    "DSP14": r"(?P<pharmacist>(?:[0-9]{10})?+)",
    "DSP16": _PAYMENT,
    "DSP17": r"(?P<sold>(?:[0-9]{8})?+)",
    "DSP24": "(?:0[1-9]|1[01]|99)?+",
    "DSP32": f"(?:{_PAYMENT})?+",
    "DSP34": "(?:0[345])?+",
}
_IN_SHAPES = (b" ", b"'", b".", b",", b"-")
_WANTED = {Use.REQUIRED, Use.WHEN_AVAILABLE}
_NEVER = re.compile(b"(?!)")
_NOBODY: Patient = (b"", 0, 0, 0)
_ALWAYS_SENT = {"PAT": 19, "DSP": 16}


class HappyPath:
    """Recognises good records of one transaction; remembers what the rules passed.

    `position` is where the first byte stands that it has not taken.
    """

    def __init__(
        self, version: str, delimiters: Delimiters, today: date, programme: Programme
    ) -> None:
        usable = version in _VERSIONS and not {
            delimiters.element,
            delimiters.terminator,
        } & set(_IN_SHAPES)
        pattern = _record_pattern(version, delimiters, programme) if usable else _NEVER
        self._match = pattern.match
        self._usable = usable
        part = re.escape(delimiters.element)
        self._begins = re.compile(rb"[ \t\r\n]*(?:PAT|DSP)" + part)
        self._days = _Days()
        self._fills = _Fills(delimiters.element, today.toordinal() + 1, self._days)
        judge = Judge(version, delimiters.element, today, programme)
        self._places = _Judged(judge, "PAT15", "PAT16")
        self._amounts = _Judged(judge, "DSP09", "DSP10", "DSP11")
        self._pharmacists = _Judged(judge, "DSP14")
        self._prescribers = _Prescribers(judge)
        self.position = 0

    def records(
        self, text: bytes, position: int, start: int, walk: Walk, marks: Marks
    ) -> Iterator[Record]:
        """Give good records from `position` on, until one is not recognised.

        `start` is the place in the file of text[0].  When it ends, `walk` stands behind
        the last record that it gave, and `marks` has counted all.
        """
        match, origin, days, fills = self._match, walk.origin, self._days, self._fills
        places, amounts, pharmacists = self._places, self._amounts, self._pharmacists
        own_phone = origin.pharmacy.phone.encode()
        own_dea, dea_of = origin.pharmacy.dea.encode(), self._prescribers
        segment, record = walk.segment, walk.record
        last, recent, older = record + marks.make_room(), marks.recent, marks.older
        person, birthday = (walk.patient or _NOBODY)[:2]
        last_patient: tuple[int, re.Match[bytes]] | None = None
        while record < last and (found := match(text, position)):
            # fmt: off
            (pat, home, phone, birth, dsp, status,
             dates, amount, pharmacist, sold, pre) = found.groups()
            # fmt: on
            born, on, dea = days[birth] if pat else birthday, fills[dates], dea_of[pre]
            if not (
                0 < born <= on
                and on - born <= _OLDEST_DAYS
                and (not sold or days[sold] >= on)
                and (amounts[amount] and pharmacists[pharmacist])
                and (dea and dea != own_dea)
                and (not pat or places[home])
                and (not phone or phone != own_phone)
            ):
                break
            if pat:
                person, birthday, last_patient = pat, born, (segment + 1, found)
                segment += 1
            segment, record, position = segment + 2, record + 1, found.end()
            segments, at = (person, dsp, pre), start + found.start(5)
            mark = origin.mark ^ hash(segments)
            marks.duplicates += mark in recent or mark in older
            recent.add(mark)
            yield Record(record, segment - 1, at, _STATUS[status], origin, segments)
        if last_patient:
            number, found = last_patient
            walk.patient = (person, birthday, number, start + found.start(1))
        walk.seen |= {"records"} if record > walk.record else set()
        walk.segment, walk.record, self.position = segment, record, position

    def begins(self, text: bytes, position: int) -> bool:
        """Whether a patient or a dispensation is next."""
        return self._usable and bool(self._begins.match(text, position))

    def learn(self, record: Record, walk: Walk) -> None:
        """Take over the patient of a record to which no rule objected."""
        draft = record.draft
        if record.problems or draft.zero or draft.void or draft.compound:
            return
        born = draft.day("PAT18")
        if walk.patient and born and walk.patient[0] == record.segments[0]:
            walk.patient = (walk.patient[0], born.toordinal(), *walk.patient[2:])


class _Judged(dict[bytes, bool]):
    """Neighbouring elements as they stand in the file → whether no rule objects."""

    def __init__(self, judge: Judge, *ids: str) -> None:
        super().__init__()
        self._judge, self._ids = judge, ids

    def __missing__(self, text: bytes) -> bool:
        if len(self) > _REMEMBERED:
            self.clear()
        texts = text.decode().split(self._judge.element)
        given = dict(zip(self._ids, texts, strict=False))
        self[text] = found = self._judge.passes(given)
        return found


class _Prescribers(dict[bytes, bytes]):
    """A PRE segment → its DEA number; b"" if a rule objects to it."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge

    def __missing__(self, raw: bytes) -> bytes:
        if len(self) > _REMEMBERED:
            self.clear()
        given = self._judge.parse(raw, "PRE")
        good = not self._judge.is_glued(raw) and self._judge.passes(given, "PRE")
        self[raw] = found = given["PRE02"].upper().encode() if good else b""
        return found


class _Days(dict[bytes, int]):
    """CCYYMMDD → day number; 0 for what is no day."""

    def __missing__(self, text: bytes) -> int:
        if len(self) > _REMEMBERED:
            self.clear()
        day = parse_day(text.decode())
        self[text] = found = day.toordinal() if day else 0
        return found


class _Fills(dict[bytes, int]):
    """DSP03 to DSP06 as they stand in the file → day filled; 0 if a rule objects."""

    def __init__(self, element: bytes, latest: int, days: _Days) -> None:
        super().__init__()
        self._element, self._latest, self._days = element, latest, days

    def __missing__(self, text: bytes) -> int:
        if len(self) > _REMEMBERED:
            self.clear()
        written, refills, filled, fill = text.split(self._element)
        since, on = self._days[written], self._days[filled]
        good = (
            0 < since <= on <= self._latest
            and on - since <= _STALE_DAYS
            and int(fill) <= int(refills)
        )
        self[text] = found = on if good else 0
        return found


def _record_pattern(
    version: str, delimiters: Delimiters, programme: Programme
) -> "re.Pattern[bytes]":
    """Compile the shape of one good record: [PAT] DSP PRE, and what may follow."""
    parts = re.escape(delimiters.element.decode("latin-1"))
    ends = re.escape(delimiters.terminator.decode("latin-1"))
    # Which signs are allowed, not which are not, and with gaps: the engine then looks
    # each up in one table.
    text = f"[{_printable_but(delimiters.element + delimiters.terminator + b'`')}]"
    whole = f"[{_printable_but(delimiters.terminator + b'`')}]"
    patient = _segment_pattern("PAT", version, programme)
    dispensed = _segment_pattern("DSP", version, programme)
    pattern = (
        rf"<S>(?:(?P<pat>{patient})<Z><S>)?+(?P<dsp>{dispensed})<Z><S>"
        r"(?P<pre>PRE<D><W>*+)<Z>(?=<S>(?:DSP|PAT|PHA|TP)<D>)"
    )
    # Blanks before a terminator would be trimmed; such a record goes rule by rule.
    signs = {"<Z>": f"(?<! ){ends}", "<E>": ends, "<S>": r"[ \t\r\n]*+", "<W>": whole}
    for sign, meaning in {**signs, "<D>": parts, "<T>": text}.items():
        pattern = pattern.replace(sign, meaning)
    return re.compile(pattern.encode("latin-1"))


def _printable_but(signs: bytes) -> str:
    """Write the printable characters of ASCII but some, for a regular expression."""
    return "".join(re.escape(chr(n)) for n in range(0x20, 0x7F) if n not in signs)


def _segment_pattern(segment: str, version: str, programme: Programme) -> str:
    """Give the shape of a segment: elements that are always sent, then others."""
    defined = elements.layout(version)[segment]
    # What is wanted of every programme has a shape that is never empty.
    besides = {
        element.id
        for element in defined
        if programme.use(element) in _WANTED and element.use not in _WANTED
    }
    shapes = [
        "<D>"
        + ("(?=[!-~])(?!<D>|<E>)" if element.id in besides else "")
        + _SHAPES.get(element.id, rf"<T>{{0,{element.longest}}}+")
        for element in defined
    ]
    last = max((int(element[-2:]) for element in besides), default=0)
    always = max(_ALWAYS_SENT[segment], last)
    others = ""
    for shape in reversed(shapes[always:]):
        others = f"(?:{shape}{others})?+"
    return segment + "".join(shapes[:always]) + others + "<D>*+"

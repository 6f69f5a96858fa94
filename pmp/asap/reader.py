"""Reading a submission from its first byte to its last, in one pass."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from pmp.asap import elements
from pmp.asap.delimiters import Delimiters, detect, is_header, looks_like
from pmp.asap.dispensing import Pharmacy
from pmp.asap.envelope import Journal
from pmp.asap.happy import HappyPath
from pmp.asap.problems import Problem
from pmp.asap.programme import USUAL, Programme
from pmp.asap.records import Counts, Record, Transaction
from pmp.asap.source import Source
from pmp.asap.transactions import NOISE, TransactionReader

CHUNK = 1 << 20
"""Bytes that callers should read at a time."""

_LONGEST_SEGMENT = 16 * 1024
_REMEMBERED = 50_000
_NOISE = re.compile(b"[" + re.escape(NOISE) + b"]*")
_READ_AS = "4.2B"
_UNREADABLE = {"3.0", "1995"}


def read(
    chunks: Iterable[bytes], *, today: date, programme: Programme = USUAL
) -> "Reading":
    """Begin to read a submission; iterate the result for its records, once.

    `chunks` are its bytes, best `CHUNK` at a time; `today` is the day in the
    programme's zone.
    Nothing that the bytes contain raises; what `chunks` raises passes through.
    """
    return Reading(chunks, today=today, programme=programme)


class Reading:
    """One pass over a submission.  See the package for what is known when."""

    def __init__(
        self, chunks: Iterable[bytes], *, today: date, programme: Programme
    ) -> None:
        self.version = ""
        self.transactions: list[Transaction] = []
        self.pharmacies = list[Pharmacy]()
        self.counts = Counts()
        self._today = today
        self._programme = programme
        self._source = Source(chunks)
        self._journal = Journal()
        self._segments = 0
        self._quick: dict[tuple[str, bytes, bytes], HappyPath] = {}
        self._recent: set[int] = set()
        self._older: set[int] = set()

    @property
    def problems(self) -> list[Problem]:
        """The problems of the file, in the order found; at most a thousand."""
        return self._journal.problems

    @property
    def refused(self) -> bool:
        """Whether a fatal problem was found: nothing of the file may be stored."""
        return self._journal.refused

    @property
    def test(self) -> bool:
        """Whether a transaction is a test: nothing of the file may be stored."""
        return any(transaction.test for transaction in self.transactions)

    @property
    def sha256(self) -> str:
        """The digest of the bytes."""
        return self._source.sha256

    @property
    def verdict(self) -> str:
        """Give “accepted”, “accepted_with_problems” or “refused”."""
        if self.refused:
            return "refused"
        if self.problems or self.counts.held or self.counts.warned:
            return "accepted_with_problems"
        return "accepted"

    def __iter__(self) -> Iterator[Record]:
        """Give the records in file order."""
        counts = self.counts
        while reader := self._next_transaction():
            for record in self._records(reader):
                mark = record.origin.mark ^ hash(record.segments)
                if mark in self._recent or mark in self._older:
                    self._count_again(record)
                else:
                    self._recent.add(mark)
                    if record.problems or record.draft_made:
                        self._count(record)
                yield record
            reader.header.records = reader.walk.record - counts.read
            counts.read = reader.walk.record
            counts.good = counts.read - (
                counts.held + counts.zero_reports + counts.duplicate
            )
            self._segments = reader.walk.segment
        self._source.drain()

    def _next_transaction(self) -> TransactionReader | None:
        """Find the next TH; None at the end, or where reading cannot go on."""
        if not self._skip_noise():
            if not self.transactions:
                self._journal.report("F01")
            return None
        if self._source.encoding:
            self._journal.once("W04", self._source.encoding)
        head = self._source.fill(_LONGEST_SEGMENT)
        if not is_header(head):
            if self.transactions:
                self._journal.report("F12", place=self._place())
            else:
                self._journal.report("F02", looks_like(head), place=self._place())
            return None
        delimiters = detect(head)
        if delimiters is None:
            words = "the header (TH) does not name it and no IS segment follows"
            self._journal.report("F04", words, place=self._place(), at="TH09")
            return None
        return self._begin(head, delimiters)

    def _begin(self, head: bytes, delimiters: Delimiters) -> TransactionReader | None:
        raw, place = head[: delimiters.end], self._place()
        version = _version_of(raw, delimiters)
        header = Transaction(len(self.transactions) + 1, _READ_AS, "")
        self.version = self.version or version
        self.transactions.append(header)
        accepted = self._programme.accepted
        if version not in accepted:
            header.refused = True
            words = version or "(empty)", ", ".join(sorted(accepted))
            self._journal.report("F03", *words, place=place, at="TH01", value=version)
            if version in _UNREADABLE:
                return None
        if version in elements.VERSIONS:
            header.version = version
        reader = TransactionReader(
            header=header,
            delimiters=delimiters,
            today=self._today,
            journal=self._journal,
            walk_from=(place[0], self.counts.read),
        )
        reader.pharmacies = self.pharmacies
        reader.begin(raw, place)
        self._source.position += delimiters.next
        return reader

    def _records(self, reader: TransactionReader) -> Iterator[Record]:
        """Give the records of one transaction: the quick way, else by segments."""
        source, walk, quick = self._source, reader.walk, self._quick_for(reader)
        while not reader.done:
            self._forget()
            if walk.may_be_quick and quick.begins(source.buffer, source.position):
                if record := reader.close():
                    quick.learn(record, walk)
                    yield record
                yield from quick.records(
                    source.buffer, source.position, source.start, walk
                )
                source.position = quick.position
            offset = source.offset
            raw = self._next_segment(reader)
            if raw is None:
                break
            if is_header(raw.strip(NOISE)):
                reader.cut_off(
                    "a new header (TH) comes before the trailer (TT)", offset
                )
                source.position -= len(raw) + 1
                break
            if record := reader.segment(raw, offset):
                quick.learn(record, walk)
                yield record
        if record := reader.close():
            yield record

    def _quick_for(self, reader: TransactionReader) -> HappyPath:
        """Give the quick way for a version and delimiters; what it learned is kept."""
        version, delimiters = reader.header.version, reader.delimiters
        key = version, delimiters.element, delimiters.terminator
        if key not in self._quick:
            self._quick[key] = HappyPath(version, delimiters, self._today)
        return self._quick[key]

    def _next_segment(self, reader: TransactionReader) -> bytes | None:
        """Give the bytes up to the next terminator; None, and why, if there is none."""
        source, terminator = self._source, reader.delimiters.terminator
        searched = 0
        while True:
            end = source.buffer.find(terminator, source.position + searched)
            if end >= 0:
                break
            searched = len(source.buffer) - source.position
            if searched > _LONGEST_SEGMENT or not source.more():
                return self._last_segment(reader)
        raw = source.buffer[source.position : end]
        if len(raw) > _LONGEST_SEGMENT:
            return self._last_segment(reader)
        source.position = end + 1
        return raw

    def _last_segment(self, reader: TransactionReader) -> bytes | None:
        """Deal with bytes that no terminator follows."""
        source = self._source
        raw = source.buffer[source.position :]
        if source.ended and len(raw) <= _LONGEST_SEGMENT and reader.is_trailer(raw):
            source.position = len(source.buffer)
            return raw
        if len(raw) > _LONGEST_SEGMENT:
            reader.unfinished(
                f"a segment has more than {_LONGEST_SEGMENT:,} characters",
                source.offset,
            )
            source.drain()
        elif raw.strip(NOISE):
            reader.cut_off("it ends inside a segment", source.offset)
        else:
            reader.cut_off("there is no trailer (TT segment)", source.offset)
        source.position = len(source.buffer)
        return None

    def _skip_noise(self) -> bool:
        """Go to the next byte that is not noise; False at the end of the file."""
        source = self._source
        while True:
            noise = _NOISE.match(source.buffer, source.position)
            source.position = noise.end() if noise else source.position
            if source.position < len(source.buffer):
                return True
            if not source.more():
                return False

    def _place(self) -> tuple[int, int]:
        return self._segments + 1, self._source.offset

    def _count(self, record: Record) -> None:
        """Count what is not simply good."""
        counts = self.counts
        if record.held:
            counts.held += 1
        elif record.zero_report:
            counts.zero_reports += 1
        elif record.problems:
            counts.warned += 1

    def _count_again(self, record: Record) -> None:
        """Count a record that equals an earlier one."""
        self._count(record)
        if not record.held and not record.zero_report:
            self.counts.duplicate += 1

    def _forget(self) -> None:
        """Keep the marks of the last fifty to hundred thousand records, no more."""
        if len(self._recent) >= _REMEMBERED:
            self._recent, self._older = set(), self._recent


def _version_of(raw: bytes, delimiters: Delimiters) -> str:
    fields = raw.split(delimiters.element, 2)
    return fields[1].strip().decode("latin-1").upper()[:8] if len(fields) > 1 else ""

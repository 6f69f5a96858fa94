"""Reading a submission from its first byte to its last, in one pass."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from pmp.asap import elements
from pmp.asap import header as headers
from pmp.asap.delimiters import Delimiters, detect, is_header, looks_like
from pmp.asap.dispensing import Pharmacy
from pmp.asap.envelope import REMEDIES, Journal
from pmp.asap.happy import HappyPath
from pmp.asap.marks import Marks
from pmp.asap.problems import Problem
from pmp.asap.programme import USUAL, Programme
from pmp.asap.records import Counts, Record, Transaction
from pmp.asap.seams import Seams
from pmp.asap.source import Source
from pmp.asap.transactions import TransactionReader
from pmp.asap.walk import NOISE, Walk

CHUNK = 1 << 20
"""Bytes that callers should read at a time."""

_LONGEST_SEGMENT = 16 * 1024
_NOISE = re.compile(b"[" + re.escape(NOISE) + b"]*")
_READ_AS = "4.2B"
_OTHER_SHAPE = {"3.0"}
_ENCODINGS = {
    "utf-8-sig": "it begins with a byte order mark",
    "utf-16-le": "it is written in UTF-16",
    "utf-16-be": "it is written in UTF-16",
}


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
        self.counts = Counts()
        self._today = today
        self._programme = programme
        self._source = Source(chunks)
        self._journal = Journal(programme)
        self._pharmacies = dict[Pharmacy, None]()
        self._segments = 0
        self._quick: dict[tuple[str, bytes, bytes], HappyPath] = {}
        self._marks = Marks()

    @property
    def problems(self) -> list[Problem]:
        """The problems of the file, in the order found; at most a thousand."""
        return self._journal.problems

    @property
    def pharmacies(self) -> list[Pharmacy]:
        """The different pharmacies of the file in its order; at most ten thousand."""
        return list(self._pharmacies)

    @property
    def encoding(self) -> str:
        """The codec that decodes the file: utf-8, utf-8-sig, utf-16-le, -be, or cp1252.

        In UTF-16 offsets are those of `body.decode(encoding).encode()` without its
        byte order mark; else they are those of the bytes as they came.
        """
        found = self._source.encoding
        return "cp1252" if self._journal.windows_1252 and found == "utf-8" else found

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
            yield from self._records(reader)
            reader.header.records = reader.walk.record - counts.read
            counts.read = reader.walk.record
            counts.duplicate = self._marks.duplicates
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
        if self._source.encoding in _ENCODINGS:
            self._journal.once("W04", _ENCODINGS[self._source.encoding])
        head = self._source.fill(_LONGEST_SEGMENT)
        if not is_header(head):
            self._no_header(head)
            return None
        element = head[2:3]
        written, version = headers.version_of(head, element)
        if version in _OTHER_SHAPE:
            self._refuse_version(written)
            return None
        delimiters = detect(head)
        if delimiters is None:
            self._no_terminator(head)
            return None
        return self._begin(head, delimiters, written, version)

    def _no_header(self, head: bytes) -> None:
        """Say what stands where a transaction should begin."""
        if self.transactions:
            self._journal.report("F12", place=self._place())
            return
        what = looks_like(head)
        fix = REMEDIES.get(what, "").format(self._best_version())
        self._journal.report("F02", what, place=self._place(), fix=fix)

    def _no_terminator(self, head: bytes) -> None:
        """Say why the end of the header cannot be found."""
        element = head[2:3]
        seam = Seams(element).first(head)
        segment, offset = self._place()
        if seam:
            offset += seam[0]
            words = f"after the header (TH): “{seam[1]}” follows without it"
        else:
            words = "in the header: TH09 does not name it and no IS segment follows"
        self._journal.report("F04", "", words, place=(segment, offset), at="TH09")

    def _refuse_version(self, written: str) -> None:
        segment, offset = self._place()
        accepted = ", ".join(sorted(self._programme.accepted))
        words = written or "(empty)", accepted, self._best_version()
        place = (segment, offset + len("TH*"))
        self._journal.report("F03", *words, place=place, at="TH01", value=written)

    def _best_version(self) -> str:
        """Give the version to recommend: the usual one if it is accepted."""
        accepted = self._programme.accepted
        return _READ_AS if _READ_AS in accepted else max(accepted, default=_READ_AS)

    def _begin(
        self, head: bytes, delimiters: Delimiters, written: str, version: str
    ) -> TransactionReader:
        raw, place = head[: delimiters.end], self._place()
        known = version in elements.VERSIONS
        header = Transaction(
            len(self.transactions) + 1, version if known else _READ_AS, ""
        )
        self.version = self.version or version or written
        self.transactions.append(header)
        reader = TransactionReader(
            header=header,
            delimiters=delimiters,
            today=self._today,
            journal=self._journal,
            walk_from=(place[0], self.counts.read),
        )
        if version not in self._programme.accepted:
            header.refused = True
            self._refuse_version(written)
        elif written != version:
            code, words, at, value = headers.misspelt(written, version)
            reader.tell(code, *words, place=place, at=at, value=value)
        reader.pharmacies = self._pharmacies
        reader.begin(raw, place)
        self._source.position += delimiters.next
        return reader

    def _records(self, reader: TransactionReader) -> Iterator[Record]:
        """Give the records of one transaction: the quick way, else by segments."""
        source, walk, quick = self._source, reader.walk, self._quick_for(reader)
        while not reader.done:
            if walk.may_be_quick and quick.begins(source.buffer, source.position):
                if record := reader.close():
                    quick.learn(record, walk)
                    yield self._counted(record)
                yield from self._good_records(walk, quick)
            offset = source.offset
            raw = self._next_segment(reader)
            if raw is None:
                break
            if is_header(raw.strip(NOISE)):
                reader.cut_off(
                    "a new header (TH) comes before the trailer (TT)", offset
                )
                source.position = offset - source.start
                break
            if record := reader.segment(raw, offset):
                quick.learn(record, walk)
                yield self._counted(record)
        if record := reader.close():
            yield self._counted(record)

    def _good_records(self, walk: Walk, quick: HappyPath) -> Iterator[Record]:
        """Give what the quick way recognises; nothing if a zero report came before."""
        source = self._source
        if walk.may_be_quick:
            yield from quick.records(
                source.buffer, source.position, source.start, walk, self._marks
            )
            source.position = quick.position

    def _quick_for(self, reader: TransactionReader) -> HappyPath:
        """Give the quick way for a version and delimiters; what it learned is kept."""
        version, delimiters = reader.header.version, reader.delimiters
        key = version, delimiters.element, delimiters.terminator
        if key not in self._quick:
            self._quick[key] = HappyPath(
                version, delimiters, self._today, self._programme
            )
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
        if seam := reader.seams.first(raw):
            # The text is taken apart there, so that the one fault hides no record.
            reader.glued(seam[1], source.offset + seam[0])
            source.position += seam[0]
            return raw[: seam[0]]
        source.position = end + 1
        return raw

    def _last_segment(self, reader: TransactionReader) -> bytes | None:
        """Deal with bytes that no terminator follows."""
        source = self._source
        raw = source.fill(_LONGEST_SEGMENT + 1)
        end = source.offset + len(raw.rstrip(NOISE))
        seam = reader.seams.first(raw)
        if not seam and len(raw) <= _LONGEST_SEGMENT and reader.is_trailer(raw):
            source.position = len(source.buffer)
            return raw
        if seam or len(raw) > _LONGEST_SEGMENT:
            self._unfinished(reader, seam)
            source.drain()
        elif raw.strip(NOISE):
            reader.cut_off("it ends inside a segment", end)
        else:
            reader.cut_off("there is no trailer (TT segment)", end)
        source.position = len(source.buffer)
        return None

    def _unfinished(
        self, reader: TransactionReader, seam: tuple[int, str] | None
    ) -> None:
        """Say that a segment goes on and on, and what it runs into."""
        offset, number = self._source.offset, reader.walk.segment + 1
        end = reader.delimiters.terminator.decode("latin-1")
        mark = f" (“{end}”)" if end.isprintable() else ""
        if seam:
            how = f"from here on: “{seam[1]}” follows, and no other after it"
            reader.unfinished(mark, how, (number, offset + seam[0]))
        else:
            how = f"for more than {_LONGEST_SEGMENT:,} characters"
            reader.unfinished(mark, how, (number, offset))

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

    def _counted(self, record: Record) -> Record:
        """Count a record that came segment by segment, if it is not simply good."""
        counts = self.counts
        new = self._marks.is_new(record.origin.mark ^ hash(record.segments))
        if record.held:
            counts.held += 1
        elif record.zero_report:
            counts.zero_reports += 1
        elif not new:
            self._marks.duplicates += 1
        elif record.problems:
            counts.warned += 1
        return record

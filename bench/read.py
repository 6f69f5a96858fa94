"""Reading and checking submissions, beside splitting alone and a reader of X12.

The limit is what no reader can pass: each chunk split into segments and these into
elements, nothing checked and nothing kept.  The peer is pyx12's structural pass (it
counts and nests, no more) over the same elements in an X12 envelope.  All three run in
turns and are timed chunk by chunk; each chunk's best time counts, so that a busy
machine harms them alike.
"""

import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from time import process_time

from pyx12.x12file import X12Reader

from bench import Measure
from pmp import asap, identifiers
from pmp.asap import generate

Lap = Callable[[], None]

PART = "read"
RECORDS = 120_000
ROUNDS = 6
X12_LAP = 1000
"""Segments of the peer's format that are timed as one lap."""
PEER_SHARE = 20
"""The peer reads one record in so many: it is slow, and its time is linear."""

MOST_MEMORY_MB = 150.0
LONG_FILE = 6
"""How many times the usual size the file is that shows that time is linear."""
HUGE_BYTES = 3_000_000_000
"""The size of the file that memory is measured on; the benchmark's scale shrinks it."""


def run(scale: float) -> list[Measure]:
    """Measure speed against limit and peer, linearity, and memory on a long file."""
    records = max(2_000, round(RECORDS * scale))
    body = generate.large_submission(seed=1, records=records)
    few = generate.large_submission(seed=1, records=records // PEER_SHARE)
    x12 = _as_x12(few)
    split, read, peer = _best(
        lambda lap: _split(_lapped(body, lap)),
        lambda lap: _read(_lapped(body, lap)),
        lambda lap: _walk_x12(x12, lap),
    )
    limit, result = records / split, records / read
    peer_result = records // PEER_SHARE / peer
    return [
        _measure("read and check", result, limit, 1 / 5, "records/s"),
        _measure("beside pyx12", result, peer_result, 3, "records/s"),
        _long_file(body, records, result),
        _huge_file(scale),
    ]


def _long_file(body: bytes, records: int, short: float) -> Measure:
    """Read a file many times as long: as fast."""
    start = process_time()
    count = _read(_repeated(body, LONG_FILE))
    speed = count / (process_time() - start)
    if count != records * LONG_FILE:
        raise AssertionError(f"{count} records were read of {records * LONG_FILE}")
    return _measure(f"{LONG_FILE} times as long", speed, short, 0.8, "records/s")


def _huge_file(scale: float) -> Measure:
    """Stream a file of 3 GB through the reader: in no more memory than a short one."""
    size = max(20_000_000, round(HUGE_BYTES * scale))
    # In a process of its own, whose peak nothing else has raised before.
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        peak = processes.submit(_peak_memory_mb, size).result()
    name = f"memory, {size / 1e9:.2g} GB"
    return _measure(name, peak, MOST_MEMORY_MB, -1, "MB")


def _peak_memory_mb(size: int) -> float:
    """Give the most memory that reading so many bytes takes."""
    body = generate.large_submission(seed=1, records=RECORDS // PEER_SHARE)
    _read(_repeated(body, size // len(body) + 1))
    # Not getrusage: its peak begins with what the parent had when it made this process.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("inf")


def _measure(
    name: str, result: float, limit: float, target: float, unit: str
) -> Measure:
    return Measure(PART, name, result, limit, result / limit, target, unit)


def _best(*works: Callable[[Lap], object]) -> list[float]:
    """Give the processor time of each: the sum of its laps, each at its shortest.

    The works run in turns, and each calls what it is given where a lap ends.
    """
    best: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for place, work in enumerate(works):
            times = [process_time()]
            work(lambda times=times: times.append(process_time()))  # type: ignore[misc]
            times.append(process_time())
            laps = [after - before for before, after in pairwise(times)]
            best[place] = [
                min(pair) for pair in zip(laps, best[place] or laps, strict=True)
            ]
    return [sum(laps) for laps in best]


def _lapped(body: bytes, lap: Lap) -> Iterator[bytes]:
    for chunk in _chunks(body):
        lap()
        yield chunk


def _split(chunks: Iterator[bytes]) -> int:
    count, rest = 0, b""
    for chunk in chunks:
        segments = (rest + chunk).split(b"~")
        rest = segments.pop()
        for segment in segments:
            elements = segment.strip().split(b"*")
            if elements[0] == b"DSP":
                count += 1
    return count


def _read(chunks: Iterator[bytes]) -> int:
    reading = asap.read(chunks, today=generate.UNTIL)
    count = sum(1 for _ in reading)
    if reading.refused or reading.counts.held:
        raise AssertionError(f"refused or held: {reading.problems} {reading.counts}")
    return count


def _walk_x12(text: str, lap: Lap) -> int:
    reader = X12Reader(io.StringIO(text))
    count = 0
    for count, _ in enumerate(reader, start=1):
        if count % X12_LAP == 0:
            lap()
    if errors := reader.pop_errors():
        raise AssertionError(f"the peer found errors in its own format: {errors[:3]}")
    return count


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), asap.CHUNK):
        yield body[start : start + asap.CHUNK]


def _repeated(body: bytes, times: int) -> Iterator[bytes]:
    """Give a file of so many pharmacies, each with the records of this one.

    It is never held whole; each pharmacy has an NPI of its own, so that no record is
    like another.
    """
    first, last = body.index(b"PHA*"), body.rindex(b"TT*")
    _, _, rest = body[first:last].split(b"*", 2)
    yield body[:first]
    for number in range(times):
        npi = identifiers.whole_npi(100_000_000 + number)
        yield from _chunks(b"PHA*%s*%s" % (npi.encode(), rest))
    control = body[last:].split(b"*")[1]
    segments = body[first:last].count(b"~") * times + 3
    yield b"TT*%s*%d~" % (control, segments)


def _as_x12(body: bytes) -> str:
    """Put the segments of a submission into an X12 envelope."""
    texts = (part.strip().rstrip("*") for part in body.decode().split("~"))
    segments = [text for text in texts if text]
    inner = [segment for segment in segments if segment[:2] not in {"TH", "TT"}]
    isa = (
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       "
        "*260131*2300*^*00501*000000001*0*P*:"
    )
    head = [isa, "GS*HC*S*R*20260131*2300*1*X*005010X222A1", "ST*837*0001*005010X222A1"]
    tail = [f"SE*{len(inner) + 2}*0001", "GE*1*1", "IEA*1*000000001"]
    return "~".join([*head, *inner, *tail, ""])

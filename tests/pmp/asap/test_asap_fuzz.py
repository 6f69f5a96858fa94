"""Whatever the bytes are: nothing raises, nothing is lost, nothing is by chance."""

import re
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pmp import asap
from pmp.asap import envelope, happy
from tests.pmp.asap.files import TODAY, ZERO, in_chunks, pharmacy, record, submission

_COMPOUND = [
    *record(DSP07="06", DSP08="99999000123", DSP02="61"),
    "CDI*1*01*00406324301*3.5*03",
]
_FILE = submission(
    pharmacy(*(record(DSP02=f"8{n}") for n in range(4)), record(DSP02="80")),
    pharmacy(
        record("PAT"),
        record("DSP", "PRE"),
        _COMPOUND,
        record("DSP", DSP01="02", DSP02="9"),
        record(DSP10="0", DSP02="5"),
        PHA03="BV5100122",
    ),
    pharmacy(ZERO, PHA03="BV5100122"),
).encode()
_HEADER = _FILE.index(b"IS*")
_PIECES = [
    b"~",
    b"*",
    b"\n",
    b"\r\n",
    b"~~",
    b"\0",
    b"\x1a",
    b"\xf1",
    b" ",
    b"\\",
    b"|",
]
_PIECES += [
    b"PAT*",
    b"DSP*",
    b"\nDSP*",
    b"~DSP*",
    b"TH*",
    b"TT*",
    b"PHA*",
    b"~pat*",
    _FILE,
]
_PIECES += [line.encode() for line in record()]
_DAMAGE = st.lists(
    st.tuples(
        st.integers(0, len(_FILE)),
        st.integers(0, 60),
        st.sampled_from(_PIECES) | st.binary(max_size=6),
    ),
    max_size=5,
)
_TWO_GLUED = [(_FILE.index(b"~\nDSP"), 2, b""), (_FILE.index(b"~\nPRE"), 1, b"")]


def damaged(damage: list[tuple[int, int, bytes]], *, start: int = 0) -> bytes:
    body = _FILE
    for place, length, inserted in damage:
        at = max(place, start)
        body = body[:at] + inserted + body[at + length :]
    return body


def read(body: bytes, size: int = 1 << 20) -> tuple[asap.Reading, list[asap.Record]]:
    accepted = frozenset({"4.1", "4.2", "4.2A", "4.2B", "5.0"})
    reading = asap.read(
        in_chunks(body, size), today=TODAY, programme=asap.Programme(accepted)
    )
    return reading, list(reading)


def told(result: tuple[asap.Reading, list[asap.Record]]) -> object:
    reading, found = result
    return (
        reading.verdict,
        reading.version,
        reading.encoding,
        reading.sha256,
        reading.counts,
        reading.problems,
        reading.transactions,
        reading.pharmacies,
        [
            (
                each.number,
                each.segment_number,
                each.byte_offset,
                each.transaction,
                each.problems,
                each.elements,
                each.dispensing,
                each.zero_report,
            )
            for each in found
        ],
    )


def accounted(result: tuple[asap.Reading, list[asap.Record]]) -> None:
    reading, found = result
    counts = reading.counts
    assert counts.read == len(found)
    assert counts.read == (
        counts.good + counts.held + counts.duplicate + counts.zero_reports
    )
    assert 0 <= counts.warned <= counts.good
    assert sum(each.records for each in reading.transactions) == counts.read
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert counts.held == sum(each.held for each in found)
    for each in found:
        ways = (each.dispensing is not None, each.zero_report is not None, each.held)
        assert sum(ways) == 1
        assert isinstance(each.elements, dict)


@settings(max_examples=120, deadline=None)
@given(damage=_DAMAGE, size=st.integers(1, 3000))
@example(damage=_TWO_GLUED, size=7)
@example(damage=[(0, 0, b"\0\0")], size=1)
def test_damage_never_raises_and_chunks_never_matter(
    damage: list[tuple[int, int, bytes]], size: int
) -> None:
    body = damaged(damage)

    whole = read(body)

    accounted(whole)
    assert told(read(body, size)) == told(whole)


@settings(max_examples=120, deadline=None)
@given(damage=_DAMAGE)
@example(damage=_TWO_GLUED)
def test_the_quick_way_and_the_rules_agree_on_any_damage(
    damage: list[tuple[int, int, bytes]],
) -> None:
    body = damaged(damage)
    quick = told(read(body))
    with pytest.MonkeyPatch.context() as without:
        without.setattr(happy, "_VERSIONS", set())
        slow = told(read(body))

    assert quick == slow


@settings(max_examples=120, deadline=None)
@given(damage=_DAMAGE)
@example(damage=_TWO_GLUED)
@example(damage=[(0, 0, b"TH*")])
def test_no_dispensation_that_can_be_seen_is_lost(
    damage: list[tuple[int, int, bytes]],
) -> None:
    """A DSP at the start of a segment or line is a record, as far as reading went."""
    body = damaged(damage, start=_HEADER)

    reading, found = read(body)

    stops = [p.byte_offset for p in reading.problems if p.code == "F12"]
    stops += [
        p.byte_offset
        for p in reading.problems
        if p.code == "F04" and ("from here" in p.message or "for more" in p.message)
    ]
    seen = body[: min(stops, default=len(body))]
    seen = seen[: seen.rfind(b"~") + 1]
    if len(re.findall(rb"TH[*|\\ ]", body, re.IGNORECASE)) > 1:
        # A new header may part segments in another way, or be none that can be read.
        return
    begins = rb"(?:~[\s\0\x1a]*|[\r\n]\s*)DSP[ \t]*\*"
    assert len(found) >= len(re.findall(begins, seen, re.IGNORECASE))


@settings(max_examples=60, deadline=None)
@given(
    damage=_DAMAGE,
    encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    size=st.integers(1, 500),
)
def test_no_encoding_raises(
    damage: list[tuple[int, int, bytes]], encoding: str, size: int
) -> None:
    body = damaged(damage).decode("cp1252", errors="replace").encode(encoding)

    whole = read(body)

    accounted(whole)
    assert told(read(body, size)) == told(whole)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [_FILE, _FILE[:700], _FILE.replace(b"~", b"\\"), b"\n", b"TT*"]
        ),
        max_size=4,
    ),
    st.sampled_from([b"~", b"\\", b"\n", b"|", b"!", b"*", b"\x1c"]),
)
def test_transactions_one_after_another_are_accounted_for(
    parts: list[bytes], mark: bytes
) -> None:
    body = b"".join(parts).replace(b"~", mark)

    result = read(body)

    accounted(result)
    assert told(read(body, 251)) == told(result)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"TH*", b"TH*4.2B*1*01**", _FILE[:90]]),
)
def test_any_bytes_at_all_are_read(noise: bytes, head: bytes) -> None:
    accounted(read(head + noise))


@pytest.mark.parametrize(
    "piece",
    [
        b"PAT*",
        b"\nPAT*",
        b"DSP*00*1*20260101*0*20260101*",
        b"\nTH*4.2B*",
        b"*" * 50,
        b"PRE*" * 9 + b"~",
        b"\nDSP*1",
        b"TH*4.2B*1*01**20260105*1015*P**~~IS*~",
        b"DSP*00*1*20260101*0*20260102*0*01~",
        b"~ \n",
        b"\0",
    ],
)
def test_reading_is_linear_in_whatever_comes(piece: bytes) -> None:
    """Eight times as much of the worst takes eight times as long, not sixty-four."""
    times = []
    for size in (20_000, 160_000):
        body = _FILE[:_HEADER] + b"IS*1*2~" + piece * (size // len(piece))
        start = process_time()
        accounted(read(body))
        times.append(process_time() - start)

    assert times[1] < 30 * max(times[0], 0.01)


def test_millions_of_faults_are_told_a_hundred_times() -> None:
    glued = _FILE.replace(b"~\nDSP", b"\nDSP")
    many = glued[glued.index(b"PHA*") : glued.index(b"TT*")] * 300

    reading, found = read(_FILE[:_HEADER] + b"IS*1*2~" + many)

    assert len(found) == 3000
    assert reading.refused
    assert len(reading.problems) <= envelope.MOST_PROBLEMS + envelope.MOST_FATAL

"""Made-up submissions with a key to the truth: one seed always gives the same bytes.

Names, addresses and numbers are invented (phones are 555-01xx, check digits fit); the
products are real.  Pharmacies stand alone or in chains, of which some send one file for
all; few prescribers write most.  Among the good records are what real files hold: names
and addresses written in other ways, people who moved or married, twins, animals, void,
revised, repeated and partial fills, compounds, zero reports, test files, files that
come late, and records that must be held.  The truth says which is which, as it is if
the files are submitted in the order given, which is that of their names.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from pmp.asap.cast import Draw, make_people, pick
from pmp.asap.fills import iso_of
from pmp.asap.state import State
from pmp.asap.trade import (
    ACUTE,
    CHRONIC,
    Sender,
    Store,
    by_use,
    by_writing,
    make_prescribers,
    make_senders,
)

UNTIL = date(2026, 1, 31)
"""The last day of the submissions unless another is asked for."""

VERSIONS = ("4.2B", "4.2A", "4.2")
"""The versions in use, the most common first, unless others are asked for."""

DEFECTS = 0.02
"""So many of the records are held, unless another share is asked for."""

TRUTH_COLUMNS = (
    "file",
    "record",
    "person",
    "pharmacy_dea",
    "prescription_number",
    "filled_on",
    "status",
    "outcome",
    "why",
    "story",
)
LATE, AGAIN, TEST = 0.015, 0.004, 0.003
"""Of the files, so many come late, come twice, and come first as a test."""

MOST_DAYS_LATE = 3
_Page = tuple[Store, str, list[str], int]
_UNCHANGED = frozenset({"stored", "held", "not_reportable", "zero_report"})


@dataclass(frozen=True)
class SyntheticFile:
    """One submission: its name, its bytes, and what is true of its records.

    `lines` are lines of a CSV file with the columns of `TRUTH_COLUMNS`, one for each of
    the `records`.
    """

    name: str
    body: bytes
    lines: str
    records: int

    @property
    def truth(self) -> tuple[dict[str, str], ...]:
        """The lines, by column."""
        return tuple(csv.DictReader(io.StringIO(self.lines), TRUTH_COLUMNS))


@dataclass(frozen=True)
class _Paper:
    """A file before it has a name: who sends it, of which day, and what it holds.

    `pages` are pharmacies with their texts, rows and number of segments.
    """

    sender: Sender
    day: str
    pages: tuple[_Page, ...]
    test: bool = False
    again: bool = False


def submissions(
    *,
    seed: int,
    days: int,
    scale: float,
    until: date = UNTIL,
    defects: float = DEFECTS,
    versions: Sequence[str] = VERSIONS,
) -> Iterator[SyntheticFile]:
    """Give the files of a state in the order in which they are sent, day by day.

    Scale 1 is 10 pharmacies, 250 prescribers, 4,000 people and some 15 records a
    pharmacy and day; all grow with it.  The days end with `until`, so that only a late
    file comes after it.  `defects` is the share of records that are held; most senders
    use the first of the `versions`.
    """
    first = until - timedelta(days=days - 1)
    state = State(
        seed=seed, scale=scale, first=first, last=until, defects=defects,
        versions=versions,
    )  # fmt: skip
    post: defaultdict[int, list[_Paper]] = defaultdict(list)
    for day in range(first.toordinal(), until.toordinal() + 1 + MOST_DAYS_LATE):
        if day <= until.toordinal():
            state.live(day)
            for paper in _papers(state, day):
                _send(paper, day, post, state.random)
        for number, paper in enumerate(post.pop(day, ()), start=1):
            yield _file(paper, state.days[day][0], number)


def large_submission(*, seed: int, records: int, until: date = UNTIL) -> bytes:
    """Give one file of a large pharmacy: good records only, as benchmarks need."""
    random = Random(seed).random  # noqa: S311 - made-up data must be the same each time
    (sender,) = make_senders(random, 1, VERSIONS[:1])
    (store,) = sender.stores
    prescribers = by_writing(make_prescribers(random, 400))
    people = make_people(random, max(20, records // 3))
    drugs = by_use(CHRONIC + ACUTE)
    days = [f"{until - timedelta(days=back):%Y%m%d}" for back in range(3)]
    for _ in range(records):
        person, drug = pick(random, people), pick(random, drugs)
        pre = pick(random, prescribers).segment
        store.texts.append(
            f"{person.as_written_by(int(random() * 3), store.phone, random, odd=False)}"
            f"DSP*00*{store.next_prescription()}*{days[int(random() * 3)]}"
            f"*{drug.refills}*{days[0]}*0*{drug.supply}*05*00*{store.staff}*04"
            f"*{days[0]}~\n{pre}"
        )
    return _file(_Paper(sender, days[0], (_page(store, days[0]),)), days[0], 1).body


def _papers(state: State, day: int) -> Iterator[_Paper]:
    """Take the pages of a day from the pharmacies: one file a sender, or a pharmacy."""
    text, _ = state.days[day]
    for sender in state.senders:
        if sender.one_file:
            yield _Paper(
                sender, text, tuple(_page(each, text) for each in sender.stores)
            )
        else:
            for store in sender.stores:
                yield _Paper(sender, text, (_page(store, text),))


def _page(store: Store, day: str) -> _Page:
    """Take a pharmacy's page; where there is nothing on it, that is reported."""
    if not store.texts:
        store.texts = [f"PAT*******REPORT*ZERO~\nDSP*****{day}~\nPRE*~\nCDI*~\nAIR*~\n"]
        store.further = 2
        store.rows = [f",{store.dea},,{iso_of(day)},,zero_report,,\n"]
    segments = 3 * len(store.texts) + store.further
    page = store, "".join(store.texts), store.rows, segments
    store.clear()
    return page


def _send(
    paper: _Paper, day: int, post: defaultdict[int, list[_Paper]], random: Draw
) -> None:
    """Post a paper: mostly at once, some late, some twice, some as a test before."""
    drawn = random()
    if drawn < LATE:
        post[day + 1 + int(random() * MOST_DAYS_LATE)].append(paper)
        return
    if drawn < LATE + TEST:
        post[day].append(_Paper(paper.sender, paper.day, paper.pages, test=True))
    post[day].append(paper)
    if drawn > 1 - AGAIN and all(_is_plain(rows) for _, _, rows, _ in paper.pages):
        again = _Paper(paper.sender, paper.day, paper.pages, again=True)
        post[day + 1].append(again)


def _is_plain(rows: Sequence[str]) -> bool:
    """Tell whether what happens to a page sent twice is plain: nothing undoes it."""
    for row in rows:
        *_, status, outcome, why, _story = row.split(",")
        if outcome not in _UNCHANGED or status == "01" or why == "voided below":
            return False
    return True


def _file(paper: _Paper, sent: str, number: int) -> SyntheticFile:
    sender = paper.sender
    label = sender.code if len(paper.pages) > 1 else paper.pages[0][0].dea
    control = f"{label}-{sent}-{number}"
    name = f"{sent}-{number:05}-{label}.dat"
    zero = any("zero_report" in rows[0] for _, _, rows, _ in paper.pages if rows)
    said = f"#{paper.day}#-#{paper.day}#" if zero else ""
    kind = "T" if paper.test else "P"
    parts = [
        f"TH*{sender.version}*{control}*01**{sent}*230000*{kind}**~~\n",
        f"IS*{sender.phone}*{sender.name}*{said}~\n",
    ]
    total = 3
    lines: list[str] = []
    for store, text, rows, segments in paper.pages:
        parts += (store.segment, text, f"TP*{segments + 2}~\n")
        total += segments + 2
        begin = len(lines) + 1
        found = rows if not (paper.test or paper.again) else _told(paper, rows)
        lines += [f"{name},{n},{row}" for n, row in enumerate(found, start=begin)]
    parts.append(f"TT*{control}*{total}~\n")
    return SyntheticFile(name, "".join(parts).encode(), "".join(lines), len(lines))


def _told(paper: _Paper, rows: Sequence[str]) -> list[str]:
    """Give what is true of a page in a test file, or in a file that is sent again."""
    told = []
    for row in rows:
        *head, outcome, why, story = row.split(",")
        if paper.test:
            outcome, why = "test", "in a test file"
        elif outcome == "stored":
            outcome, why = "duplicate", "its file was sent again"
        told.append(",".join((*head, outcome, why, story)))
    return told

"""Lists of people in other people's columns: found by their headings, read row by row.

Pure: text in, identities out.  `look_over` reads a list once, to tell what it is like;
`people` reads it again and says of each row which person it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from pmp.errors import RuleError
from pmp.matching import placeholders
from pmp.matching.agreement import COMMON, Frequencies, birth_dates_close, typo
from pmp.matching.candidates import Doubt, Kept, Pool
from pmp.matching.identities import Identity
from pmp.matching.likeness import Crowd, Likeness
from pmp.matching.name_frequencies import RARE_FIRST, RARE_LAST

HEADINGS = {
    "id": "id recid recordid rowid uniqueid patientid mrn",
    "last": "last lastname surname familyname lname nachname patientlastname",
    "first": "first firstname givenname given forename fname patientfirstname",
    "middle": "middle middlename middleinitial mi mname",
    "suffix": "suffix namesuffix generation",
    "dob": "dob dateofbirth birthdate birthday born birthdt patientdob bday",
    "sex": "sex gender",
    "street_number": "streetnumber housenumber streetno",
    "street": "street address address1 streetaddress addressline1 addr streetname",
    "city": "city town suburb municipality",
    "state": "state province",
    "zip": "zip zipcode postcode postalcode zip5",
    "phone": "phone phonenumber telephone telephonenumber tel mobile cell homephone",
    "species": "species",
    "animal_name": "animalname petname",
}
"""Column of ours → the headings that it may have, letters and digits alone."""

NEEDED = ("last", "first", "dob")
_BY_HEADING = {
    heading: name for name, headings in HEADINGS.items() for heading in headings.split()
}
_FORMATS = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%m.%d.%Y",
    "%d-%b-%Y",
    "%d-%B-%Y",
    "%b-%d-%Y",
    "%B-%d-%Y",
    "%d%b%Y",
    "%m%d%Y",
)
_DAY_FIRST = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d-%b-%Y",
    "%d-%B-%Y",
)
_TIME = re.compile(r"[T ]\d\d:\d\d.*\Z")
_OLDEST = 1850
_MOST_LOOKED_OVER = 200_000
_FEWEST_ROUGH = 200
_FAMILIES, _GAPS = 0.02, 0.005
_MOST_OF_A_HOME = 8

Row = Mapping[str, str]


@dataclass
class Character:
    """What a list is like: how many rows, how many without what, how many relatives."""

    rows: int = 0
    gaps: int = 0
    families: int = 0
    tells_apart: bool = False
    last: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    _homes: dict[tuple[str, ...], list[Identity]] = field(default_factory=dict)

    @property
    def is_rough(self) -> bool:
        """Whether names and dates are badly typed or missing, and nobody is related.

        Only such a list is judged by weights alone: one that says nothing of sex,
        phone, middle name or generation, has rows without name or date, and hardly
        any two of one last name in one home who differ in first name and birth date.
        """
        if self.tells_apart or not _FEWEST_ROUGH <= self.rows < _MOST_LOOKED_OVER:
            return False
        return self.gaps >= _GAPS * self.rows and self.families <= _FAMILIES * self.rows

    @property
    def frequencies(self) -> Frequencies:
        """How common names are here, if that is more than in the country."""
        if self.rows < _FEWEST_ROUGH:
            return COMMON
        return Frequencies(
            last=self._shares(self.last, COMMON.last, RARE_LAST),
            first=self._shares(self.first, COMMON.first, RARE_FIRST),
            heard=None,
        )

    def _shares(
        self, counts: Counter[str], shares: Mapping[str, float], rare: float
    ) -> dict[str, float]:
        # Of a person who is there twice, one is left out.
        here = {name: (times - 1) / self.rows for name, times in counts.items()}
        more = {name: share for name, share in here.items() if share > rare}
        common = {
            name: max(share, shares.get(name, rare)) for name, share in more.items()
        }
        return {**shares, **common}

    def add(self, one: Identity) -> None:
        """Count a row."""
        self.rows += 1
        self.last[one.last_key] += 1
        self.first[one.first_key] += 1
        names = one.last_key and one.first_key
        self.gaps += not names or one.birth_date == placeholders.NO_DATE
        told = one.sex in {"F", "M"} or one.phone or one.middle or one.suffix
        self.tells_apart |= bool(told) or one.species != "human"
        if one.street_key and one.last_key and self.rows <= _MOST_LOOKED_OVER:
            home = self._homes.setdefault(
                (one.last_key, one.street_key, one.zip_key), []
            )
            self.families += any(_relatives(one, other) for other in home)
            if len(home) < _MOST_OF_A_HOME:
                home.append(one)


@dataclass(frozen=True)
class Told:
    """What became of one row: its person, counted from 1, why, and the doubts."""

    row: int
    person: int
    why: str
    is_new: bool
    doubts: Sequence[Doubt] = ()
    unreadable: str = ""


def columns(given: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Give which heading each column of ours has; `chosen` go before guessing.

    Raises RuleError where a needed column is not found or a chosen one is not there.
    """
    found: dict[str, str] = {}
    for heading in given:
        name = _BY_HEADING.get(re.sub(r"[^a-z0-9]", "", heading.lower()))
        if name and name not in found:
            found[name] = heading
    for name, heading in chosen.items():
        if name not in HEADINGS:
            known = ", ".join(HEADINGS)
            raise RuleError(
                f"There is no column “{name}” to choose; known are {known}."
            )
        if heading not in given:
            raise RuleError(f"The file has no column “{heading}” for {name}.")
        found[name] = heading
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise RuleError(
            f"The file lacks the columns {', '.join(missing)}; it has"
            f" {', '.join(given) or 'none'}. Say which is which, like"
            f" --columns {missing[0]}=HEADING."
        )
    return found


def identity(row: Row, at: Mapping[str, str], *, day_first: bool = False) -> Identity:
    """Give the person of a row; without a date that can be read, `NO_DATE`."""

    def text(name: str) -> str:
        return (row.get(at.get(name, "")) or "").strip()

    return Identity(
        last=text("last"),
        first=text("first"),
        middle=text("middle"),
        suffix=text("suffix"),
        birth_date=day(text("dob"), day_first=day_first) or placeholders.NO_DATE,
        sex=text("sex").upper()[:1],
        street=" ".join(filter(None, (text("street_number"), text("street")))),
        city=text("city"),
        state=text("state").upper(),
        zip=text("zip"),
        phone=text("phone"),
        species="animal" if text("species").lower() in _ANIMALS else "human",
        animal_name=text("animal_name"),
    )


_ANIMALS = frozenset({"animal", "02", "2", "veterinary", "vet", "dog", "cat"})


def day(text: str, *, day_first: bool = False) -> date | None:
    """Read a date of birth as lists write it; None if it is none."""
    plain = re.sub(r"[,\s]+", "-", _TIME.sub("", text.strip()))
    for form in _DAY_FIRST if day_first else _FORMATS:
        try:
            read = datetime.strptime(plain, form).date()  # noqa: DTZ007 - a day alone
        except ValueError:
            continue
        return read if read.year >= _OLDEST else None
    return None


def look_over(rows: Iterable[Row], at: Mapping[str, str]) -> Character:
    """Read a list once, as far as it matters, and tell what it is like."""
    character = Character()
    for row in rows:
        character.add(identity(row, at))
        if character.rows >= _MOST_LOOKED_OVER:
            break
    return character


def people(
    rows: Iterable[Row],
    at: Mapping[str, str],
    crowd: Crowd,
    frequencies: Frequencies = COMMON,
    *,
    day_first: bool = False,
) -> Iterator[Told]:
    """Say of each row which person it is, in the order of the rows."""
    pool, count = Pool(crowd, frequencies), 0
    for number, row in enumerate(rows, start=1):
        one = identity(row, at, day_first=day_first)
        person, likeness, doubts = pool.decide(one)
        why = _why(likeness, doubts)
        is_new = not person
        if is_new:
            person = count = count + 1
        pool.add(Kept(one, person))
        undated = one.birth_date == placeholders.NO_DATE
        unreadable = undated and bool((row.get(at["dob"]) or "").strip())
        yield Told(number, person, why, is_new, doubts, at["dob"] if unreadable else "")


def _why(likeness: Likeness | None, doubts: Sequence[Doubt]) -> str:
    if likeness:
        return f"{likeness.rule}: {reasons(likeness)}"
    if doubts:
        return f"to be reviewed with person {doubts[0][0]}: {doubts[0][1].rule}"
    return "first of this person"


def reasons(likeness: Likeness) -> str:
    """Give what each field says, in one line."""
    return "; ".join(f"{name} {says}" for name, says in likeness.evidence.items())


def _relatives(one: Identity, other: Identity) -> bool:
    """Whether two of one last name and home are surely two."""
    dates = {one.birth_date, other.birth_date}
    if len(dates) == 1 or placeholders.NO_DATE in dates or birth_dates_close(*dates):
        return False
    names = one.first_key, other.first_key
    return all(names) and names[0] != names[1] and not typo(*names)

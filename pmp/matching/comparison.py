"""Two groups of reported identities compared: what differs, and to which one is nearer.

Reads nothing: it is given the rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from models import ReportedIdentity, Species
from pmp import wording
from pmp.matching.identities import Identity
from pmp.matching.likeness import Band, Likeness, compare

# Columns of an identity, their words, and the likeness's name for the same.
FIELDS = (
    ("last_name", "Last name", "last name"),
    ("first_name", "First name", "first name"),
    ("middle_name", "Middle name", "middle name"),
    ("suffix", "Suffix", ""),
    ("birth_date", "Date of birth", "date of birth"),
    ("sex", "Sex", "sex"),
    ("street", "Street", "street"),
    ("city", "City", ""),
    ("state", "State", ""),
    ("zip", "ZIP code", "ZIP code"),
    ("phone", "Phone", "phone"),
    ("species", "Person or animal", ""),
    ("animal_name", "Animal's name", "animal"),
)
SEXES = {"F": "Female", "M": "Male", "U": "Unknown"}
_ORDER = (Band.DIFFERENT, Band.REVIEW, Band.SAME)


@dataclass(frozen=True)
class Compared:
    """A field of two identities in words, and what it weighs in the likeness."""

    label: str
    one: str
    other: str
    weighs: str = ""

    @property
    def differs(self) -> bool:
        return bool(self.one and self.other and self.one.upper() != self.other.upper())

    @property
    def is_lacking(self) -> bool:
        return not (self.one and self.other)


def as_matched(row: ReportedIdentity) -> Identity:
    """Give a stored identity as matching compares it."""
    return Identity(
        last=row.last_name,
        first=row.first_name,
        middle=row.middle_name,
        suffix=row.suffix,
        birth_date=row.birth_date,
        sex=row.sex,
        street=row.street,
        city=row.city,
        state=row.state,
        zip=row.zip,
        phone=row.phone,
        species=row.species.value,
        animal_name=row.animal_name,
    )


def nearest(
    one: ReportedIdentity, others: Iterable[ReportedIdentity]
) -> tuple[ReportedIdentity, Likeness]:
    """Give which of the others is most like an identity, and how much."""
    own = as_matched(one)
    judged = [(other, compare(own, as_matched(other))) for other in others]
    return max(judged, key=lambda each: _rank(each[1]))


def is_nearer(
    one: ReportedIdentity,
    here: Sequence[ReportedIdentity],
    there: Sequence[ReportedIdentity],
) -> bool:
    """Tell whether an identity is more like somebody there than like anybody here."""
    if not there:
        return False
    return not here or _rank(nearest(one, there)[1]) > _rank(nearest(one, here)[1])


def fields(
    one: ReportedIdentity, other: ReportedIdentity, likeness: Likeness
) -> list[Compared]:
    """Set two identities side by side; what neither has is left out."""
    found = []
    for column, label, weighed in FIELDS:
        here, there = shown(one, column), shown(other, column)
        if here or there:
            weighs = likeness.evidence.get(weighed, "")
            found.append(Compared(label, here, there, weighs))
    return found


def shown(row: ReportedIdentity, column: str) -> str:
    """Give a column of an identity in words."""
    value: Any = getattr(row, column)
    if column == "birth_date":
        return wording.us_date(value)
    if column == "phone":
        return wording.phone(value)
    if column == "zip":
        return wording.zip_code(value)
    if column == "sex":
        return SEXES.get(value, str(value))
    return str(value.value).capitalize() if column == "species" else str(value)


def signs_against(
    ones: Iterable[ReportedIdentity], others: Iterable[ReportedIdentity]
) -> list[str]:
    """Say what speaks against two groups being one person; empty if nothing does."""
    pairs = [
        (as_matched(one), as_matched(other)) for one, other in product(ones, others)
    ]
    signs = {
        "different sex": any({a.sex, b.sex} == {"F", "M"} for a, b in pairs),
        "different generation (Jr, Sr)": any(
            len({a.generation, b.generation} - {""}) > 1 for a, b in pairs
        ),
        "different middle name": any(_middles_differ(a, b) for a, b in pairs),
        "different first name": all(a.first_key != b.first_key for a, b in pairs),
        "different date of birth": all(a.birth_date != b.birth_date for a, b in pairs),
    }
    return [words for words, holds in signs.items() if holds]


def one_kind(rows: Iterable[ReportedIdentity]) -> bool:
    """Tell whether they are all people, or all animals."""
    return len({row.species is Species.ANIMAL for row in rows}) <= 1


def _middles_differ(one: Identity, other: Identity) -> bool:
    a, b = one.middle_key, other.middle_key
    return bool(a and b and not a.startswith(b) and not b.startswith(a))


def _rank(likeness: Likeness) -> tuple[int, float]:
    return _ORDER.index(likeness.band), likeness.bits

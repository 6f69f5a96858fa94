"""What a submission reports: dispensations and zero reports, raw and typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pmp.asap.problems import Problem, Severity


class Status(StrEnum):
    """DSP01: what the pharmacy asks for."""

    NEW = "new"
    REVISE = "revise"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Pharmacy:
    """The PHA segment.  An element that was not sent is “”."""

    dea: str
    ncpdp: str
    npi: str
    name: str
    street: str
    street_2: str
    city: str
    state: str
    zip: str
    phone: str
    contact: str
    site: str
    permit: str


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """The PAT segment, as the pharmacy wrote it, blanks trimmed.

    `sex` is F, M, U or “”; `species` is “human” or “animal”; `birth_date` is None
    only on a void.  A Social Security number is never carried: `id_number` is “”.
    """

    last: str
    first: str
    middle: str
    suffix: str
    birth_date: date | None
    sex: str
    street: str
    street_2: str
    city: str
    state: str
    zip: str
    phone: str
    country: str
    species: str
    animal_name: str
    id_jurisdiction: str
    id_qualifier: str
    id_number: str


@dataclass(frozen=True, slots=True)
class Prescriber:
    """The PRE segment; all “” when a void came without one."""

    dea: str
    dea_suffix: str
    npi: str
    licence: str
    licence_state: str
    last: str
    first: str
    middle: str
    phone: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One CDI segment of a compound.  `ndc` has 11 digits, or is “” if it is no NDC."""

    sequence: int
    product_id: str
    ndc: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Dispensing:
    """One DSP with its PAT, PRE, CDI and PHA, typed.

    `quantity` is metric, in `unit` (“each”, “ml”, “g” or “”); `days_supply` is in
    days; `fill_number` is 0 for the original fill; `partial_number` is 0 for a full
    fill and n for the n-th partial, whatever the version's sense of DSP13 is;
    `ndc` has 11 digits and is “” for a compound.  Codes (`origin`, `payment`,
    `treatment`) are two digits or “”.
    """

    status: Status
    pharmacy: Pharmacy
    patient: PatientIdentity
    prescriber: Prescriber
    prescription_number: str
    written_on: date
    refills_authorised: int
    filled_on: date
    sold_on: date | None
    fill_number: int
    partial_number: int
    compound: bool
    product_id: str
    ndc: str
    quantity: Decimal
    days_supply: int
    unit: str
    origin: str
    payment: str
    treatment: str
    diagnosis: str
    directions: str
    ingredients: tuple[Ingredient, ...]


@dataclass(frozen=True, slots=True)
class ZeroReport:
    """“Nothing dispensed” by one pharmacy, for each day from `since` to `until`."""

    pharmacy: Pharmacy
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Record:
    """One DSP segment and what belongs to it, in file order.

    `number` counts the records of the file from 1; `transaction` those of its
    TH…TT transactions; `segment_number` and `byte_offset` place its DSP.
    `dispensing` is None for a zero report and for a held record, whose `elements`
    are there to be corrected.
    """

    number: int
    transaction: int
    segment_number: int
    byte_offset: int
    version: str
    status: Status | None
    problems: tuple[Problem, ...] = ()
    zero_report: ZeroReport | None = None
    dispensing: Dispensing | None = None
    elements: Mapping[str, str] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether it must wait for a correction."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

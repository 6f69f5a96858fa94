"""The settings of disclosures: terms, who is named, the choices that staff have.

Part of pmp.settings, which reads them. Choices are one setting, divided by semicolons.
Connecticut's are the defaults: General Statutes 21a-254(j) and 21a-265, and HIPAA's own
cases.
"""

from typing import Literal

from pydantic import BaseModel, Field, field_validator

MOST_LETTERS = 200
"""Of one choice; it is kept as it was chosen."""

IDENTITY_PAPERS = (
    "Driver's license;State identity card;Passport;Military identity card;"
    "Tribal identity card;Other paper with a photograph"
)
OFFICIAL_BASES = (
    "Officer who enforces the controlled substance laws (CGS 21a-265);"
    "Regulatory, investigative or law enforcement agency"
    " (CGS 21a-254(j), Regs. 21a-254-6);"
    "Court order or warrant (45 CFR 164.512(f)(1)(ii)(A));"
    "Grand jury subpoena (45 CFR 164.512(f)(1)(ii)(B));"
    "Administrative request in writing (45 CFR 164.512(f)(1)(ii)(C));"
    "Order of a court or tribunal in a proceeding (45 CFR 164.512(e)(1)(i));"
    "Health oversight agency (45 CFR 164.512(d));"
    "Medical examiner (45 CFR 164.512(g)(1))"
)


class DisclosureSettings(BaseModel):
    """What patients and offices are told, and by when. `Settings` extends it."""

    accounting_years: int = Field(default=6, ge=6, le=30)
    patient_request_days: int = Field(default=30, ge=1, le=60)
    patient_request_extension_days: int = Field(default=30, ge=1, le=30)
    patient_told_names: Literal["persons", "places"] = "persons"
    identity_papers: str = IDENTITY_PAPERS
    official_bases: str = OFFICIAL_BASES
    oral_suspension_days: int = Field(default=30, ge=1, le=30)
    request_paper_years: int = Field(default=6, ge=6, le=30)
    privacy_contact: str = Field(default="Privacy Officer", min_length=1)
    privacy_phone: str = ""
    smallest_count: int = Field(default=11, ge=0, le=100)

    @field_validator("identity_papers", "official_bases")
    @classmethod
    def _some_choices(cls, text: str) -> str:
        choices(text)
        return text


def choices(text: str) -> list[str]:
    """Give the choices of a setting in their order; ValueError for none or a long one.

    A choice is told apart by its words, so each stands once.
    """
    found = list(dict.fromkeys(filter(None, map(str.strip, text.split(";")))))
    if not found:
        raise ValueError("name at least one choice, divided by semicolons")
    for each in found:
        if len(each) > MOST_LETTERS:
            raise ValueError(f"use at most {MOST_LETTERS} letters for {each[:40]!r}…")
    return found

"""Choices that staff have when they disclose: papers seen, what the law bases it on.

Pure. Each is one setting, its choices divided by semicolons. Connecticut's are the
defaults: General Statutes 21a-254(j) and 21a-265, and HIPAA's own cases.
"""

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

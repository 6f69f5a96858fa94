"""Rules that come with the program: the default, and what others use.

Connecticut's numbers are not published. Sources: Oklahoma's and California's published
criteria; the PDMP Training and Technical Assistance Center's suggestion (TTAC); the
Pharmacy Quality Alliance's measures of multiple providers (PQA) and of concurrent
opioids and benzodiazepines (COB: 30 days or more of a year, without hospice and
cancer); CDC's guideline of 2016 (avoid 90 MME a day); the patient safety alerts of
California's CURES (opioids for more than 90 days in a row, more than 40 mg of methadone
a day), as "or more" in whole numbers. Six months are 182 days.
"""

from models import Care, Connective, RuleKind, RuleStatus
from pmp.thresholds.terms import Terms

_CARE = (Care.HOSPICE.value, Care.CANCER.value)

DEFAULT = Terms(
    "3 prescribers and 3 pharmacies",
    prescribers=3,
    pharmacies=3,
    connective=Connective.AND,
    window_days=90,
    schedules=("CII", "CIII", "CIV"),
)
PRESETS = (
    Terms("Oklahoma", 5, 5, Connective.AND, 90, status=RuleStatus.OFF),
    Terms("California", 6, 6, Connective.OR, 182, status=RuleStatus.OFF),
    Terms("TTAC", 5, 5, Connective.AND, 182, status=RuleStatus.OFF),
    Terms("PQA", 4, 4, Connective.AND, 180, status=RuleStatus.OFF),
    Terms(
        "CDC daily MME",
        kind=RuleKind.DAILY_MME,
        amount=90,
        window_days=90,
        exclusions=_CARE,
        cool_down_days=90,
        status=RuleStatus.OFF,
    ),
    Terms(
        "PQA opioid with benzodiazepine",
        kind=RuleKind.OPIOID_BENZODIAZEPINE,
        amount=30,
        window_days=365,
        exclusions=_CARE,
        cool_down_days=90,
        status=RuleStatus.OFF,
    ),
    Terms(
        "CURES long opioid use",
        kind=RuleKind.LONG_OPIOID_USE,
        amount=91,
        exclusions=_CARE,
        cool_down_days=90,
        status=RuleStatus.OFF,
    ),
    Terms(
        "CURES methadone",
        kind=RuleKind.METHADONE,
        amount=41,
        window_days=90,
        exclusions=_CARE,
        cool_down_days=90,
        status=RuleStatus.OFF,
    ),
)

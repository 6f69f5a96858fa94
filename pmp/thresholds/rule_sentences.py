"""A threshold rule in words: what it asks for, what it leaves out, when it is sent."""

from collections.abc import Sequence

from models import Care, DrugClass, RuleKind, ThresholdRule
from pmp.thresholds.terms import SCHEDULES, Terms

CARE_WORDS = {
    Care.HOSPICE: "hospice and palliative care",
    Care.CANCER: "cancer",
}
CLASS_WORDS = {
    DrugClass.OPIOID: "opioids",
    DrugClass.BUPRENORPHINE: "buprenorphine",
    DrugClass.BENZODIAZEPINE: "benzodiazepines",
    DrugClass.SEDATIVE: "sedatives",
    DrugClass.STIMULANT: "stimulants",
    DrugClass.GABAPENTINOID: "gabapentinoids",
    DrugClass.OTHER: "other drugs",
}


KIND_WORDS = {
    RuleKind.PROVIDERS: "Prescribers and pharmacies",
    RuleKind.DAILY_MME: "Daily dose of opioids",
    RuleKind.OPIOID_BENZODIAZEPINE: "An opioid with a benzodiazepine",
    RuleKind.LONG_OPIOID_USE: "Opioids for many days in a row",
    RuleKind.METHADONE: "Daily dose of methadone",
}


def sentence(terms: Terms | ThresholdRule) -> str:
    """Say a rule in words: 3 or more prescribers and 3 or more pharmacies in …."""
    words = _ASKED[terms.kind](terms)
    if left_out := [CARE_WORDS[each] for each in Care if each in terms.exclusions]:
        words += f"; not counted: {', '.join(left_out)}"
    return words


def sending(terms: Terms | ThresholdRule) -> str:
    """Say when a patient is reported again under a rule, for staff."""
    daily = terms.kind in {RuleKind.DAILY_MME, RuleKind.METHADONE}
    words = (
        f"It is reached again once {_days(terms.window_days)} were below. "
        if daily
        else ""
    )
    if not terms.cool_down_days:
        return f"{words}Every case is sent."
    worse = ", unless the numbers are higher" if terms.send_when_worse else ""
    return (
        f"{words}After a report, cases of the same patient are kept but not sent for "
        f"{_days(terms.cool_down_days)}{worse}."
    )


def _providers(terms: Terms | ThresholdRule) -> str:
    both = (
        f"{terms.prescribers} or more prescribers {terms.connective.value} "
        f"{terms.pharmacies} or more pharmacies"
    )
    parts = [f"{both} in {_days(terms.window_days)}", _scope(terms.schedules)]
    if terms.drug_classes:
        classes = [
            CLASS_WORDS[each] for each in DrugClass if each in terms.drug_classes
        ]
        parts.append(f"{' and '.join(classes)} only")
    if terms.minimum_fills > 1:
        parts.append(f"{terms.minimum_fills} or more fills")
    if terms.practices_once:
        parts.append("prescribers of one practice counted once")
    return ", ".join(parts)


def _daily_mme(terms: Terms | ThresholdRule) -> str:
    return f"{terms.amount} or more MME a day"


def _together(terms: Terms | ThresholdRule) -> str:
    return (
        f"An opioid with a benzodiazepine on {terms.amount} or more days"
        f" in {_days(terms.window_days)}"
    )


def _long_use(terms: Terms | ThresholdRule) -> str:
    words = f"Opioids for {terms.amount} or more days in a row"
    return f"{words}, gaps up to {_days(terms.gap_days)}" if terms.gap_days else words


def _methadone(terms: Terms | ThresholdRule) -> str:
    return f"{terms.amount} or more mg of methadone a day"


_ASKED = {
    RuleKind.PROVIDERS: _providers,
    RuleKind.DAILY_MME: _daily_mme,
    RuleKind.OPIOID_BENZODIAZEPINE: _together,
    RuleKind.LONG_OPIOID_USE: _long_use,
    RuleKind.METHADONE: _methadone,
}


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _scope(schedules: Sequence[str]) -> str:
    chosen = tuple(each for each in SCHEDULES if each in schedules)
    if not chosen or chosen == SCHEDULES:
        return "all schedules"
    first, last = SCHEDULES.index(chosen[0]), SCHEDULES.index(chosen[-1])
    if len(chosen) > 1 and last - first == len(chosen) - 1:
        return f"{chosen[0]}\N{EN DASH}{chosen[-1]}"
    return ", ".join(chosen)

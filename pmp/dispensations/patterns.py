"""Patterns among a pharmacy's own fills that may mean misuse, diversion or abuse.

Counts with their arithmetic, never a score: each pattern says what it counts, and each
row leads to its records. Nothing of other pharmacies is in them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from models import DrugClass, Pharmacy, User
from pmp import audit, clock, settings, wording
from pmp.dispensations import asked, dispensing, pattern_counts
from pmp.dispensations.daily_doses import DailyDose
from pmp.dispensations.early_refills import LOOK_BACK_DAYS
from pmp.dispensations.pattern_counts import FEWEST_FILLS, Counts, Period
from pmp.errors import RuleError
from pmp.warnings import limits_of

LONGEST_DAYS = 366


@dataclass(frozen=True)
class Bar:
    """One row of a pattern.

    `length` and `before` (the same in the earlier period) are per cent of the drawing's
    width; `words` say the numbers; `show` are the filters that list its records.
    """

    label: str
    words: str
    length: float
    show: Mapping[str, str]
    before: float | None = None


@dataclass(frozen=True)
class Pattern:
    """A panel: what it counts, in a sentence, its bars, and what all of it comes to."""

    key: str
    title: str
    sentence: str
    total: str
    bars: Sequence[Bar]
    empty: str
    show_all: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Patterns:
    """All patterns of one pharmacy in a period, and how many fills they rest on."""

    pharmacy: Pharmacy | None
    since: date
    until: date
    fills: int
    patterns: Sequence[Pattern]


def find(
    *,
    pharmacy: int | None,
    since: date | None,
    until: date | None,
    by: User,
    at: datetime,
) -> Patterns:
    """Give the patterns of the days filled, by default the last 90; audited first.

    Raises RuleError for days in the wrong order or more than a year of them.
    """
    today = clock.day_of(at)
    until = until or today
    since = since or asked.usual_since(until)
    _require_days(since, until)
    chosen = dispensing.pharmacy_of(by, pharmacy)
    if chosen is None:
        return Patterns(None, since, until, 0, [])
    period = Period(chosen, since, until, max(since, min(until, today)))
    counts = pattern_counts.counts(period)
    audit.record(
        audit.Event.DISPENSING_VIEWED,
        actor=by.username,
        subject=f"pharmacy:{chosen.id}",
        at=at,
        detail={
            "since": str(since),
            "until": str(until),
            "what": "patterns",
            "patients": sorted(counts.names),
        },
    )
    patterns = [panel(counts) for panel in _PANELS] if counts.fills else []
    return Patterns(chosen, since, until, counts.fills, patterns)


def _require_days(since: date, until: date) -> None:
    if until < since:
        raise RuleError("The last day is before the first.", field="until")
    if until - since >= timedelta(days=LONGEST_DAYS):
        message = "Patterns are reckoned for a year at most. Choose fewer days."
        raise RuleError(message, field="since")


def _early(counts: Counts) -> Pattern:
    most = max((each.refills for each in counts.early), default=1)
    limits = limits_of(settings.current())
    days, part = limits.early_days, f"{limits.early_part:.0%}"
    return Pattern(
        "early",
        "Early refills",
        "Fills of the same patient, ingredient, strength and form as the fill before,"
        f" while at least {days} days and more than {part} of its supply are left:"
        " days left = days supply less days since that fill. Fills of"
        f" {LOOK_BACK_DAYS} days before the period are looked at too. The bars are"
        " the patients with the most. A trip or a lost bottle is a reason too: this is"
        " no proof of misuse.",
        _share(counts.early_total, counts.fills, "fills are early"),
        [
            Bar(
                counts.names[each.id],
                f"{_number(each.refills, 'early refill')},"
                f" at most {_number(each.days_left, 'day')} left",
                100 * each.refills / most,
                {"only": f"early patient:{each.id}"},
            )
            for each in counts.early
        ],
        "No fill came early.",
        {"only": "early"},
    )


def _cash(counts: Counts) -> Pattern:
    given = sum(each.given for each in counts.classes)
    cash = sum(each.cash for each in counts.classes)
    not_given = counts.fills - given
    missing = f" Of {_number(not_given, 'fill')} the payment is not given."
    return Pattern(
        "cash",
        "Paid in cash",
        "Fills with payment type 01 (private pay) ÷ fills whose payment type is given,"
        " by class. The outlined bar is the same share in the period of the same length"
        " before. Many people pay in cash for want of insurance: this is no proof of"
        f" misuse.{missing if not_given else ''}",
        _share(cash, given, "fills are paid in cash"),
        [_cash_bar(counts, each) for each in counts.classes if each.given],
        "No fill says how it was paid.",
        {"only": "payment:01"} if cash else {},
    )


def _cash_bar(counts: Counts, now: pattern_counts.ClassCount) -> Bar:
    before = counts.classes_before.get(now.drug_class)
    words = _share(now.cash, now.given)
    share_before = None
    if before and before.given:
        share_before = 100 * before.cash / before.given
        words += f"; before: {_share(before.cash, before.given)}"
    else:
        words += "; before: none"
    show = {"only": "payment:01", "drug_class": now.drug_class.value}
    show = show if now.cash else {}
    label = wording.words(now.drug_class)
    return Bar(label, words, 100 * now.cash / now.given, show, share_before)


def _out_of_state(counts: Counts) -> Pattern:
    total = sum(each.fills for each in counts.states)
    ours = settings.current().state_name
    return Pattern(
        "states",
        "Patients of other states",
        f"Fills of patients whose address is outside {ours} ÷ all fills, by state."
        " People travel, and live near borders: this is no proof of misuse.",
        _share(total, counts.fills, "fills"),
        [
            Bar(
                each.state,
                f"{_share(each.fills, counts.fills)} of fills,"
                f" {_number(each.patients, 'patient')}",
                100 * each.fills / counts.fills,
                {"only": f"state:{each.state}"} if each.state.isalnum() else {},
            )
            for each in counts.states[: pattern_counts.MOST_BARS]
        ],
        "No patient lives in another state.",
        {"only": f"state:{dispensing.ELSEWHERE}"},
    )


def _prescribers(counts: Counts) -> Pattern:
    return Pattern(
        "prescribers",
        "Prescribers with the most fills",
        "Fills of each prescriber ÷ all fills. A practice across the street has many:"
        " this is no proof of misuse.",
        _number(counts.prescribers, "prescriber"),
        [
            Bar(
                each.name,
                f"{_share(each.fills, counts.fills)}",
                100 * each.fills / counts.fills,
                {"only": f"prescriber:{each.id}"},
            )
            for each in counts.by_fills
        ],
        "There is no fill.",
    )


def _opioid_prescribers(counts: Counts) -> Pattern:
    return Pattern(
        "opioids",
        "Prescribers with the highest share of opioids",
        "Opioid fills of each prescriber ÷ all fills of that prescriber here, for those"
        f" with {FEWEST_FILLS} fills or more. Pain and cancer clinics prescribe opioids"
        " above all: this is no proof of misuse.",
        "",
        [
            Bar(
                each.name,
                _share(each.opioids, each.fills),
                100 * each.opioids / each.fills,
                {
                    "only": f"prescriber:{each.id}",
                    "drug_class": DrugClass.OPIOID.value,
                },
            )
            for each in counts.by_opioids
        ],
        f"No prescriber has {FEWEST_FILLS} fills or more and an opioid among them.",
    )


def _doses(counts: Counts) -> Pattern:
    found = counts.doses
    most = max((float(each.peak) for each in found.highest), default=1)
    high = settings.current().mme_high
    unknown = f" Of {_number(found.unknown, 'patient')} no fill has a number."
    return Pattern(
        "mme",
        "Patients with the highest MME a day",
        "Morphine milligram equivalents on the highest day, summed over the fills that"
        " cover it: strength × quantity ÷ days supply × factor"  # noqa: RUF001
        f" ({settings.current().mme_rule_set}), early refills carried forward. Fills at"
        " other pharmacies are not in it; ≥ means that some fill could not be computed."
        " Severe pain needs high doses: this is no proof of misuse."
        f"{unknown if found.unknown else ''}",
        f"{_number(found.patients, 'patient')} with opioids or unknown products",
        [
            Bar(
                counts.names[each.patient],
                _dose_words(each, high),
                100 * float(each.peak) / most,
                {
                    "only": f"patient:{each.patient}",
                    "drug_class": DrugClass.OPIOID.value,
                },
            )
            for each in found.highest
        ],
        "No opioid with a known dose was filled.",
    )


def _dose_words(dose: DailyDose, high: int) -> str:
    words = f"{dose.shown} MME on {wording.us_date(dose.peak_on)}"
    if not dose.days_high:
        return words
    return f"{words}; {_number(dose.days_high, 'day')} at {high} or more"


def _several(counts: Counts) -> Pattern:
    most = max((each.prescribers for each in counts.several), default=1)
    return Pattern(
        "several",
        "Patients with several prescribers",
        "Different prescribers on a patient's fills here, two or more. Colleagues of"
        " one practice count each: this is no proof of misuse.",
        f"{_number(counts.several_total, 'patient')} with two prescribers or more",
        [
            Bar(
                counts.names[each.id],
                f"{_number(each.prescribers, 'prescriber')},"
                f" {_number(each.fills, 'fill')}",
                100 * each.prescribers / most,
                {"only": f"patient:{each.id}"},
            )
            for each in counts.several
        ],
        "Every patient has one prescriber.",
    )


_PANELS: tuple[Callable[[Counts], Pattern], ...] = (
    _early,
    _cash,
    _out_of_state,
    _prescribers,
    _opioid_prescribers,
    _doses,
    _several,
)


def _share(part: int, whole: int, what: str = "") -> str:
    """Write a share with its arithmetic: “42 of 310 (13.5 %)”."""
    per_cent = f" ({100 * part / whole:.1f} %)" if whole else ""
    return f"{part:,} of {whole:,} {what}".rstrip() + per_cent


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

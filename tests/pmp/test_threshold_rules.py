from dataclasses import replace

import pytest

from models import AuditEvent, Care, DrugClass, Role, RuleKind, RuleStatus
from pmp import audit
from pmp.errors import ConflictError, RuleError
from pmp.thresholds import threshold_rules
from pmp.thresholds.threshold_rules import Terms, sending, sentence
from tests.conftest import NOW
from tests.factories import make_rule, make_user

FIVE_WORDS = "5 or more prescribers and 5 or more pharmacies in 90 days"
FIVE = Terms("Five", 5, 5, schedules=("CII", "CIII", "CIV"))
TOGETHER = Terms("T", kind=RuleKind.OPIOID_BENZODIAZEPINE, amount=30, window_days=180)
LONG_USE = Terms("L", kind=RuleKind.LONG_OPIOID_USE, amount=91)
DAILY_MME = Terms("M", kind=RuleKind.DAILY_MME, amount=90)
METHADONE = Terms("X", kind=RuleKind.METHADONE, amount=41)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (
            replace(FIVE, exclusions=(Care.CANCER, Care.HOSPICE)),
            (
                f"{FIVE_WORDS}, CII\N{EN DASH}CIV; "
                "not counted: hospice and palliative care, cancer"
            ),
        ),
        (
            replace(
                FIVE,
                schedules=(),
                drug_classes=(DrugClass.BENZODIAZEPINE, DrugClass.OPIOID),
                minimum_fills=6,
                practices_once=True,
            ),
            (
                f"{FIVE_WORDS}, all schedules, opioids and benzodiazepines only, "
                "6 or more fills, prescribers of one practice counted once"
            ),
        ),
        (DAILY_MME, "90 or more MME a day"),
        (METHADONE, "41 or more mg of methadone a day"),
        (LONG_USE, "Opioids for 91 or more days in a row"),
        (
            replace(LONG_USE, gap_days=1, exclusions=(Care.HOSPICE,)),
            (
                "Opioids for 91 or more days in a row, gaps up to 1 day; "
                "not counted: hospice and palliative care"
            ),
        ),
        (TOGETHER, "An opioid with a benzodiazepine on 30 or more days in 180 days"),
    ],
)
def test_every_kind_and_option_is_said_in_a_sentence(terms: Terms, words: str) -> None:
    assert sentence(terms) == words


def test_when_a_patient_is_reported_again_is_said_in_words() -> None:
    cooled = replace(FIVE, cool_down_days=30)

    assert sending(FIVE) == "Every case is sent."
    assert sending(cooled) == (
        "After a report, cases of the same patient are kept but not sent for 30 days, "
        "unless the numbers are higher."
    )
    assert sending(replace(cooled, send_when_worse=False)).endswith("for 30 days.")
    assert sending(DAILY_MME).startswith("A new case only after 90 days below.")


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(FIVE, name=" "), "name"),
        (replace(FIVE, prescribers=0), "prescribers"),
        (replace(FIVE, minimum_fills=0), "minimum_fills"),
        (replace(FIVE, schedules=("CI",)), "schedules"),
        (replace(FIVE, drug_classes=("cannabis",)), "drug_classes"),
        (replace(FIVE, exclusions=("animals",)), "exclusions"),
        (replace(FIVE, cool_down_days=732), "cool_down_days"),
        (replace(FIVE, window_days=0), "window_days"),
        (replace(DAILY_MME, amount=0), "amount"),
        (replace(METHADONE, amount=1000), "amount"),
        (replace(LONG_USE, gap_days=31), "gap_days"),
        (replace(TOGETHER, amount=31, window_days=30), "window_days"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_field(
    terms: Terms, field: str
) -> None:
    with pytest.raises(RuleError) as refused:
        threshold_rules.write(terms=terms, reason="x", by=None, at=NOW)

    assert refused.value.field == field
    assert threshold_rules.newest() == []


@pytest.mark.usefixtures("db")
def test_what_a_kind_does_not_ask_for_is_not_kept() -> None:
    mixed = replace(
        DAILY_MME,
        prescribers=5,
        schedules=("CII",),
        drug_classes=("opioid",),
        gap_days=3,
        practices_once=True,
        minimum_fills=9,
    )

    rule = threshold_rules.write(terms=mixed, reason="x", by=None, at=NOW)

    assert threshold_rules.terms_of(rule) == DAILY_MME
    five = replace(FIVE, amount=90, gap_days=3)
    rule = threshold_rules.write(terms=five, reason="x", by=None, at=NOW)
    assert threshold_rules.terms_of(rule) == FIVE


@pytest.mark.usefixtures("db")
def test_every_preset_is_kept_as_it_is_and_waits() -> None:
    threshold_rules.seed(at=NOW)

    stored = {
        each.name: threshold_rules.terms_of(each) for each in threshold_rules.newest()
    }

    known = {
        each.name: each for each in (threshold_rules.DEFAULT, *threshold_rules.PRESETS)
    }
    assert {each.kind for each in known.values()} == set(RuleKind)
    assert stored == {name: threshold_rules.plain(each) for name, each in known.items()}
    assert [each.name for each in threshold_rules.in_force()] == [
        threshold_rules.DEFAULT.name
    ]


@pytest.mark.usefixtures("db")
def test_a_rule_is_switched_by_a_version_that_says_the_same() -> None:
    make_rule(name="Noise")
    rule = make_rule(name="Ours", cool_down_days=30, practices_once=True)
    author = make_user(Role.ADMINISTRATOR)

    new = threshold_rules.switch(
        rule, RuleStatus.SILENT, reason="A look first.", by=author, at=NOW
    )

    assert (new.version, new.status, new.reason) == (2, "silent", "A look first.")
    terms = threshold_rules.terms_of(rule)
    assert threshold_rules.terms_of(new) == replace(terms, status=RuleStatus.SILENT)
    written = AuditEvent.get(AuditEvent.event == audit.Event.RULE_WRITTEN)
    assert (written.actor, written.detail["status"]) == (author.username, "silent")
    with pytest.raises(ConflictError):  # somebody who still sees the first version
        threshold_rules.switch(rule, RuleStatus.OFF, reason="x", by=author, at=NOW)
    with pytest.raises(RuleError, match="silent already"):
        threshold_rules.switch(new, RuleStatus.SILENT, reason="x", by=author, at=NOW)


@pytest.mark.usefixtures("db")
def test_capitals_and_blanks_make_no_other_rule() -> None:
    make_rule(name="Oklahoma 2")
    first = make_rule(name="Oklahoma")

    second = threshold_rules.write(
        terms=replace(FIVE, name=" oklahoma"), reason="R", by=None, at=NOW
    )
    third = threshold_rules.write(
        terms=replace(FIVE, name="OKLAHOMA  2"), reason="R", by=None, at=NOW
    )
    new = threshold_rules.write(
        terms=replace(FIVE, name="Utah  new"), reason="R", by=None, at=NOW
    )

    assert (second.name, second.version) == (first.name, 2)
    assert (third.name, third.version) == ("Oklahoma 2", 2)
    assert (new.name, new.version) == ("Utah new", 1)
    assert threshold_rules.named("okLahoma ") == second
    assert threshold_rules.named("Oklahoma3") is None


@pytest.mark.usefixtures("db")
def test_a_version_follows_the_one_that_was_looked_at() -> None:
    seen = make_rule(name="Ours")
    make_rule(name="Theirs")
    terms = replace(FIVE, name="Ours")

    for other in (0, seen.id + 1):
        with pytest.raises(ConflictError) as refused:
            threshold_rules.write(
                terms=terms, reason="R", by=None, at=NOW, replaces=other
            )
        assert refused.value.field == "name"
    new = threshold_rules.write(
        terms=terms, reason="R", by=None, at=NOW, replaces=seen.id
    )

    assert new.version == 2

"""Fills as the arithmetic sees them: carried forward, and what they come to today."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from pmp import fills
from pmp.fills import Fill
from pmp.mme import Mme, Outcome

TODAY = date(2026, 5, 15)
FILM = Fill(
    row_code="B",
    first=date(2026, 5, 1),
    days=30,
    drug="BUPRENORPHINE-NALOXONE 8-2 MG FILM",
    drug_class="buprenorphine",
    ingredient="BUPRENORPHINE; NALOXONE",
    product="BUPRENORPHINE; NALOXONE 8 mg FILM",
    long_acting=False,
    mme=Mme(Outcome.NOT_APPLICABLE),
    daily_mg=Decimal(16),
    daily_acetaminophen_mg=None,
    prescriber=1,
    pharmacy=1,
)
OXYCODONE = replace(FILM, drug_class="opioid", product="O", daily_mg=Decimal(40))
PATCH = replace(FILM, product="BUPRENORPHINE 10 mcg/hr PATCH", daily_mg=None)


def test_buprenorphine_today_counts_no_other_opioid_and_no_ended_supply() -> None:
    ended = replace(FILM, first=date(2026, 4, 1), days=30)
    half = replace(FILM, product="BUPRENORPHINE 2 mg TABLET", daily_mg=Decimal("0.5"))

    dose = fills.buprenorphine_mg_today([FILM, half, OXYCODONE, ended], today=TODAY)

    assert dose == Decimal("16.5")


def test_buprenorphine_fetched_early_is_not_doubled() -> None:
    next_fill = replace(FILM, first=date(2026, 5, 28))
    on = date(2026, 5, 29)

    assert fills.buprenorphine_mg_today([FILM, next_fill], today=on) == 16


def test_buprenorphine_that_is_not_known_in_milligrams_is_none_and_not_zero() -> None:
    assert fills.buprenorphine_mg_today([PATCH], today=TODAY) is None
    assert fills.buprenorphine_mg_today([], today=TODAY) is None
    assert fills.buprenorphine_mg_today([PATCH, FILM], today=TODAY) == 16


def test_carried_moves_only_the_early_refill_and_keeps_its_facts() -> None:
    early = replace(FILM, row_code="C", first=date(2026, 5, 29))

    first, second = fills.carried([early, FILM], up_to_days=7)

    assert first == FILM
    assert second == replace(early, first=date(2026, 5, 31))

"""Threshold rules in a real browser: three widths, and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from models import Role, RuleKind, RuleStatus, ThresholdRule, User
from pmp.thresholds import threshold_rules
from tests.chromium import axe, fits, targets_are_large
from tests.conftest import NOW
from tests.factories import make_rule, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def administrator(live: str) -> User:
    threshold_rules.seed(at=NOW)
    return make_user(Role.ADMINISTRATOR)


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_about_rules_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], administrator: User, width: int
) -> None:
    rule = make_rule(cool_down_days=60, exclusions=["hospice"], practices_once=True)
    page = open_context(user=administrator, width=width).new_page()
    for path in (
        "/staff/rules",
        f"/staff/rules/{rule.id}",
        f"/staff/rules/{rule.id}/switch",
        "/staff/rules/new",
        f"/staff/rules/new?of={rule.id}",
        *(f"/staff/rules/new?kind={kind.value}" for kind in RuleKind),
    ):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)


def test_a_rule_is_written_and_switched_on_without_scripts(
    open_context: Callable[..., BrowserContext], administrator: User
) -> None:
    page = open_context(user=administrator, scripts=False).new_page()
    page.goto("/staff/rules")
    page.get_by_role("link", name="New rule").click()
    page.get_by_role("link", name="Opioids for many days in a row").click()
    page.get_by_label("Name").fill("Long")
    page.get_by_label("Days in a row, at least").fill("91")
    page.get_by_text("Options:").click()
    page.get_by_label("Cancer").check()
    page.get_by_label("Reason").fill("As agreed.")
    page.get_by_role("button", name="See what it would make").click()
    review = page.get_by_text("91 or more days in a row; not counted: cancer")
    expect(review).to_be_visible()
    page.get_by_role("button", name="Put it in force").click()
    page.get_by_role("link", name="Active or off Long").click()
    page.get_by_label("Active: reports are sent").check()
    page.get_by_label("Reason").fill("The numbers are right.")
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("button", name="Switch it").click()

    expect(page.get_by_role("status").first).to_contain_text("Long is active now.")
    newest = threshold_rules.named("Long")
    assert newest is not None
    assert (newest.version, newest.status) == (2, RuleStatus.ACTIVE)
    assert newest.exclusions == ["cancer"]
    assert ThresholdRule.select().where(ThresholdRule.name == "Long").count() == 2

import re
from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    CaseEntry,
    CaseRecipient,
    CaseStatus,
    Delivery,
    RecipientAnswer,
    ReplyChannel,
    Role,
    RuleStatus,
    ThresholdCase,
    ThresholdRule,
    User,
)
from pmp import audit, clock, settings
from pmp.thresholds import (
    answers,
    case_recipients,
    full_checks,
    simulation,
    threshold_rules,
)
from pmp.thresholds.answers import Reply
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_rule,
    make_user,
)
from tests.portal.lists import shown, sorted_by

pytestmark = pytest.mark.usefixtures("db")


def html(browser: Browser) -> str:
    assert browser.page is not None
    return browser.page.text


@pytest.fixture
def administrator(browser: Browser) -> User:
    user = make_user(Role.ADMINISTRATOR)
    browser.sign_in_as(user)
    return user


def test_rules_are_listed_in_sentences(browser: Browser, administrator: User) -> None:
    threshold_rules.seed(at=NOW)

    browser.get("/staff/rules")

    text = browser.text()
    assert "3 or more prescribers and 3 or more pharmacies in 90 days" in text
    assert "6 or more prescribers or 6 or more pharmacies in 182 days" in text
    assert text.count("Active") == 1
    assert text.count("Off") == 8


def test_rules_are_counted_and_sorted(browser: Browser, administrator: User) -> None:
    off, silent, active = (
        str(make_rule(name=name, status=status, written_at=NOW - timedelta(days)).id)
        for name, status, days in (
            ("b", "off", 1),
            ("a", "silent", 3),
            ("C", "active", 2),
        )
    )

    def order(query: str) -> list[str]:
        links = shown(browser, f"/staff/rules{query}", "/staff/rules/")
        return [each for each in links if each.isdigit()]

    assert order("") == [active, silent, off]
    assert "3 rules, the active first" in browser.text()
    assert order("?sort=name") == [silent, off, active]
    assert order("?sort=-written") == [off, active, silent]
    assert sorted_by(browser) == {"Version": "descending"}


def test_a_new_version_is_simulated_before_it_is_in_force(
    browser: Browser, administrator: User
) -> None:
    rule = make_rule(name="Ours", prescribers=5, status=RuleStatus.OFF)
    patient = make_patient(last_name="CANARYQUIST")
    make_crossing(patient)
    browser.get(f"/staff/rules/new?of={rule.id}")
    schedules = {"schedules": ["CII", "CIII", "CIV"]}
    changes = {"prescribers": "2", "status": "silent", "reason": "As agreed."}
    browser.submit(changes | schedules, status=200)
    november = {"since": "11/01/2026", "until": "11/30/2026", "again": "yes"}
    browser.submit(schedules | november, status=200)

    assert re.search(r"\b1 case\b", browser.text())
    assert "CANARYQUIST" not in browser.text()
    assert ThresholdRule.select().where(ThresholdRule.name == "Ours").count() == 1
    browser.submit(schedules)
    browser.follow()

    new = threshold_rules.versions(rule)[0]
    assert (new.version, new.prescribers, new.status) == (2, 2, RuleStatus.SILENT)
    assert new.written_by == administrator.username
    assert new.schedules == ["CII", "CIII", "CIV"]
    browser.get(f"/staff/rules/{rule.id}")
    assert "As agreed." in browser.text()


def test_a_rule_is_tried_out_beside_the_one_in_force(
    browser: Browser, administrator: User
) -> None:
    rule = make_rule(name="Ours", prescribers=4, pharmacies=4)
    summer = date(2026, 8, 3)
    patients = [make_patient() for _ in range(3)]
    for patient, fills in zip(patients, (4, 3, 2), strict=True):
        make_crossing(patient, fills=fills, day=summer)
    browser.get(f"/staff/rules/new?of={rule.id}")

    wider = {"prescribers": "3", "pharmacies": "3", "reason": "As agreed."}
    browser.submit(wider | {"schedules": ["CII"]}, status=200)

    for day in simulation.last_quarter(clock.today()):
        assert f"{day:%m/%d/%Y}" in html(browser)
    days = {"since": "7/1/2026", "until": "09302026", "again": "yes"}
    browser.submit(days | {"schedules": ["CII"]}, status=200)
    text = browser.text()
    assert "Now 1, would be 2 cases . Patients: 1 more, 0 fewer." in text
    assert "7 prescribers" in text
    assert text.count("No way known") == 1
    opened = re.findall(r"/staff/patients/(\d+)", html(browser))
    assert {int(number) for number in opened} == {each.id for each in patients[:2]}
    assert ThresholdRule.select().count() == 1


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("09/30/2026", "07/01/2026", "The last day is before the first day"),
        ("13/45/2026", "09/30/2026", "13/45/2026"),
    ],
)
def test_wrong_days_are_said_and_kept(
    browser: Browser, administrator: User, since: str, until: str, words: str
) -> None:
    rule = make_rule(name="Ours")
    browser.get(f"/staff/rules/new?of={rule.id}")
    browser.submit({"reason": "As agreed.", "schedules": ["CII"]}, status=200)

    days = {"since": since, "until": until, "again": "yes"}
    browser.submit(days | {"schedules": ["CII"]}, status=422)

    assert words in html(browser)
    assert since in html(browser)
    assert ThresholdRule.select().count() == 1


def test_staff_see_what_the_last_full_check_found(browser: Browser) -> None:
    case = make_crossing(make_patient())
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/rules")
    assert "No full check of the cases has run yet" in browser.text()
    full_checks.run(at=clock.now())
    browser.get("/staff/rules")
    assert "1 patient, all cases agreed." in browser.text()
    browser.get("/staff")
    assert "full check" not in browser.text()

    CaseEntry.delete().execute()
    full_checks.run(at=clock.now())

    for page in ("/staff/rules", "/staff"):
        browser.get(page)
        assert "1 case was put right" in browser.text()
        assert f"case {case.id}" in browser.text()
        assert f"/staff/cases/{case.id}" in html(browser)
    browser.sign_in_as(make_user(Role.ANALYST))
    browser.get("/staff/rules")
    assert f"case {case.id}" in browser.text()
    assert f"/staff/cases/{case.id}" not in html(browser)


def test_a_check_that_is_missing_is_said(browser: Browser) -> None:
    full_checks.run(at=clock.now() - timedelta(days=3))
    browser.sign_in_as(make_user(Role.STAFF))

    browser.get("/staff/rules")

    assert "No check has run for two nights." in browser.text()


def test_a_rule_without_a_reason_is_refused(
    browser: Browser, administrator: User
) -> None:
    rule = make_rule()
    browser.get(f"/staff/rules/new?of={rule.id}")

    browser.submit({"reason": "", "window_days": "0"}, status=422)

    assert "Say why" in browser.text()
    assert "Enter a number of days from 1 to 731" in browser.text()


def test_a_rule_begins_with_what_is_counted_or_with_a_preset(
    browser: Browser, administrator: User
) -> None:
    browser.get("/staff/rules/new?kind=nonsense")
    text = browser.text()
    assert "An opioid with a benzodiazepine" in text
    assert "90 or more MME a day" in text

    browser.get("/staff/rules/new?kind=daily_mme")
    assert "MME a day, at least" in browser.text()
    assert "Pharmacies, at least" not in browser.text()
    browser.get("/staff/rules/new?preset=Oklahoma")
    browser.submit({"reason": "As Oklahoma.", "status": "off"}, status=200)
    browser.submit()

    [rule] = ThresholdRule.select()
    assert (rule.prescribers, rule.pharmacies, rule.window_days) == (5, 5, 90)


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        (
            "providers",
            {
                "prescribers": "5",
                "pharmacies": "5",
                "connective": "or",
                "drug_classes": ["opioid", "benzodiazepine"],
                "minimum_fills": "6",
                "practices_once": "y",
            },
            (
                "5 or more prescribers or 5 or more pharmacies in 120 days, all"
                " schedules, opioids and benzodiazepines only, 6 or more fills,"
                " prescribers of one practice counted once; not counted: cancer"
            ),
        ),
        ("daily_mme", {"amount": "90"}, "90 or more MME a day; not counted: cancer"),
        (
            "opioid_benzodiazepine",
            {"amount": "30"},
            (
                "An opioid with a benzodiazepine on 30 or more days in 120 days; not"
                " counted: cancer"
            ),
        ),
        (
            "long_opioid_use",
            {"amount": "91", "gap_days": "3", "window_days": None},
            (
                "Opioids for 91 or more days in a row, gaps up to 3 days; not counted:"
                " cancer"
            ),
        ),
        (
            "methadone",
            {"amount": "41"},
            "41 or more mg of methadone a day; not counted: cancer",
        ),
    ],
)
def test_what_is_typed_of_each_kind_goes_through_the_review(
    browser: Browser, administrator: User, kind: str, typed: dict[str, Any], words: str
) -> None:
    common = {
        "name": "New",
        "window_days": "120",
        "exclusions": ["cancer"],
        "cool_down_days": "60",
        "send_when_worse": None,
        "status": "silent",
        "reason": "As agreed.",
    }
    browser.get(f"/staff/rules/new?kind={kind}")
    browser.submit(common | typed, status=200)

    assert words in browser.text()
    assert "not sent for 60 days." in browser.text()
    lists = {name: it for name, it in typed.items() if isinstance(it, list)}
    browser.submit({"exclusions": ["cancer"], **lists})  # the last of a name is kept

    [rule] = ThresholdRule.select()
    assert threshold_rules.sentence(rule) == words
    assert (rule.kind, rule.cool_down_days) == (kind, 60)
    assert not rule.send_when_worse


def test_the_review_of_a_rule_carries_every_choice(
    browser: Browser, administrator: User
) -> None:
    rule = make_rule(
        name="Ours",
        exclusions=["hospice", "cancer"],
        drug_classes=["opioid", "stimulant"],
        practices_once=True,
    )
    browser.get(f"/staff/rules/new?of={rule.id}")
    assert "<details open>" in html(browser)
    chosen = {
        "schedules": ["CII", "CIII", "CIV"],
        "exclusions": ["hospice", "cancer"],
        "drug_classes": ["opioid", "stimulant"],
    }
    browser.submit({"reason": "The same.", **chosen}, status=200)

    assert "It replaces version 1" in browser.text()
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html(browser))
    for name, values in chosen.items():
        assert [value for key, value in hidden if key == name] == values
    assert ("practices_once", "y") in hidden
    assert ("send_when_worse", "y") in hidden


def test_an_option_that_is_wrong_is_not_folded_away(
    browser: Browser, administrator: User
) -> None:
    browser.get("/staff/rules/new?kind=opioid_benzodiazepine")
    assert "<details open>" not in html(browser)

    typed = {"name": "New", "amount": "0", "cool_down_days": "900", "reason": "x"}
    browser.submit(typed, status=422)

    text = browser.text()
    assert "Enter a number of days from 1 to 731" in text
    assert "Enter a number of days from 0 to 731" in text
    assert "<details open>" in html(browser)
    sound = {"amount": "40", "window_days": "30", "cool_down_days": "0"}
    browser.submit(sound, status=422)
    assert "So many days do not fit into the window" in browser.text()


def test_a_rule_is_switched_with_a_reason_after_a_look_at_what_follows(
    browser: Browser, administrator: User
) -> None:
    make_rule(name="Noise")
    rule = make_rule(name="Ours", status=RuleStatus.OFF)
    browser.get("/staff/rules")
    assert f"/staff/rules/{rule.id}/switch" in html(browser)
    browser.get(f"/staff/rules/{rule.id}/switch")
    browser.submit({"status": "off", "reason": "x"}, status=422)
    browser.submit({"status": "active", "reason": ""}, status=422)
    browser.submit({"status": "active", "reason": "Agreed today."}, status=200)
    assert "The next full check" in browser.text()
    assert threshold_rules.versions(rule) == [rule]

    browser.submit()
    browser.follow()

    assert "Ours is active now." in browser.text()
    [new, _] = threshold_rules.versions(rule)
    assert (new.status, new.reason) == (RuleStatus.ACTIVE, "Agreed today.")
    browser.get(f"/staff/rules/{rule.id}/switch")
    browser.submit({"status": "silent", "reason": "Late."}, status=200)
    browser.submit(status=422)
    assert "Somebody else has just changed this rule" in browser.text()


def test_a_case_that_a_cool_down_kept_says_why_and_can_be_released(
    browser: Browser,
) -> None:
    rule = make_rule(window_days=5, cool_down_days=60)
    patient = make_patient()
    make_crossing(patient, day=date(2026, 10, 1))
    kept = make_crossing(patient)
    browser.sign_in_as(make_user(Role.STAFF))

    browser.get(f"/staff/cases/{kept.id}")
    text = browser.text()
    assert "cool-down of 60 days lasts until" in text
    assert "3 prescribers and 3 pharmacies (the rule asks for 3 and 3)" in text
    browser.submit(action="/staff/cases/release", status=200)
    assert "6 reports will be sent" in browser.text()
    assert ThresholdCase.get_by_id(kept.id).status == CaseStatus.CLOSED
    browser.submit({"case": [str(kept.id)]})

    assert ThresholdCase.get_by_id(kept.id).status == CaseStatus.QUEUED
    assert rule.cool_down_days == 60


def test_staff_read_rules_but_only_an_administrator_writes_them(
    browser: Browser,
) -> None:
    rule = make_rule()
    browser.sign_in_as(make_user(Role.STAFF))

    browser.get("/staff/rules")
    assert "New rule" not in browser.text()
    assert "/switch" not in html(browser)
    browser.get(f"/staff/rules/new?of={rule.id}", status=404)
    browser.get(f"/staff/rules/{rule.id}/switch", status=404)
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/staff/rules", status=404)
    browser.get("/staff/cases", status=404)


def test_a_held_case_is_looked_at_and_released(browser: Browser) -> None:
    with settings.changed(hold_cases_for_review=True):
        case = make_crossing(make_patient())
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/cases?status=held_for_review")
    assert f"Case {case.id}" in browser.text()
    browser.get(f"/staff/cases/{case.id}")
    assert "Nobody was written to." in browser.text()
    browser.submit(action="/staff/cases/release", status=200)
    assert Delivery.select().count() == 0
    browser.submit({"case": [str(case.id)]})
    browser.get(f"/staff/cases/{case.id}")

    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.QUEUED
    assert Delivery.select().count() == 6
    assert browser.text().count("No way to reach them: held") == 6
    opened = AuditEvent.get(AuditEvent.event == audit.Event.CASE_OPENED)
    assert opened.subject == f"case:{case.id}"


def test_a_case_is_closed_with_a_reason(browser: Browser) -> None:
    case = make_crossing(make_patient())
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get(f"/staff/cases/{case.id}")
    browser.submit({}, action=f"/staff/cases/{case.id}/close", status=422)
    assert "Say why" in browser.text()
    browser.submit(
        {"reason": "Hospice."}, action=f"/staff/cases/{case.id}/close", status=303
    )

    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.CLOSED
    assert {each.state for each in Delivery.select()} == {"cancelled"}


def test_an_answer_is_written_down_by_its_code(browser: Browser) -> None:
    case = make_crossing(make_patient())
    recipient = case_recipients.of_case(case)[2]
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/cases/reply")
    browser.submit({"code": "RPL-00000-00000"}, status=422)
    assert "No report has this reply code" in browser.text()
    browser.submit({"code": recipient.reply_code.lower()})
    browser.follow()
    browser.submit({"answer": "my_patient"}, status=422)
    assert "Say how they answered" in browser.text()
    browser.submit({"channel": "phone", "answer": "my_patient"})
    browser.follow()

    given = {each.id: each.answer for each in CaseRecipient.select()}
    assert given[recipient.id] == "my_patient"
    assert list(given.values()).count(None) == 5
    assert "By telephone" in browser.text()


def test_a_rule_says_what_became_of_its_reports(browser: Browser) -> None:
    case = make_crossing(make_patient())
    recipient = case_recipients.of_case(case)[0]
    staff = make_user(Role.STAFF)
    reply = Reply(RecipientAnswer.MY_PATIENT, done=frozenset({"referral_offered"}))
    answers.write_down(recipient, reply, channel=ReplyChannel.FAX, by=staff, at=NOW)
    browser.sign_in_as(make_user(Role.ANALYST))
    browser.get(f"/staff/rules/{case.rule.id}")

    text = browser.text()
    assert re.search(r"Recipients 6\b", text)
    assert re.search(r"by fax 1\b", text)
    assert re.search(r"Referral offered 1\b", text)
    rows = browser.get("/staff/rules/outcomes.csv").get_data(as_text=True)
    assert '"Rule","Version","Cases"' in rows
    assert len(rows.splitlines()) == 1 + ThresholdRule.select().count()


def test_a_rule_that_somebody_else_changed_meanwhile_is_not_replaced(
    browser: Browser, administrator: User
) -> None:
    rule = make_rule(name="Ours")
    browser.get(f"/staff/rules/new?of={rule.id}")
    schedules = {"schedules": ["CII", "CIII", "CIV"]}
    browser.submit(schedules | {"prescribers": "2", "reason": "Agreed."}, status=200)
    make_rule(name="Ours", prescribers=7)

    browser.submit(schedules, status=422)

    assert "Somebody else has just changed this rule" in browser.text()
    assert threshold_rules.versions(rule)[0].prescribers == 7
    browser.submit(schedules, status=200)
    assert "It replaces version 2: 7 or more prescribers" in browser.text()
    browser.submit(schedules)
    assert threshold_rules.versions(rule)[0].version == 3


def test_the_review_says_first_what_goes_out_at_once(
    browser: Browser, administrator: User
) -> None:
    rule = make_rule(name="Ours", status=RuleStatus.OFF)
    patient = make_patient()
    for _ in range(3):
        make_dispensation(patient=patient, filled_on=clock.today())
    browser.get(f"/staff/rules/new?of={rule.id}")
    schedules = {"schedules": ["CII", "CIII", "CIV"]}

    browser.submit(schedules | {"status": "active", "reason": "Agreed."}, status=200)

    assert "If it is put in force now: 1 case, 6 reports tonight." in browser.text()
    browser.get(f"/staff/rules/new?of={rule.id}")
    browser.submit(schedules | {"status": "silent", "reason": "Agreed."}, status=200)
    assert "put in force now" not in browser.text()

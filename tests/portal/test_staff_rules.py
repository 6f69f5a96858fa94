import re

import pytest

from models import (
    AuditEvent,
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
from pmp import audit, settings
from pmp.thresholds import answers, case_recipients, threshold_rules
from pmp.thresholds.answers import Reply
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_rule, make_user

pytestmark = pytest.mark.usefixtures("db")


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
    assert text.count("Off") == 4


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


def test_a_rule_without_a_reason_is_refused(
    browser: Browser, administrator: User
) -> None:
    rule = make_rule()
    browser.get(f"/staff/rules/new?of={rule.id}")

    browser.submit({"reason": "", "window_days": "0"}, status=422)

    assert "Say why" in browser.text()
    assert "Enter a number of days from 1 to 731" in browser.text()


def test_staff_read_rules_but_only_an_administrator_writes_them(
    browser: Browser,
) -> None:
    rule = make_rule()
    browser.sign_in_as(make_user(Role.STAFF))

    browser.get("/staff/rules")
    assert "New rule" not in browser.text()
    browser.get(f"/staff/rules/new?of={rule.id}", status=403)
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/staff/rules", status=403)
    browser.get("/staff/cases", status=403)


def test_a_held_case_is_looked_at_and_released(browser: Browser) -> None:
    with settings.changed(hold_cases_for_review=True):
        case = make_crossing(make_patient())
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get("/staff/cases?status=held_for_review")
    assert f"Case {case.id}" in browser.text()
    browser.get(f"/staff/cases/{case.id}")
    assert "Nobody was written to." in browser.text()
    browser.submit(action=f"/staff/cases/{case.id}/release")
    browser.follow()

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

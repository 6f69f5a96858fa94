"""Announcements: to whom, from when until when, once read no more, never lost."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from models import Announcement, AuditEvent, DismissedAnnouncement, Role, User
from pmp import announcements, audit, clock, settings
from pmp.announcements import Readers, Terms
from pmp.audit import Event
from pmp.errors import ConflictError, NotFoundError, RuleError
from tests.conftest import NOW
from tests.factories import make_user

TODAY = date(2026, 11, 23)
TERMS = Terms(
    title="The office is closed",
    body="We are back on **Monday**.",
    audiences=(Readers.EVERYBODY.value,),
    is_grave=False,
    starts_on=TODAY,
    ends_on=TODAY + timedelta(days=4),
)


@pytest.fixture
def staff(db: settings.Settings) -> User:
    return make_user(Role.STAFF, username="staff.lee")


def announce(staff: User, **changes: Any) -> Announcement:
    return announcements.publish(replace(TERMS, **changes), by=staff, at=NOW)


def titles(user: User | None, today: date = TODAY) -> list[str]:
    return [row.title for row in announcements.shown_to(user, today=today)]


def test_each_role_finds_what_is_for_it_and_nobody_else_s(staff: User) -> None:
    for reader in Readers:
        announce(staff, title=reader.value, audiences=(reader.value,))
    announce(staff, title="two", audiences=("practitioners", "staff"))

    assert titles(None) == ["everybody"]
    assert titles(make_user(Role.PRACTITIONER)) == ["two", "practitioners", "everybody"]
    assert titles(make_user(Role.PHARMACY)) == ["pharmacies", "everybody"]
    for role in (Role.STAFF, Role.ANALYST, Role.ADMINISTRATOR, Role.AUDITOR):
        assert titles(make_user(role)) == ["two", "staff", "everybody"]


def test_it_is_there_from_its_first_day_through_its_last(staff: User) -> None:
    row = announce(staff, starts_on=TODAY + timedelta(days=1))

    days = [TODAY + timedelta(days=n) for n in (0, 1, 4, 5)]
    assert [len(titles(None, day)) for day in days] == [0, 1, 1, 0]
    words = [announcements.state_words(row, today=day) for day in days]
    assert words == ["To come", "Shown now", "Shown now", "Over"]


def test_what_is_grave_comes_first_then_what_is_new(staff: User) -> None:
    announce(staff, title="grave", is_grave=True)
    announce(staff, title="old")
    announce(staff, title="new")

    assert titles(None) == ["grave", "new", "old"]


def test_a_user_who_has_read_it_does_not_see_it_until_it_is_changed(
    staff: User,
) -> None:
    row = announce(staff)
    announce(staff, title="noise")
    doctor, other = make_user(Role.PRACTITIONER), make_user(Role.PRACTITIONER)

    for _ in range(2):
        announcements.dismiss(row, by=doctor, at=NOW)

    def waiting(user: User) -> list[str]:
        found = announcements.waiting_for(user, today=TODAY)
        return [each.title for each in found]

    assert waiting(doctor) == ["noise"]
    assert waiting(other) == ["noise", TERMS.title]
    assert titles(doctor) == ["noise", TERMS.title]  # the list has it still
    changed = replace(TERMS, body="We are back on Tuesday.")
    row = announcements.change(row, changed, replaces=1, by=staff, at=NOW)
    assert waiting(doctor) == ["noise", TERMS.title]
    announcements.dismiss(row, by=doctor, at=NOW)
    assert waiting(doctor) == ["noise"]
    assert DismissedAnnouncement.select().count() == 1


def test_nobody_dismisses_what_they_do_not_see(staff: User) -> None:
    row = announce(staff, audiences=("pharmacies",))

    with pytest.raises(NotFoundError):
        announcements.dismiss(row, by=make_user(Role.PRACTITIONER), at=NOW)


def test_withdrawn_it_is_gone_at_once_and_can_be_brought_back(staff: User) -> None:
    row = announce(staff)

    announcements.withdraw(row, by=staff, at=NOW)
    assert titles(None) == []
    row = announcements.get(row.id)
    assert announcements.state_words(row, today=TODAY) == "Withdrawn"
    with pytest.raises(ConflictError):
        announcements.withdraw(row, by=staff, at=NOW)

    announcements.restore(row, by=staff, at=NOW)
    assert titles(None) == [TERMS.title]
    with pytest.raises(ConflictError):
        announcements.restore(announcements.get(row.id), by=staff, at=NOW)
    events = [event.event for event in AuditEvent.select().order_by(AuditEvent.id)]
    assert events == [
        Event.ANNOUNCEMENT_WRITTEN,
        Event.ANNOUNCEMENT_WITHDRAWN,
        Event.ANNOUNCEMENT_RESTORED,
    ]
    assert audit.verify() == []


def test_a_lost_update_is_refused(staff: User) -> None:
    row = announce(staff)
    mine, theirs = replace(TERMS, title="Mine"), replace(TERMS, title="Theirs")
    announcements.change(row, theirs, replaces=1, by=staff, at=NOW)

    with pytest.raises(ConflictError):
        announcements.change(row, mine, replaces=1, by=staff, at=NOW)

    assert titles(None) == ["Theirs"]
    with pytest.raises(RuleError, match="Nothing is changed"):
        announcements.change(
            announcements.get(row.id), theirs, replaces=2, by=staff, at=NOW
        )


def test_a_change_is_on_the_record_with_what_it_says(staff: User) -> None:
    row = announce(staff, fax_line="Closed on Friday")

    event = AuditEvent.get(AuditEvent.event == Event.ANNOUNCEMENT_WRITTEN)
    assert event.subject == f"announcement:{row.id}"
    assert event.detail["title"] == TERMS.title
    assert event.detail["fax_line"] == "Closed on Friday"
    assert event.detail["ends_on"] == "2026-11-27"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "x" * 101}),
        ("body", {"body": ""}),
        ("body", {"body": "x" * 2001}),
        ("body", {"body": "call {nobody}"}),
        ("body", {"body": "[x](javascript:alert)"}),
        ("audiences", {"audiences": ()}),
        ("ends_on", {"ends_on": TODAY - timedelta(days=1)}),
        ("ends_on", {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 11, 22)}),
        ("ends_on", {"ends_on": TODAY + timedelta(days=366)}),
        ("fax_line", {"fax_line": "x" * 81}),
    ],
)  # fmt: skip
def test_what_will_not_do_is_refused_at_its_field(
    staff: User, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(RuleError) as refused:
        announce(staff, **changes)

    assert refused.value.field == field
    assert Announcement.select().count() == 0


def test_cover_sheets_have_two_lines_at_most_of_what_is_in_force(staff: User) -> None:
    announce(staff, title="none")
    announce(staff, fax_line="old")
    announce(staff, fax_line="new")
    announce(staff, fax_line="grave", is_grave=True)
    announce(staff, fax_line="to come", starts_on=TODAY + timedelta(days=1))

    assert announcements.fax_lines(today=TODAY) == ["grave", "new"]


def test_its_text_has_facts_and_links_and_no_headings(db: settings.Settings) -> None:
    shown = announcements.text_html("# Call {program_phone}\n\n[us](/about/contact)")

    assert "<h" not in shown
    assert "# Call (860) 713-6073" in shown
    assert '<a href="/about/contact">us</a>' in shown


def test_days_are_the_programme_s_own(staff: User) -> None:
    announce(staff)
    assert clock.day_of(NOW) == TODAY

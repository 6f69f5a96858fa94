"""Settings kept on the page: what wins, who sees it when, and what is refused."""

import threading

import pytest

from models import AuditEvent, Delivery, DeliveryState, Role, SettingChange, User
from pmp import audit, database, kept_settings, settings
from pmp.errors import ConflictError, RuleError
from pmp.kept_settings import editable, shown, typed_values
from pmp.kept_settings.editable import DAYS, GROUPS, HOURS, OFFICE, WARNINGS
from tests.conftest import NOW
from tests.factories import make_user
from tests.pmp.test_print_runs import make_letter

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def chief() -> User:
    return make_user(Role.ADMINISTRATOR, username="chief")


def keep(
    group: editable.Group, by: User, *, seen: int = -1, **typed: str
) -> SettingChange:
    known = kept_settings.last_number() if seen < 0 else seen
    change = kept_settings.keep(group, typed, reason="x", seen=known, by=by, at=NOW)
    kept_settings.refresh()
    return change


def test_what_is_kept_wins_over_the_environment(chief: User) -> None:
    with settings.changed(ticket_days=9):
        keep(DAYS, chief, ticket_days="5")
        assert settings.current().ticket_days == 5
        assert settings.given().ticket_days == 9
        assert settings.current().reminder_days == 3  # noise: as it comes


def test_another_process_sees_it_at_its_next_look(chief: User) -> None:
    keep(DAYS, chief, ticket_days="5")
    settings.use(settings.given())  # as one that has just been started
    assert settings.current().ticket_days == 7
    kept_settings.refresh()
    assert settings.current().ticket_days == 5


def test_nothing_is_read_while_nothing_has_changed(
    chief: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(DAYS, chief, ticket_days="5")
    monkeypatch.setattr(kept_settings, "values", lambda: pytest.fail("read again"))
    kept_settings.refresh()


def test_a_change_is_on_record_with_what_was_and_why(chief: User) -> None:
    change = keep(OFFICE, chief, program_phone="(860) 555-0142")
    assert change.after == {"program_phone": "+18605550142"}
    event = AuditEvent.select().order_by(AuditEvent.id.desc()).get()
    assert event.event == audit.Event.SETTINGS_CHANGED
    assert event.detail == {
        "reason": "x",
        "program_phone": "+18607136073 → +18605550142",
    }


def test_a_telephone_that_may_be_empty_is_empty_again(chief: User) -> None:
    keep(OFFICE, chief, privacy_phone="(860) 555-0142")
    assert settings.current().privacy_phone == "+18605550142"
    keep(OFFICE, chief, privacy_phone=" ")
    assert settings.current().privacy_phone == ""
    with pytest.raises(RuleError):
        keep(OFFICE, chief, program_phone=" ")


def test_the_environment_s_own_value_is_not_kept(chief: User) -> None:
    keep(DAYS, chief, ticket_days="5")
    keep(DAYS, chief, ticket_days="7")
    assert kept_settings.values() == {}
    with settings.changed(ticket_days=8):
        kept_settings.refresh()
        assert settings.current().ticket_days == 8


def test_undo_brings_back_what_was_before_once(chief: User) -> None:
    first = keep(DAYS, chief, ticket_days="5", reminder_days="2")
    keep(OFFICE, chief, short_name="PMP")  # noise: stays

    kept_settings.undo(first.id, by=chief, at=NOW)
    kept_settings.refresh()

    now = settings.current()
    assert (now.ticket_days, now.reminder_days, now.short_name) == (7, 3, "PMP")
    with pytest.raises(ConflictError):
        kept_settings.undo(first.id, by=chief, at=NOW)


def test_undo_is_refused_where_it_would_take_back_another_s_change(
    chief: User,
) -> None:
    first = keep(DAYS, chief, ticket_days="5")
    keep(DAYS, make_user(username="other"), ticket_days="4")
    with pytest.raises(ConflictError, match="other changed days until a ticket is due"):
        kept_settings.undo(first.id, by=chief, at=NOW)
    assert settings.current().ticket_days == 4


def test_who_did_not_see_another_s_change_is_told_what_it_was(chief: User) -> None:
    seen = kept_settings.last_number()
    keep(DAYS, make_user(username="other"), ticket_days="4")
    with pytest.raises(ConflictError, match=r"other changed .* to “4”"):
        keep(DAYS, chief, seen=seen, ticket_days="5")
    keep(DAYS, chief, seen=seen, reminder_days="2")  # another setting
    now = settings.current()
    assert (now.ticket_days, now.reminder_days) == (4, 2)


def test_of_two_at_once_one_change_holds(chief: User) -> None:
    other = make_user(Role.ADMINISTRATOR)
    ended: list[str] = []
    together = threading.Barrier(2)

    def work(by: User, days: str) -> None:
        with database.connected():
            together.wait(timeout=10)
            try:
                keep(DAYS, by, seen=0, ticket_days=days)
                ended.append(days)
            except ConflictError:
                ended.append("told")

    threads = [
        threading.Thread(target=work, args=pair)
        for pair in ((chief, "4"), (other, "5"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert "told" in ended
    kept_settings.refresh()
    assert str(settings.current().ticket_days) in ended
    assert SettingChange.select().count() == 1


@pytest.mark.parametrize(
    ("group", "typed", "words"),
    [
        (DAYS, {"ticket_days": "0"}, "“0” will not do. Write a number 1 or more."),
        (DAYS, {"late_notices": "many"}, "Write a number from 1 to 12."),
        (OFFICE, {"program_phone": "555"}, "555"),
        (OFFICE, {"office_lines": "One line"}, "window shows 2 to 4"),
        (OFFICE, {"short_name": "  "}, "write something"),
        (OFFICE, {"help_email": "who"}, "one email address"),
        (OFFICE, {"short_name": "x" * 201}, "at most 200"),
        (HOURS, {"fax_hours": "late"}, "“late” will not do"),
        (WARNINGS, {"mme_caution": "95"}, "not below 90"),
    ],
)
def test_what_will_not_do_is_refused_in_words_and_not_kept(
    group: editable.Group, typed: dict[str, str], words: str
) -> None:
    assert words in kept_settings.problems(group, typed)[next(iter(typed))]
    with pytest.raises(RuleError) as refused:
        kept_settings.review(group, typed)
    assert refused.value.field in typed
    assert not SettingChange.select().exists()


def test_what_the_environment_fixes_cannot_be_changed(chief: User) -> None:
    keep(DAYS, chief, ticket_days="5")
    with settings.changed(settings_fixed="ticket_days", ticket_days=7):
        kept_settings.refresh()
        assert settings.current().ticket_days == 7
        with pytest.raises(RuleError, match="Nothing here differs"):
            keep(DAYS, chief, ticket_days="4")
    with settings.changed(settings_fixed="all"):
        assert not any(map(editable.may_change, editable.BY_NAME))


def test_only_settings_of_a_group_are_changed(chief: User) -> None:
    with pytest.raises(RuleError, match="Nothing here differs"):
        keep(DAYS, chief, secret_key="k" * 40, short_name="X")


def test_a_kept_value_that_will_not_do_any_more_is_left_out(chief: User) -> None:
    keep(DAYS, chief, ticket_days="5")
    SettingChange.create(
        follows=kept_settings.last_number(),
        before={},
        after={"late_notices": "99", "reminder_days": "2"},
        reason="an older version allowed it",
        changed_by="chief",
        changed_at=NOW,
    )
    kept_settings.refresh()
    now = settings.current()
    assert (now.ticket_days, now.late_notices, now.reminder_days) == (5, 3, 2)


def test_letters_with_the_old_lines_are_printed_before_the_lines_change(
    chief: User,
) -> None:
    lines = "Monitoring Program\n9 New Street\nHartford, CT 06103"
    make_letter()
    with pytest.raises(RuleError, match="1 letter that waits to be printed") as refused:
        keep(OFFICE, chief, office_lines=lines)
    assert refused.value.field == "office_lines"
    keep(OFFICE, chief, short_name="PMP")  # the window does not show it

    Delivery.update(state=DeliveryState.PRINTED).execute()
    change = keep(OFFICE, chief, office_lines=lines)
    make_letter()
    with pytest.raises(RuleError, match="1 letter that waits"):
        kept_settings.undo(change.id, by=chief, at=NOW)


def test_a_trial_holds_in_its_own_thread_alone() -> None:
    new = kept_settings.trial(OFFICE, {"short_name": "TRIAL"})
    elsewhere: list[str] = []
    with settings.tried(new):
        thread = threading.Thread(
            target=lambda: elsewhere.append(settings.current().short_name)
        )
        thread.start()
        thread.join(timeout=10)
        assert settings.current().short_name == "TRIAL"
    assert elsewhere == ["CPMRS"]
    assert settings.current().short_name == "CPMRS"


def test_every_editable_setting_exists_and_none_is_a_secret() -> None:
    for group in GROUPS.values():
        for each in group.settings:
            assert each.name in settings.Settings.model_fields
            kind = settings.Settings.model_fields[each.name].annotation
            assert "Secret" not in str(kind)
    assert typed_values.bounds("ticket_dispenser_hours") == "from 1 to 720"


def test_the_list_shows_no_secret_and_who_says_what(chief: User) -> None:
    url = "postgresql://pmp:hidden-word@db/pmp"
    with settings.changed(queue_url=url):
        keep(DAYS, chief, ticket_days="5")
        rows = [*shown.others(), *shown.of_group(DAYS)]
    found = {row.name: row for row in rows}
    told = " ".join(row.value for row in rows)
    assert "hidden-word" not in told
    assert settings.current().secret_key.get_secret_value() not in told
    assert found["queue_url"].value == "postgresql, not shown"
    assert found["secret_key"].value == "set, not shown"
    assert found["ticket_days"].source == "chief, 11/23/2026"

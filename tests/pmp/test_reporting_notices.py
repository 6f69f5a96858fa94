"""Reminders, late notices and held records: told once each, by the right channel."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DispenserKind,
    Frequency,
    NoticeKind,
    Pharmacy,
    ReportingNotice,
    ReportingSchedule,
    Role,
    Submission,
    SubmissionStatus,
    User,
)
from pmp import audit, clock, database, reporting, settings
from pmp.errors import RuleError
from pmp.reporting import (
    dispensers,
    exemptions,
    held_records,
    late_list,
    notices,
    settling,
    zeros,
)
from tests.conftest import NOW
from tests.factories import (
    make_licence,
    make_pharmacy,
    make_reported_day,
    make_submission,
    make_user,
)

DUE = date(2026, 11, 20)  # of November 1 to 15


def at(day: date | str, hour: int = 14) -> datetime:
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def made(pharmacy: Pharmacy | None = None) -> list[tuple[str, str, int, str]]:
    """Give the notices, of a pharmacy or all: kind, first day, number, day made."""
    return [
        (
            each.kind.value,
            f"{each.first_day:%m-%d}",
            each.number,
            f"{clock.day_of(each.made_at):%m-%d}",
        )
        for each in ReportingNotice.select().order_by(ReportingNotice.id)
        if pharmacy is None or each.pharmacy == pharmacy
    ]


def daily(**fields: object) -> None:
    for kind in DispenserKind:
        ReportingSchedule.create(
            kind=kind,
            frequency=Frequency.DAILY,
            grace_days=1,
            business_days=True,
            starts_on=date(2026, 1, 1),
            written_by="admin",
            written_at=NOW,
            **fields,
        )


@pytest.fixture
def elm(db: settings.Settings) -> Pharmacy:
    """Give a pharmacy with a user by email; noise: one that reported, one exempt."""
    pharmacy = make_pharmacy(name="ELM STREET", reports_since=date(2026, 11, 1))
    make_user(
        Role.PHARMACY,
        pharmacy=pharmacy,
        email="elm@example.org",
        preferred_channel=ChannelName.EMAIL,
    )
    reported = make_pharmacy(reports_since=date(2026, 11, 1), licence=make_licence())
    make_reported_day(reported, date(2026, 11, 15))
    make_reported_day(reported, date(2026, 11, 30))
    exempt = make_pharmacy(reports_since=date(2026, 11, 1), licence=make_licence())
    exemptions.grant(
        exempt,
        first=date(2026, 10, 1),
        last=None,
        reason="Closed",
        by=make_user(),
        at=at("2026-11-01"),
    )
    return pharmacy


def every_day(first: str, last: str) -> None:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        for hour in (13, 17):
            notices.run(at=at(day, hour))
        day += timedelta(days=1)


def test_a_reminder_then_late_notices_every_week_then_it_is_for_staff(
    elm: Pharmacy,
) -> None:
    with settings.changed(late_notices=2):
        every_day("2026-11-10", "2026-12-04")
        (row,) = late_list.late(today=date(2026, 12, 4))
        detail = late_list.details([row], today=date(2026, 12, 4))[elm.id]

    assert made() == [
        ("reminder", "11-01", 1, "11-17"),  # three days before it is due
        ("late", "11-01", 1, "11-21"),  # on the day after
        ("late", "11-01", 2, "11-28"),
    ]
    assert detail.to_call
    assert detail.late_in_year == 1
    assert [notice.number for notice, _ in detail.notices] == [2, 1, 1]
    sent = list(Delivery.select().order_by(Delivery.id))
    assert {each.address for each in sent} == {"elm@example.org"}
    assert len(sent) == 3
    assert audit.verify() == []


def test_a_change_of_policy_changes_the_days_without_code(elm: Pharmacy) -> None:
    daily()
    make_reported_day(elm, date(2026, 11, 18))
    elm.reports_since = date(2026, 11, 18)
    elm.save()

    every_day("2026-11-19", "2026-11-24")

    assert made(elm) == [
        ("reminder", "11-19", 1, "11-20"),  # Thursday: due on Friday
        ("late", "11-19", 1, "11-21"),
    ]


def test_a_weekend_is_reminded_of_once_on_monday(elm: Pharmacy) -> None:
    daily()
    make_reported_day(elm, date(2026, 11, 19), came=at("2026-11-20", 12))
    elm.reports_since = date(2026, 11, 19)
    elm.save()

    every_day("2026-11-20", "2026-11-23")

    notice = ReportingNotice.get(ReportingNotice.pharmacy == elm)
    assert len(made(elm)) == 1
    assert (notice.first_day, notice.last_day) == (
        date(2026, 11, 20),
        date(2026, 11, 22),
    )
    assert clock.day_of(notice.made_at) == date(2026, 11, 23)


def test_who_reports_is_told_no_more_and_what_waits_is_not_sent(elm: Pharmacy) -> None:
    notices.run(at=at("2026-11-18"))
    make_reported_day(elm, date(2026, 11, 14), came=at("2026-11-18", 15))

    every_day("2026-11-18", "2026-11-30")

    (notice,) = ReportingNotice.select()
    assert notice.answered_by == "system"
    assert Delivery.get().state == "cancelled"
    event = AuditEvent.get(
        AuditEvent.event == audit.Event.REPORTING_NOTICE_ANSWERED.value
    )
    assert event.subject == f"reporting_notice:{notice.id}"


def test_a_zero_report_answers_at_once_and_its_undoing_asks_again(
    elm: Pharmacy,
) -> None:
    user = User.get(User.pharmacy == elm)
    notices.run(at=at("2026-11-21"))
    zero = reporting.report_zero(
        first=date(2026, 11, 1), last=date(2026, 11, 15), by=user, at=at("2026-11-23")
    )
    assert ReportingNotice.get().answered_by == user.username

    zeros.withdraw(zero.id, by=user, at=at("2026-11-24"))
    assert ReportingNotice.get().answered_at is None
    every_day("2026-11-24", "2026-11-29")

    assert [each[2:] for each in made()] == [(1, "11-21"), (2, "11-28")]


@pytest.mark.parametrize("workers", [4])
def test_workers_at_the_same_time_tell_once(elm: Pharmacy, workers: int) -> None:
    for _ in range(6):
        make_pharmacy(reports_since=date(2026, 11, 1), licence=make_licence())
    ready, counts, failures = Barrier(workers), [], []

    def work() -> None:
        try:
            with database.connected():
                ready.wait(timeout=20)
                counts.append(notices.run(at=at("2026-11-18")))
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert failures == []
    assert sum(counts) == ReportingNotice.select().count() == 7
    assert Delivery.select().count() == 7
    assert audit.verify() == []


def test_a_pharmacy_without_a_user_is_written_to(db: settings.Settings) -> None:
    fax = make_pharmacy(licence=make_licence(fax="8605550111", dea="BV5100110"))
    letter = make_pharmacy(licence=make_licence(email="x@example.org"))
    nowhere = make_pharmacy(licence=make_licence(street=""))
    for each in (fax, letter, nowhere):
        each.reports_since = date(2026, 11, 1)
        each.save()

    notices.run(at=at("2026-11-18"))

    found = {
        notice.pharmacy.id: Delivery.get(Delivery.subject_id == notice.id)
        for notice in ReportingNotice.select()
        if notice.pharmacy
    }
    assert (found[fax.id].channel, found[fax.id].address) == ("fax", "+18605550111")
    assert found[letter.id].channel == "letter"
    assert (found[nowhere.id].state, found[nowhere.id].needs_staff) == ("held", True)


def test_staff_send_a_notice_now_once_a_day(elm: Pharmacy) -> None:
    staff = make_user()
    notice = notices.send_now(elm, by=staff, at=at("2026-11-16"))

    assert (notice.kind, notice.made_by) == (NoticeKind.REMINDER, staff.username)
    with pytest.raises(RuleError, match="made today"):
        notices.send_now(elm, by=staff, at=at("2026-11-16", 16))
    every_day("2026-11-17", "2026-11-20")  # it stands for the reminder
    assert ReportingNotice.select().count() == 1
    make_reported_day(elm, date(2026, 11, 15))
    with pytest.raises(RuleError, match="Nothing is open"):
        notices.send_now(elm, by=staff, at=at("2026-11-17"))


def test_an_exemption_settles_what_was_asked(elm: Pharmacy) -> None:
    notices.run(at=at("2026-11-18"))
    exemptions.grant(
        elm,
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
        reason="Fire",
        by=make_user(),
        at=at("2026-11-18"),
    )
    assert ReportingNotice.get().answered_at is not None
    assert settling.settle(at=at("2026-11-18")) == 0


def test_reply_codes_are_read_however_they_are_typed() -> None:
    code = notices.new_code()

    assert notices.read_code(code) == code
    assert notices.read_code(code.lower().replace("-", " ")) == code
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    for text in (wrong, code[4:], "CTR-7K3Q9-XW4MT", "DUE-", ""):
        assert notices.read_code(text) is None


# --- What is settled is not looked at again, unless it is undone


def through(pharmacy: Pharmacy) -> date | None:
    found: date | None = Pharmacy.get_by_id(pharmacy.id).reported_through
    return found


@pytest.fixture
def settled(elm: Pharmacy) -> Pharmacy:
    """Give a pharmacy that reported its first half of November as empty."""
    reporting.report_zero(
        first=date(2026, 11, 1),
        last=date(2026, 11, 15),
        by=User.get(User.pharmacy == elm),
        at=at("2026-11-18"),
    )
    notices.run(at=at("2026-11-18"))
    assert through(elm) == date(2026, 11, 15)
    return Pharmacy.get_by_id(elm.id)


def test_a_report_undone_later_makes_the_pharmacy_late(settled: Pharmacy) -> None:
    user = User.get(User.pharmacy == settled)
    (zero,) = zeros.of([settled])
    zeros.withdraw(zero.id, by=user, at=at("2026-11-20"))

    assert through(settled) == date(2026, 10, 31)
    (row,) = late_list.late(today=date(2026, 11, 21))
    assert row.pharmacy == settled
    every_day("2026-11-21", "2026-11-21")
    assert made(settled) == [("late", "11-01", 1, "11-21")]


def test_a_zero_report_of_a_part_opens_its_whole_period(settled: Pharmacy) -> None:
    settling.unsettle(settled, since=date(2026, 11, 7))
    assert through(settled) == date(2026, 10, 31)
    settling.unsettle(settled, since=date(2026, 11, 7))
    assert through(settled) == date(2026, 10, 31)


def test_an_exemption_that_is_ended_opens_its_days(elm: Pharmacy) -> None:
    staff = make_user()
    row = exemptions.grant(
        elm,
        first=date(2026, 11, 1),
        last=None,
        reason="Fire",
        by=staff,
        at=at("2026-11-18"),
    )
    notices.run(at=at("2026-12-18"))
    assert through(elm) == date(2026, 12, 15)

    exemptions.end(row.id, last=date(2026, 11, 20), by=staff, at=at("2026-12-18"))

    assert through(elm) == date(2026, 11, 15)
    (late,) = [r for r in late_list.late(today=date(2026, 12, 18)) if r.pharmacy == elm]
    assert late.period.first == date(2026, 11, 16)


def test_another_kind_is_judged_from_the_start(settled: Pharmacy) -> None:
    kind = DispenserKind.VETERINARIAN
    dispensers.set_kind(settled, kind, by=make_user(), at=at("2026-11-19"))
    assert through(settled) is None
    notices.run(at=at("2026-11-19"))
    assert through(settled) == date(2026, 11, 15)


def test_what_runs_is_never_taken_as_settled(elm: Pharmacy) -> None:
    daily()
    make_reported_day(elm, date(2026, 11, 1), came=at("2026-11-02"))
    make_reported_day(elm, date(2026, 11, 2), came=at("2026-11-02"))
    notices.run(at=at("2026-11-02"))
    assert through(elm) == date(2026, 11, 1)
    assert notices.run(at=at("2026-11-02")) == 0


def test_undoing_and_settling_take_turns(settled: Pharmacy) -> None:
    """Whoever settles on what was read before an undo must not win."""
    user = User.get(User.pharmacy == settled)
    (zero,) = zeros.of([settled])
    failures: list[Exception] = []

    def settle_again() -> None:
        try:
            with database.connected():
                for _ in range(15):
                    settling.advance([settled], at=at("2026-11-20"))
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    thread = Thread(target=settle_again)
    thread.start()
    zeros.withdraw(zero.id, by=user, at=at("2026-11-20"))
    thread.join(timeout=60)

    assert failures == []
    assert through(settled) == date(2026, 10, 31)


# --- Held records


@pytest.fixture
def held(db: settings.Settings) -> Submission:
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(), email="a@example.org")
    for noise in (
        {"held": 0, "status": SubmissionStatus.PROCESSED},
        {"held": 0, "status": SubmissionStatus.RESOLVED},
        {"dry_run": True},
        {"test": True},
    ):
        make_submission(
            submitted_by=user,
            received_at=at("2026-11-01"),
            **({"held": 2, "status": SubmissionStatus.PROCESSED_WITH_ERRORS} | noise),
        )
    return make_submission(
        submitted_by=user,
        received_at=at("2026-11-02"),
        held=3,
        status=SubmissionStatus.PROCESSED_WITH_ERRORS,
    )


def test_held_records_are_chased_until_none_is_held(held: Submission) -> None:
    day = date(2026, 11, 3)
    while day < date(2026, 11, 20):
        for hour in (14, 18):
            held_records.chase(at=at(day, hour))
        day += timedelta(days=1)

    assert made() == [
        ("held_records", "11-02", 1, "11-09"),  # seven days after it came
        ("held_records", "11-02", 2, "11-16"),
    ]
    (row,) = held_records.overdue(today=day)
    assert (row.submission, row.due, row.notices) == (held, date(2026, 11, 9), 2)
    Submission.update(held=0, status=SubmissionStatus.RESOLVED).where(
        Submission.id == held
    ).execute()
    held_records.chase(at=at("2026-11-23"))

    assert held_records.overdue(today=day) == []
    assert len(made()) == 2
    assert all(each.answered_at for each in ReportingNotice.select())
    assert {each.state for each in Delivery.select()} == {"cancelled"}


def test_held_records_are_not_past_their_term_too_early(held: Submission) -> None:
    with settings.changed(correction_days=30):
        assert held_records.chase(at=at("2026-12-01")) == 0
        assert held_records.chase(at=at("2026-12-02")) == 1


def test_staff_note_what_they_did_about_held_records(held: Submission) -> None:
    staff = make_user()
    late_list.note("Referred", submission=held, by=staff, at=NOW)

    (note,) = late_list.notes_of_submissions([held.id])[held.id]
    assert (note.text, note.written_by) == ("Referred", staff.username)
    with pytest.raises(RuleError):
        late_list.note("  ", submission=held, by=staff, at=NOW)

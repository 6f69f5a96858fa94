"""Who has reported what: judged for each pharmacy, by its records and zero reports."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models import (
    AuditEvent,
    CoveredPharmacy,
    DispensationStatus,
    DispenserKind,
    Frequency,
    Pharmacy,
    ReportedDay,
    ReportingExemption,
    ReportingSchedule,
    Role,
    User,
    ZeroReport,
)
from pmp import audit, reporting, settings, uploads
from pmp.errors import NotFoundError, RuleError
from pmp.reporting import (
    banner,
    dispensers,
    exemptions,
    late_list,
    period_before,
    period_of,
    schedules,
    standing,
    zeros,
)
from pmp.reporting.standing import Standing, State
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_licence,
    make_pharmacy,
    make_product,
    make_reported_day,
    make_user,
)
from tests.submission_files import ELM, MAIN, fill, submission
from tests.submission_files import zero as zero_record

TODAY = date(2026, 11, 23)
FIRST_HALF = date(2026, 11, 1)


@pytest.fixture
def pharmacist(db: settings.Settings) -> User:
    on_time = make_pharmacy()  # noise
    make_reported_day(on_time, date(2026, 11, 12), came=NOW)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(name="ELM STREET"))


def written(frequency: Frequency, grace: int = 1, **fields: object) -> None:
    fields.setdefault("starts_on", date(2026, 1, 1))
    for kind in DispenserKind:
        ReportingSchedule.create(
            kind=kind,
            frequency=frequency,
            grace_days=grace,
            written_by="admin",
            written_at=NOW,
            **fields,
        )


def own(user: User) -> Pharmacy:
    assert user.pharmacy
    return user.pharmacy


def owes_since(pharmacy: Pharmacy, day: date) -> None:
    pharmacy.reports_since = day
    pharmacy.save()


def stands(pharmacy: Pharmacy, day: date, *, today: date = TODAY) -> Standing:
    log = standing.logs([pharmacy], since=day - timedelta(days=40))[pharmacy.id]
    period = period_of(day, pharmacy.kind)
    return standing.judge(log, period, today=today)


def test_without_a_schedule_the_settings_hold(db: settings.Settings) -> None:
    assert period_of(date(2026, 11, 7)).last == date(2026, 11, 15)
    with settings.changed(reporting_policy="weekly", reporting_grace_days=2):
        period = period_of(date(2026, 11, 24))
        assert (period.last, period.due) == (date(2026, 11, 28), date(2026, 11, 30))
        assert period_before(period).last == date(2026, 11, 21)


# --- Reported?


def test_the_period_just_ended_is_due_until_it_is_reported(pharmacist: User) -> None:
    due = reporting.next_due(pharmacist, today=date(2026, 11, 18))
    late = reporting.next_due(pharmacist, today=TODAY)

    assert (due.period.last, due.days, due.reported) == (date(2026, 11, 15), 2, False)
    assert (late.days, late.is_open) == (-3, True)
    make_reported_day(own(pharmacist), date(2026, 11, 14), came=NOW)
    done = reporting.next_due(pharmacist, today=TODAY)
    assert (done.period.last, done.reported) == (date(2026, 11, 30), False)
    assert not done.is_open


@pytest.mark.parametrize(
    ("fills", "state"),
    [
        ([], State.LATE),
        # (day of the fill, day on which its file came)
        ([("11-03", "11-08")], State.LATE),  # the rest of the period never came
        ([("11-03", "11-08"), ("11-18", "11-19")], State.REPORTED),
        ([("11-03", "11-16")], State.REPORTED),
        ([("11-15", "11-15")], State.REPORTED),  # sent on the evening of the last day
        ([("11-18", "11-19")], State.LATE),  # a later file names none of these days
        ([("10-20", "11-19")], State.LATE),
    ],
)
def test_a_period_is_reported_by_its_own_records_and_one_after_its_end(
    pharmacist: User, fills: list[tuple[str, str]], state: State
) -> None:
    for filled, came in fills:
        at = datetime.fromisoformat(f"2026-{came}T23:00:00+00:00")
        make_reported_day(
            own(pharmacist), date.fromisoformat(f"2026-{filled}"), came=at
        )

    assert stands(own(pharmacist), FIRST_HALF).state is state


def test_a_file_and_a_zero_report_of_the_rest_settle_a_period(
    pharmacist: User,
) -> None:
    pharmacy = own(pharmacist)
    make_reported_day(pharmacy, date(2026, 11, 7))
    reporting.report_zero(
        first=date(2026, 11, 8), last=date(2026, 11, 15), by=pharmacist, at=NOW
    )

    found = stands(pharmacy, FIRST_HALF)
    assert (found.state, found.days_late) == (State.REPORTED, 3)


def test_of_single_days_a_later_file_does_not_hide_a_lost_one(
    pharmacist: User,
) -> None:
    written(Frequency.DAILY)
    pharmacy = own(pharmacist)
    for filled in (16, 18, 19):
        make_reported_day(pharmacy, date(2026, 11, filled))

    states = [stands(pharmacy, date(2026, 11, n)).state for n in range(16, 20)]
    assert states == [State.REPORTED, State.LATE, State.REPORTED, State.REPORTED]


def test_midnight_is_that_of_the_programme(pharmacist: User) -> None:
    """11 PM on the 15th in Hartford is the 16th in UTC: the period is not over."""
    pharmacy = own(pharmacist)
    make_reported_day(
        pharmacy, date(2026, 11, 3), came=datetime(2026, 11, 16, 4, tzinfo=UTC)
    )
    assert stands(pharmacy, FIRST_HALF).state is State.LATE
    make_reported_day(
        pharmacy, date(2026, 11, 4), came=datetime(2026, 11, 16, 5, 1, tzinfo=UTC)
    )
    assert stands(pharmacy, FIRST_HALF).state is State.REPORTED


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        # Clocks go forward on March 8 and back on November 1.
        (date(2026, 3, 8), "2026-03-09T03:59:00+00:00", "2026-03-09T04:00:00+00:00"),
        (date(2026, 11, 1), "2026-11-02T04:59:00+00:00", "2026-11-02T05:00:00+00:00"),
    ],
)
def test_a_day_of_23_or_25_hours_is_one_day(
    pharmacist: User, day: date, before: str, after: str
) -> None:
    written(Frequency.WEEKLY, starts_on=date(2026, 1, 1))
    pharmacy = own(pharmacist)
    week = period_of(day - timedelta(days=1))
    make_reported_day(pharmacy, week.first, came=datetime.fromisoformat(before))
    found = standing.logs([pharmacy], since=week.first)[pharmacy.id]
    assert found.arrivals[0][0] == day
    make_reported_day(pharmacy, day, came=datetime.fromisoformat(after))
    found = standing.logs([pharmacy], since=week.first)[pharmacy.id]
    assert found.arrivals[1][0] == day + timedelta(days=1)


# --- From files


@pytest.fixture
def chain(db: settings.Settings) -> tuple[User, dict[str, Pharmacy]]:
    """Give a chain's user: its own store, two more that it covers, and noise."""
    make_product(ndc="00406051201")
    stores = {
        "main": make_pharmacy(dea="BM1234563", name="MAIN STREET"),
        "elm": make_pharmacy(dea="BV5100110", name="ELM CITY"),
        "oak": make_pharmacy(name="OAK"),
    }
    user = make_user(Role.PHARMACY, pharmacy=stores["main"])
    for name in ("elm", "oak"):
        store = stores[name]
        licence = make_licence(dea=store.dea, name=store.name)
        Pharmacy.update(licence=licence).where(Pharmacy.id == store).execute()
        CoveredPharmacy.create(
            user=user, licence=licence, granted_by="staff", granted_at=NOW
        )
    make_pharmacy(name="ASHES")
    return user, stores


def test_a_chains_file_counts_for_each_store_in_it(
    chain: tuple[User, dict[str, Pharmacy]],
) -> None:
    user, stores = chain
    body = submission(
        (MAIN, [fill("1", filled="20261103")]), (ELM, [fill("2", filled="20261104")])
    )
    received = uploads.receive(filename="chain.dat", body=body, by=user, at=NOW)
    uploads.process(received.id, at=NOW)

    rows = {(row.pharmacy.name, row.day) for row in ReportedDay.select()}
    assert rows == {
        ("MAIN STREET", date(2026, 11, 3)),
        ("ELM CITY", date(2026, 11, 4)),
    }
    states = {name: stands(row, FIRST_HALF).state for name, row in stores.items()}
    assert states == {
        "main": State.REPORTED,
        "elm": State.REPORTED,
        "oak": State.LATE,
    }
    due = reporting.next_due(user, today=TODAY)
    assert (due.pharmacy.name, due.several, due.others) == ("OAK", True, 0)


@pytest.mark.parametrize(
    ("records", "days"),
    [
        ([fill("1", filled="20261103", status="02")], set()),  # a void
        ([fill("1", filled="20261103", days="0")], {date(2026, 11, 3)}),  # held
        ([fill("1", filled="20991103")], {None}),  # held: no such day yet
        ([fill("1", filled="20261103", days="2")], {date(2026, 11, 3)}),  # set aside
        ([zero_record()], set()),
        (
            [fill("1", filled="20261103"), fill("2", filled="20261105")],
            {date(2026, 11, 3), date(2026, 11, 5)},
        ),
    ],
)
def test_the_days_of_a_file_are_those_of_its_fills(
    chain: tuple[User, dict[str, Pharmacy]],
    records: list[list[str]],
    days: set[date | None],
) -> None:
    user, _ = chain
    message = "#20261101#-#20261115#"
    body = submission((MAIN, records), message=message)
    received = uploads.receive(filename="x.dat", body=body, by=user, at=NOW)
    uploads.process(received.id, at=NOW)

    assert {row.day for row in ReportedDay.select()} == days


def test_several_late_stores_are_counted_and_the_most_urgent_comes_first(
    chain: tuple[User, dict[str, Pharmacy]],
) -> None:
    user, stores = chain
    for store in stores.values():
        owes_since(store, date(2026, 10, 16))
    make_reported_day(stores["elm"], date(2026, 10, 30), came=NOW)

    due = reporting.next_due(user, today=TODAY)

    assert (due.pharmacy.name, due.period.first) == ("MAIN STREET", date(2026, 10, 16))
    assert due.others == 2
    names = [
        now.pharmacy.name for now in banner.states(list(stores.values()), today=TODAY)
    ]
    assert names == ["MAIN STREET", "ELM CITY", "OAK"]


def test_dry_runs_and_test_files_report_nothing(
    chain: tuple[User, dict[str, Pharmacy]],
) -> None:
    user, _ = chain
    body = submission((MAIN, [fill("1", filled="20261103")]))
    for given in (
        {"body": body, "dry_run": True},
        {"body": body.replace(b"*P*", b"*T*")},
    ):
        received = uploads.receive(filename="x.dat", by=user, at=NOW, **given)
        uploads.process(received.id, at=NOW)

    assert ReportedDay.select().count() == 0


# --- Zero reports


def test_a_zero_report_settles_its_period_alone(pharmacist: User) -> None:
    period = period_of(FIRST_HALF)
    zero = reporting.report_zero(
        first=period.first, last=period.last, by=pharmacist, at=NOW
    )

    pharmacy = own(pharmacist)
    assert zero.pharmacy == pharmacy
    assert reporting.has_reported(pharmacy, period, today=TODAY)
    assert not reporting.has_reported(pharmacy, period_before(period), today=TODAY)
    assert reporting.zero_reports(pharmacist) == [zero]
    event = AuditEvent.get(AuditEvent.event == audit.Event.ZERO_REPORTED.value)
    assert event.detail == {"first": "2026-11-01", "last": "2026-11-15"}


def test_zero_reports_of_parts_cover_a_period_together(pharmacist: User) -> None:
    for first, last in ((1, 8), (9, 14)):
        reporting.report_zero(
            first=date(2026, 11, first),
            last=date(2026, 11, last),
            by=pharmacist,
            at=NOW,
        )
    assert stands(own(pharmacist), FIRST_HALF).state is State.LATE
    last_day = date(2026, 11, 15)
    reporting.report_zero(first=last_day, last=last_day, by=pharmacist, at=NOW)
    assert stands(own(pharmacist), FIRST_HALF).state is State.ZERO


def test_days_with_records_are_not_reported_as_empty(pharmacist: User) -> None:
    pharmacy = own(pharmacist)
    make_dispensation(pharmacy=pharmacy, filled_on=date(2026, 11, 7))
    make_dispensation(
        pharmacy=pharmacy,
        filled_on=date(2026, 11, 12),
        status=DispensationStatus.VOIDED,
    )
    make_dispensation(filled_on=date(2026, 11, 13))  # noise: another pharmacy's

    with pytest.raises(RuleError, match="11/07/2026 is stored") as refused:
        reporting.report_zero(
            first=FIRST_HALF, last=date(2026, 11, 15), by=pharmacist, at=NOW
        )

    assert refused.value.field == "first"
    reporting.report_zero(
        first=date(2026, 11, 8), last=date(2026, 11, 15), by=pharmacist, at=NOW
    )


def test_a_zero_report_is_taken_back_by_its_pharmacy_alone(pharmacist: User) -> None:
    zero = reporting.report_zero(
        first=FIRST_HALF, last=date(2026, 11, 15), by=pharmacist, at=NOW
    )
    assert reporting.next_due(pharmacist, today=TODAY).undo == zero
    assert reporting.next_due(pharmacist, today=TODAY + timedelta(days=1)).undo is None
    stranger = make_user(Role.PHARMACY, pharmacy=make_pharmacy())
    with pytest.raises(NotFoundError):
        zeros.withdraw(zero.id, by=stranger, at=NOW)

    zeros.withdraw(zero.id, by=pharmacist, at=NOW)

    assert stands(own(pharmacist), FIRST_HALF).state is State.LATE
    event = AuditEvent.get(AuditEvent.event == audit.Event.ZERO_WITHDRAWN.value)
    assert event.detail == {"first": "2026-11-01", "last": "2026-11-15"}
    with pytest.raises(NotFoundError):
        zeros.withdraw(zero.id, by=pharmacist, at=NOW)
    assert audit.verify() == []


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [("2026-11-15", "2026-11-01", "last"), ("2026-11-16", "2026-11-30", "last")],
)
def test_days_in_the_wrong_order_or_to_come_are_refused(
    pharmacist: User, first: str, last: str, field: str
) -> None:
    with pytest.raises(RuleError) as refused:
        reporting.report_zero(
            first=date.fromisoformat(first),
            last=date.fromisoformat(last),
            by=pharmacist,
            at=NOW,
        )
    assert refused.value.field == field
    assert ZeroReport.select().count() == 0


def test_the_same_days_are_reported_once(pharmacist: User) -> None:
    first, last = FIRST_HALF, date(2026, 11, 15)
    reporting.report_zero(first=first, last=last, by=pharmacist, at=NOW)
    with pytest.raises(RuleError, match="before"):
        reporting.report_zero(first=first, last=last, by=pharmacist, at=NOW)
    assert ZeroReport.select().count() == 1
    assert audit.verify() == []


def test_a_pharmacy_known_only_by_its_licence_gets_its_row(
    db: settings.Settings,
) -> None:
    licence = make_licence(dea="BV5100110", name="ELM CITY DRUG")
    user = make_user(Role.PHARMACY, licence=licence)
    assert reporting.next_due(user, today=TODAY).days == -3
    day = FIRST_HALF
    reporting.report_zero(first=day, last=day, by=user, at=NOW)
    reporting.report_zero(first=day, last=day + timedelta(days=1), by=user, at=NOW)

    (pharmacy,) = Pharmacy.select()
    assert (pharmacy.dea, pharmacy.name) == (licence.dea, licence.name)
    assert pharmacy.licence == licence


def test_who_has_no_pharmacy_cannot_report_for_one(db: settings.Settings) -> None:
    for role in (Role.PRACTITIONER, Role.STAFF, Role.PHARMACY):
        user = make_user(
            role, licence=make_licence() if role != Role.PHARMACY else None
        )
        with pytest.raises(RuleError, match="no pharmacy"):
            reporting.report_zero(first=FIRST_HALF, last=FIRST_HALF, by=user, at=NOW)


# --- The banner


def test_single_days_that_follow_each_other_are_reported_in_one_go(
    pharmacist: User,
) -> None:
    written(Frequency.DAILY, business_days=True)
    pharmacy = own(pharmacist)
    owes_since(pharmacy, date(2026, 11, 19))
    make_reported_day(pharmacy, date(2026, 11, 19))

    due = reporting.next_due(pharmacist, today=date(2026, 11, 23))  # a Monday

    assert (due.period.first, due.period.last) == (
        date(2026, 11, 20),
        date(2026, 11, 22),
    )
    assert due.days == 0


def test_one_click_offers_the_days_after_the_last_fill(pharmacist: User) -> None:
    make_reported_day(own(pharmacist), date(2026, 11, 7))

    due = reporting.next_due(pharmacist, today=TODAY)

    assert (due.open_from, due.period.last) == (date(2026, 11, 8), date(2026, 11, 15))


# --- Exemptions, kinds, who counts


def test_an_exempt_pharmacy_owes_nothing_until_its_exemption_ends(
    pharmacist: User,
) -> None:
    pharmacy, staff = own(pharmacist), make_user()
    exemption = exemptions.grant(
        pharmacy, first=FIRST_HALF, last=None, reason="Flooded", by=staff, at=NOW
    )
    assert stands(pharmacy, FIRST_HALF).state is State.EXEMPT
    assert reporting.next_due(pharmacist, today=TODAY).exempt

    exemptions.end(exemption.id, last=date(2026, 11, 14), by=staff, at=NOW)

    assert stands(pharmacy, FIRST_HALF).state is State.LATE
    with pytest.raises(RuleError, match="ends on 11/14/2026 already"):
        exemptions.end(exemption.id, last=date(2026, 11, 20), by=staff, at=NOW)
    assert ReportingExemption.select().count() == 1
    changes = [
        event.detail["change"]
        for event in AuditEvent.select().where(
            AuditEvent.event == audit.Event.REPORTING_EXEMPTION_CHANGED.value
        )
    ]
    assert changes == ["granted", "ended"]


def test_exemptions_that_follow_each_other_free_from_a_period_together(
    pharmacist: User,
) -> None:
    for first, last in ((9, 15), (1, 8)):
        exemptions.grant(
            own(pharmacist),
            first=date(2026, 11, first),
            last=date(2026, 11, last),
            reason="Flooded",
            by=make_user(),
            at=NOW,
        )
    assert stands(own(pharmacist), FIRST_HALF).state is State.EXEMPT


def test_a_veterinarian_follows_its_own_schedule(pharmacist: User) -> None:
    terms = schedules.PRESETS["business_day"].terms
    admin = make_user(Role.ADMINISTRATOR)
    schedules.write(terms, starts_on=TODAY, reason="Law", by=admin, at=NOW)
    pharmacy = own(pharmacist)
    dispensers.set_kind(pharmacy, DispenserKind.VETERINARIAN, by=admin, at=NOW)

    week = period_of(date(2026, 12, 2), DispenserKind.VETERINARIAN)
    assert (week.first, week.last) == (date(2026, 11, 29), date(2026, 12, 5))
    assert period_of(date(2026, 12, 2)).first == date(2026, 12, 2)
    event = AuditEvent.get(AuditEvent.event == audit.Event.PHARMACY_KIND_CHANGED.value)
    assert event.detail == {"from": "pharmacy", "to": "veterinarian"}


def test_who_must_report_is_enrolled_once_from_a_day_on(db: settings.Settings) -> None:
    silent = make_licence(dea="BV5100110", name="NEVER REPORTED")
    make_licence(dea="BV5100122", active=False)
    make_licence(name="NO NUMBER")
    known = make_pharmacy(dea="BP1000019")
    make_licence(dea=known.dea, name="SAME NUMBER")
    lapsed = make_pharmacy(licence=make_licence(active=False))
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(name="USER'S"))
    make_reported_day(known, date(2026, 9, 1))

    assert dispensers.enrol(at=NOW) == 3
    assert dispensers.enrol(at=NOW + timedelta(days=3)) == 0

    found = {row.dea: row.reports_since for row in dispensers.who_must_report()}
    assert found == {
        silent.dea: TODAY,
        known.dea: date(2026, 9, 2),
        own(user).dea: TODAY,
    }
    assert not dispensers.must_report(lapsed)
    licence = Pharmacy.get_by_id(known.id).licence
    assert licence
    assert licence.name == "SAME NUMBER"


# --- The schedule


def test_a_schedule_is_never_changed_in_place(db: settings.Settings) -> None:
    admin = make_user(Role.ADMINISTRATOR)
    weekly = schedules.PRESETS["weekly"].terms
    first = schedules.write(
        weekly, starts_on=date(2026, 12, 1), reason="2013", by=admin, at=NOW
    )
    assert len(first) == len(DispenserKind)
    with pytest.raises(RuleError, match="Nothing would change"):
        schedules.write(
            weekly, starts_on=date(2026, 12, 5), reason="x", by=admin, at=NOW
        )
    with pytest.raises(RuleError, match="is over"):
        schedules.write(
            weekly, starts_on=date(2026, 11, 22), reason="x", by=admin, at=NOW
        )
    # A mistake that has not begun is written over by one for the same day.
    daily = schedules.PRESETS["day"].terms
    schedules.write(daily, starts_on=date(2026, 12, 1), reason="No", by=admin, at=NOW)

    assert period_of(date(2026, 12, 3)).first == date(2026, 12, 3)
    assert period_of(date(2026, 11, 30)).last == date(2026, 11, 30)
    assert len(schedules.history()) == 2 * len(DispenserKind)


def test_a_change_is_previewed_before_it_is_written(db: settings.Settings) -> None:
    terms = schedules.changed(
        schedules.PRESETS["weekly"].terms, starts_on=date(2026, 11, 29), today=TODAY
    )

    found = schedules.preview(terms, today=TODAY)

    [(kinds, periods)] = found
    assert kinds == list(DispenserKind)
    days = [(p.first, p.last, p.due) for p in periods]
    assert days[0] == (date(2026, 11, 16), date(2026, 11, 28), date(2026, 12, 3))
    assert days[1] == (date(2026, 11, 29), date(2026, 12, 5), date(2026, 12, 8))
    assert days[-1][2] <= TODAY + timedelta(weeks=6)
    assert ReportingSchedule.select().count() == 0


def test_a_preview_puts_together_what_is_due_on_one_day(
    db: settings.Settings,
) -> None:
    terms = schedules.changed(
        schedules.PRESETS["business_day"].terms, starts_on=TODAY, today=TODAY
    )
    assert schedules.unknown_holidays(terms, today=TODAY) == [2026, 2027]

    daily, weekly = schedules.preview(terms, today=TODAY)

    assert weekly[0] == [DispenserKind.VETERINARIAN]
    weekend = next(p for p in daily[1] if p.due == date(2026, 11, 30))
    assert (weekend.first, weekend.last) == (date(2026, 11, 27), date(2026, 11, 29))


# --- For staff


def test_the_late_list_says_who_since_when_and_how_often(pharmacist: User) -> None:
    pharmacy = own(pharmacist)
    owes_since(pharmacy, date(2026, 10, 1))
    make_reported_day(
        pharmacy, date(2026, 10, 4), came=datetime(2026, 10, 22, 16, tzinfo=UTC)
    )  # two days late
    make_reported_day(
        pharmacy, date(2026, 10, 30), came=datetime(2026, 11, 2, 17, tzinfo=UTC)
    )
    on_time = own(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))
    make_reported_day(on_time, date(2026, 11, 14), came=NOW)
    dispensers.enrol(at=NOW)

    (row,) = late_list.late(today=TODAY)

    assert (row.pharmacy, row.days, row.periods) == (pharmacy, 3, 1)
    assert row.period.first == FIRST_HALF
    detail = late_list.details([row], today=TODAY)[pharmacy.id]
    assert (detail.late_in_year, detail.phone) == (0, "+18605550100")
    assert detail.last_report == datetime(2026, 11, 2, 17, tzinfo=UTC)
    counts = late_list.compliance(late_list.year(pharmacy, today=TODAY))
    assert counts == late_list.Compliance(in_time=1, late=1, missing=1, exempt=0)
    assert late_list.late(today=TODAY, text="elm")[0].pharmacy == pharmacy
    assert late_list.late(today=TODAY, text="nobody") == []
    assert late_list.late(today=TODAY, kind=DispenserKind.VETERINARIAN) == []

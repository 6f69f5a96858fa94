"""Statistics: who and what is counted in which month, and what is hidden."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    LookUp,
    LookUpOutcome,
    Profession,
    Purpose,
    RecipientAnswer,
    RecipientReply,
    RecordStatus,
    ReplyChannel,
    Role,
    RuleStatus,
    SubmissionRecord,
    TicketOutcome,
    User,
    UserStatus,
)
from pmp import figures, settings
from pmp.errors import NotFoundError
from pmp.figures.subjects import SUBJECTS
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_licence,
    make_patient,
    make_pharmacy,
    make_reported_day,
    make_rule,
    make_submission,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")
JUNE = datetime(2026, 6, 10, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def everything_shown(db: object) -> Any:
    """Show small counts too: what is hidden has tests of its own."""
    with settings.changed(smallest_count=0):
        yield


def look_up(user: User, at: datetime = JUNE, **fields: Any) -> LookUp:
    given = {
        "user": user,
        "at": at,
        "first_name": "ANNA",
        "last_name": "SAMPLE",
        "birth_date": date(1971, 4, 28),
        "purpose": Purpose.TREATING,
        "since": date(2025, 6, 10),
        "until": date(2026, 6, 10),
        "outcome": LookUpOutcome.NONE,
    }
    made: LookUp = LookUp.create(**(given | fields))
    return made


def counted(key: str, month: str = "Jun 2026") -> dict[str, int | None]:
    """Give what is not 0 of a month, by column."""
    found = figures.of_year(key, int(month[-4:]), at=NOW)
    [row] = [row for row in found.rows if row.name == month]
    named = zip(found.subject.columns, row.counts, strict=True)
    return {name: count for name, count in named if count != 0}


def test_look_ups_are_counted_by_who_made_them() -> None:
    doctor, pharmacist = make_user(Role.PRACTITIONER), make_user(Role.PHARMACY)
    look_up(doctor)
    look_up(doctor, outcome=LookUpOutcome.REFUSED)
    look_up(pharmacist)
    look_up(pharmacist, NOW)

    assert counted("look_ups") == {"Practitioners": 1, "Pharmacies": 1, "Refused": 1}
    total = figures.of_year("look_ups", 2026, at=NOW).sum
    assert total
    assert (total.counts, total.total) == ([1, 2, 0, 1], 4)
    look_up(make_user(Role.DELEGATE))
    with_one = figures.of_year("look_ups", 2026, at=NOW).sum
    assert with_one
    assert (with_one.counts, with_one.total) == ([1, 2, 1, 0, 1], 5)


def test_a_month_begins_at_midnight_of_the_programmes_zone() -> None:
    doctor = make_user(Role.PRACTITIONER)
    look_up(doctor, datetime(2026, 7, 1, 3, 59, tzinfo=UTC))  # 11:59 PM in June
    look_up(doctor, datetime(2026, 7, 1, 4, 0, tzinfo=UTC))
    look_up(doctor, datetime(2026, 1, 1, 4, 59, tzinfo=UTC))  # last year

    assert counted("look_ups") == {"Practitioners": 1}
    assert counted("look_ups", "Jul 2026") == {"Practitioners": 1}
    assert counted("look_ups", "Dec 2025") == {"Practitioners": 1}
    assert counted("look_ups", "Jan 2026") == {}


def test_this_year_ends_with_the_month_under_way() -> None:
    rows = figures.of_year("look_ups", 2026, at=NOW).rows
    assert [rows[0].name, rows[-1].name] == ["Jan 2026", "Nov 2026"]
    assert len(figures.of_year("look_ups", 2025, at=NOW).rows) == 12


def test_accounts_and_who_of_the_licensed_has_one() -> None:
    licensed = [make_licence(Profession.PRACTITIONER) for _ in range(4)]
    make_licence(Profession.PRACTITIONER, active=False)
    make_user(Role.PRACTITIONER, licence=licensed[0], created_at=JUNE)
    suspended = UserStatus.SUSPENDED
    make_user(Role.PRACTITIONER, licence=licensed[1], status=suspended)
    make_user(Role.STAFF, created_at=JUNE)

    practitioners, pharmacies = figures.coverage()

    assert (practitioners.licensed, practitioners.registered) == (4, 1)
    assert practitioners.share == 25
    assert (pharmacies.licensed, pharmacies.share) == (0, None)
    assert counted("accounts") == {"Practitioners": 1}


def test_periods_of_pharmacies_are_in_time_late_or_missing() -> None:
    licence = make_licence(active=True)
    shop = make_pharmacy(licence=licence, reports_since=date(2026, 5, 16))
    make_pharmacy(reports_since=date(2026, 5, 16))  # noise: neither licensed nor user
    came = datetime(2026, 6, 2, 15, tzinfo=UTC)
    make_reported_day(shop, date(2026, 5, 31), came=came)  # due June 5
    late = datetime(2026, 6, 29, 15, tzinfo=UTC)
    make_reported_day(shop, date(2026, 6, 15), came=late)  # due June 20

    assert counted("reports") == {"In time": 1, "Late": 1}
    assert counted("reports", "Jul 2026") == {"Not reported": 2}
    november = counted("reports", "Nov 2026")
    assert november == {"Not reported": 2}  # what runs today is not counted


def test_records_held_for_errors_as_they_stand_now() -> None:
    file = make_submission(received_at=JUNE)
    trial = make_submission(received_at=JUNE, dry_run=True)
    for number, status in enumerate(
        [RecordStatus.HELD, RecordStatus.HELD, RecordStatus.CORRECTED]
    ):
        for submission in (file, trial):
            SubmissionRecord.create(
                submission=submission, number=number, segment_number=1, status=status
            )
    SubmissionRecord.create(
        submission=file, number=9, segment_number=1, status=RecordStatus.STORED
    )

    assert counted("errors") == {"Not corrected": 2, "Corrected": 1}


def test_deliveries_by_channel_and_whether_they_arrived() -> None:
    for number, (channel, state) in enumerate(
        [
            (ChannelName.FAX, DeliveryState.DELIVERED),
            (ChannelName.FAX, DeliveryState.SENT),
            (ChannelName.FAX, DeliveryState.FAILED),
            (ChannelName.LETTER, DeliveryState.MAILED),
            (ChannelName.SMS, DeliveryState.EXPIRED),
            (ChannelName.EMAIL, DeliveryState.CANCELLED),
        ]
    ):
        Delivery.create(
            kind=DeliveryKind.THRESHOLD_REPORT,
            subject_id=1,
            channel=channel,
            address="x",
            dedupe_key=f"k{number}",
            state=state,
            due_at=JUNE,
            deadline_at=JUNE,
            created_at=JUNE,
        )

    assert counted("deliveries") == {
        "Fax arrived": 2,
        "Fax did not arrive": 1,
        "Letter arrived": 1,
        "Text did not arrive": 1,
        "Under way or stopped": 1,
    }


def test_tickets_by_how_they_ended() -> None:
    def ticket(**fields: Any) -> None:
        made = make_ticket(make_dispensation())
        type(made).update(opened_at=JUNE, **fields).where(
            type(made).id == made.id
        ).execute()

    ticket()
    ticket(resolved_at=NOW)
    ticket(resolved_at=NOW, outcome=TicketOutcome.CORRECTED)

    assert counted("tickets") == {"Corrected": 1, "Withdrawn": 1, "Open": 1}


def test_cases_their_answers_and_what_recipients_did() -> None:
    make_rule(name="Ours")
    case = make_crossing(make_patient())
    silent = make_rule(name="Tried out", status=RuleStatus.SILENT)
    type(case).create(
        **{
            **{name: case.__data__[name] for name in case.__data__ if name != "id"},
            "rule": silent,
        }
    )
    type(case).update(detected_at=JUNE, queued_at=JUNE).execute()
    one, two = CaseRecipient.select().where(CaseRecipient.case == case).limit(2)
    CaseRecipient.update(answer=RecipientAnswer.MY_PATIENT).where(
        CaseRecipient.id == one
    ).execute()
    for recipient, spoke in ((one, True), (one, True), (two, False)):
        RecipientReply.create(
            recipient=recipient,
            channel=ReplyChannel.PAGE,
            discussed_with_patient=spoke,
            given_by="x",
            given_at=JUNE,
        )

    assert counted("cases")["Reported to recipients"] == 1
    answers = counted("answers")
    assert answers["My patient"] == 1
    assert answers["No answer"] == CaseRecipient.select().count() - 1
    assert counted("steps") == {"Spoke with the patient": 1}


def test_what_is_small_is_hidden_of_patients_and_not_of_licensees() -> None:
    doctor = make_user(Role.PRACTITIONER, created_at=JUNE)
    for _ in range(3):
        look_up(doctor)
    for _ in range(12):
        look_up(doctor, NOW)

    with settings.changed(smallest_count=11):
        assert counted("look_ups")["Practitioners"] is None
        assert counted("look_ups", "Nov 2026")["Practitioners"] is None
        assert counted("accounts") == {"Practitioners": 1}
        found = figures.of_year("look_ups", 2026, at=NOW)
        assert found.hides
        assert found.sum
        assert found.sum.counts[0] == 15
        lines = figures.table([found])
    assert ("Look-ups", "Jun 2026", "Practitioners", "*") in lines
    assert "3" not in {line[-1] for line in lines}


def test_a_years_total_is_hidden_by_year_where_it_is_hidden_by_month() -> None:
    doctor = make_user(Role.PRACTITIONER)
    for _ in range(3):
        look_up(doctor)
    look_up(doctor, JUNE - timedelta(days=365))

    with settings.changed(smallest_count=11):
        months = [figures.of_year("look_ups", year, at=NOW) for year in (2025, 2026)]
        years = figures.by_year("look_ups", at=NOW)

    assert years.rows == [each.sum for each in months]


def test_the_picture_draws_what_is_shown_and_stars_what_is_hidden() -> None:
    doctor = make_user(Role.PRACTITIONER)
    look_up(doctor)

    shown = figures.of_year("look_ups", 2026, at=NOW).picture
    with settings.changed(smallest_count=11):
        hidden = figures.of_year("look_ups", 2026, at=NOW).picture

    assert ">*<" not in shown
    assert ">*<" in hidden
    assert "style=" not in shown
    assert 'role="img"' in shown


def test_a_report_of_a_year_is_on_record_and_has_every_subject() -> None:
    by = make_user(Role.ANALYST, username="ana.lyst")

    found = figures.report(2026, by=by, at=NOW, what="PDF")

    assert [each.subject.key for each in found] == list(SUBJECTS)
    event = AuditEvent.get(AuditEvent.event == "statistics:downloaded")
    assert (event.actor, event.subject) == ("ana.lyst", "statistics:2026")
    for year in (2024, 2027):
        with pytest.raises(NotFoundError):
            figures.report(year, by=by, at=NOW, what="PDF")
    with pytest.raises(NotFoundError):
        figures.of_year("horoscopes", 2026, at=NOW)

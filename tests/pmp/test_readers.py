"""Users whose look-ups showed an entry are told once when it changes."""

from datetime import date, timedelta

import pytest

from models import (
    AuditEvent,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    LookUp,
    LookUpCorrection,
    LookUpOrigin,
    LookUpOutcome,
    Purpose,
    ReportSeen,
    Role,
    TicketOutcome,
    User,
    UserStatus,
)
from pmp import audit, dispensations, readers, settings, uploads
from pmp.matching import decisions, undoing
from pmp.thresholds import case_recipients
from tests import submission_files
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")
STAFF = "staff.lee"


@pytest.fixture
def staff() -> User:
    return make_user(username=STAFF)


@pytest.fixture
def entry() -> Dispensation:
    return make_dispensation(stored_at=NOW - timedelta(days=20))


@pytest.fixture
def doctor() -> User:
    return make_user(Role.PRACTITIONER, prescriber=make_prescriber())


def look_up(entry: Dispensation, user: User, **fields: object) -> LookUp:
    """Have a user look up an entry's patient; `seen` are the rows that were shown."""
    seen = fields.pop("seen", [entry.row_code])
    given = {
        "user": user,
        "at": NOW - timedelta(days=10),
        "first_name": "ANNA",
        "last_name": "SAMPLE",
        "purpose": Purpose.TREATING,
        "since": date(2025, 11, 23),
        "until": date(2026, 11, 23),
        "outcome": LookUpOutcome.REPORT,
        "patient": entry.patient,
    }
    made: LookUp = LookUp.create(**(given | fields))
    if isinstance(seen, list):
        shown = dict.fromkeys(seen, 1)
        ReportSeen.create(look_up=made, seen_at=made.at, entries=shown)
    return made


def void(entry: Dispensation, by: User) -> None:
    dispensations.void(entry, reason="Never dispensed.", by=by, at=NOW)


def told() -> list[tuple[int, TicketOutcome]]:
    rows = LookUpCorrection.select().order_by(LookUpCorrection.id)
    return [(row.user.id, row.outcome) for row in rows]


def test_whoever_looked_it_up_is_told_that_it_was_removed(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    mine = look_up(entry, doctor)
    other = make_user(Role.PRACTITIONER)
    look_up(make_dispensation(), other)  # noise: another patient

    void(entry, staff)

    [row] = LookUpCorrection.select()
    assert (row.user, row.look_up, row.version) == (doctor, mine, 2)
    assert readers.words(row) == "It was wrong and has been removed."
    [mail] = Delivery.select()
    assert mail.kind == DeliveryKind.LOOK_UP_CORRECTION
    assert mail.address == doctor.email
    event = AuditEvent.get(AuditEvent.event == audit.Event.READERS_NOTIFIED)
    assert event.detail["users"] == [doctor.id]


def test_a_report_that_did_not_show_it_is_no_reason_to_tell(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    look_up(entry, doctor, seen=["D-0000000"])
    look_up(entry, make_user(), seen=None, since=date(2026, 11, 2))  # filled before
    look_up(entry, make_user(), outcome=LookUpOutcome.CANDIDATES)
    look_up(entry, make_user(), seen=None, at=entry.stored_at - timedelta(days=1))

    void(entry, staff)

    assert told() == []
    assert Delivery.select().count() == 0


def test_a_line_of_a_schedule_counts_by_its_days(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    look_up(entry, doctor, seen=None, origin=LookUpOrigin.SCHEDULE)

    void(entry, staff)

    assert told() == [(doctor.id, TicketOutcome.VOIDED)]


def test_a_look_up_of_more_than_three_years_ago_is_forgotten(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    look_up(entry, doctor, at=NOW - timedelta(days=3 * 366))
    late = make_user(Role.PRACTITIONER)
    look_up(entry, late, at=NOW - timedelta(days=3 * 364))

    void(entry, staff)

    assert told() == [(late.id, TicketOutcome.VOIDED)]


def test_the_days_that_it_said_before_count_too(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    look_up(entry, doctor, seen=None, until=date(2026, 11, 5))
    moved = {"filled_on": date(2026, 11, 20)}
    dispensations.correct(entry, changes=moved, reason="Label.", by=staff, at=NOW)
    void(entry, staff)

    assert told() == [
        (doctor.id, TicketOutcome.CORRECTED),
        (doctor.id, TicketOutcome.VOIDED),
    ]


def test_one_mail_a_day_however_much_changes(doctor: User, staff: User) -> None:
    patient = make_patient()
    for number in range(5):
        each = make_dispensation(
            patient=patient,
            filled_on=date(2026, 11, number + 1),
            stored_at=NOW - timedelta(days=20),
        )
        look_up(each, doctor)
        void(each, staff)

    assert readers.waiting(doctor) == 5
    first, second = Delivery.select().order_by(Delivery.id)
    assert first.due_at == NOW
    assert second.due_at > NOW  # what came after the mail waits for the morning


def test_who_has_no_mail_or_cannot_sign_in_is_not_mailed(
    entry: Dispensation, staff: User
) -> None:
    look_up(entry, make_user(Role.PRACTITIONER, email=None))
    look_up(entry, make_user(Role.PRACTITIONER, status=UserStatus.SUSPENDED))

    void(entry, staff)

    assert len(told()) == 2
    assert Delivery.select().count() == 0


def test_who_made_the_change_is_not_told_of_it(entry: Dispensation) -> None:
    pharmacist = make_user(Role.PHARMACY, pharmacy=entry.pharmacy)
    look_up(entry, pharmacist)

    void(entry, pharmacist)

    assert told() == []


def test_a_recipient_of_a_threshold_report_is_told_as_such_and_not_twice(
    doctor: User, staff: User
) -> None:
    case = make_crossing(make_patient())
    recipient = case_recipients.of_case(case)[0]
    sent = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)
    Delivery.update(state=DeliveryState.SENT).execute()
    entry = Dispensation.get(Dispensation.patient == case.patient)
    for user in (sent, doctor):
        look_up(entry, user)

    assert readers.count(entry, at=NOW) == 1
    void(entry, staff)

    assert CorrectionNotice.select().count() == 6
    assert told() == [(doctor.id, TicketOutcome.VOIDED)]
    assert readers.told_of(entry) == 1


def test_what_is_restored_is_told_to_whoever_was_told(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    mine = look_up(entry, doctor)
    void(entry, staff)
    ReportSeen.update(entries={}).where(ReportSeen.look_up == mine).execute()

    dispensations.restore(entry, reason="A slip.", by=staff, at=NOW)

    assert told()[-1] == (doctor.id, TicketOutcome.CORRECTED)


def test_a_split_tells_the_readers_of_the_patient_and_its_undo_tells_them_again(
    doctor: User, staff: User
) -> None:
    patient = make_patient()
    wrong = make_identity(patient, last_name="OTHER")
    entry = make_dispensation(identity=wrong, stored_at=NOW - timedelta(days=20))
    look_up(entry, doctor)
    stays = make_dispensation(patient=patient)
    look_up(stays, make_user(), seen=[stays.row_code])

    decision = decisions.split(
        patient.id,
        [wrong.id],
        reason="Two people.",
        seen=decisions.mark_of(patient.id),
        by=staff,
        at=NOW,
    )
    assert told() == [(doctor.id, TicketOutcome.IDENTITY_FIXED)]

    undoing.undo(decision, by=staff, at=NOW)
    assert told()[-1] == (doctor.id, TicketOutcome.CORRECTED)
    last = LookUpCorrection.select().order_by(LookUpCorrection.id.desc()).get()
    assert "this patient's after all" in readers.words(last)


def test_telling_the_same_again_tells_nobody(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    look_up(entry, doctor)
    found = readers.find([entry.id], at=NOW)
    outcomes = {entry.id: TicketOutcome.CORRECTED}

    assert readers.tell(found, outcomes, at=NOW) == 1
    assert readers.tell(found, outcomes, at=NOW) == 0
    assert len(told()) == 1


def test_what_was_seen_is_seen(entry: Dispensation, doctor: User, staff: User) -> None:
    look_up(entry, doctor)
    look_up(entry, other := make_user(Role.PRACTITIONER))
    void(entry, staff)

    [shown] = readers.mine(doctor, at=NOW)

    assert shown.seen_at is None  # at this look it is new
    assert (readers.waiting(doctor), readers.waiting(other)) == (0, 1)
    later = NOW + timedelta(days=readers.LISTED_DAYS + 1)
    assert readers.mine(doctor, at=later) == []
    assert len(readers.mine(other, at=later)) == 1


def test_the_years_are_a_setting(
    entry: Dispensation, doctor: User, staff: User
) -> None:
    look_up(entry, doctor, at=NOW - timedelta(days=400))
    with settings.changed(correction_notice_years=1):
        void(entry, staff)

    assert told() == []


def test_a_file_that_revises_or_voids_tells_readers_too(doctor: User) -> None:
    make_product(ndc=submission_files.OXYCODONE)
    elm = make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=submission_files.ELM[2]))
    submit(elm, submission_files.fill("1"), submission_files.fill("2"))
    submit(elm, submission_files.fill("3", last="SOMEBODY", first="ELSE"))
    rows = list(Dispensation.select().order_by(Dispensation.id))
    shown = [row.row_code for row in rows]
    look_up(rows[0], doctor, seen=shown[:2], at=NOW - timedelta(hours=1))

    submit(
        elm,
        submission_files.fill("1", status="01", quantity="30"),
        submission_files.fill("2", status="02"),
        submission_files.fill("3", last="SOMEBODY", first="ELSE", status="02"),
    )

    assert told() == [
        (doctor.id, TicketOutcome.CORRECTED),
        (doctor.id, TicketOutcome.VOIDED),
    ]
    assert Delivery.select().where(Delivery.address == doctor.email).count() == 1


def submit(by: User, *records: list[str]) -> None:
    body = submission_files.submission((submission_files.ELM, records))
    received = uploads.receive(filename="november.dat", body=body, by=by, at=NOW)
    uploads.process(received.id, at=NOW)


def test_a_join_that_is_undone_tells_whoever_looked_at_both_as_one(
    doctor: User, staff: User
) -> None:
    one, other = make_dispensation(), make_dispensation()
    early = make_user(Role.PRACTITIONER)
    look_up(other, early)  # saw it under its own number, before the join
    asked = decisions.ask(one.patient.id, other.patient.id, by=staff, at=NOW)
    decision = decisions.join(
        asked,
        reason="One person.",
        seen=decisions.mark_of(one.patient.id, other.patient.id),
        by=staff,
        at=NOW,
    )
    assert told() == []
    look_up(one, doctor, seen=[one.row_code, other.row_code], at=NOW)

    undoing.undo(decision, by=staff, at=NOW)

    assert told() == [(doctor.id, TicketOutcome.IDENTITY_FIXED)]

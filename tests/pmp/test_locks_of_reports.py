"""Reports opened, answered and counted again at one moment: nobody is thrown out.

Whoever takes the patient first writes to the audit record while others wait for the
patient; they must not have taken the audit record before.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

import models
from models import (
    Application,
    CareNote,
    CaseRecipient,
    Delivery,
    DeliveryState,
    FaxStatus,
    InboundFax,
    Patient,
    Role,
    User,
    WhatBecame,
)
from pmp import audit, database, faxes, misdeliveries
from pmp.misdeliveries import Told
from pmp.thresholds import (
    care_notes,
    case_recipients,
    threshold_cases,
    threshold_reports,
)
from pmp.tickets import report_limits
from tests import locks
from tests.conftest import NOW
from tests.factories import make_application, make_crossing, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def recipients() -> list[CaseRecipient]:
    case = make_crossing(make_patient())
    Delivery.update(state=DeliveryState.SENT).execute()
    return case_recipients.of_case(case)


def user_of(recipient: CaseRecipient) -> User:
    return make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)


def start(threads: Executor, act: Callable[[], object]) -> Future[object]:
    """Do something in another connection until it is done, or waits for this one."""

    def run() -> object:
        with models.database.connection_context():
            return act()

    future = threads.submit(run)
    deadline = time.monotonic() + locks.PATIENCE_SECONDS
    while not future.done() and not locks.somebody_waits():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return future


def record() -> None:
    audit.record(audit.Event.CASE_OPENED, actor="lee", subject="case:1", at=NOW)


def opens(recipient: CaseRecipient, by: User) -> object:
    return threshold_reports.open_in_portal(recipient.id, by=by, at=NOW)


def reads(recipient: CaseRecipient, by: User) -> object:
    return care_notes.open_for(recipient, by=by, at=NOW)


@pytest.mark.parametrize("act", [opens, reads])
def test_who_opens_waits_for_who_changes_the_patient_with_empty_hands(
    recipients: list[CaseRecipient], act: Callable[[CaseRecipient, User], object]
) -> None:
    reader, writer = recipients[:2]
    by = user_of(reader)
    CareNote.create(
        sender=writer, addressee=reader, text="x", sent_by=user_of(writer), sent_at=NOW
    )

    with ThreadPoolExecutor(1) as threads:
        with database.atomic():
            threshold_cases.take(reader.case)
            other = start(threads, partial(act, reader, by))
            record()
        other.result(timeout=10)

    assert audit.verify() == []


def test_who_discloses_what_went_astray_takes_the_patient_before_the_record(
    recipients: list[CaseRecipient],
) -> None:
    case, staff = recipients[0].case, make_user()
    delivery = astray(recipients[0])

    with ThreadPoolExecutor(1) as threads:
        with database.atomic():
            # As whoever joins or splits patients does.
            whole: Any = Patient.select().where(Patient.id == case.patient)
            list(whole if database.is_sqlite() else whole.for_update())
            told = Told("A bakery", WhatBecame.DESTROYED)
            act = partial(misdeliveries.record, delivery, told, by=staff, at=NOW)
            other = start(threads, act)
            record()
        other.result(timeout=10)

    assert audit.verify() == []


def astray(recipient: CaseRecipient) -> int:
    [delivery] = case_recipients.deliveries_of(recipient)
    delivery.address = "+18605550143"
    delivery.further_routes = [["letter", "RAE OAKES\n2 Main Street"]]
    delivery.save()
    return int(delivery.id)


def filed(fax: InboundFax, application: Application, _: User) -> None:
    faxes.file_by_codes(fax, codes=[application.code], pages=1, at=NOW)


def attached(fax: InboundFax, application: Application, by: User) -> object:
    return faxes.attach(fax, code=application.code, by=by, at=NOW)


@pytest.mark.parametrize(
    ("act", "status"),
    [(filed, FaxStatus.RECEIVED), (attached, FaxStatus.UNMATCHED)],
)
def test_who_files_a_fax_waits_for_its_registration_with_empty_hands(
    act: Callable[[InboundFax, Application, User], object], status: FaxStatus
) -> None:
    application, staff = make_application(), make_user()
    fax = InboundFax.create(
        received_at=NOW, source="test", source_reference="one", status=status
    )

    with ThreadPoolExecutor(1) as threads:
        with database.atomic():
            Application.update(reason="").where(
                Application.id == application.id
            ).execute()
            other = start(threads, partial(act, fax, application, staff))
            record()
        other.result(timeout=10)

    assert InboundFax.get_by_id(fax.id).status == FaxStatus.MATCHED
    assert audit.verify() == []


def test_who_sends_a_note_takes_the_case_before_the_user(
    recipients: list[CaseRecipient],
) -> None:
    sender, addressee = recipients[:2]
    by = user_of(sender)
    send = partial(
        care_notes.send, sender.id, addressee.id, text="Call me.", by=by, at=NOW
    )

    with ThreadPoolExecutor(1) as threads:
        with database.atomic():
            threshold_cases.take(sender.case)
            other = start(threads, send)
            report_limits.hold(by=by, at=NOW)
        other.result(timeout=10)

    assert CareNote.select().count() == 1


def test_who_reports_waits_for_nobody_who_keeps_readers_in_place(
    recipients: list[CaseRecipient],
) -> None:
    by = user_of(recipients[0])

    def hold() -> None:
        with database.atomic():
            report_limits.hold(by=by, at=NOW)

    if database.is_sqlite():  # nobody writes there while another does
        return
    with ThreadPoolExecutor(1) as threads, database.atomic():
        kept: Any = User.select(User.id).where(User.id == by.id)
        list(kept.for_update("FOR KEY SHARE").tuples())  # as readers.find does
        assert start(threads, hold).result(timeout=1) is None

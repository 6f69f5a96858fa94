"""Delegates: two agree, each look-up says for whom, each quarter it is confirmed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AccountNotice,
    AuditEvent,
    Credential,
    Delegation,
    DelegationStatus,
    Delivery,
    Disclosure,
    ForgottenPassword,
    LookUp,
    NoticeOfAccount,
    Profession,
    Purpose,
    Role,
    Session,
    UnusualKind,
    UnusualLookUp,
    User,
    UserStatus,
)
from pmp import accounts, delegates, lookup, settings, work_queues
from pmp.accounts import credentials, inactivity, sessions
from pmp.delegates import asking, deciding, lists, reviewing
from pmp.delegates.asking import Person
from pmp.disclosures import accountings
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.lookup import own_history, reports, schedules
from pmp.lookup.criteria import Criteria
from pmp.lookup.schedule_lines import Line
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_licence,
    make_patient,
    make_prescriber,
    make_user,
)

BORN = date(1971, 4, 28)
CASEY = Person("Casey Reed", "medical assistant", "casey@example.org")
QUARTER = timedelta(days=91)
MARIA = Criteria(
    "Maria",
    "Delgado",
    BORN,
    Purpose.TREATING,
    NOW.date() - timedelta(days=365),
    NOW.date(),
)


@pytest.fixture(autouse=True)
def on(db: object) -> Iterator[None]:
    assert db
    with settings.changed(delegates=True):
        yield


@pytest.fixture
def doctor() -> User:
    licence = make_licence(
        Profession.PRACTITIONER, street="12 Elm St", city="Canton", state="CT"
    )
    return make_user(Role.PRACTITIONER, name="Ruth Adams", licence=licence)


@pytest.fixture
def staff() -> User:
    return make_user(Role.STAFF, username="lee")


def ask(by: User, **given: str) -> Delegation:
    return asking.ask(replace(CASEY, **given), answers=True, by=by, at=NOW)


def agreed(by: User, staff: User, **given: str) -> Delegation:
    """Give a delegation whose delegate has come in."""
    row = ask(by, **given)
    deciding.approve(row.id, by=staff, at=NOW)
    row = deciding.get(row.id)
    User.update(status=UserStatus.ACTIVE).where(User.id == row.delegate).execute()
    return deciding.get(row.id)


def delegate_of(row: Delegation) -> User:
    assert row.delegate is not None
    found: User = User.get_by_id(row.delegate.id)
    return found


def search(row: Delegation, *, at: Any = NOW, **given: Any) -> lookup.Answer:
    wanted = replace(MARIA, delegation=row.id, **given)
    return lookup.search(criteria=wanted, by=delegate_of(row), at=at)


def notices(user: User) -> list[NoticeOfAccount]:
    rows = AccountNotice.select().where(AccountNotice.user == user)
    return [row.kind for row in rows.order_by(AccountNotice.id)]


def test_there_are_none_where_the_policy_has_none(doctor: User, staff: User) -> None:
    row = agreed(doctor, staff)
    with settings.changed(delegates=False):
        assert delegates.usable(delegate_of(row), at=NOW) == []
        with pytest.raises(RuleError):
            search(row)
        with pytest.raises(NotFoundError):
            ask(doctor)
        with pytest.raises(NotFoundError):
            deciding.approve(row.id, by=staff, at=NOW)
        assert work_queues.delegates_to_decide(at=NOW) == []
    assert LookUp.select().count() == 0


def test_there_is_no_account_until_staff_agree(doctor: User, staff: User) -> None:
    ask(make_user(Role.PHARMACY), name="Noise Other", email="")
    before = User.select().count()
    row = ask(doctor, phone="860 555 0142")
    assert User.select().count() == before
    [queue] = work_queues.delegates_to_decide(at=NOW)
    assert queue.count == 2

    done = deciding.approve(row.id, by=staff, at=NOW)

    made = done.delegate
    assert (made.username, made.role) == ("casey.reed", Role.DELEGATE)
    assert made.status == UserStatus.AWAITING_FIRST_SIGN_IN
    assert (made.email, made.phone) == ("casey@example.org", "+18605550142")
    assert ForgottenPassword.get_by_id(done.ask_id).user == made
    assert Credential.select().count() == 0
    assert notices(doctor) == [NoticeOfAccount.DELEGATE_DECIDED]
    events = AuditEvent.select().where(AuditEvent.subject == f"delegation:{row.id}")
    assert [(each.event, each.actor) for each in events.order_by(AuditEvent.id)] == [
        ("delegation:asked", doctor.username),
        ("delegation:approved", "lee"),
    ]
    with pytest.raises(ConflictError, match="lee was faster"):
        deciding.approve(row.id, by=make_user(), at=NOW)


def test_without_email_a_letter_goes_to_the_supervisor_and_needs_their_code(
    doctor: User, staff: User
) -> None:
    row = ask(doctor, email="")
    done = deciding.approve(row.id, by=staff, at=NOW)
    [letter] = Delivery.select().where(Delivery.subject_id == done.delegate.id)
    lines = letter.address.splitlines()
    assert lines[:2] == ["Casey Reed", f"c/o {doctor.licence.name}"]  # type: ignore[union-attr]
    assert lines[2] == "12 Elm St"
    assert lines[3].startswith("Canton CT")
    secret = credentials.issue(done.delegate, at=NOW)
    come: Any = {"username": "casey.reed", "secret": secret, "address": "", "at": NOW}

    for wrong in ("", "CTR-00000-00000"):
        with pytest.raises(RuleError):
            accounts.check_letter(**come, code=wrong)
    assert accounts.check_letter(**come, code=row.code).user == done.delegate


def test_what_is_missing_or_one_s_own_is_refused_at_its_field(doctor: User) -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({"name": " "}, "name"),
        ({"position": ""}, "position"),
        ({"email": "casey"}, "email"),
        ({"email": str(doctor.email).upper()}, "email"),
        ({"phone": "12"}, "phone"),
        ({"username": "nobody"}, "username"),
        ({"username": doctor.username}, "username"),
    ]
    for given, field in cases:
        with pytest.raises(RuleError) as refused:
            ask(doctor, **given)
        assert refused.value.field == field, given
    with pytest.raises(RuleError) as refused:
        asking.ask(CASEY, answers=False, by=doctor, at=NOW)
    assert refused.value.field == "answers"
    ask(doctor)
    with pytest.raises(RuleError, match="already"):
        ask(doctor, name="CASEY  REED", email="")


def test_nobody_who_reads_mail_at_another_s_address_is_let_in(
    doctor: User, staff: User
) -> None:
    make_user(Role.PHARMACY, email="casey@example.org")
    row = ask(doctor)
    assert [each.role for each in deciding.alike(row)] == [Role.PHARMACY]
    with pytest.raises(ConflictError, match=r"casey@example\.org"):
        deciding.approve(row.id, by=staff, at=NOW)
    assert deciding.get(row.id).status == DelegationStatus.ASKED
    assert not User.select().where(User.role == Role.DELEGATE).exists()


def test_a_look_up_is_under_both_names_wherever_it_is_told(
    doctor: User, staff: User
) -> None:
    patient = make_patient(first_name="MARIA", last_name="DELGADO", birth_date=BORN)
    make_dispensation(patient=patient)
    row = agreed(doctor, staff)
    delegate = delegate_of(row)

    answer = search(row)
    opened = reports.open_report(token=answer.token, what="page", by=delegate, at=NOW)

    kept = LookUp.get()
    assert (kept.user, kept.delegation) == (delegate, row)
    assert delegates.behalf(opened.look_up) == " on behalf of Ruth Adams"
    told = Disclosure.get().recipient
    assert told == "Casey Reed, delegate of Ruth Adams"
    [asked] = AuditEvent.select().where(AuditEvent.event == "look_up:asked")
    assert asked.detail["on_behalf_of"] == doctor.username
    with settings.changed(patient_told_names="persons"):
        [line] = accountings.open_accounting(
            patient.id, what="page", by=staff, at=NOW
        ).lines
    assert line.recipient == told
    assert "Canton" in line.address
    shown = lists.look_ups(row, by=doctor, at=NOW, page=1)
    assert [each.id for each in shown.rows] == [kept.id]
    viewed = AuditEvent.select().order_by(AuditEvent.id.desc()).get()
    assert (viewed.event, viewed.actor) == (
        "delegation:look_ups_viewed",
        doctor.username,
    )


def test_a_delegate_looks_up_for_those_alone_who_answer_for_them(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff)
    theirs = agreed(
        make_user(Role.PHARMACY), staff, name="Pat Doe", email="p@example.org"
    )
    with pytest.raises(RuleError) as refused:
        search(row, purpose=Purpose.REVIEWING_OWN)
    assert refused.value.field == "purpose"
    for number in (None, theirs.id, 999):
        with pytest.raises(RuleError) as refused:
            lookup.search(
                criteria=replace(MARIA, delegation=number), by=delegate_of(row), at=NOW
            )
        assert refused.value.field == "on_behalf_of"
    with pytest.raises(RuleError):  # nor does one who is no delegate name anybody
        lookup.search(criteria=replace(MARIA, delegation=row.id), by=doctor, at=NOW)
    assert LookUp.select().count() == 0
    search(theirs, purpose=Purpose.DISPENSING)
    assert lookup.purposes(delegate_of(theirs), at=NOW) == (Purpose.DISPENSING,)


def test_what_is_not_confirmed_within_the_quarter_is_paused_until_it_is(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff)
    make_patient(first_name="MARIA", last_name="DELGADO", birth_date=BORN)
    soon, late = NOW + QUARTER - timedelta(days=14), NOW + QUARTER
    assert reviewing.run(at=soon - timedelta(days=1)) == (0, 0)
    assert reviewing.run(at=soon) == (1, 0)
    assert reviewing.run(at=soon + timedelta(days=1)) == (0, 0)  # told once
    assert notices(doctor)[-1] == NoticeOfAccount.DELEGATES_TO_REVIEW
    answer = search(row, at=late - timedelta(minutes=1))
    mine: Any = {"by": delegate_of(row), "at": late}

    with pytest.raises(RuleError, match="nobody's delegate"):
        search(row, at=late)
    with pytest.raises(NotFoundError):
        lookup.of_token(token=answer.token, **mine)
    assert reviewing.review({row.id: True}, by=doctor, at=late) == (1, 0)
    search(row, at=late)
    lookup.of_token(token=answer.token, **mine)
    assert reviewing.run(at=late + QUARTER - timedelta(days=1)) == (1, 0)


def test_who_is_not_kept_loses_all_that_they_saw_and_the_account(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff)
    make_patient(first_name="MARIA", last_name="DELGADO", birth_date=BORN)
    delegate = delegate_of(row)
    token = search(row).token
    made = schedules.make(
        [Line(1, "MARIA DELGADO", "MARIA", "DELGADO", BORN)],
        purpose=Purpose.TREATING,
        since=MARIA.since,
        similar=False,
        by=delegate,
        at=NOW,
        delegation=row.id,
    )
    sessions.begin(user=delegate, address="", browser="", at=NOW)

    with pytest.raises(NotFoundError):
        reviewing.review({row.id: False}, by=make_user(Role.PRACTITIONER), at=NOW)
    assert reviewing.review({row.id: False}, by=doctor, at=NOW) == (0, 1)

    assert delegate_of(row).status == UserStatus.CLOSED
    assert Session.select().where(Session.ended_at.is_null()).count() == 0
    assert NoticeOfAccount.DELEGATION_ENDED in notices(delegate)
    own: Any = {"user": delegate, "at": NOW}
    assert own_history.mine(own_history.Wanted(), **own).total == 0
    assert own_history.recent_patients(**own) == []
    assert schedules.of(delegate, at=NOW) == []
    for refused in (
        lambda: lookup.of_token(token=token, by=delegate, at=NOW),
        lambda: schedules.standing(made.id, by=delegate, at=NOW),
    ):
        with pytest.raises(NotFoundError):
            refused()
    # The supervisor answers for it and still sees it; who comes back keeps the account.
    assert lists.look_ups(row, by=doctor, at=NOW, page=1).total == 1
    again = ask(doctor, username=delegate.username)
    deciding.approve(again.id, by=staff, at=NOW)
    assert delegate_of(again).id == delegate.id
    assert delegate_of(again).status != UserStatus.CLOSED


def test_one_delegate_of_two_keeps_the_account_and_the_other_s_look_ups(
    doctor: User, staff: User
) -> None:
    first = agreed(doctor, staff)
    other = make_user(Role.PRACTITIONER, name="Sam Brown")
    delegate = delegate_of(first)
    second = ask(other, username="CASEY.REED", name="")
    deciding.approve(second.id, by=staff, at=NOW)
    make_patient(first_name="MARIA", last_name="DELGADO", birth_date=BORN)
    token, kept = search(first).token, search(deciding.get(second.id)).token
    assert [each.supervisor.name for each in delegates.usable(delegate, at=NOW)] == [
        "Ruth Adams",
        "Sam Brown",
    ]

    reviewing.end(first.id, reason="", by=delegate, at=NOW)

    assert notices(doctor)[-1] == NoticeOfAccount.DELEGATION_ENDED
    assert delegate_of(first).status == UserStatus.ACTIVE
    lookup.of_token(token=kept, by=delegate, at=NOW)
    with pytest.raises(NotFoundError):
        lookup.of_token(token=token, by=delegate, at=NOW)
    User.update(status=UserStatus.SUSPENDED).where(User.id == other.id).execute()
    assert delegates.usable(delegate, at=NOW) == []


def test_a_closed_supervisor_leaves_no_delegate_behind(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff)
    User.update(status=UserStatus.CLOSED).where(User.id == doctor.id).execute()
    assert reviewing.run(at=NOW) == (0, 1)
    ended = deciding.get(row.id)
    assert (ended.status, ended.ended_by) == (DelegationStatus.ENDED, "system")
    assert delegate_of(row).status == UserStatus.CLOSED
    inactivity.reopen(doctor, reason="came back", by=staff, at=NOW)
    assert delegates.usable(delegate_of(row), at=NOW) == []


def test_what_is_unusual_is_measured_by_the_supervisor_s_patients(
    doctor: User, staff: User
) -> None:
    doctor.prescriber = make_prescriber()
    doctor.save()
    patient, other = (
        make_patient(first_name=name, last_name="DELGADO", birth_date=BORN)
        for name in ("MARIA", "JUAN")
    )
    make_dispensation(patient=patient, prescriber=doctor.prescriber)
    row = agreed(doctor, staff, name="Casey Delgado")

    with settings.changed(unusual_without_link=2):
        for name in ("Maria", "Maria", "Juan", "Juan"):
            search(row, first_name=name)

    found = [
        (each.kind, each.look_up.patient)
        for each in UnusualLookUp.select().order_by(UnusualLookUp.id)
    ]
    assert (UnusualKind.OWN_NAME, patient) in found
    assert [who for kind, who in found if kind is UnusualKind.NO_LINK] == [other]

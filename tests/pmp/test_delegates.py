"""Delegates: two agree, each look-up says for whom, each quarter it is confirmed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

import models
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
    LookUpCorrection,
    LookUpOutcome,
    NoticeOfAccount,
    Profession,
    Purpose,
    Role,
    ScheduledPatient,
    Session,
    TicketOutcome,
    UnusualKind,
    UnusualLookUp,
    UnusualStatus,
    User,
    UserStatus,
)
from pmp import (
    accounts,
    codes,
    database,
    delegates,
    lookup,
    readers,
    settings,
    work_queues,
)
from pmp.accounts import credentials, forgotten, inactivity, sessions, user_desk
from pmp.delegates import asking, deciding, lists, reviewing
from pmp.delegates.asking import Person
from pmp.deliveries import contacts
from pmp.disclosures import accountings
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.lookup import (
    changes,
    keeping,
    own_history,
    report_copies,
    reports,
    schedules,
    unusual_answers,
)
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
from tests.locks import until_it_waits
from tests.statements import statements

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


def test_staff_find_a_delegate_by_the_code_on_the_supervisor_s_page(
    doctor: User, staff: User
) -> None:
    row, _noise = ask(doctor, email=""), ask(doctor, name="Robin Hale")
    [hit] = codes.find(row.code.lower(), by=staff, at=NOW).hits
    assert hit.address == f"/staff/delegates/{row.id}"
    with settings.changed(delegates=False):
        assert codes.find(row.code, by=staff, at=NOW).hits == []


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
    assert deciding.has_letter(deciding.get(row.id), at=NOW)
    assert accounts.check_letter(**come, code=row.code).user == done.delegate


def test_what_is_missing_or_one_s_own_is_refused_at_its_field(doctor: User) -> None:
    make_user(Role.DELEGATE, username="robin.hale", name="Robin Hale")
    cases: list[tuple[dict[str, str], str]] = [
        ({"name": " "}, "name"),
        ({"name": "Casey"}, "name"),
        ({"name": "RUTH  ADAMS"}, "name"),
        ({"position": ""}, "position"),
        ({"email": "casey"}, "email"),
        ({"email": str(doctor.email).upper()}, "email"),
        ({"phone": "12"}, "phone"),
        ({"username": "nobody"}, "username"),
        ({"username": doctor.username}, "username"),
        ({"username": "robin.hale"}, "username"),  # somebody else's
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
    make_user(Role.PHARMACY, email="Casey@Example.org")
    make_user(Role.STAFF, name="CASEY REED", status=UserStatus.CLOSED)
    row = ask(doctor)
    alike = {each.role for each in deciding.alike(row)}
    assert alike == {Role.PHARMACY, Role.STAFF}
    with pytest.raises(ConflictError, match=r"casey@example\.org is the address"):
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

    with pytest.raises(RuleError, match="can look up nobody now"):
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
    credentials.issue(delegate, at=NOW)

    with pytest.raises(NotFoundError):
        reviewing.review({row.id: False}, by=make_user(Role.PRACTITIONER), at=NOW)
    assert reviewing.review({row.id: False}, by=doctor, at=NOW) == (0, 1)

    assert delegate_of(row).status == UserStatus.CLOSED
    assert Session.select().where(Session.ended_at.is_null()).count() == 0
    assert credentials.good_until(delegate) is None
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


def shown_before(row: Delegation) -> dict[str, Callable[[datetime], Any]]:
    """Do all that a delegate may; give every way to see it again, by name."""
    maria = make_patient(first_name="MARIA", last_name="DELGADO", birth_date=BORN)
    entry = make_dispensation(patient=maria)
    for _ in range(2):  # two of one name and day: somebody is to be chosen
        make_patient(first_name="JUAN", last_name="NOVAK", birth_date=BORN)
    by = delegate_of(row)
    token = search(row).token
    reports.open_report(token=token, what="page", by=by, at=NOW)
    found = LookUp.get()
    several = search(row, first_name="Juan", last_name="Novak").token
    juan = LookUp.select().order_by(LookUp.id.desc()).get().candidates[0]
    copy = report_copies.keep(
        found, code="V-1", body=b"%PDF", pages=1, entries=1, at=NOW
    )
    listed = schedules.make(
        [Line(1, "", "MARIA", "DELGADO", BORN), Line(2, "", "ANN", "NOBODY", BORN)],
        purpose=Purpose.TREATING,
        since=MARIA.since,
        similar=False,
        by=by,
        at=NOW,
        delegation=row.id,
    )
    assert schedules.run_next(listed.id, at=NOW)
    asked = UnusualLookUp.create(
        look_up=found,
        user=by,
        kind=UnusualKind.VOLUME,
        reason="many",
        status=UnusualStatus.ASKED,
        found_at=NOW,
    )
    LookUpCorrection.create(
        user=by,
        look_up=found,
        dispensation=entry,
        version=1,
        outcome=TicketOutcome.CORRECTED,
        made_at=NOW,
    )
    new: Any = {"by": by, "address": ""}
    return {
        "token": lambda at: lookup.of_token(token=token, by=by, at=at),
        "report": lambda at: reports.open_report(token=token, what="PDF", by=by, at=at),
        "candidates": lambda at: lookup.result(token=several, by=by, at=at),
        "choose": lambda at: lookup.choose(
            token=several, patient_ids=[juan], at=at, **new
        ),
        "similar": lambda at: lookup.search_similar(token=several, at=at, **new),
        "again": lambda at: lookup.look_again(look_up_id=found.id, at=at, **new),
        "search again": lambda at: lookup.search_again(
            look_up_id=found.id, at=at, **new
        ),
        "changes": lambda at: changes.since(found.id, token=token, by=by, at=at),
        "copy": lambda at: report_copies.open_copy(copy.id, by=by, at=at),
        "list": lambda at: schedules.standing(listed.id, by=by, at=at),
        "question": lambda at: unusual_answers.asked(asked.id, by=by, at=at),
        "lists": lambda at: schedules.of(by, at=at),
        "questions": lambda at: own_history.questions(by, at=at),
        "mine": lambda at: own_history.every(own_history.Wanted(), user=by, at=at),
        "patients": lambda at: own_history.recent_patients(user=by, at=at),
        "corrected": lambda at: readers.mine(by, at=at),
    }


def brought_about(
    why: str, row: Delegation, other: Delegation, *, by: User
) -> datetime:
    """Take the first delegation from a delegate, not the other; give when it is so."""
    if why == "ended":
        reviewing.end(row.id, reason="left", by=by, at=NOW)
    elif why == "suspended":
        accounts.suspend(user=row.supervisor, reason="x", by=by, at=NOW)
    elif why == "paused":
        at = NOW + QUARTER
        Delegation.update(reviewed_at=at).where(Delegation.id == other.id).execute()
        return at
    return NOW


@pytest.mark.parametrize("why", ["ended", "paused", "off", "suspended"])
def test_no_way_leads_to_what_a_delegate_may_see_no_more(
    doctor: User, staff: User, why: str
) -> None:
    row = agreed(doctor, staff)
    ways = shown_before(row)
    for way, look in ways.items():
        assert look(NOW) not in (None, []), way
    [line] = ScheduledPatient.select().where(ScheduledPatient.look_up.is_null())
    kept, told = LookUp.select().count(), Disclosure.select().count()
    names = {each.recipient for each in Disclosure.select()}
    assert names == {"Casey Reed, delegate of Ruth Adams"}
    # Another supervisor keeps the account open.
    other = ask(make_user(Role.PRACTITIONER, name="Sam Brown"), username="casey.reed")
    deciding.approve(other.id, by=staff, at=NOW)
    at = brought_about(why, row, other, by=staff)

    with settings.changed(delegates=why != "off"):
        LookUp.update(token_until=at + QUARTER).execute()
        ended: Any = {"by": delegate_of(row), "at": at}
        with pytest.raises(RuleError):
            keeping.keep(replace(MARIA, delegation=row.id), address="", **ended)
        with pytest.raises(NotFoundError):
            lookup.of_user(LookUp.get().id, **ended)
        for way, look in ways.items():
            try:
                assert look(at) == [], way
            except (NotFoundError, RuleError):
                continue
        assert readers.waiting(delegate_of(row)) == 0
        schedules.run_next(line.schedule.id, at=at)
        fresh = ScheduledPatient.get_by_id(line.id)
        assert (fresh.outcome, fresh.look_up) == (LookUpOutcome.REFUSED, None)
    assert LookUp.select().count() == kept
    assert Disclosure.select().count() == told


def test_what_a_delegate_saw_last_for_one_supervisor_is_not_told_for_another(
    doctor: User, staff: User
) -> None:
    maria = make_patient(first_name="MARIA", last_name="DELGADO", birth_date=BORN)
    make_dispensation(patient=maria)
    row = agreed(doctor, staff)
    other = ask(make_user(Role.PRACTITIONER, name="Sam Brown"), username="casey.reed")
    deciding.approve(other.id, by=staff, at=NOW)
    looks = []
    for each in (row, deciding.get(other.id), row):
        token = search(each).token
        by = delegate_of(row)
        looks.append(reports.open_report(token=token, what="page", by=by, at=NOW))
    assert [each.last_look is None for each in looks] == [True, True, False]


def test_the_supervisor_is_told_what_was_corrected_of_what_a_delegate_saw(
    doctor: User, staff: User
) -> None:
    maria = make_patient(first_name="MARIA", last_name="DELGADO", birth_date=BORN)
    entry = make_dispensation(patient=maria, stored_at=NOW)
    row = agreed(doctor, staff)
    token = search(row).token
    reports.open_report(token=token, what="page", by=delegate_of(row), at=NOW)
    reviewing.end(row.id, reason="", by=doctor, at=NOW)

    found = readers.find([entry.id], at=NOW)
    readers.tell(found, {entry.id: TicketOutcome.CORRECTED}, at=NOW)

    [told] = readers.mine(doctor, at=NOW)
    assert told.look_up.user == row.delegate
    again = lookup.look_again(look_up_id=told.look_up.id, by=doctor, at=NOW)
    assert again.outcome is LookUpOutcome.REPORT
    assert LookUp.select().order_by(LookUp.id.desc()).get().delegation is None
    with pytest.raises(NotFoundError):
        lookup.of_user(told.look_up.id, by=make_user(Role.PRACTITIONER), at=NOW)


def test_no_password_letter_goes_to_one_of_two_supervisors(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff, email="")
    delegate = delegate_of(row)
    assert contacts.letter_lines(delegate)
    licence = make_licence(
        Profession.PRACTITIONER, street="9 Oak St", city="Avon", state="CT"
    )
    sam = make_user(Role.PRACTITIONER, licence=licence)
    other = ask(sam, username="casey.reed")
    with pytest.raises(ConflictError, match="no email of their own"):
        deciding.approve(other.id, by=staff, at=NOW)
    User.update(email="casey@example.org").where(User.id == delegate.id).execute()
    deciding.approve(other.id, by=staff, at=NOW)
    assert contacts.letter_lines(delegate) == []
    reviewing.end(row.id, reason="left", by=staff, at=NOW)
    assert contacts.letter_lines(delegate) == []
    secret = credentials.issue(delegate, at=NOW)
    come: Any = {"username": "casey.reed", "secret": secret, "address": "", "at": NOW}
    with pytest.raises(RuleError):  # a code dies with what it was for
        accounts.check_letter(**come, code=row.code)


def test_who_was_suspended_does_not_come_back_through_another_request(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff)
    waits = ask(make_user(Role.PRACTITIONER, name="Sam Brown"), username="casey.reed")
    accounts.suspend(user=delegate_of(row), reason="x", by=staff, at=NOW)
    assert delegates.state_words(deciding.get(row.id), at=NOW) == "Suspended"
    reviewing.end(row.id, reason="", by=doctor, at=NOW)
    assert delegate_of(row).status == UserStatus.SUSPENDED
    with pytest.raises(RuleError):
        ask(doctor, username="casey.reed")
    with pytest.raises(ConflictError, match="suspended"):
        deciding.approve(waits.id, by=staff, at=NOW)


def test_what_was_asked_is_withdrawn_or_declined_and_leaves_no_open_account(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff)
    waiting = [
        ask(make_user(Role.PRACTITIONER, name=name), username="casey.reed")
        for name in ("Sam Brown", "Kim Lee")
    ]
    reviewing.end(row.id, reason="", by=doctor, at=NOW)
    assert delegate_of(row).status == UserStatus.ACTIVE
    asking.withdraw(waiting[0].id, by=waiting[0].supervisor, at=NOW)
    assert delegate_of(row).status == UserStatus.ACTIVE
    with pytest.raises(RuleError):
        deciding.decline(waiting[1].id, reason=" ", by=staff, at=NOW)
    deciding.decline(waiting[1].id, reason="not known there", by=staff, at=NOW)
    assert delegate_of(row).status == UserStatus.CLOSED
    assert notices(waiting[1].supervisor) == [NoticeOfAccount.DELEGATE_DECIDED]
    for decided in waiting:
        with pytest.raises(ConflictError):
            asking.withdraw(decided.id, by=decided.supervisor, at=NOW)
    inactivity.reopen(delegate_of(row), reason="by mistake", by=staff, at=NOW)
    reviewing.run(at=NOW)
    assert delegate_of(row).status == UserStatus.CLOSED


def test_who_never_came_in_is_sent_the_way_in_with_the_next_approval(
    doctor: User, staff: User
) -> None:
    row = ask(doctor)
    first = deciding.approve(row.id, by=staff, at=NOW)
    forgotten.answer(first.ask_id or 0, at=NOW)
    reviewing.end(row.id, reason="", by=doctor, at=NOW)
    again = ask(doctor, username="casey.reed")
    done = deciding.approve(again.id, by=staff, at=NOW)
    old = ForgottenPassword.get_by_id(first.ask_id)
    assert not forgotten.is_open(old, at=NOW)
    assert done.ask_id not in (None, first.ask_id)
    told = notices(done.delegate)
    assert told.count(NoticeOfAccount.DELEGATION_BEGUN) == 2


def test_staff_agree_to_nobody_for_a_supervisor_who_cannot_sign_in(
    doctor: User, staff: User
) -> None:
    row = ask(doctor)
    accounts.suspend(user=doctor, reason="x", by=staff, at=NOW)
    with pytest.raises(ConflictError, match="suspended"):
        deciding.approve(row.id, by=staff, at=NOW)
    User.update(status=UserStatus.CLOSED).where(User.id == doctor.id).execute()
    assert reviewing.run(at=NOW) == (0, 1)
    assert deciding.get(row.id).status == DelegationStatus.WITHDRAWN


@pytest.mark.each_engine
def test_an_end_waits_for_the_delegate_who_is_at_work(
    doctor: User, staff: User
) -> None:
    row = agreed(doctor, staff)
    delegate = delegate_of(row)
    with database.atomic():
        keeping._take_turn(delegate)
        thread = two_at_once(
            lambda: reviewing.end(row.id, reason="", by=doctor, at=NOW)
        )
        search(row)
    thread.join(20)
    assert LookUp.select().count() == 1
    assert deciding.get(row.id).status == DelegationStatus.ENDED


@pytest.mark.each_engine
def test_an_end_and_a_suspension_at_once_both_hold(doctor: User, staff: User) -> None:
    chief = make_user(Role.ADMINISTRATOR)
    row = agreed(doctor, staff)
    delegate = delegate_of(row)
    with database.atomic():
        user_desk.taken(delegate.id, seen="", by=chief)
        thread = two_at_once(
            lambda: reviewing.end(row.id, reason="", by=doctor, at=NOW)
        )
        user_desk.suspend(delegate.id, reason="x", seen="", by=chief, at=NOW)
    thread.join(20)
    assert deciding.get(row.id).status == DelegationStatus.ENDED
    assert delegate_of(row).status == UserStatus.SUSPENDED


def ending(row: Delegation) -> Callable[[], None]:
    return lambda: reviewing.end(row.id, reason="", by=row.supervisor, at=NOW)


def two_at_once(act: Callable[[], None]) -> Thread:
    """Let somebody else act, and go on when they wait for us."""

    def other() -> None:
        with models.database.connection_context():
            act()

    thread = Thread(target=other)
    thread.start()
    until_it_waits(thread)
    return thread


def test_lists_ask_the_same_few_questions_however_long_they_are(
    doctor: User, staff: User
) -> None:
    counts = []
    for number in (1, 6):
        for each in range(number):
            name = f"Casey Reed{'abcdefg'[each]}{'xy'[number > 1]}"
            row = agreed(doctor, staff, name=name, email=f"{number}{each}@example.org")
            search(row)
        with statements() as asked:
            found = lists.listed(lists.Wanted(), page=1)
            assert all(delegates.state_words(row, at=NOW) for row in found.rows)
            lists.rows_of(lists.Wanted(), by=staff, at=NOW)
            lists.counts_since_review(delegates.of_supervisor(doctor))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_one_delegate_of_two_keeps_the_account_and_the_other_s_look_ups(
    doctor: User, staff: User
) -> None:
    first = agreed(doctor, staff)
    other = make_user(Role.PRACTITIONER, name="Sam Brown")
    delegate = delegate_of(first)
    second = ask(other, username="CASEY.REED")
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
    search(row, first_name="Ruth", last_name="Adams")
    make_patient(first_name="RUTH", last_name="ADAMS", birth_date=BORN)
    search(row, first_name="Ruth", last_name="Adams")
    reasons = [each.reason for each in UnusualLookUp.select()]
    assert "The supervisor's first and last name." in reasons
    assert [who for kind, who in found if kind is UnusualKind.NO_LINK] == [other]

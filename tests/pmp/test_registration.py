"""Registration: what is refused, what staff see beside it, who may decide it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from peewee import IntegrityError

from models import (
    Application,
    ApplicationStatus,
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Pharmacy,
    Prescriber,
    Profession,
    Role,
    User,
    UserStatus,
)
from pmp import audit, database, registration, settings
from pmp.accounts.lock_out import ThrottledError
from pmp.accounts.sign_in_watch import ADDRESS_LIMIT
from pmp.deliveries import outbox
from pmp.errors import ConflictError, RuleError
from pmp.registration import answers, approval, comparison, expiry
from pmp.registration.approval import Check, ReturnReason
from tests.conftest import NOW
from tests.factories import (
    make_answers,
    make_application,
    make_dea,
    make_licence,
    make_practitioner_licence,
    make_prescriber,
    make_user,
)

RECEIVED = ApplicationStatus.CONFIRMATION_RECEIVED
PRACTITIONER, PHARMACY = Profession.PRACTITIONER, Profession.PHARMACY


def received(**fields: Any) -> Application:
    return make_application(status=RECEIVED, confirmation_received_at=NOW, **fields)


def approve(application: Application, by: User | None = None) -> User:
    return approval.approve(
        application, checked=list(Check), by=by or make_user(), at=NOW
    )


# --- What is asked


def test_default_answers_have_no_problem() -> None:
    assert answers.problems(PRACTITIONER, make_answers()) == {}
    assert answers.problems(PHARMACY, make_answers(PHARMACY)) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dea", "BR1234564"),
        ("npi", "1234567890"),
        ("last_name", " "),
        ("phone", "555-0123"),
        ("fax", "none"),
        ("email", "rodkin at example.org"),
        ("zip", "6106"),
        ("state", "Connecticut"),
        ("licence_number", "123-45-6789"),
        ("first_name", "S" * 300),
        ("city", "Hart\x00ford"),
        ("preferred_channel", "pigeon"),
    ],
)
def test_each_wrong_answer_is_told_at_its_field(name: str, value: str) -> None:
    found = answers.problems(PRACTITIONER, replace(make_answers(), **{name: value}))
    assert list(found) == [name]
    assert found[name]


def test_all_problems_are_told_at_once_in_the_order_of_the_form() -> None:
    found = answers.problems(PRACTITIONER, make_answers(last_name="", dea="", city=""))
    assert list(found) == ["last_name", "dea", "city"]


def test_a_chosen_channel_needs_its_address() -> None:
    wrong = make_answers(fax="", preferred_channel="fax")
    assert list(answers.problems(PRACTITIONER, wrong)) == ["fax"]


def test_a_pharmacy_keeps_no_practitioners_answers(db: settings.Settings) -> None:
    application = make_application(PHARMACY, last_name="Smuggled", specialty="X")
    assert (application.last_name, application.specialty) == ("", "")
    assert application.ncpdp == "0712340"


def test_answers_are_stored_tidied(db: settings.Settings) -> None:
    application = make_application(dea=" br-1234563 ", zip="06106-1234")
    assert application.dea == "BR1234563"
    assert application.zip == "061061234"
    assert application.phone == "+18605550123"


def test_without_the_attestation_nothing_is_kept(db: settings.Settings) -> None:
    with pytest.raises(RuleError) as refused:
        registration.submit(
            profession=PRACTITIONER, answers=make_answers(), attested=False, at=NOW
        )
    assert refused.value.field == "attested"
    assert Application.select().count() == 0


def test_the_same_form_sent_twice_is_one_registration(db: settings.Settings) -> None:
    first = make_application()
    again = registration.submit(
        profession=PRACTITIONER,
        answers=make_answers(),
        attested=True,
        code=first.code,
        at=NOW,
    )
    assert again == first
    assert Application.select().count() == 1
    submitted = audit.Event.REGISTRATION_SUBMITTED
    assert AuditEvent.select().where(AuditEvent.event == submitted).count() == 1


# --- Finding it again


def test_found_by_code_and_name_only(db: settings.Settings) -> None:
    application = make_application(last_name="O'Brien")
    noise = make_application(last_name="Rodkin")
    ask: dict[str, Any] = {"address": "192.0.2.1", "at": NOW}
    typed = application.code.lower()
    assert registration.find(code=typed, name="OBRIEN", **ask) == application
    refusals = []
    for code, name in ((application.code, noise.last_name), ("CTR-00000-00000", "X")):
        with pytest.raises(RuleError) as refused:
            registration.find(code=code, name=name, **ask)
        refusals.append(refused.value.message)
    assert len(set(refusals)) == 1


def test_guesses_are_limited(db: settings.Settings) -> None:
    application = make_application()
    ask: dict[str, Any] = {"code": application.code, "address": "192.0.2.1", "at": NOW}
    for _ in range(ADDRESS_LIMIT):
        with pytest.raises(RuleError):
            registration.find(name="Wrong", **ask)
    with pytest.raises(ThrottledError):
        registration.find(name="Rodkin", **ask)
    elsewhere: dict[str, Any] = {**ask, "address": "192.0.2.2"}
    assert registration.find(name="Rodkin", **elsewhere) == application


def test_without_its_page_a_registration_expires(db: settings.Settings) -> None:
    late = make_application(at=NOW - timedelta(days=31))
    young = make_application(at=NOW - timedelta(days=29))
    faxed = received(at=NOW - timedelta(days=40))
    assert expiry.expire(at=NOW) == 1
    statuses = [Application.get_by_id(row.id).status for row in (late, young, faxed)]
    assert statuses == ["expired", "submitted", "confirmation_received"]


# --- Beside the roster


@pytest.mark.parametrize("typed", ["CSP.0012345", "csp 12345", "CSP-0012345", "12345"])
def test_the_licence_is_found_however_its_number_is_typed(
    db: settings.Settings, typed: str
) -> None:
    licence = make_practitioner_licence()
    make_practitioner_licence(code="CSP.0112345", dea=None)
    make_licence(PHARMACY, code="PCY.0012345")
    application = make_application(licence_number=typed)
    found = comparison.compare(application, at=NOW)
    assert found.licence == licence
    assert (found.differences, found.bars) == ((), ())


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"name": "SIMON RODKIN"}, "Name"),
        ({"active": False}, "Status of the licence"),
        ({"expires_on": date(2026, 11, 22)}, "Status of the licence"),
        ({"dea": make_dea(654321)}, "DEA number"),
        ({"npi": "1000000004"}, "NPI"),
    ],
)
def test_what_differs_from_the_roster_is_named(
    db: settings.Settings, change: dict[str, object], label: str
) -> None:
    make_practitioner_licence(**change)
    [difference] = comparison.compare(make_application(), at=NOW).differences
    assert difference.startswith(label)


def test_a_wrong_licence_number_is_found_by_dea_and_named(
    db: settings.Settings,
) -> None:
    licence = make_practitioner_licence()
    found = comparison.compare(make_application(licence_number="CSP.99"), at=NOW)
    assert found.licence == licence
    assert found.differences[0].startswith("Licence number")


@pytest.mark.parametrize("missing", ["street", "city", "state"])
def test_without_an_address_of_record_there_is_no_way(
    db: settings.Settings, missing: str
) -> None:
    make_practitioner_licence(**{missing: ""})
    application = received()
    approval.ask_override(application, reason="known to us", by=make_user(), at=NOW)
    with pytest.raises(RuleError, match="address of record"):
        approve(application)
    assert User.select().where(User.role == Role.PRACTITIONER).count() == 0


def test_an_unknown_licence_cannot_be_approved(db: settings.Settings) -> None:
    make_practitioner_licence(code="CSP.0000001", dea=None)
    with pytest.raises(RuleError, match="no licence"):
        approve(received())


# --- Deciding


def test_approving_makes_the_account_and_requests_the_letter(
    db: settings.Settings,
) -> None:
    licence = make_practitioner_licence()
    reported = make_prescriber(dea=make_dea(123456, "BR"), phone="2035550100")
    make_prescriber()
    application = received()

    user = approve(application)

    assert (user.username, user.role) == ("dr.rodkin", Role.PRACTITIONER)
    assert user.status == UserStatus.AWAITING_FIRST_SIGN_IN
    assert (user.licence, user.prescriber) == (licence, reported)
    assert Prescriber.get_by_id(reported.id).fax == "+18605550124"
    letter = Delivery.get(kind=DeliveryKind.CREDENTIAL_LETTER)
    assert (letter.subject_id, letter.channel) == (user.id, ChannelName.LETTER)
    assert letter.address == "SEMYON A RODKIN\n77 Record Road\nNew Haven CT 06511-0001"
    assert letter.further_routes == []
    notice = Delivery.get(kind=DeliveryKind.REGISTRATION_NOTICE)
    assert notice.channel == ChannelName.EMAIL
    assert "Elm" not in letter.address
    assert registration.code_of(user) == application.code


def test_a_pharmacy_becomes_its_dispensers_account(db: settings.Settings) -> None:
    make_licence(PHARMACY, code="CSP.0012345", name="THE ELM STREET PHARMACY, INC.")
    user = approve(received(profession=PHARMACY))
    assert (user.role, user.username) == (Role.PHARMACY, "elm.pharmacy")
    assert user.pharmacy == Pharmacy.get()
    assert Pharmacy.get().dea == make_dea(123456, "BR")


def test_two_of_a_name_get_different_user_names(db: settings.Settings) -> None:
    make_user(username="dr.rodkin")
    make_practitioner_licence()
    assert approve(received()).username == "dr.rodkin2"


@pytest.mark.parametrize(
    ("last_name", "username"),
    [("O'Brien", "dr.obrien"), ("Müller-Ñu", "dr.mullernu"), ("王", "dr")],
)
def test_a_user_name_can_be_typed_on_any_keyboard(
    db: settings.Settings, last_name: str, username: str
) -> None:
    make_practitioner_licence(name=f"SEMYON {last_name.upper()}")
    assert approve(received(last_name=last_name)).username == username


def test_a_licence_never_gets_two_accounts_even_at_the_same_instant(
    db: settings.Settings,
) -> None:
    licence = make_practitioner_licence()
    make_user(Role.PRACTITIONER, licence=licence, status=UserStatus.CLOSED)  # noise
    approve(received())
    with pytest.raises(IntegrityError):
        make_user(Role.PRACTITIONER, licence=licence)
    make_user(Role.PRACTITIONER, licence=licence, status=UserStatus.CLOSED)


def test_no_letter_tells_of_a_letter(db: settings.Settings) -> None:
    make_practitioner_licence()
    approve(received(email="", fax=""))
    kinds = [row.kind for row in Delivery.select()]
    assert kinds == [DeliveryKind.CREDENTIAL_LETTER]


def test_all_of_the_page_must_be_checked(db: settings.Settings) -> None:
    make_practitioner_licence()
    with pytest.raises(RuleError, match="dated"):
        approval.approve(
            received(), checked=["signed", "unaltered"], by=make_user(), at=NOW
        )


def test_nothing_is_approved_before_its_page_has_come(db: settings.Settings) -> None:
    make_practitioner_licence()
    with pytest.raises(RuleError, match="not come"):
        approve(make_application())
    assert Delivery.select().count() == 0


def test_who_typed_it_may_not_approve_it(db: settings.Settings) -> None:
    make_practitioner_licence()
    typist = make_user()
    application = received(by=typist)
    with pytest.raises(RuleError, match="typed"):
        approve(application, by=typist)
    approve(application, by=make_user())


def test_a_difference_needs_two_people(db: settings.Settings) -> None:
    make_practitioner_licence(name="SIMON RODKIN")
    application, asker = received(), make_user()
    with pytest.raises(RuleError, match="differs"):
        approve(application)
    approval.ask_override(application, reason="Simon is Semyon", by=asker, at=NOW)
    with pytest.raises(RuleError, match="second person"):
        approve(application, by=asker)
    approve(application, by=make_user())
    stored = Application.get_by_id(application.id)
    assert stored.override_reason == "Simon is Semyon"


def test_an_override_needs_a_reason(db: settings.Settings) -> None:
    with pytest.raises(RuleError):
        approval.ask_override(received(), reason=" ", by=make_user(), at=NOW)


def test_the_second_of_two_staff_is_told(db: settings.Settings) -> None:
    make_practitioner_licence()
    application, seen_by_both = received(), Application.get()
    quick = make_user(username="lee")
    approve(application, by=quick)
    with pytest.raises(ConflictError, match="lee was faster"):
        approval.reject(seen_by_both, reason="no", by=make_user(), at=NOW)
    assert Application.get().status == ApplicationStatus.APPROVED


def test_a_licence_has_one_account(db: settings.Settings) -> None:
    make_practitioner_licence()
    approve(received())
    with pytest.raises(RuleError, match="account already"):
        approve(received())


@pytest.mark.parametrize(
    ("given", "channels"),
    [
        ({}, ["email", "fax", "letter"]),
        ({"preferred_channel": "fax"}, ["fax", "email", "letter"]),
        ({"email": ""}, ["fax", "letter"]),
        ({"email": "", "fax": ""}, ["letter"]),
    ],
)
def test_a_returned_page_is_told_by_the_applicants_channel(
    db: settings.Settings, given: dict[str, str], channels: list[str]
) -> None:
    application = received(**given)
    approval.return_(
        application, reason=ReturnReason.UNSIGNED, note="Line 2", by=make_user(), at=NOW
    )
    stored = Application.get_by_id(application.id)
    assert stored.status == ApplicationStatus.RETURNED
    assert stored.reason == "The page is not signed. Sign it and fax it again.\nLine 2"
    notice = Delivery.get()
    assert [
        notice.channel.value,
        *(way for way, _ in notice.further_routes),
    ] == channels


def test_a_returned_page_may_come_again(db: settings.Settings) -> None:
    make_practitioner_licence()
    application = received()
    approval.return_(application, reason=ReturnReason.UNSIGNED, by=make_user(), at=NOW)
    registration.confirmation_received(application, by="system", at=NOW)
    approve(application)
    assert Application.get().status == ApplicationStatus.APPROVED


def test_a_rejected_registration_is_closed(db: settings.Settings) -> None:
    application = received()
    approval.reject(application, reason="Not a prescriber", by=make_user(), at=NOW)
    registration.confirmation_received(application, by="system", at=NOW)
    assert Application.get().status == ApplicationStatus.REJECTED


def test_the_mailed_letter_moves_the_registration_on(db: settings.Settings) -> None:
    make_practitioner_licence()
    application = received()
    user = approve(application)
    letter = Delivery.get(kind=DeliveryKind.CREDENTIAL_LETTER)
    with database.atomic():
        outbox.change(letter, DeliveryState.MAILED, source="lee", at=NOW)
    application = Application.get_by_id(application.id)
    assert registration.standing(application) == ApplicationStatus.CREDENTIALS_MAILED
    user.status = UserStatus.ACTIVE
    user.save()
    application = Application.get_by_id(application.id)
    assert registration.standing(application) == ApplicationStatus.ACTIVE


def test_a_page_that_comes_while_registrations_expire_is_not_lost(
    db: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = make_application()
    noise = make_application()
    after = NOW + timedelta(days=db.registration_days + 1)
    expire = expiry._expire

    def a_page_comes_first(application: Application, *, at: datetime) -> bool:
        if application == late:
            registration.confirmation_received(late, by="system", at=at)
        return expire(application, at=at)

    monkeypatch.setattr(expiry, "_expire", a_page_comes_first)
    assert expiry.expire(at=after) == 1
    received = Application.get_by_id(late.id).status
    assert received == ApplicationStatus.CONFIRMATION_RECEIVED
    assert Application.get_by_id(noise.id).status == ApplicationStatus.EXPIRED

"""Terms and reminders, several registrations, one person twice, changes of owner."""

from datetime import timedelta
from typing import Any

import pytest

from models import (
    Application,
    ApplicationDraft,
    ApplicationStatus,
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    FaxStatus,
    Licence,
    Pharmacy,
    Profession,
    Role,
    User,
    UserStatus,
)
from pmp import audit, database, faxes, registration, settings
from pmp.accounts import closing, credentials, sessions
from pmp.deliveries import outbox
from pmp.errors import ConflictError, RuleError
from pmp.registration import address_of_record, approval, comparison, drafts, expiry
from pmp.registration.approval import Check, ReturnReason
from tests.conftest import NOW
from tests.factories import (
    make_answers,
    make_application,
    make_dea,
    make_licence,
    make_practitioner_licence,
    make_user,
)
from tests.faxes import page, receive, tiff

RECEIVED = ApplicationStatus.CONFIRMATION_RECEIVED
PRACTITIONER, PHARMACY = Profession.PRACTITIONER, Profession.PHARMACY
DAY = timedelta(days=1)


def received(profession: Profession = PRACTITIONER, **fields: Any) -> Application:
    fields = {"confirmation_received_at": NOW} | fields
    return make_application(profession, status=RECEIVED, **fields)


def approve(application: Application, by: User | None = None) -> User:
    return approval.approve(
        application, checked=list(Check), by=by or make_user(), at=NOW
    )


def status(application: Application) -> ApplicationStatus:
    found: ApplicationStatus = Application.get_by_id(application.id).status
    return found


def notices() -> list[Delivery]:
    query = Delivery.select().where(Delivery.kind == DeliveryKind.REGISTRATION_NOTICE)
    return list(query.order_by(Delivery.id))


# --- Terms


def test_applicants_are_reminded_once_before_the_term_ends(
    db: settings.Settings,
) -> None:
    due = make_application(at=NOW - 21 * DAY)
    make_application(at=NOW - 19 * DAY)  # noise: young
    received(at=NOW - 25 * DAY)  # noise: its page has come
    assert expiry.remind(at=NOW) == 1
    assert expiry.remind(at=NOW + DAY / 24) == 0
    [notice] = notices()
    assert notice.subject_id == due.id
    events = AuditEvent.select().where(
        AuditEvent.event == audit.Event.REGISTRATION_REMINDED.value
    )
    assert [each.subject for each in events] == [f"registration:{due.code}"]


def test_nobody_is_reminded_where_the_setting_is_zero(db: settings.Settings) -> None:
    make_application(at=NOW - 29 * DAY)
    with settings.changed(registration_reminder_days=0):
        assert expiry.remind(at=NOW) == 0


def test_who_has_no_email_is_reminded_by_letter(db: settings.Settings) -> None:
    make_application(at=NOW - 25 * DAY, email="", fax="")
    expiry.remind(at=NOW)
    [notice] = notices()
    assert notice.channel == ChannelName.LETTER
    assert "12 ELM STREET" in notice.address


def test_a_return_begins_the_term_anew_and_then_it_ends_too(
    db: settings.Settings,
) -> None:
    application = received(at=NOW - 40 * DAY)
    approval.return_(application, reason=ReturnReason.UNSIGNED, by=make_user(), at=NOW)
    application = Application.get_by_id(application.id)
    assert expiry.expires_on(application) == (NOW + 30 * DAY).date()
    assert expiry.expire(at=NOW + 29 * DAY) == 0
    assert expiry.remind(at=NOW + 29 * DAY) == 1
    assert expiry.expire(at=NOW + 31 * DAY) == 1
    assert status(application) == ApplicationStatus.EXPIRED
    assert len(notices()) == 3  # returned, reminded, expired


def test_what_is_not_submitted_is_deleted_after_the_same_time(
    db: settings.Settings,
) -> None:
    old = drafts.begin(PRACTITIONER, {"last_name": "Old"}, at=NOW - 31 * DAY)
    saved = drafts.begin(PRACTITIONER, {"last_name": "Saved"}, at=NOW - 31 * DAY)
    drafts.save(saved, {"dea": "x"}, at=NOW - DAY)
    assert drafts.expire(at=NOW) == 1
    assert [each.code for each in ApplicationDraft.select()] == [saved.code]
    assert not drafts.save(old, {"dea": "y"}, at=NOW)


# --- The letter


def mail(user: User) -> None:
    letter = Delivery.get(
        (Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
        & (Delivery.subject_id == user.id)
    )
    with database.atomic():
        outbox.change(letter, DeliveryState.MAILED, source="lee", at=NOW)


def test_the_applicant_is_told_that_the_letter_is_in_the_mail(
    db: settings.Settings,
) -> None:
    make_practitioner_licence()
    application = received(email="")
    mail(approve(application))
    assert [each.channel for each in notices()] == [ChannelName.FAX, ChannelName.FAX]
    assert Application.get_by_id(application.id).mailed_at == NOW


def test_another_address_of_record_is_told_masked_and_only_once_approved(
    db: settings.Settings,
) -> None:
    make_practitioner_licence(
        street="9 Old Way", city="NEW LONDON", state="CT", zip="06320"
    )
    application = received()
    assert address_of_record.other_town(application) == ""
    approve(application)
    row = Application.get_by_id(application.id)
    assert address_of_record.other_town(row) == "N••••••••n, CT"


def test_the_same_address_is_not_told(db: settings.Settings) -> None:
    make_practitioner_licence(
        street="12 ELM STREET", city="HARTFORD", state="CT", zip="061061234"
    )
    application = received()
    approve(application)
    row = Application.get_by_id(application.id)
    assert address_of_record.other_town(row) == ""


def test_a_letter_that_was_mailed_and_is_too_old_is_told(
    db: settings.Settings,
) -> None:
    make_practitioner_licence()
    application = received()
    user = approve(application)
    rows = [Application.get_by_id(application.id)]
    assert credentials.too_old(rows, at=NOW) == {application.id}  # not drawn yet
    credentials.issue(user, at=NOW)
    assert credentials.too_old(rows, at=NOW + 20 * DAY) == set()
    assert credentials.too_old(rows, at=NOW + 21 * DAY) == {application.id}
    assert credentials.good_until(user) == NOW + 21 * DAY


def test_a_page_that_comes_too_late_counts_if_staff_say_so(
    db: settings.Settings,
) -> None:
    late = make_application(at=NOW - 40 * DAY)
    make_application()  # noise
    expiry.expire(at=NOW)
    fax = receive(tiff([page(late.code, signed=True)]))
    assert fax.status == FaxStatus.UNMATCHED
    assert "its page came too late" in fax.note
    faxes.attach(fax, code=late.code, by=make_user(), at=NOW)
    assert status(late) == RECEIVED


# --- Several registrations of one licence


def test_the_same_applicants_other_registrations_close_with_the_approval(
    db: settings.Settings,
) -> None:
    make_practitioner_licence()
    first, good = make_application(street="1 Wrong St"), received()
    stranger = make_application(last_name="Impostor")
    other = make_application(licence_number="CSP.0099999", dea=make_dea(777777, "BR"))
    approve(good)
    assert status(first) == ApplicationStatus.REJECTED
    assert good.code in Application.get_by_id(first.id).reason
    assert status(stranger) == status(other) == ApplicationStatus.SUBMITTED


def test_after_a_rejection_one_may_register_again(db: settings.Settings) -> None:
    make_practitioner_licence()
    refused = received()
    approval.reject(refused, reason="Your licence lapsed.", by=make_user(), at=NOW)
    again = received()
    assert approve(again).username == "dr.rodkin"
    assert "lapsed" in Application.get_by_id(refused.id).reason


def test_one_person_may_be_a_practitioner_and_a_pharmacys_pharmacist(
    db: settings.Settings,
) -> None:
    make_practitioner_licence()
    make_licence(PHARMACY, name="ELM STREET PHARMACY", code="PCY.0012345")
    doctor = approve(received())
    shop = approve(
        received(
            PHARMACY,
            licence_number="PCY.0012345",
            pharmacist_in_charge="Semyon Rodkin",
        )
    )
    assert {doctor.role, shop.role} == {Role.PRACTITIONER, Role.PHARMACY}


# --- A change of owner


def old_pharmacy() -> User:
    make_licence(PHARMACY, name="ELM STREET PHARMACY", code="PCY.0000001")
    return approve(received(PHARMACY, licence_number="PCY.0000001"))


def test_a_new_permit_with_the_old_dea_number_waits_for_the_old_account_to_close(
    db: settings.Settings,
) -> None:
    holder = old_pharmacy()
    make_licence(PHARMACY, name="ELM STREET PHARMACY", code="PCY.0000002")
    new = received(PHARMACY, licence_number="PCY.0000002")
    lee, ortiz = make_user(username="lee"), make_user(username="ortiz")
    with pytest.raises(RuleError, match=f"has an account already: {holder.username}"):
        approve(new, by=lee)
    assert comparison.compare(new, at=NOW).holders == (holder,)

    token = sessions.begin(user=holder, address="", browser="", at=NOW)
    closing.close(holder, reason="Sold on 11/20", by=lee, at=NOW, code=new.code)
    assert sessions.find(token, at=NOW) is None
    assert User.get_by_id(holder.id).status == UserStatus.CLOSED
    with pytest.raises(RuleError, match="someone else must approve"):
        approve(new, by=lee)
    user = approve(new, by=ortiz)
    shop = Pharmacy.get()
    assert user.pharmacy == User.get_by_id(holder.id).pharmacy == shop
    assert shop.licence == Licence.get(code="PCY.0000002")


def test_the_letter_of_a_closed_account_is_stopped(db: settings.Settings) -> None:
    holder = old_pharmacy()
    closing.close(holder, reason="Sold", by=make_user(), at=NOW)
    letter = Delivery.get(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
    assert letter.state == DeliveryState.CANCELLED
    with pytest.raises(ConflictError):
        closing.close(holder, reason="Sold", by=make_user(), at=NOW)


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMINISTRATOR, Role.AUDITOR])
def test_the_programs_own_accounts_are_not_closed_so(
    db: settings.Settings, role: Role
) -> None:
    with pytest.raises(RuleError):
        closing.close(make_user(role), reason="x", by=make_user(), at=NOW)


def test_a_reason_is_needed(db: settings.Settings) -> None:
    holder = old_pharmacy()
    with pytest.raises(RuleError) as refused:
        closing.close(holder, reason="  ", by=make_user(), at=NOW)
    assert refused.value.field == "reason"


def test_a_submitted_registration_is_no_longer_a_draft(db: settings.Settings) -> None:
    kept = drafts.begin(PRACTITIONER, {"last_name": "Noise"}, at=NOW)
    draft = drafts.begin(PRACTITIONER, {"last_name": "Rodkin"}, at=NOW)
    made = registration.submit(
        profession=PRACTITIONER,
        answers=make_answers(),
        attested=True,
        code=draft.code,
        at=NOW,
    )
    assert made.code == draft.code
    assert [each.code for each in ApplicationDraft.select()] == [kept.code]

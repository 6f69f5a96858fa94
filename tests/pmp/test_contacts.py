import pytest

from models import ChannelName, Profession, Role, UserStatus
from pmp import settings
from pmp.deliveries import Route, contacts
from tests.factories import (
    make_licence,
    make_pharmacy,
    make_prescriber,
    make_user,
    prove_fax,
)

pytestmark = pytest.mark.usefixtures("db")

FAX, EMAIL, LETTER = ChannelName.FAX, ChannelName.EMAIL, ChannelName.LETTER


def test_a_user_is_reached_by_the_preferred_channel_then_fax_email_letter() -> None:
    licence = make_licence(
        Profession.PRACTITIONER,
        name="RAE OAKES",
        street="4 Hill Road",
        fax="8605550120",
    )
    doctor = make_prescriber(licence=licence)
    make_user(Role.PRACTITIONER, prescriber=make_prescriber())  # noise
    user = make_user(Role.PRACTITIONER, prescriber=doctor, email="oakes@example.org")
    fax = Route(FAX, "+18605550120")
    email = Route(EMAIL, "oakes@example.org")
    letter = Route(LETTER, "RAE OAKES\n4 Hill Road\nHARTFORD CT 06106")

    assert contacts.routes_for(doctor) == [fax, email, letter]
    user.preferred_channel = EMAIL
    user.save()
    assert contacts.routes_for(doctor) == [email, fax, letter]


def test_a_users_own_fax_wins_over_the_rosters() -> None:
    pharmacy = make_pharmacy(licence=make_licence(fax="8605550120"))
    user = make_user(Role.PHARMACY, pharmacy=pharmacy, fax="860-555-0177", email=None)
    prove_fax(user, "+18605550177")

    assert contacts.routes_for(pharmacy)[0] == Route(FAX, "+18605550177")


def test_a_users_number_that_is_not_proven_gets_no_patient_data() -> None:
    pharmacy = make_pharmacy(licence=make_licence(fax="8605550120"))
    user = make_user(Role.PHARMACY, pharmacy=pharmacy, fax="860-555-0177")
    prove_fax(make_user(Role.PHARMACY), "+18605550177")  # somebody else's proof
    fax = Route(FAX, "+18605550177")

    ways = contacts.ways_to(pharmacy)
    assert [way.channel for way in ways.routes] == [EMAIL, LETTER]
    assert ways.untested == "+18605550177"
    assert contacts.routes_for(pharmacy, with_patient=False)[0] == fax
    with settings.changed(fax_verified_only="off"):
        assert contacts.routes_for(pharmacy)[0] == fax
    prove_fax(user, "+18605550177")
    assert contacts.ways_to(pharmacy).routes[0] == fax
    assert contacts.ways_to(pharmacy).untested == ""


def test_a_number_that_the_roster_has_too_is_believed_unless_all_must_be_proven() -> (
    None
):
    licence = make_licence(fax="(860) 555-0177")
    pharmacy = make_pharmacy(licence=licence)
    make_user(Role.PHARMACY, pharmacy=pharmacy, fax="860-555-0177", email=None)

    assert contacts.routes_for(pharmacy)[0] == Route(FAX, "+18605550177")
    with settings.changed(fax_verified_only="all"):
        assert contacts.routes_for(pharmacy)[0].channel == LETTER
        prove_fax(licence, "+18605550177")
        assert contacts.routes_for(pharmacy)[0] == Route(FAX, "+18605550177")


def test_a_number_that_is_not_proven_is_held_where_it_is_the_only_way() -> None:
    pharmacy = make_pharmacy()
    make_user(Role.PHARMACY, pharmacy=pharmacy, fax="860-555-0177", email=None)

    [only] = contacts.routes_for(pharmacy)

    assert (only.channel, only.awaits) == (FAX, contacts.AWAITS_TEST_PAGE)


def test_who_is_no_user_cannot_open_an_email_and_gets_fax_or_letter() -> None:
    licence = make_licence(email="roster@example.org", preferred_channel=EMAIL)
    pharmacy = make_pharmacy(licence=licence, email="x@example.org")
    make_user(
        Role.PHARMACY, pharmacy=pharmacy, status=UserStatus.AWAITING_FIRST_SIGN_IN
    )

    assert [way.channel for way in contacts.routes_for(pharmacy)] == [LETTER]


def test_a_licence_is_found_by_its_dea_number_unless_it_is_a_hospitals() -> None:
    doctor = make_prescriber()
    make_licence(Profession.PRACTITIONER, name="RAE OAKES", dea=doctor.dea)
    resident = make_prescriber(dea=doctor.dea, dea_suffix="12")

    assert contacts.routes_for(doctor)[0].address.startswith("RAE OAKES\n")
    assert contacts.routes_for(resident) == []


def test_an_address_of_record_that_is_incomplete_is_none() -> None:
    assert contacts.address_lines(make_licence(city="")) == []
    assert contacts.routes_for(make_pharmacy(licence=make_licence(street=""))) == []


def test_a_number_that_is_none_is_not_dialled() -> None:
    pharmacy = make_pharmacy(licence=make_licence(fax="none", street=""))

    assert contacts.routes_for(pharmacy) == []
    assert contacts.fax_of(pharmacy) == ""
    assert contacts.phone_of(pharmacy) == "+18605550100"


def test_staff_are_told_at_the_address_that_is_set_or_each_of_them() -> None:
    make_user(Role.STAFF, email="lee@example.org")
    make_user(Role.STAFF, email=None)
    make_user(Role.PHARMACY, email="not.staff@example.org")

    assert contacts.staff_routes() == [Route(EMAIL, "lee@example.org")]
    with settings.changed(staff_mail_to="a@example.org, b@example.org"):
        told = [way.address for way in contacts.staff_routes()]
    assert told == ["a@example.org", "b@example.org"]


def test_names_as_the_program_writes_them() -> None:
    doctor = make_prescriber(last_name="Oakes", first_name="Rae")

    assert contacts.name_of(doctor) == "OAKES, RAE"
    assert contacts.name_of(make_pharmacy(name="Elm Drugs")) == "ELM DRUGS"
    assert contacts.name_of(make_pharmacy(name="", dea="BE1234563")) == "DEA BE1234563"

"""The roster's files: read as downloaded, compared before they change anything."""

from pathlib import Path

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Licence,
    Pharmacy,
    Prescriber,
    Profession,
    RosterImport,
    RosterKind,
    RosterProblem,
    RosterState,
)
from pmp import roster, settings
from pmp.demo.roster_files import PRACTITIONER
from pmp.errors import RuleError
from pmp.roster import previews, reading
from tests.conftest import NOW
from tests.factories import make_dea, make_licence, make_pharmacy, make_prescriber
from tests.roster_sheets import contacts, row, sheet

CSP = PRACTITIONER


def preview(path: Path) -> RosterImport:
    return roster.preview(path, by="system", at=NOW)


def problems_of(batch: RosterImport) -> list[RosterProblem]:
    return previews.problems(batch)


def kind_of(path: Path) -> RosterKind:
    with path.open("rb") as binary:
        return reading.kind_of(binary, name=path.name)


def counts(outcome: RosterImport) -> tuple[int, int, int, int, int]:
    return (
        outcome.new,
        outcome.changed,
        outcome.unchanged,
        outcome.gone,
        outcome.invalid,
    )


# --- The Department's file


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_the_file_is_read_as_downloaded(
    db: settings.Settings, tmp_path: Path, delimiter: str
) -> None:
    rows = [
        row(1, Name="Semyon  Rodkin", Address="12 Elm St, Suite 4"),
        row(2, Credential="PHARMACY", FullCredentialCode="pcy.0000002"),
        row(3, Credential="BARBER"),
    ]
    path = sheet(tmp_path, rows, delimiter=delimiter)
    assert kind_of(path) == RosterKind.LICENCES
    outcome = roster.import_file(path, by="system", at=NOW)
    assert counts(outcome) == (2, 0, 0, 0, 0)
    assert outcome.skipped == 1
    person, shop = Licence.select().order_by(Licence.credential_id)
    assert (person.name, person.street) == ("Semyon Rodkin", "12 Elm St, Suite 4")
    assert (person.zip, f"{person.expires_on}") == ("061061234", "2027-02-28")
    assert (shop.profession, shop.code) == (Profession.PHARMACY, "PCY.0000002")


def test_a_preview_tells_and_changes_nothing(
    db: settings.Settings, tmp_path: Path
) -> None:
    roster.import_file(sheet(tmp_path, map(row, range(1, 5))), by="system", at=NOW)
    later = [row(1), row(2, Status="INACTIVE", Active="0"), row(3, Name=""), row(9)]
    path = sheet(tmp_path, later)

    told = preview(path)

    assert counts(told) == (1, 1, 1, 1, 1)
    assert Licence.select().where(Licence.active).count() == 4
    assert told.state == RosterState.READY
    done = roster.apply(told.id, by="lee", at=NOW)
    assert counts(done) == counts(told)
    states = {each.credential_id: each.status for each in Licence.select()}
    assert states == {
        "1": "ACTIVE",
        "2": "INACTIVE",
        "3": "ACTIVE",
        "4": roster.GONE,
        "9": "ACTIVE",
    }
    assert not Licence.get(credential_id="4").active
    [_, last] = RosterImport.select().order_by(RosterImport.id)
    assert (last.new, last.changed, last.gone, last.invalid) == (1, 1, 1, 1)
    assert [
        each.event for each in AuditEvent.select().where(AuditEvent.actor == "lee")
    ] == [
        "roster:apply_begun",
        "roster:imported",
    ]


def test_the_same_file_again_changes_nothing(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, map(row, range(1, 1203)))
    assert counts(roster.import_file(path, by="system", at=NOW))[:2] == (1202, 0)
    assert counts(roster.import_file(path, by="system", at=NOW)) == (0, 0, 1202, 0, 0)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"Name": ""}, "no Name"),
        ({"CredentialId": ""}, "no CredentialId"),
        ({"CredentialId": "1"}, "twice"),
        ({"FullCredentialCode": ""}, "no FullCredentialCode"),
        ({"ExpirationDate": "2027-02-28"}, "MM/DD/YYYY"),
        ({"ExpirationDate": "02/30/2027"}, "MM/DD/YYYY"),
        ({"Zip": "ABC"}, "ZIP"),
        ({"Address": "Main Street " * 30}, "longer than 255"),
        ({"City": "Hart\ufffdford"}, "not UTF-8"),
    ],
)
def test_a_bad_row_is_told_with_its_number_and_the_others_are_used(
    db: settings.Settings, tmp_path: Path, cells: dict[str, str], words: str
) -> None:
    path = sheet(tmp_path, [row(1), row(2, **cells), row(3)])
    outcome = roster.import_file(path, by="system", at=NOW)
    [problem] = problems_of(outcome)
    assert problem.row == 3
    assert words in problem.message
    assert outcome.new == 2


def test_other_kinds_may_be_as_bad_as_they_like(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, [row(1), row(2, Credential="BARBER", Name="", Zip="?")])
    assert problems_of(preview(path)) == []


def test_a_row_with_a_cell_too_few_is_told(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, [row(1)])
    path.write_text(path.read_text() + f'7,"SHORT ROW",{CSP}\n')
    [problem] = problems_of(preview(path))
    assert "21 are expected" in problem.message


def test_codes_need_not_be_unique_and_an_address_may_lack(
    db: settings.Settings, tmp_path: Path
) -> None:
    same = {"FullCredentialCode": "CSP.0000007"}
    path = sheet(tmp_path, [row(1, **same), row(2, **same, Address="", Zip="")])
    assert counts(roster.import_file(path, by="system", at=NOW)) == (2, 0, 0, 0, 0)


def test_a_zip_that_a_spreadsheet_cut_is_mended(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, [row(1, Zip="6106"), row(2, Zip="06106-1234")])
    roster.import_file(path, by="system", at=NOW)
    assert [each.zip for each in Licence.select()] == ["06106", "061061234"]


def test_a_pharmacy_without_name_has_its_business_name(
    db: settings.Settings, tmp_path: Path
) -> None:
    cells = {"Name": "", "BusinessName": "ELM DRUG LLC", "Credential": "PHARMACY"}
    roster.import_file(sheet(tmp_path, [row(1, **cells)]), by="system", at=NOW)
    assert Licence.get().name == "ELM DRUG LLC"


def test_half_a_file_is_refused(db: settings.Settings, tmp_path: Path) -> None:
    roster.import_file(sheet(tmp_path, map(row, range(1, 101))), by="system", at=NOW)
    half = sheet(tmp_path, map(row, range(1, 51)))
    with pytest.raises(RuleError, match="50 of 100"):
        roster.import_file(half, by="system", at=NOW)
    assert Licence.select().where(Licence.active).count() == 100
    roster.import_file(half, by="system", at=NOW, accept_gone=True)
    assert Licence.select().where(Licence.active).count() == 50


def test_a_licence_that_comes_back_is_active_again(
    db: settings.Settings, tmp_path: Path
) -> None:
    both, one = [row(1), row(2)], [row(1)]
    for rows in (both, one, both):
        roster.import_file(sheet(tmp_path, rows), by="system", at=NOW)
    assert Licence.select().where(Licence.active).count() == 2


def test_the_departments_file_never_touches_contacts(
    db: settings.Settings, tmp_path: Path
) -> None:
    make_licence(credential_id="1", fax="+18605550100", dea=make_dea(5))
    roster.import_file(sheet(tmp_path, [row(1)]), by="system", at=NOW)
    assert Licence.get().fax == "+18605550100"


def test_another_state_names_other_credentials(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, [row(1), row(2, Credential="Prescriber, Full")])
    with (
        settings.changed(roster_practitioner_credentials="BARBER,prescriber"),
        pytest.raises(RuleError, match="none of the credentials"),
    ):
        preview(path)
    with settings.changed(roster_practitioner_credentials="BARBER," + CSP.lower()):
        assert preview(path).new == 1


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = contacts(tmp_path, "a,b,c\n1,2,3\n")
    with pytest.raises(RuleError, match="CredentialId"):
        kind_of(path)


# --- The file of contacts


def test_contacts_fill_the_licence_and_who_it_is(
    db: settings.Settings, tmp_path: Path
) -> None:
    licence = make_licence(
        Profession.PRACTITIONER, code="CSP.0000007", name="SEMYON A RODKIN MD"
    )
    make_licence(code="CSP.0000008", fax="+18605550177")
    dea = make_dea(7)
    path = contacts(
        tmp_path,
        "licence,dea,npi,fax,email,preferred_channel\n"
        f"csp.0000007,{dea.lower()},1234567893,(860) 555-0107,r@example.org,Fax\n",
    )
    assert kind_of(path) == RosterKind.CONTACTS
    assert counts(preview(path)) == (1, 1, 0, 0, 0)
    assert Prescriber.select().count() == 0

    outcome = roster.import_file(path, by="system", at=NOW)

    assert counts(outcome) == (1, 1, 0, 0, 0)
    licence = Licence.get_by_id(licence.id)
    assert (licence.dea, licence.fax) == (dea, "+18605550107")
    assert licence.preferred_channel == ChannelName.FAX
    person = Prescriber.get()
    assert (person.last_name, person.first_name) == ("RODKIN", "SEMYON A")
    assert (person.licence, person.fax) == (licence, "+18605550107")
    assert counts(roster.import_file(path, by="system", at=NOW)) == (0, 0, 1, 0, 0)


def test_contacts_join_the_pharmacy_that_was_reported(
    db: settings.Settings, tmp_path: Path
) -> None:
    licence = make_licence(code="PCY.0000007")
    known, noise = make_pharmacy(), make_pharmacy()
    text = f"licence,dea,ncpdp\nPCY.0000007,{known.dea},0712340\n"
    roster.import_file(contacts(tmp_path, text), by="system", at=NOW)
    known = Pharmacy.get_by_id(known.id)
    assert (known.licence, known.ncpdp) == (licence, "0712340")
    assert Pharmacy.get_by_id(noise.id).licence is None


def test_a_contact_that_a_person_changed_stays(
    db: settings.Settings, tmp_path: Path
) -> None:
    dea = make_dea(7)
    make_licence(Profession.PRACTITIONER, code="CSP.0000007", fax="+18605550101")
    make_prescriber(dea=dea, fax="+18605550199", email=None)
    text = f"licence,dea,fax,email\nCSP.0000007,{dea},8605550102,n@example.org\n"
    roster.import_file(contacts(tmp_path, text), by="system", at=NOW)
    person = Prescriber.get()
    assert (person.fax, person.email) == ("+18605550199", "n@example.org")
    assert Licence.get().fax == "+18605550102"


def test_contacts_with_faults_are_told_by_row(
    db: settings.Settings, tmp_path: Path
) -> None:
    make_licence(code="PCY.0000007")
    make_licence(code="PCY.0000008")
    make_licence(code="PCY.0000008", credential_id="again")
    other = make_licence(code="PCY.0000009")
    taken = make_pharmacy(licence=other)
    lines = [
        "licence,dea,npi,ncpdp,fax,email,preferred_channel",
        "PCY.0000007,BR1234564,,,,,",
        "PCY.0000007,,1234567890,,,,",
        "PCY.0000007,,,0712343,,,",
        "PCY.0000007,,,,12345,,",
        "PCY.0000007,,,,,nobody,",
        "PCY.0000007,,,,,,pigeon",
        "PCY.9999999,,,,,,",
        "PCY.0000008,,,,,,",
        f"PCY.0000007,{taken.dea},,,,,",
        ",,,,,,",
        "PCY.0000007,,,,8605550107,,",
    ]
    outcome = roster.import_file(
        contacts(tmp_path, "\n".join(lines)), by="system", at=NOW
    )
    assert [problem.row for problem in problems_of(outcome)] == list(range(2, 12))
    assert outcome.changed == 1
    assert Licence.get(code="PCY.0000007").dea is None

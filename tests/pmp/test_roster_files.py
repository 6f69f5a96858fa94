"""Roster files as they come: zipped, in other encodings, damaged; and CMS's file."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from models import (
    ChannelName,
    Licence,
    Prescriber,
    Profession,
    RosterImport,
    RosterKind,
    RosterState,
)
from pmp import identifiers, roster, settings
from pmp.deliveries import contacts as contact_ways
from pmp.errors import RuleError
from pmp.roster import batches, nppes_file, previews, reading
from tests.conftest import NOW
from tests.factories import make_dea, make_licence, make_prescriber, prove_fax
from tests.roster_sheets import contacts, row, sheet

NPPES = [
    "NPI",
    "Entity Type Code",
    "Provider Organization Name (Legal Business Name)",
    "Provider Last Name (Legal Name)",
    "Provider First Name",
    "Provider Other Organization Name",
    "Provider Business Practice Location Address Telephone Number",
    "Provider Business Practice Location Address Fax Number",
    "NPI Deactivation Date",
    "NPI Reactivation Date",
    *(f"Provider License Number_{n}" for n in range(1, 16)),
    *(f"Provider License Number State Code_{n}" for n in range(1, 16)),
    *(f"Healthcare Provider Taxonomy Code_{n}" for n in range(1, 16)),
]
NPI, OTHER_NPI = "1234567893", str(identifiers.whole_npi(109381746))


def imported(path: Path) -> RosterImport:
    return roster.import_file(path, by="system", at=NOW)


def provider(**cells: str) -> dict[str, str]:
    return (
        dict.fromkeys(NPPES, "")
        | {
            "NPI": NPI,
            "Entity Type Code": "1",
            "Provider Last Name (Legal Name)": "RODKIN",
            "Provider First Name": "SEMYON",
            "Provider License Number_1": "0000007",
            "Provider License Number State Code_1": "CT",
            "Provider Business Practice Location Address Fax Number": "8605550107",
        }
        | {name.replace("__", " "): value for name, value in cells.items()}
    )


def nppes(folder: Path, *rows: dict[str, str]) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, NPPES, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "npidata.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("npidata_pfile_20260101-20260107_fileheader.csv", "NPI\n")
        archive.writestr("npidata_pfile_20260101-20260107.csv", text.getvalue())
        archive.writestr("readme.pdf", b"%PDF" + b" " * 99_999)
    return path


# --- Encodings, zips, damage


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_is_read_in_whatever_encoding_it_comes(
    db: settings.Settings, tmp_path: Path, encoding: str
) -> None:
    names = ["José Núñez", "Renée Ohara", "Plain Jane"]
    rows = [row(n, Name=name) for n, name in enumerate(names)]
    imported(sheet(tmp_path, rows, encoding=encoding, delimiter="\t"))
    found = Licence.select().order_by(Licence.credential_id)
    assert [each.name for each in found] == names


def test_a_file_may_be_zipped_and_is_found_among_others(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, [row(1), row(2)])
    packed = tmp_path / "roster.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("READ ME.txt", "x")
        archive.write(path, "State_Licenses.csv")
    assert imported(packed).new == 2


def test_a_zip_without_a_table_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "roster.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with packed.open("rb") as binary, pytest.raises(RuleError, match="no CSV"):
        reading.kind_of(binary, name="roster.zip")


def test_a_damaged_zip_is_told_and_nothing_is_kept(
    db: settings.Settings, tmp_path: Path
) -> None:
    rows = [row(n, Address=f"{n * 7919} Elm Street") for n in range(20_000)]
    packed = tmp_path / "roster.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(sheet(tmp_path, rows), "roster.csv")
    body = bytearray(packed.read_bytes())
    body[len(body) // 2] ^= 255
    packed.write_bytes(body)
    with pytest.raises(RuleError, match="Download it again"):
        roster.preview(packed, by="system", at=NOW)
    [batch] = RosterImport.select()
    assert batch.state == RosterState.FAILED
    assert previews.rows(batch, "new", number=1).total == 0


def test_a_quote_that_is_never_closed_is_told_by_its_line(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, [row(1)])
    path.write_text(path.read_text() + '2,"' + "x" * 200_000)
    with pytest.raises(RuleError, match=r"at line .* quotation mark"):
        roster.preview(path, by="system", at=NOW)


def test_a_value_with_a_line_break_or_a_zero_byte_does_no_harm(
    db: settings.Settings, tmp_path: Path
) -> None:
    rows = [row(1, Name="TWO\nLINES"), row(2, City="Hart\0ford"), row(3)]
    batch = imported(sheet(tmp_path, rows))
    assert Licence.get(credential_id="1").name == "TWO LINES"
    [problem] = previews.problems(batch)
    assert (problem.row, problem.column) == (3, "city")


def test_a_row_that_is_cut_does_not_make_its_licence_gone(
    db: settings.Settings, tmp_path: Path
) -> None:
    imported(sheet(tmp_path, [row(1), row(2)]))
    path = sheet(tmp_path, [row(1)])
    path.write_text(path.read_text() + "2,CUT SHORT\n")
    told = roster.preview(path, by="system", at=NOW)
    assert (told.gone, told.invalid) == (0, 1)


def test_names_with_a_comma_are_parted_by_semicolons(
    db: settings.Settings, tmp_path: Path
) -> None:
    path = sheet(tmp_path, [row(1, Credential="Prescriber, Full"), row(2)])
    with settings.changed(roster_practitioner_credentials="NURSE; prescriber, full"):
        assert imported(path).new == 1


def test_extracts_are_known_by_the_headings_that_others_use(
    db: settings.Settings, tmp_path: Path
) -> None:
    make_licence(Profession.PRACTITIONER, code="CSP.0000007")
    text = (
        "License Number;DEA Number;Email Address;Fax\nCSP.0000007;{};a@example.org;\n"
    )
    imported(contacts(tmp_path, text.format(make_dea(7))))
    licence = Licence.get()
    assert (licence.dea, licence.email) == (make_dea(7), "a@example.org")


def test_one_licence_or_dea_number_twice_in_a_file_is_told(
    db: settings.Settings, tmp_path: Path
) -> None:
    for number in (7, 8):
        make_licence(Profession.PRACTITIONER, code=f"CSP.000000{number}")
    text = f"licence,dea\nCSP.0000007,{make_dea(7)}\nCSP.0000007,{make_dea(9)}\n"
    text += f"CSP.0000008,{make_dea(7)}\n"
    batch = imported(contacts(tmp_path, text))
    assert [each.row for each in previews.problems(batch)] == [3, 4]
    assert Licence.get(code="CSP.0000008").dea is None


# --- CMS's file


def test_a_provider_is_joined_by_licence_number_and_name(
    db: settings.Settings, tmp_path: Path
) -> None:
    mine = make_licence(
        Profession.PRACTITIONER,
        code="CSP.0000007",
        name="SEMYON A RODKIN",
        dea=make_dea(7),
    )
    make_licence(Profession.PRACTITIONER, code="CSP.0000008", name="OTHER PERSON")
    person = make_prescriber(dea=make_dea(7), fax="+18605550199", npi=None)
    path = nppes(
        tmp_path,
        provider(NPI=OTHER_NPI, **{"Provider License Number State Code_1": "NY"}),
        provider(),
        provider(NPI=OTHER_NPI, **{"Provider Last Name (Legal Name)": "STRANGER"}),
    )
    batch = imported(path)
    assert batch.kind == RosterKind.NPPES
    licence = Licence.get_by_id(mine.id)
    assert (licence.npi, licence.fax) == (NPI, None)
    assert licence.nppes_fax == "+18605550107"
    person = Prescriber.get_by_id(person.id)
    assert (person.npi, person.fax) == (NPI, "+18605550199")
    assert batch.skipped == 2
    assert Licence.get(code="CSP.0000008").npi is None


def test_a_number_that_fits_two_licences_is_not_used(
    db: settings.Settings, tmp_path: Path
) -> None:
    for code in ("CSP.0000007", "ABC.0000007"):
        make_licence(Profession.PRACTITIONER, code=code, name="SEMYON RODKIN")
    assert imported(nppes(tmp_path, provider())).skipped == 1


def test_cms_corrects_nothing_that_the_state_s_own_file_said(
    db: settings.Settings, tmp_path: Path
) -> None:
    phone = "+18605550111"
    make_licence(
        Profession.PRACTITIONER,
        code="CSP.0000007",
        name="SEMYON RODKIN",
        phone=phone,
        fax="+18605550112",
    )
    told = {
        "Provider Business Practice Location Address Telephone Number": "2035550100"
    }
    imported(nppes(tmp_path, provider(**told)))
    licence = Licence.get()
    assert (licence.npi, licence.phone) == (NPI, phone)
    assert licence.fax == "+18605550112"
    batch = imported(nppes(tmp_path, provider(NPI=OTHER_NPI)))
    [problem] = previews.problems(batch)
    assert f"CSP.0000007 has the NPI {NPI} on the roster" in problem.message


def test_cms_s_fax_is_sent_no_patient_before_it_is_proven(
    db: settings.Settings,
) -> None:
    licence = make_licence(Profession.PRACTITIONER, nppes_fax="+18605550107")
    person = make_prescriber(licence=licence, fax=None)
    ways = contact_ways.ways_to(person)
    assert [route.channel for route in ways.routes] == [ChannelName.LETTER]
    assert ways.untested == "+18605550107"
    prove_fax(licence, "+18605550107")
    assert contact_ways.routes_for(person)[0].address == "+18605550107"


def test_a_pharmacy_is_joined_by_its_company(
    db: settings.Settings, tmp_path: Path
) -> None:
    make_licence(code="PCY.0000007", name="ELM DRUG LLC")
    path = nppes(
        tmp_path,
        provider(
            **{
                "Entity Type Code": "2",
                "Provider Last Name (Legal Name)": "",
                "Provider First Name": "",
                "Provider Organization Name (Legal Business Name)": "HOLDING INC",
                "Provider Other Organization Name": "Elm Drug",
                "Provider License Number_1": "",
                "Provider License Number State Code_1": "",
                "Provider License Number_9": "PCY.7",
                "Provider License Number State Code_9": "CT",
            }
        ),
    )
    imported(path)
    assert Licence.get().npi == NPI


def test_a_deactivated_npi_is_told_where_it_is_on_the_roster(
    db: settings.Settings, tmp_path: Path
) -> None:
    make_licence(Profession.PRACTITIONER, code="CSP.0000007", npi=NPI)
    gone = dict.fromkeys(NPPES, "") | {"NPI Deactivation Date": "01/15/2026"}
    batch = imported(
        nppes(tmp_path, gone | {"NPI": NPI}, gone | {"NPI": OTHER_NPI}, provider())
    )
    [problem] = previews.problems(batch)
    assert "CSP.0000007 was deactivated on 01/15/2026" in problem.message
    assert Licence.get().npi == NPI


def test_a_long_file_is_told_of_step_by_step(
    db: settings.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a page shows while eight million rows are read."""
    monkeypatch.setattr(nppes_file, "ROWS_A_STEP", 3)
    path = nppes(tmp_path, *(provider() for _ in range(10)))
    seen: list[int] = []
    renew = batches.Hold.renew

    def spy(hold: batches.Hold, **columns: object) -> None:
        seen.append(int(str(columns.get("rows_read", 0))))
        renew(hold, **columns)

    monkeypatch.setattr(batches.Hold, "renew", spy)
    roster.preview(path, by="system", at=NOW)
    assert [number for number in seen if number] == [3, 6, 9, 10]

"""The drug table: seeded, imported from FDA's files, asked by NDC."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from models import AuditEvent, DrugClass, Product
from pmp import drugs, mme, settings, wording
from pmp.drugs import Audience, Directory, drug_files
from tests.conftest import NOW

HEADER = (
    "PRODUCTID\tPRODUCTNDC\tPROPRIETARYNAME\tNONPROPRIETARYNAME\tDOSAGEFORMNAME"
    "\tROUTENAME\tSUBSTANCENAME\tACTIVE_NUMERATOR_STRENGTH\tACTIVE_INGRED_UNIT"
    "\tDEASCHEDULE"
)
_ROWS = """\
1|0555-0123|Example APAP|x|TABLET|ORAL\
|ACETAMINOPHEN; HYDROCODONE BITARTRATE|325; 10|mg/1; mg/1|CII
2|55501-456|Example Café Patch|x|PATCH|TRANSDERMAL|FENTANYL|25|ug/1|CII
3|55502-1234|Example Syrup|x|SYRUP|ORAL\
|PROMETHAZINE HYDROCHLORIDE; CODEINE PHOSPHATE|6.25; 10|mg/5mL; mg/5mL|CV
4|55503-001|Example Nerve|x|CAPSULE|ORAL|GABAPENTIN|300|mg/1|
5|55504-001|Example Heart|x|TABLET|ORAL|ATENOLOL|50|mg/1|"""
PRODUCTS = _ROWS.replace("|", "\t").splitlines()
PACKAGES = [
    "0555-0123\t0555-0123-02",
    "55501-456\t55501-456-05",
    "55502-1234\t55502-1234-1",
    "55503-001\t55503-001-01",
    "55504-001\t55504-001-01",
    "55504-001\t55504-wrong",
    "99999-999\t99999-999-99",
]


def common_substances() -> list[dict[str, str]]:
    file = Path(__file__).parent.parent / "data" / "common_substances.csv"
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def fda(tmp_path: Path) -> Directory:
    product, package = tmp_path / "product.txt", tmp_path / "package.txt"
    product.write_bytes("\r\n".join([HEADER, *PRODUCTS]).encode("cp1252"))
    lines = ["PRODUCTNDC\tNDCPACKAGECODE", *PACKAGES]
    package.write_bytes("\r\n".join(lines).encode("cp1252"))
    return Directory(product, package)


def test_seed_classes_the_common_substances(db: settings.Settings) -> None:
    drugs.seed(at=NOW)

    facts = drugs.facts_for(["00406051201", "12496120801", "00781107701", "1"])

    assert {ndc: known.drug_class for ndc, known in facts.items()} == {
        "00406051201": DrugClass.OPIOID,
        "12496120801": DrugClass.BUPRENORPHINE,
        "00781107701": DrugClass.BENZODIAZEPINE,
    }
    percocet = facts["00406051201"]
    assert percocet.strength == 5
    assert percocet.strength_unit == "mg"
    assert percocet.mme_key == "oxycodone"
    assert percocet.acetaminophen_mg == 325
    assert not percocet.long_acting
    assert drugs.audience_of(percocet) is Audience.EVERYONE


def test_seed_twice_adds_nothing_and_changes_nothing(db: settings.Settings) -> None:
    first = drugs.seed(at=NOW)
    Product.update(name="RENAMED BY STAFF").where(
        Product.ndc == "00406051201"
    ).execute()

    again = drugs.seed(at=NOW)

    assert first.new == Product.select().count()
    assert set(again.counts().values()) == {0}
    assert drugs.facts_for(["00406051201"])["00406051201"].drug_name.startswith("REN")


def test_every_seeded_product_is_reported_and_has_a_good_ndc(
    program: settings.Settings,
) -> None:
    rows = list(drug_files.read_seed())

    assert Audience.NOBODY not in set(map(drugs.audience_of, rows))
    assert all(len(row.ndc) == 11 and row.ndc.isdigit() for row in rows)
    assert len({row.ndc for row in rows}) == len(rows)


@pytest.mark.parametrize("row", common_substances(), ids=lambda row: row["ndc"])
def test_the_common_substances_are_seeded_with_their_facts(
    row: dict[str, str],
) -> None:
    facts = next(each for each in drug_files.read_seed() if each.ndc == row["ndc"])

    assert (facts.drug_class, facts.schedule) == (row["class"], row["schedule"])
    assert (wording.amount(facts.strength), facts.strength_unit) == (
        row["strength"],
        row["unit"],
    )
    for rules in ("cdc-2022", "cdc-2018"):
        factor = mme.rule_set(rules).factor(facts.mme_key, Decimal(0))
        assert wording.amount(factor) == row[f"factor_{rules[-4:]}"]


def test_seeded_opioids_all_have_a_factor() -> None:
    rows = [row for row in drug_files.read_seed() if row.drug_class == "opioid"]

    assert [row.drug_name for row in rows if not row.mme_key] == []


def test_import_reads_strength_class_and_schedule(
    db: settings.Settings, fda: Directory
) -> None:
    found = drugs.import_files(directory=fda, at=NOW)

    facts = drugs.facts_for(
        ["00555012302", "55501045605", "55502123401", "55503000101", "55504000101"]
    )
    tablet = facts["00555012302"]
    assert tablet.strength == 10
    assert tablet.strength_unit == "mg"
    assert tablet.acetaminophen_mg == 325
    assert tablet.mme_key == "hydrocodone"
    patch = facts["55501045605"]
    assert patch.drug_name == "EXAMPLE CAFÉ PATCH 25 MCG/HR PATCH"
    assert (patch.mme_key, patch.long_acting) == ("fentanyl_patch", True)
    syrup = facts["55502123401"]
    assert (syrup.strength, syrup.strength_unit) == (Decimal(10), "mg/5mL")
    assert (syrup.mme_key, syrup.schedule) == ("", "CV")
    audiences = {ndc: drugs.audience_of(each) for ndc, each in facts.items()}
    assert audiences["55503000101"] is Audience.EVERYONE  # gabapentin: by state law
    assert audiences["55504000101"] is Audience.NOBODY
    assert (found.new, len(found.invalid)) == (5, 2)


def test_import_again_changes_only_what_differs(
    db: settings.Settings, fda: Directory
) -> None:
    drugs.import_files(directory=fda, at=NOW)
    product = fda.product
    text = product.read_bytes().replace(b"Example Nerve", b"Renamed Nerve")
    product.write_bytes(text)

    again = drugs.import_files(directory=fda, at=NOW)

    assert (again.new, again.changed, again.same) == (0, 1, 4)
    assert drugs.facts_for(["55503000101"])["55503000101"].drug_name.startswith("REN")


def test_import_of_a_file_without_the_needed_columns_stores_nothing(
    db: settings.Settings, fda: Directory
) -> None:
    fda.package.write_text("WHAT\tEVER\n1\t2\n")

    with pytest.raises(KeyError, match="PRODUCTNDC"):
        drugs.import_files(directory=fda, at=NOW)

    assert Product.select().count() == 0
    assert AuditEvent.select().count() == 0


def test_cdc_table_adds_what_fda_no_longer_lists(
    db: settings.Settings, fda: Directory, tmp_path: Path
) -> None:
    cdc = tmp_path / "cdc.csv"
    cdc.write_text(
        "NDC,Product_Name,Generic_Drug_Name,Master_Form,DEAClassCode,"
        "Strength_Per_Unit,UOM\n"
        "00555012302,OTHER NAME,Hydrocodone,Tablet,2,10,MG\n"
        '55509000101,OLD PATCH,Fentanyl,"Patch, Extended Release",2,50,MCG/HR\n'
    )

    drugs.import_files(directory=fda, cdc=cdc, at=NOW)

    facts = drugs.facts_for(["00555012302", "55509000101"])
    assert facts["00555012302"].drug_name.startswith("EXAMPLE APAP")
    assert facts["55509000101"].mme_key == "fentanyl_patch"
    assert facts["55509000101"].schedule == "CII"


@pytest.mark.parametrize("text", ["CII", "C-II", "II", "2", " cii "])
def test_schedule_word_reads_every_way_of_writing_it(text: str) -> None:
    assert drug_files.schedule_word(text) == "CII"


@pytest.mark.parametrize("text", ["", "RX", "9", "CVI"])
def test_schedule_word_of_no_schedule_is_empty(text: str) -> None:
    assert drug_files.schedule_word(text) == ""

"""FDA's NDC directory: any year's columns, units and NDCs, loose or in the zip."""

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from pmp import mme
from pmp.drugs import fda_directory
from pmp.drugs.drug_files import ProductFacts, Unreadable
from pmp.drugs.fda_directory import Directory

# The order and number of the columns differ from year to year.
OLD = [
    "PRODUCTNDC",
    "PROPRIETARYNAME",
    "NONPROPRIETARYNAME",
    "DOSAGEFORMNAME",
    "ROUTENAME",
    "SUBSTANCENAME",
    "ACTIVE_NUMERATOR_STRENGTH",
    "ACTIVE_INGRED_UNIT",
    "DEASCHEDULE",
]
NEW = [
    "PRODUCTID",
    "DEASCHEDULE",
    *OLD[:2],
    "PROPRIETARYNAMESUFFIX",
    *OLD[2:-1],
    "PHARM_CLASSES",
    "NDC_EXCLUDE_FLAG",
    "LISTING_RECORD_CERTIFIED_THROUGH",
]


def line(columns: list[str], **cells: str) -> str:
    known = {
        "PRODUCTNDC": "55501-123",
        "PROPRIETARYNAME": "Example",
        "DOSAGEFORMNAME": "TABLET",
        "ROUTENAME": "ORAL",
        "SUBSTANCENAME": "OXYCODONE HYDROCHLORIDE",
        "ACTIVE_NUMERATOR_STRENGTH": "5",
        "ACTIVE_INGRED_UNIT": "mg/1",
        "DEASCHEDULE": "CII",
    } | cells
    return "\t".join(known.get(name, "") for name in columns)


def files(
    folder: Path,
    *products: dict[str, str],
    columns: list[str] = OLD,
    packages: tuple[tuple[str, str], ...] = (("55501-123", "55501-123-01"),),
) -> Directory:
    lines = ["\t".join(columns), *(line(columns, **each) for each in products)]
    product = folder / "product.txt"
    product.write_bytes("\r\n".join([*lines, ""]).encode("cp1252"))
    package = folder / "package.txt"
    pairs = ["PRODUCTNDC\tNDCPACKAGECODE", *map("\t".join, packages)]
    package.write_bytes("\r\n".join([*pairs, ""]).encode("cp1252"))
    return Directory(product, package)


def read(directory: Directory) -> list[ProductFacts | Unreadable]:
    return list(fda_directory.read(directory))


def one(folder: Path, **cells: str) -> ProductFacts:
    (facts,) = read(files(folder, cells))
    assert isinstance(facts, ProductFacts)
    return facts


@pytest.mark.parametrize("columns", [OLD, NEW])
def test_columns_go_by_their_names(tmp_path: Path, columns: list[str]) -> None:
    suffix = {"PROPRIETARYNAMESUFFIX": "XR"} if columns is NEW else {}

    (facts,) = read(files(tmp_path, suffix, columns=columns))

    assert isinstance(facts, ProductFacts)
    assert facts.schedule == "CII"
    assert facts.strength == 5
    assert ("XR" in facts.drug_name) is (columns is NEW)


@pytest.mark.parametrize(
    ("strength", "unit", "kept", "per_unit"),
    [
        ("10", "mg/1", "mg", "10"),
        ("5", "mg/5mL", "mg/5mL", "1"),
        ("7.5", "mg/7.5mL", "mg/7.5mL", "1"),
        ("7.5", "mg/15mL", "mg/15mL", "0.5"),
        ("20", "mg/mL", "mg/mL", "20"),
        ("2.5", "g/100mL", "g/100mL", "25"),
        ("0.5", "mg/.5mL", "mg/.5mL", "1"),
        ("100", "ug/1", "mcg", "0.1"),
        ("1.5", "g/1", "g", "1500"),
    ],
)
def test_every_unit_of_the_directory_is_read(
    tmp_path: Path, strength: str, unit: str, kept: str, per_unit: str
) -> None:
    facts = one(tmp_path, ACTIVE_NUMERATOR_STRENGTH=strength, ACTIVE_INGRED_UNIT=unit)

    assert (facts.strength, facts.strength_unit) == (Decimal(strength), kept)
    amount = mme.amount_per_unit(facts.strength, facts.strength_unit)
    assert amount == Decimal(per_unit)


@pytest.mark.parametrize("unit", ["ug/1", "ug/h"])
def test_a_patch_in_micrograms_is_one_of_micrograms_an_hour(
    tmp_path: Path, unit: str
) -> None:
    facts = one(
        tmp_path,
        DOSAGEFORMNAME="PATCH, EXTENDED RELEASE",
        ROUTENAME="TRANSDERMAL",
        SUBSTANCENAME="FENTANYL",
        ACTIVE_NUMERATOR_STRENGTH="25",
        ACTIVE_INGRED_UNIT=unit,
    )

    assert facts.strength_unit == "mcg/hr"
    assert (facts.mme_key, facts.long_acting) == ("fentanyl_patch", True)


def test_of_several_ingredients_the_opioid_gives_the_strength(tmp_path: Path) -> None:
    facts = one(
        tmp_path,
        SUBSTANCENAME="ASPIRIN; CARISOPRODOL; CODEINE PHOSPHATE",
        ACTIVE_NUMERATOR_STRENGTH="325; 200; 16",
        ACTIVE_INGRED_UNIT="mg/1; mg/1; mg/1",
        DEASCHEDULE="CIII",
    )

    assert facts.ingredient == "CODEINE PHOSPHATE; ASPIRIN; CARISOPRODOL"
    assert facts.strength == 16
    assert (facts.drug_class, facts.mme_key) == ("opioid", "codeine")
    assert facts.drug_name == "EXAMPLE 16-325-200 MG TABLET"


def test_the_salts_of_a_stimulant_add_up(tmp_path: Path) -> None:
    facts = one(
        tmp_path,
        SUBSTANCENAME=(
            "AMPHETAMINE ASPARTATE; AMPHETAMINE SULFATE;"
            " DEXTROAMPHETAMINE SACCHARATE; DEXTROAMPHETAMINE SULFATE"
        ),
        ACTIVE_NUMERATOR_STRENGTH="5; 5; 5; 5",
        ACTIVE_INGRED_UNIT="mg/1; mg/1; mg/1; mg/1",
    )

    assert facts.strength == 20
    assert facts.strength_unit == "mg"


@pytest.mark.parametrize(
    ("strength", "unit", "amount"), [("325", "mg/1", "325"), ("325", "mg/15mL", None)]
)
def test_acetaminophen_is_kept_for_each_unit_that_is_counted(
    tmp_path: Path, strength: str, unit: str, amount: str | None
) -> None:
    facts = one(
        tmp_path,
        SUBSTANCENAME="HYDROCODONE BITARTRATE; ACETAMINOPHEN",
        ACTIVE_NUMERATOR_STRENGTH=f"7.5; {strength}",
        ACTIVE_INGRED_UNIT=f"{unit}; {unit}",
    )

    expected = Decimal(amount) if amount else Decimal(325) / 15
    assert facts.acetaminophen_mg == expected


def test_a_product_without_substance_is_known_by_its_name(tmp_path: Path) -> None:
    facts = one(
        tmp_path,
        PROPRIETARYNAME="Kit",
        DOSAGEFORMNAME="KIT",
        SUBSTANCENAME="",
        ACTIVE_NUMERATOR_STRENGTH="",
        ACTIVE_INGRED_UNIT="",
    )

    assert facts.ingredient  # else it would be taken for an unknown product
    assert facts.strength is None


def test_packages_in_each_writing_of_an_ndc_once_each(tmp_path: Path) -> None:
    packages = (
        ("55501-123", "55501-123-01"),
        ("55501-123", "55501-123-01"),
        ("0555-1234", "0555-1234-02"),
        ("55502-1234", "55502-1234-3"),
        ("123456-7890", "123456-7890-12"),
        ("55501-123", "55501-123"),
        ("99999-999", "99999-999-99"),
    )
    codes = ("55501-123", "0555-1234", "55502-1234", "123456-7890")

    rows = read(
        files(tmp_path, *({"PRODUCTNDC": code} for code in codes), packages=packages)
    )

    assert [row.ndc for row in rows if isinstance(row, ProductFacts)] == [
        "55501012301",
        "00555123402",
        "55502123403",
        "123456789012",
    ]
    assert [row.line for row in rows if isinstance(row, Unreadable)] == [7, 8]


def test_the_zip_is_read_as_it_was_downloaded(tmp_path: Path) -> None:
    loose = files(tmp_path, {"PROPRIETARYNAME": "Café"})
    archive = tmp_path / "ndctext.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.write(loose.product, "ndctext/Product.txt")
        made.write(loose.package, "ndctext/package.txt")

    assert read(Directory(archive, archive)) == read(loose)
    assert "CAFÉ" in str(read(loose)[0])


def test_a_zip_without_the_two_files_says_which_is_missing(tmp_path: Path) -> None:
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("readme.txt", "x")

    with pytest.raises(FileNotFoundError, match=r"product\.txt"):
        read(Directory(archive, archive))


def test_a_column_that_is_needed_is_named(tmp_path: Path) -> None:
    columns = [name for name in OLD if name != "DEASCHEDULE"]

    with pytest.raises(KeyError, match="DEASCHEDULE"):
        read(files(tmp_path, {}, columns=columns))


def test_a_mark_before_the_header_and_short_lines_do_no_harm(tmp_path: Path) -> None:
    directory = files(tmp_path, {})
    product = directory.product
    product.write_bytes(b"\xef\xbb\xbf" + product.read_bytes().rstrip() + b"\r\n\r\n")

    assert len(read(directory)) == 1

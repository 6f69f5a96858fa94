"""drugs import, drugs seed and mme, as a script calls them."""

import json
import zipfile
from pathlib import Path

import pytest
from flask import Flask

from models import Product
from pmp import database, settings
from pmp.settings import Settings
from portal.cli import drugs, mme
from tests.portals import portal_for

ROWS = """\
ingredient,route_form,strength,unit,quantity,days_supply
oxycodone,oral tablet,10,mg,120,30
methadone,oral tablet,10,mg,90,30
alprazolam,oral tablet,1,mg,30,30
"""


@pytest.fixture
def app(program: Settings) -> Flask:
    """Give the portal on a migrated database of its own."""
    database.begin_use()
    database.upgrade()
    return portal_for(settings.current())


def test_mme_answers_row_by_row(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)

    result = app.test_cli_runner().invoke(mme.mme, [str(file), "--json"])

    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["factor"], row["daily_mme"]) for row in rows] == [
        ("1.5", "60"),
        ("4.7", "141"),
        (None, None),
    ]
    assert rows[2]["reason"] == "not an opioid"
    assert result.exit_code == 0


def test_mme_by_another_rule_set(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)

    result = app.test_cli_runner().invoke(mme.mme, [str(file), "--ruleset", "cdc-2016"])

    assert "methadone,oral tablet,10,mg,90,30,calculated,8,240" in result.stdout


def test_mme_that_cannot_be_calculated_exits_one(app: Flask) -> None:
    rows = ROWS.replace("120,30", "120,0")

    result = app.test_cli_runner().invoke(mme.mme, input=rows)

    assert result.exit_code == 1
    assert "the days supply is missing or zero" in result.stdout


@pytest.mark.parametrize("arguments", [["--ruleset", "none"], []])
def test_mme_called_wrongly_exits_two(app: Flask, arguments: list[str]) -> None:
    result = app.test_cli_runner().invoke(mme.mme, arguments, input="drug\nx\n")

    assert result.exit_code == 2


def test_drugs_seed_fills_the_table(app: Flask) -> None:
    result = app.test_cli_runner().invoke(drugs.drugs, ["seed", "--json"])

    counts = json.loads(result.stdout)
    with database.connected():
        assert counts["new"] == Product.select().count() > 100


def test_drugs_import_tells_what_it_could_not_read(app: Flask, tmp_path: Path) -> None:
    product, package = tmp_path / "product.txt", tmp_path / "package.txt"
    columns = (
        "PRODUCTNDC PROPRIETARYNAME NONPROPRIETARYNAME DOSAGEFORMNAME ROUTENAME"
        " SUBSTANCENAME ACTIVE_NUMERATOR_STRENGTH ACTIVE_INGRED_UNIT DEASCHEDULE"
    )
    cells = "0555-0123 Example x TABLET ORAL OXYCODONE 5 mg/1 CII"
    product.write_text("\t".join(columns.split()) + "\n" + "\t".join(cells.split()))
    package.write_text(
        "PRODUCTNDC\tNDCPACKAGECODE\n0555-0123\t0555-0123-01\n9-9\t9-9-9\n"
    )
    files = ["--product", str(product), "--package", str(package)]

    result = app.test_cli_runner().invoke(drugs.drugs, ["import", *files])

    assert result.exit_code == 1
    assert "1 new, 0 changed, 0 same, 0 kept, 0 gone, 1 invalid" in result.stdout
    assert "line 3" in result.stderr


def directory(folder: Path, schedule: str = "CII") -> Path:
    """Make FDA's directory of one product as a zip."""
    cells = ("0555-0123", "Example", "x", "TABLET", "ORAL", "OXYCODONE", "5", "mg/1")
    columns = (
        "PRODUCTNDC PROPRIETARYNAME NONPROPRIETARYNAME DOSAGEFORMNAME ROUTENAME"
        " SUBSTANCENAME ACTIVE_NUMERATOR_STRENGTH ACTIVE_INGRED_UNIT DEASCHEDULE"
    )
    archive = folder / f"ndctext-{schedule}.zip"
    with zipfile.ZipFile(archive, "w") as made:
        lines = ["\t".join(columns.split()), "\t".join((*cells, schedule))]
        made.writestr("product.txt", "\r\n".join(lines))
        made.writestr(
            "package.txt", "PRODUCTNDC\tNDCPACKAGECODE\r\n0555-0123\t0555-0123-01\r\n"
        )
    return archive


def test_drugs_import_of_the_zip_says_first_what_it_would_do(
    app: Flask, tmp_path: Path
) -> None:
    run = app.test_cli_runner().invoke
    run(drugs.drugs, ["import", "--zip", str(directory(tmp_path))])
    later = ["import", "--zip", str(directory(tmp_path, "CIII")), "--dry-run"]

    dry = run(drugs.drugs, later)
    real = run(drugs.drugs, [*later[:-1], "--json"])

    assert dry.exit_code == real.exit_code == 0
    assert "Dry run: 0 new, 1 changed" in dry.stdout
    assert "00555012301: schedule CII → CIII" in dry.stdout
    answer = json.loads(real.stdout)
    assert (answer["changed"], answer["dry_run"]) == (1, False)
    assert answer["changes"] == ["00555012301: schedule CII → CIII"]


def test_drugs_import_tells_where_cdc_differs_and_does_not_fail(
    app: Flask, tmp_path: Path
) -> None:
    table = tmp_path / "cdc.csv"
    table.write_text(
        "NDC,Product_Name,Generic_Drug_Name,Master_Form,Class,Drug,LongShortActing,"
        "DEAClassCode,Strength_Per_Unit,UOM,MME_Conversion_Factor\n"
        "00555012301,X,Oxycodone,Tablet,Opioid,Oxycodone SA,SA,2,5,MG,3\n"
    )
    files = ["--zip", str(directory(tmp_path)), "--mme", str(table)]

    words = app.test_cli_runner().invoke(drugs.drugs, ["import", *files])
    listed = app.test_cli_runner().invoke(drugs.drugs, ["import", *files, "--json"])

    assert words.exit_code == listed.exit_code == 0
    assert "1 compared, 0 agree, 1 factor" in words.stdout
    assert "00555012301 Oxycodone SA: factor 1.5, CDC 3" in words.stdout
    [difference] = json.loads(listed.stdout)["comparison"]["differences"]
    assert (difference["ndc"], difference["ours"], difference["theirs"]) == (
        "00555012301",
        "1.5",
        "3",
    )


@pytest.mark.parametrize(
    "options", [[], ["--dry-run"], ["--product", __file__], ["--zip", "nowhere.zip"]]
)
def test_drugs_import_called_wrongly_exits_two(app: Flask, options: list[str]) -> None:
    result = app.test_cli_runner().invoke(drugs.drugs, ["import", *options])

    assert result.exit_code == 2


def test_drugs_import_of_a_file_that_is_no_directory_says_what_is_missing(
    app: Flask, tmp_path: Path
) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("nothing of it\n")

    result = app.test_cli_runner().invoke(drugs.drugs, ["import", "--zip", str(other)])

    assert result.exit_code == 1
    assert "PRODUCTNDC" in result.stderr

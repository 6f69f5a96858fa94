"""drugs import, drugs seed and mme, as a script calls them."""

import json
from pathlib import Path

import pytest
from flask import Flask

from models import Product
from pmp import database, settings
from pmp.settings import Settings
from portal import create_app
from portal.cli import drugs, mme

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
    return create_app(settings.current())


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

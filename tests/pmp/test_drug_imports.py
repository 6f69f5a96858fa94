"""An import of drug products: what it changes, what it leaves, what it only tells."""

from pathlib import Path

import pytest

from models import AuditEvent, Product
from pmp import drugs
from pmp.drugs import Directory, Imported
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_product
from tests.pmp.test_fda_directory import files

CDC_HEADER = (
    "NDC,Product_Name,Generic_Drug_Name,Master_Form,Class,Drug,LongShortActing,"
    "DEAClassCode,Strength_Per_Unit,UOM,MME_Conversion_Factor"
)


@pytest.fixture
def fda(tmp_path: Path) -> Directory:
    return files(
        tmp_path,
        {"PRODUCTNDC": "55501-123"},
        {"PRODUCTNDC": "55501-124", "ACTIVE_NUMERATOR_STRENGTH": "10"},
        packages=(("55501-123", "55501-123-01"), ("55501-124", "55501-124-01")),
    )


def cdc(folder: Path, *rows: str) -> Path:
    file = folder / "cdc.csv"
    file.write_text("\n".join([CDC_HEADER, *rows, ""]))
    return file


def load(directory: Directory, *, dry_run: bool = False) -> Imported:
    return drugs.import_files(directory=directory, dry_run=dry_run, at=NOW)


def test_the_same_files_again_change_nothing(db: Settings, fda: Directory) -> None:
    first, again = load(fda), load(fda)

    assert first.counts() == {**dict.fromkeys(first.counts(), 0), "new": 2}
    assert again.counts() == {**dict.fromkeys(first.counts(), 0), "same": 2}


def test_a_change_names_the_fact_before_and_after(
    db: Settings, fda: Directory, tmp_path: Path
) -> None:
    load(fda)
    later = files(
        tmp_path,
        {"PRODUCTNDC": "55501-123", "DEASCHEDULE": "CIII"},
        packages=(("55501-123", "55501-123-01"),),
    )

    found = load(later)

    assert found.changes == ["55501012301: schedule CII → CIII"]
    assert found.gone == ["55501012401"]
    assert Product.get(Product.ndc == "55501012301").schedule == "CIII"
    assert Product.select().count() == 2  # late records may still name it


def test_a_dry_run_answers_alike_and_leaves_no_trace(
    db: Settings, fda: Directory
) -> None:
    dry = load(fda, dry_run=True)

    assert dry.new == 2
    assert Product.select().count() == AuditEvent.select().count() == 0
    assert load(fda).counts() == dry.counts()


def test_what_staff_wrote_is_kept_whatever_a_file_says(
    db: Settings, fda: Directory
) -> None:
    make_product(ndc="55501012301", name="Written by staff", source="staff")

    found = load(fda)

    assert (found.new, found.kept, found.changed) == (1, 1, 0)
    assert Product.get(Product.ndc == "55501012301").name == "Written by staff"


def test_a_file_that_breaks_off_changes_nothing(
    db: Settings, fda: Directory, tmp_path: Path
) -> None:
    table = tmp_path / "cdc.csv"
    table.write_text("NDC,Other\n1,2\n")

    with pytest.raises(KeyError, match="Product_Name"):
        drugs.import_files(directory=fda, cdc=table, at=NOW)

    assert Product.select().count() == 0


def test_cdc_table_is_compared_fact_by_fact_and_changes_nothing(
    db: Settings, fda: Directory, tmp_path: Path
) -> None:
    table = cdc(
        tmp_path,
        "55501012301,A,Oxycodone,Tablet,Opioid,Oxycodone SA,SA,2,5,MG,1.5",
        "55501012401,B,Oxycodone,Tablet,Opioid,Oxycodone SA,LA,2,15,MG,2",
        "55509000101,C,Tramadol,Tablet,Opioid,Tramadol SA,SA,4,50,MG,0.1",
        "55509000201,D,Alprazolam,Tablet,Benzo,Alprazolam,,4,1,MG,",
        "no,E,Alprazolam,Tablet,Benzo,Alprazolam,,4,1,MG,",
    )

    found = drugs.import_files(directory=fda, cdc=table, at=NOW)

    assert found.comparison is not None
    assert found.comparison.counts() == {
        "compared": 4,
        "agree": 3,
        "factor": 1,
        "long-acting": 1,
        "strength": 1,
    }
    assert [each.sentence for each in found.comparison.differences] == [
        "55501012401 Oxycodone SA: factor 1.5, CDC 2",
        "55501012401 Oxycodone SA: strength 10, CDC 15",
        "55501012401 Oxycodone SA: long-acting no, CDC yes",
    ]
    assert [line.partition(":")[0] for line in found.invalid] == ["line 6"]
    assert (found.new, found.changed) == (4, 0)
    assert Product.get(Product.ndc == "55501012401").strength == 10


def test_a_strength_in_another_writing_is_no_difference(
    db: Settings, tmp_path: Path
) -> None:
    directory = files(
        tmp_path,
        {
            "DOSAGEFORMNAME": "SOLUTION",
            "ACTIVE_NUMERATOR_STRENGTH": "5",
            "ACTIVE_INGRED_UNIT": "mg/5mL",
        },
    )
    table = cdc(
        tmp_path,
        "55501012301,A,Oxycodone,Solution,Opioid,Oxycodone SA,SA,2,1,MG/ML,1.5",
    )

    found = drugs.import_files(directory=directory, cdc=table, at=NOW)

    assert found.comparison is not None
    assert found.comparison.differences == []


def test_cdc_table_alone_adds_a_nasal_spray_with_its_own_factor(
    db: Settings, tmp_path: Path
) -> None:
    table = cdc(
        tmp_path,
        "55509000101,L,Fentanyl,Spray,Opioid,Fentanyl SA,SA,2,100,MCG/SPRAY,0.16",
    )

    drugs.import_files(cdc=table, at=NOW)
    again = drugs.import_files(cdc=table, at=NOW)

    (facts,) = drugs.facts_for(["55509000101"]).values()
    assert (facts.mme_key, facts.route) == ("fentanyl_nasal", "NASAL")
    assert again.new == again.changed == 0

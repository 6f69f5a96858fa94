"""What a product is, told from ingredients and form."""

import pytest

from pmp.drug_classes import kind_of


@pytest.mark.parametrize(
    ("ingredient", "drug_class"),
    [
        ("OXYCODONE HYDROCHLORIDE; ACETAMINOPHEN", "opioid"),
        ("acetaminophen and codeine phosphate", "opioid"),
        ("BUPRENORPHINE; NALOXONE", "buprenorphine"),
        ("ALPRAZOLAM", "benzodiazepine"),
        ("ZOLPIDEM TARTRATE", "sedative"),
        ("SODIUM OXYBATE", "sedative"),
        ("LISDEXAMFETAMINE DIMESYLATE", "stimulant"),
        ("GABAPENTIN", "gabapentinoid"),
        ("TESTOSTERONE", "other"),
        ("APOMORPHINE", "other"),
        ("", "other"),
    ],
)
def test_class_by_ingredient(ingredient: str, drug_class: str) -> None:
    assert kind_of(ingredient, "TABLET ORAL").drug_class == drug_class


@pytest.mark.parametrize(
    ("ingredient", "form", "key"),
    [
        ("FENTANYL", "PATCH, EXTENDED RELEASE TRANSDERMAL", "fentanyl_patch"),
        ("FENTANYL CITRATE", "LOZENGE/TROCHE ORAL", "fentanyl_buccal_sl_loz"),
        ("FENTANYL CITRATE", "TABLET BUCCAL", "fentanyl_buccal_sl_loz"),
        ("FENTANYL CITRATE", "FILM BUCCAL", "fentanyl_film_oralspray"),
        ("FENTANYL", "SPRAY SUBLINGUAL", "fentanyl_film_oralspray"),
        ("FENTANYL CITRATE", "SPRAY NASAL", "fentanyl_nasal"),
        ("FENTANYL CITRATE", "INJECTION INTRAVENOUS", ""),
        ("HYDROMORPHONE HYDROCHLORIDE", "TABLET ORAL", "hydromorphone"),
        ("DIHYDROCODEINE; CAFFEINE", "CAPSULE ORAL", "dihydrocodeine"),
        ("HYDROCODONE; CHLORPHENIRAMINE", "SUSPENSION ORAL", ""),
        ("BUTORPHANOL TARTRATE", "SPRAY NASAL", "butorphanol"),
        ("ALPRAZOLAM", "TABLET ORAL", ""),
    ],
)
def test_row_of_the_factor_table_by_ingredient_and_form(
    ingredient: str, form: str, key: str
) -> None:
    assert kind_of(ingredient, form).mme_key == key


@pytest.mark.parametrize(
    ("ingredient", "form", "long_acting"),
    [
        ("OXYCODONE", "TABLET, FILM COATED, EXTENDED RELEASE", True),
        ("OXYCODONE", "TABLET, FILM COATED", False),
        ("METHADONE HYDROCHLORIDE", "TABLET", True),
        ("FENTANYL", "PATCH", True),
        ("MORPHINE SULFATE", "SOLUTION", False),
    ],
)
def test_long_acting_by_form_or_by_the_drug_itself(
    ingredient: str, form: str, *, long_acting: bool
) -> None:
    assert kind_of(ingredient, form).long_acting is long_acting

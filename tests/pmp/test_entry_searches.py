"""Finding a drug, a prescriber, a pharmacy from the beginning of what is typed."""

import pytest

from models import Profession, Role
from pmp import settings
from pmp.drugs import product_search
from pmp.entry import pharmacies, prescriber_search
from pmp.errors import RuleError
from tests.factories import (
    make_dea,
    make_licence,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_user,
)


def names(text: str) -> list[str]:
    return [product.name for product in product_search.find(text)]


def test_a_drug_is_found_by_name_ingredient_and_ndc_controlled_ones_first(
    db: settings.Settings,
) -> None:
    make_product(ndc="00406051201", name="Percocet 5 mg", ingredient="OXYCODONE")
    make_product(ndc="00406055201", name="OXYCODONE HCL 10 MG TAB", ingredient="O")
    make_product(name="Oxybutynin 5 mg", ingredient="OXYBUTYNIN", schedule="")
    make_product(name="Noise 100% oxy", ingredient="NOISE")

    assert names("oxy") == [
        "OXYCODONE HCL 10 MG TAB",
        "Percocet 5 mg",
        "Oxybutynin 5 mg",
    ]
    assert names("OXYC  10") == ["OXYCODONE HCL 10 MG TAB"]
    assert (
        names("perco") == names("0406-0512") == names("0040605120") == ["Percocet 5 mg"]
    )
    assert names("o") == names("zz") == names("o%") == []


def test_digits_that_lost_their_zeros_name_each_product_that_they_can_be(
    db: settings.Settings,
) -> None:
    for ndc in ("00054012501", "12345067890", "12345678900", "09999999999"):
        make_product(ndc=ndc)
    found = product_search.whole_ndcs(["54012501", "1234567890", "123", "7777777"])

    assert found == {
        "54012501": ["00054012501"],
        "1234567890": ["12345067890", "12345678900"],
        "7777777": [],
    }


def test_a_prescriber_is_found_among_those_reported_and_those_of_the_roster(
    db: settings.Settings,
) -> None:
    reported = make_prescriber(last_name="Rodkin", first_name="Semyon")
    resident = make_prescriber(
        dea=reported.dea, dea_suffix="R12", last_name="RODD", first_name="IDA"
    )
    make_prescriber(last_name="NOISE", first_name="RODNEY")
    listed = make_dea(777, "AR")
    kind = Profession.PRACTITIONER
    make_licence(kind, name="ANNA B RODMAN MD", dea=listed)
    make_licence(kind, name="RODGER NOISE", dea=make_dea(778, "AR"))
    make_licence(kind, name="ANNA RODAWAY", dea=make_dea(780, "AR"), active=False)
    make_licence(name="RODS PHARMACY", dea=make_dea(779, "AR"))

    found = [each.words for each in prescriber_search.find("rod")]
    assert found == [
        f"RODD, IDA · DEA {resident.dea}/R12",
        f"RODKIN, SEMYON · DEA {reported.dea}",
        f"RODMAN, ANNA B · DEA {listed}",
    ]
    assert len(prescriber_search.find("rodkin, s")) == 1
    assert prescriber_search.find("rodkin, x") == []
    by_number = prescriber_search.find(listed[:8].lower())
    assert "RODMAN" in {each.elements["PRE05"] for each in by_number}
    assert "RODKIN" not in {each.elements["PRE05"] for each in by_number}


def test_a_suffix_names_one_person_and_never_the_holder_of_the_number(
    db: settings.Settings,
) -> None:
    dea = make_dea(777, "AR")
    make_licence(Profession.PRACTITIONER, name="CITY HOSPITAL", dea=dea)

    assert prescriber_search.named(f"{dea}/R12") is None
    assert prescriber_search.named(dea.lower()) is not None
    assert prescriber_search.named("") is None


def test_a_user_types_for_the_pharmacies_of_the_account_and_staff_for_all(
    db: settings.Settings,
) -> None:
    own, other = make_pharmacy(name="ELM CITY"), make_pharmacy(name="OTHER ELM")
    user = make_user(Role.PHARMACY, pharmacy=own)
    staff = make_user(Role.STAFF)

    assert pharmacies.named(str(own.dea), by=user).elements["PHA04"] == "ELM CITY"
    with pytest.raises(RuleError):
        pharmacies.named(str(other.dea), by=user)
    assert pharmacies.find("elm", by=user) == []
    assert [each.name for each in pharmacies.find("elm", by=staff)] == [
        "ELM CITY",
        "OTHER ELM",
    ]
    assert pharmacies.named(str(other.dea), by=staff).name == "OTHER ELM"

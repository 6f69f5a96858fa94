"""Products that nobody knows: listed, added, filled in once, taken back."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import (
    AuditEvent,
    Dispensation,
    DispensationVersion,
    DrugClass,
    Product,
    ProductChange,
    ThresholdCase,
)
from pmp import dispensations, drugs, history, statistics
from pmp.dispensations import unknown_products
from pmp.drugs import Directory, staff_products
from pmp.drugs.staff_products import Typed
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_rule,
)
from tests.pmp.test_fda_directory import files

NDC = "55501012301"
LATER = NOW + timedelta(hours=2)
OXYCODONE = Typed(
    name="Example oxycodone 10 mg tablet",
    ingredient="oxycodone hydrochloride",
    form="Tablet",
    route="Oral",
    strength=Decimal(10),
    strength_unit="MG",
    schedule="CII",
)

pytestmark = pytest.mark.usefixtures("db")


def make_unknown(ndc: str = NDC, **fields: Any) -> Dispensation:
    return make_dispensation(
        product_code=ndc, **(dispensations.frozen(None, ndc) | fields)
    )


def write(typed: Typed = OXYCODONE, ndc: str = NDC) -> ProductChange:
    return unknown_products.write(
        ndc, typed, reason="From the package.", by="staff.lee", at=LATER
    )


def test_each_unknown_ndc_is_listed_once_with_its_fills() -> None:
    pharmacy = make_pharmacy()
    make_unknown(filled_on=date(2026, 10, 1), pharmacy=pharmacy)
    make_unknown(filled_on=date(2026, 11, 2), pharmacy=pharmacy)
    make_unknown(filled_on=date(2026, 10, 20))
    make_unknown("55501012302")
    make_unknown("55501012303", status="voided")
    make_unknown("COMPOUND", product_qualifier="06")  # a compound, not an NDC
    make_dispensation()  # known

    first, second = unknown_products.waiting()

    assert (first.ndc, first.fills, first.pharmacies) == (NDC, 3, 2)
    assert (first.first, first.last) == (date(2026, 10, 1), date(2026, 11, 2))
    assert first.since == NOW
    assert second.ndc == "55501012302"
    source, _ = unknown_products.sources(NDC)
    assert (source.pharmacy.id, source.fills) == (pharmacy.id, 2)


def test_the_console_counts_ndcs_and_the_oldest_age() -> None:
    make_unknown()
    make_unknown(stored_at=NOW - timedelta(days=3))
    make_unknown("55501012302")

    [queue] = [
        each
        for each in statistics.staff_queues(at=NOW)
        if each.address == "/staff/drugs"
    ]

    assert (queue.count, queue.oldest) == (2, NOW - timedelta(days=3))


def test_a_product_that_is_added_gives_its_stored_fills_their_facts() -> None:
    waiting = make_unknown()
    voided = make_unknown(status="voided")
    other = make_unknown("55501012302")  # noise

    change = write()

    filled = Dispensation.get_by_id(waiting.id)
    assert (filled.drug_class, filled.mme_key) == (DrugClass.OPIOID, "oxycodone")
    assert filled.strength == 10
    assert filled.strength_unit == "mg"
    assert (filled.schedule, filled.drug_name) == (
        "CII",
        "EXAMPLE OXYCODONE 10 MG TABLET",
    )
    assert (filled.version, filled.corrected) == (2, False)
    assert Dispensation.get_by_id(voided.id).schedule == "CII"
    assert Dispensation.get_by_id(other.id).ingredient == ""
    assert change.filled == 2
    version = DispensationVersion.get(DispensationVersion.dispensation == waiting)
    assert version.content["drug_name"] == "Unknown product 55501-0123-01"
    assert f"change {change.id}" in version.reason
    assert (version.changed_by, version.changed_at) == ("staff.lee", LATER)
    assert AuditEvent.select().where(AuditEvent.event == "product:written").count() == 1


def test_a_report_counts_the_dose_once_the_product_is_known() -> None:
    fill = make_unknown()
    period = {"since": date(2026, 1, 1), "until": NOW.date(), "at": LATER}

    before = history.patient_report(fill.patient, **period)  # type: ignore[arg-type]
    write()
    after = history.patient_report(fill.patient, **period)  # type: ignore[arg-type]

    assert before.mme.today_shown == "≥ 0.0"
    assert after.mme.today_shown == "30.0"


def test_facts_that_a_fill_has_never_change() -> None:
    known = make_dispensation(product_code=NDC, schedule="CIII")
    make_product(ndc=NDC)

    write()

    row = Dispensation.get_by_id(known.id)
    assert (row.schedule, row.version, row.drug_name) == ("CIII", 1, known.drug_name)


def test_cases_are_counted_again_when_a_product_becomes_known() -> None:
    make_rule(prescribers=3, pharmacies=3)
    patient = make_patient()
    for number in range(3):
        make_unknown(
            patient=patient,
            prescriber=make_prescriber(),
            pharmacy=make_pharmacy(),
            filled_on=date(2026, 11, 1 + number),
        )

    change = write()
    made = ThresholdCase.select().where(ThresholdCase.status != "withdrawn").count()
    unknown_products.undo(change.id, by="staff.lee", at=LATER)

    assert made == 1
    left = ThresholdCase.select().where(ThresholdCase.status != "withdrawn").count()
    assert left == 0


def test_undo_makes_fills_unknown_again_those_stored_since_as_well() -> None:
    before = make_unknown()
    change = write()
    facts = drugs.facts_for([NDC])[NDC]
    since = make_dispensation(product_code=NDC, **dispensations.frozen(facts, NDC))
    own = make_dispensation(product_code=NDC, drug_name="HAD FACTS OF ITS OWN")

    unknown_products.undo(change.id, by="admin.chief", at=LATER)

    for fill in (before, since):
        row = Dispensation.get_by_id(fill.id)
        assert (row.ingredient, row.strength, row.schedule) == ("", None, "")
        assert row.drug_name == "Unknown product 55501-0123-01"
    assert Dispensation.get_by_id(own.id).ingredient == "oxycodone hydrochloride"
    assert Product.select().count() == 0
    [again] = unknown_products.waiting()
    assert again.fills == 2
    assert ProductChange.get_by_id(change.id).undone_by == "admin.chief"


def test_only_the_last_change_that_stands_can_be_undone() -> None:
    first = write()
    second = write(Typed(**{**vars(OXYCODONE), "schedule": "CIII"}))

    with pytest.raises(ConflictError):
        unknown_products.undo(first.id, by="staff.lee", at=LATER)
    unknown_products.undo(second.id, by="staff.lee", at=LATER)

    assert drugs.facts_for([NDC])[NDC].schedule == "CII"
    with pytest.raises(ConflictError):
        unknown_products.undo(second.id, by="staff.lee", at=LATER)
    with pytest.raises(NotFoundError):
        unknown_products.undo(99_999, by="staff.lee", at=LATER)


def test_a_change_names_each_fact_that_differs_and_undo_gives_the_source_back() -> None:
    make_product(
        ndc=NDC,
        name="EXAMPLE OXYCODONE 10 MG TABLET",
        ingredient="OXYCODONE HYDROCHLORIDE",
        schedule="CIII",
        source="fda",
    )

    change = write()
    unknown_products.undo(change.id, by="staff.lee", at=LATER)

    assert unknown_products.difference(change) == ["schedule CIII → CII"]
    assert Product.get(Product.ndc == NDC).source == "fda"


def test_a_product_that_is_not_reported_is_kept_from_reports() -> None:
    fill = make_unknown()

    write(Typed("Amoxicillin 500 mg", "amoxicillin", "Capsule", "Oral"))

    assert Dispensation.get_by_id(fill.id).withheld == "no"
    found = history.patient_report(
        fill.patient, since=date(2026, 1, 1), until=NOW.date(), at=LATER
    )
    assert found.entries == []


def test_an_import_that_knows_a_product_fills_it_in_once(tmp_path: Any) -> None:
    fill = make_unknown()
    directory: Directory = files(tmp_path, {})
    drugs.import_files(directory=directory, at=NOW)

    first = unknown_products.fill_in(by="system", at=LATER)
    again = unknown_products.fill_in(by="system", at=LATER)

    assert (first, again) == (1, 0)
    assert Dispensation.get_by_id(fill.id).schedule == "CII"
    assert unknown_products.waiting() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"ingredient": ""}, "ingredient"),
        ({"form": ""}, "form"),
        ({"schedule": "CVII"}, "schedule"),
        ({"strength": Decimal(0)}, "strength"),
        ({"strength": None}, "strength"),
        ({"strength": Decimal(1_000_000)}, "strength"),
        ({"acetaminophen_mg": Decimal(9999999999)}, "acetaminophen"),
        ({"acetaminophen_mg": Decimal(0)}, "acetaminophen"),
        ({"strength_unit": "furlong"}, "strength_unit"),
        ({"strength_unit": "mg/hr"}, "strength_unit"),
        ({"strength_unit": ""}, "strength_unit"),
    ],
)
def test_what_is_unfit_is_refused_at_its_field(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(RuleError) as refused:
        write(Typed(**{**vars(OXYCODONE), **change}))

    assert refused.value.field == field
    assert Product.select().count() == 0


def test_a_reason_is_needed_and_something_must_differ() -> None:
    write()

    with pytest.raises(RuleError, match="Nothing differs"):
        write()
    with pytest.raises(RuleError, match="how you know"):
        unknown_products.write(NDC, OXYCODONE, reason=" ", by="staff.lee", at=NOW)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (OXYCODONE, "30 units of 10 mg over 30 days by 1.5 is 15"),
        (
            Typed("Patch", "fentanyl", "Patch", "Transdermal", Decimal(25), "ug/1"),
            "10 patches of 25 mcg/hr over 30 days by 7.2 is 60",
        ),
    ],
)
def test_a_preview_shows_what_follows_from_what_is_typed(
    db: Settings, typed: Typed, words: str
) -> None:
    found = staff_products.preview(NDC, typed)

    quantity, _, rest = words.partition(" of ")
    strength, _, rest = rest.partition(" over ")
    days, _, rest = rest.partition(" by ")
    factor, _, value = rest.partition(" is ")
    sign = "\N{MULTIPLICATION SIGN}"
    assert found.mme.arithmetic == (
        f"{quantity} {sign} {strength} ÷ {days} {sign} {factor} = {value} MME/day"
    )
    assert found.facts.drug_class == "opioid"
    assert Product.select().count() == 0

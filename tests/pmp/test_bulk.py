import sqlite3
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from peewee import IntegrityError
from psycopg.errors import UniqueViolation

import models
from models import DispensationVersion, DrugClass, Product, SubmissionProblem
from pmp import bulk, database
from tests.conftest import NOW
from tests.factories import make_dispensation, make_product, make_submission

pytestmark = pytest.mark.usefixtures("db")

Violations = (IntegrityError, UniqueViolation, sqlite3.IntegrityError)


def product(ndc: str, **fields: Any) -> dict[str, Any]:
    return {
        "ndc": ndc,
        "name": "Tramadol 50 mg",
        "ingredient": "tramadol",
        "strength": Decimal("50.0000"),
        "drug_class": "opioid",
        **fields,
    }


def test_rows_arrive_as_the_model_would_have_written_them() -> None:
    with database.atomic():
        bulk.insert(Product, [product("1"), product("2", strength=None)])

    first, second = Product.select().order_by(Product.ndc)
    assert (first.strength, second.strength) == (Decimal(50), None)
    assert first.drug_class is DrugClass.OPIOID
    assert (first.schedule, first.long_acting, first.source) == ("", False, "seed")


def test_text_that_could_break_a_copy_arrives_unharmed() -> None:
    name = "a\tb\\N \\.\n'\";--\r\x01é王"
    with database.atomic():
        bulk.insert(Product, [product("1", name=name)])

    assert Product.get().name == name


def test_times_days_and_json_can_be_read_back() -> None:
    row = {
        "dispensation": make_dispensation().id,
        "version": 1,
        "content": {"filled_on": "2026-11-01", "was": [1, None]},
        "changed_by": "user",
        "changed_at": NOW,
        "reason": "x",
        "submission": None,
    }
    with database.atomic():
        bulk.insert(DispensationVersion, [row])

    version = DispensationVersion.get()
    assert (version.content, version.changed_at) == (row["content"], NOW)


def test_rows_that_are_there_already_are_left_out() -> None:
    make_product(ndc="1", name="was here")
    with database.atomic():
        bulk.insert(Product, [product("1"), product("2")], unless=["ndc"])
        bulk.insert(Product, [product("2"), product("3")], unless=["ndc"])

    assert {row.ndc: row.name for row in Product.select()} == {
        "1": "was here",
        "2": "Tramadol 50 mg",
        "3": "Tramadol 50 mg",
    }


def test_a_row_that_breaks_a_constraint_is_refused_and_nothing_is_written() -> None:
    make_product(ndc="1")
    with pytest.raises(Violations), database.atomic():
        bulk.insert(Product, [product("2"), product("1")])

    assert [row.ndc for row in Product.select()] == ["1"]


def test_nothing_to_write_is_nothing_written() -> None:
    bulk.insert(SubmissionProblem, [])

    assert SubmissionProblem.select().count() == 0


def test_ids_asked_for_are_free_and_stay_free_for_the_next() -> None:
    submission = make_submission()
    with database.atomic():
        ids = bulk.next_ids(models.Submission, 3)
    last = make_submission(filename="later.dat")

    assert len(set(ids)) == 3
    assert submission.id not in ids
    if not database.is_sqlite():
        assert last.id not in ids


def test_a_day_is_a_day_in_a_bulk_row() -> None:
    fill = make_dispensation()
    with database.atomic():
        (number,) = bulk.next_ids(models.Dispensation, 1)
        row: Any = models.Dispensation.select().dicts().get()
        row |= {"id": number, "row_code": "D-OTHER", "prescription_number": "OTHER"}
        bulk.insert(models.Dispensation, [row])

    stored = models.Dispensation.get_by_id(number)
    assert stored.filled_on == fill.filled_on == date(2026, 11, 1)
    assert (stored.quantity, stored.status) == (fill.quantity, fill.status)


def test_one_of_many_values_is_asked_for_with_one_parameter() -> None:
    make_product(ndc="1", name="a'b\"c, {d}"), make_product(ndc="2")
    noise = make_product(ndc="3")
    wanted = [str(number) for number in range(4, 3000)] + ["1", "2"]
    found = Product.select().where(bulk.among(Product.ndc, wanted))

    assert {row.ndc for row in found} == {"1", "2"}
    assert len(found.sql()[1]) == 1
    names = Product.select().where(bulk.among(Product.name, ["a'b\"c, {d}"]))
    assert [row.ndc for row in names] == ["1"]
    by_id = Product.select().where(bulk.among(Product.id, [noise.id]))
    assert [row.ndc for row in by_id] == ["3"]
    assert not Product.select().where(bulk.among(Product.ndc, [])).exists()


@pytest.mark.parametrize("column", ["ndc", "id"])
def test_one_of_many_values_is_found_by_the_index(column: str) -> None:
    make_product()
    values = [str(n) for n in range(500)] if column == "ndc" else list(range(500))
    field = getattr(Product, column)
    query = Product.select(Product.id).where(bulk.among(field, values))
    if not database.is_sqlite():
        models.database.execute_sql("SET enable_seqscan = off")
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite() else "EXPLAIN "
    sql, parameters = query.sql()
    plan = str(models.database.execute_sql(explain + sql, parameters).fetchall())

    assert "SEARCH" in plan or "Index" in plan

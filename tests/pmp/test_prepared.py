"""Prepared queries give what the same queries give when they are built each time."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from peewee import DatabaseError, fn

import models
from models import Dispensation, DrugClass, Patient, Pharmacy
from pmp import database
from pmp.prepared import Given, ahead, among, at_once, prepared
from pmp.settings import Settings
from tests.factories import make_dispensation, make_patient
from tests.statements import statements

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _of(patient: Any) -> Any:
    return (
        Dispensation.select(Dispensation, Pharmacy.name.alias("pharmacy_name"))
        .join(Pharmacy)
        .where(Dispensation.patient == patient)
        .order_by(Dispensation.id)
    )


@prepared
def _tuples() -> Any:
    return _of(Given("patient")).tuples()


@prepared
def _dicts() -> Any:
    return _of(Given("patient")).dicts()


@prepared
def _models() -> Any:
    return _of(Given("patient"))


@prepared
def _stored_since() -> Any:
    wanted = Dispensation.stored_at >= Given("since")
    return Dispensation.select(Dispensation.id).where(wanted).tuples()


@prepared
def _among() -> Any:
    query = Dispensation.select(Dispensation.id).where(among(Dispensation.id, "ids"))
    return query.order_by(Dispensation.id).tuples()


@prepared
def _rename() -> Any:
    named = Pharmacy.update(name=Given("name"))
    return named.where(Pharmacy.id == Given("pharmacy"))


def test_rows_are_as_the_query_gives_them_when_it_is_built_anew(db: Settings) -> None:
    patient = make_patient()
    make_dispensation(
        patient=patient,
        sold_on=date(2026, 11, 2),
        quantity=Decimal("7.5"),
        drug_class=DrugClass.OPIOID,
        long_acting=True,
    )
    make_dispensation(patient=patient, corrected=True)
    make_dispensation()  # noise: another's

    for asked, built in (
        (_tuples, _of(patient).tuples()),
        (_dicts, _of(patient).dicts()),
    ):
        for _ in range(2):  # the second time from the text that was kept
            found, plain = asked(patient=patient.id), list(built)
            assert found == plain
            assert _kinds(found) == _kinds(plain)
    assert [each.pharmacy.name for each in _models(patient=patient.id)] == [
        each.pharmacy.name for each in _of(patient)
    ]


def test_values_go_in_as_the_column_takes_them(db: Settings) -> None:
    made = make_dispensation(stored_at=AT)
    make_dispensation(stored_at=AT - timedelta(days=1))  # noise: before

    assert _stored_since(since=AT) == [(made.id,)]
    assert _stored_since(since=AT + timedelta(seconds=1)) == []


def test_many_values_are_one_parameter_and_may_be_none(db: Settings) -> None:
    first, _, third = (make_dispensation() for _ in range(3))

    assert _among(ids=[third.id, first.id]) == [(first.id,), (third.id,)]
    assert _among(ids=[]) == []


@pytest.mark.each_engine
def test_few_values_are_asked_as_ten_so_that_a_plan_for_them_is_kept(
    db: Settings,
) -> None:
    one, other = make_dispensation(), make_dispensation()
    for wanted in ([one.id], [other.id, one.id], list(range(1, 40))):
        with statements() as asked:
            rows = _among(ids=wanted)
        ((sql, (value,)),) = asked
        assert [number for (number,) in rows] == sorted({one.id, other.id} & {*wanted})
        if database.is_sqlite():
            assert value.count(",") == len(wanted) - 1, sql
        else:
            sent = [int(each) for each in value.strip("{}").split(",")]
            assert len(sent) == max(len(wanted), 10)
            assert set(sent) == set(wanted)


def test_one_is_the_first_row_or_none(db: Settings) -> None:
    made = make_dispensation()

    assert _among.one(ids=[made.id]) == (made.id,)
    assert _among.one(ids=[made.id + 1]) is None


def test_a_change_tells_how_many_rows_it_changed(db: Settings) -> None:
    one, other = make_dispensation(), make_dispensation()

    assert _rename.change(name="ELM DRUG", pharmacy=one.pharmacy.id) == 1
    assert _rename.change(name="ELM DRUG", pharmacy=0) == 0
    assert Pharmacy.get_by_id(one.pharmacy.id).name == "ELM DRUG"
    assert Pharmacy.get_by_id(other.pharmacy.id).name != "ELM DRUG"


@prepared
def _broken() -> Any:
    return Dispensation.select(fn.NO_SUCH_FUNCTION(Dispensation.id)).tuples()


def test_several_questions_at_once_have_the_answers_that_each_has_alone(
    db: Settings,
) -> None:
    patient = make_patient()
    make_dispensation(patient=patient)
    other = make_dispensation()  # noise: another's

    for _ in range(2):  # the second time from the texts that were kept
        tuples, dicts, found, among_ids = at_once(
            _tuples.asked(patient=patient.id),
            _dicts.asked(patient=patient.id),
            _models.asked(patient=other.patient.id),
            _among.asked(ids=[]),
        )
        assert tuples == _tuples(patient=patient.id)
        assert dicts == _dicts(patient=patient.id)
        assert [(each, each.quantity) for each in found] == [(other, other.quantity)]
        assert among_ids == []


def test_models_are_read_alike_after_a_first_reading_without_rows(
    db: Settings,
) -> None:
    made = make_dispensation(quantity=Decimal("7.5"))

    assert _models(patient=0) == []
    for _ in range(2):
        (found,) = _models(patient=made.patient.id)
        assert (found, found.quantity) == (made, Decimal("7.5"))
        assert not found.dirty_fields


@pytest.mark.each_engine
def test_a_failure_among_several_is_the_databases_and_leaves_it_usable(
    db: Settings,
) -> None:
    made = make_dispensation()

    with pytest.raises(DatabaseError):
        at_once(_among.asked(ids=[made.id]), _broken.asked())

    assert _among(ids=[made.id]) == [(made.id,)]

    def half() -> None:
        with database.atomic():
            _rename.change(name="ELM DRUG", pharmacy=made.pharmacy.id)
            at_once(_broken.asked())

    with pytest.raises(DatabaseError):
        half()
    assert Pharmacy.get_by_id(made.pharmacy.id).name != "ELM DRUG"


@pytest.mark.each_engine
def test_what_was_asked_ahead_is_answered_once_and_then_asked_anew(
    db: Settings,
) -> None:
    made, later = make_dispensation(), make_dispensation()
    ids, both = [made.id], [made.id, later.id]
    questions = (_among.asked(ids=ids), _tuples.asked(patient=made.patient.id))

    with statements() as asked, ahead(*questions):
        put = len(asked)
        assert _among(ids=ids) == [(made.id,)]
        assert _among(ids=both) == [(made.id,), (later.id,)]  # another question
        assert len(asked) == put + (2 if database.is_sqlite() else 1)
        _rename.change(name="ELM DRUG", pharmacy=made.pharmacy.id)
        Dispensation.delete().where(Dispensation.id == made.id).execute()
        assert _among(ids=ids) == []
    assert _among(ids=ids) == []


@pytest.mark.each_engine
def test_an_answer_that_nobody_took_is_gone_after_the_block(db: Settings) -> None:
    made = make_dispensation()
    with ahead(_among.asked(ids=[made.id])):
        Dispensation.delete().where(Dispensation.id == made.id).execute()
    assert _among(ids=[made.id]) == []


def test_each_database_is_asked_itself(db: Settings, tmp_path: Any) -> None:
    patient = make_patient()
    make_dispensation(patient=patient)
    assert len(_tuples(patient=patient.id)) == 1

    here = models.database.obj
    models.database.initialize(database.open_database(f"sqlite:///{tmp_path}/2.db"))
    try:
        models.database.create_tables(models.TABLES)
        assert Patient.select().count() == 0
        assert _tuples(patient=patient.id) == []
        models.database.obj.close_all()
    finally:
        models.database.initialize(here)


def _kinds(rows: list[Any]) -> list[list[type]]:
    values = [row.values() if isinstance(row, dict) else row for row in rows]
    return [[type(value) for value in each] for each in values]

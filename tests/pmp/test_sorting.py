"""The order of lists: only by what a list has, without a value last."""

from typing import Any

import pytest

from models import Application, Profession
from pmp import sorting
from tests.conftest import NOW
from tests.factories import make_application

SORTS: dict[str, Any] = {"code": Application.code, "decided": Application.decided_at}
KEYS: dict[str, Any] = {"size": lambda row: row[0], "name": lambda row: row[1]}


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("code", "code"),
        ("-decided", "-decided"),
        ("", "-code"),
        ("password_hash", "-code"),
        ("--code", "-code"),
        ("-", "-code"),
    ],
)
def test_an_order_that_a_list_lacks_is_its_own(asked: str, order: str) -> None:
    assert sorting.known(asked, SORTS, otherwise="-code") == order


@pytest.mark.each_engine
def test_rows_without_a_value_come_last_whichever_way(db: Any) -> None:
    assert db
    rows = [make_application(Profession.PRACTITIONER, at=NOW) for _ in range(3)]
    Application.update(decided_at=NOW).where(Application.id == rows[1].id).execute()

    for sort, wanted in (("decided", [1, 0, 2]), ("-decided", [1, 2, 0])):
        query = sorting.in_order(Application.select(), sort, SORTS, then=Application.id)
        assert [each.id for each in query] == [rows[each].id for each in wanted]


def test_a_list_in_memory_is_sorted_likewise() -> None:
    rows = [(2, "b"), (None, "a"), (1, "b")]

    assert sorting.rows_in_order(rows, "size", KEYS) == [rows[2], rows[0], rows[1]]
    assert sorting.rows_in_order(rows, "-size", KEYS) == [rows[0], rows[2], rows[1]]
    assert sorting.rows_in_order(rows, "name", KEYS) == [rows[1], rows[0], rows[2]]

"""What is put to the database meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import models


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collect what is asked within the block: SQL and its parameters, in order."""
    asked: list[tuple[str, Any]] = []
    opened = models.database.obj
    put = opened.execute_sql

    def note(sql: str, params: Any = None, *rest: Any) -> Any:
        asked.append((sql, params))
        return put(sql, params, *rest)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(opened, "execute_sql", note)
        yield asked

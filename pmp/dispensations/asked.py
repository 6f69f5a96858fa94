"""What a pharmacy's and a prescriber's own lists are asked for alike, as conditions.

Each condition is on dispensations. One on a person, a doctor or a shop asks of each
fill's own, which its key finds; never of all of them.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from models import Dispensation, ReportedIdentity
from pmp import identifiers
from pmp.errors import RuleError

PAGE = 50
MOST_ROWS = 50_000  # of a CSV file; narrow the question for more
USUAL_DAYS = 90


def usual_since(today: date) -> date:
    """Give the first day that is shown when nobody has chosen one."""
    return today - timedelta(days=USUAL_DAYS - 1)


def filled(since: date | None, until: date | None) -> Iterable[Any]:
    """Give the conditions that fills are of these days, both included."""
    if since:
        yield Dispensation.filled_on >= since
    if until:
        yield Dispensation.filled_on <= until


def for_patient(names: str, born: date | None) -> Iterable[Any]:
    """Give the conditions that the reported name holds each word; the birth date."""
    person = ReportedIdentity.alias()
    for word in names.split():
        yield of_identity(person, holds(word, person.last_name, person.first_name))
    if born:
        yield of_identity(person, person.birth_date == born)


def of_identity(person: Any, condition: Any) -> Any:
    """Ask of each fill's own identity; `person` is an alias of reported identities."""
    return of_its(Dispensation.identity, person, condition)


def of_its(key: Any, other: Any, condition: Any) -> Any:
    """Ask of the row that a foreign key of each fill leads to; `other` is an alias."""
    return fn.EXISTS(other.select(other.id).where(other.id == key, condition))


def of_drug(typed: str) -> Iterable[Any]:
    """Give the conditions that fills are of an NDC, or of a name with the words."""
    try:
        yield Dispensation.product_code == identifiers.parse_ndc(typed.strip())
    except ValueError:
        for word in typed.split():
            yield holds(word, Dispensation.drug_name, Dispensation.ingredient)


def holds(word: str, *columns: Any) -> Any:
    """Give the condition that some column holds a word; its commas do not count."""
    return reduce(or_, (column.contains(word.strip(",")) for column in columns))


def not_too_many(rows: Sequence[Any]) -> None:
    """Raise RuleError if a file would have more than MOST_ROWS."""
    if len(rows) > MOST_ROWS:
        message = f"These are more than {MOST_ROWS:,} rows. Choose fewer days."
        raise RuleError(message, field="since")


def ranges(ids: Iterable[int]) -> list[str]:
    """Write many ids briefly: “4-9”, “12”."""
    found: list[list[int]] = []
    for each in sorted(ids):
        if found and each == found[-1][1] + 1:
            found[-1][1] = each
        else:
            found.append([each, each])
    return [f"{a}-{b}" if a != b else str(a) for a, b in found]

"""Those stored that a new identity may be: a few of two million, by the indexes.

Each query takes all of a batch at once, as arrays, and lets the engine leave out whom
comparing would leave out anyway: it visits some sixty with the same date of birth for
each new one, and gives three.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import MAXYEAR, MINYEAR, date
from typing import Any

import models
from models import ReviewStatus
from pmp import database
from pmp.matching import local_names, placeholders
from pmp.matching.candidates import SHARED_BY, Kept, Pool
from pmp.matching.identities import Identity
from pmp.matching.likeness import Band, Crowd

_TABLE = '"reported_identity"'
_READ = [
    "last_name",
    "first_name",
    "middle_name",
    "suffix",
    "birth_date",
    "sex",
    "street",
    "city",
    "state",
    "zip",
    "phone",
    "species",
    "animal_name",
]
_KEYS = ["fingerprint", "last_key", "first_key", "last_sound"]
_LOOKED_AT = 60  # identities of one phone that are counted
_WANTED = [
    "last",
    "first",
    "sound",
    "start",
    "born",
    "since",
    "until",
    "day",
    "zip",
    "phone",
]
_DATES = {"born", "since", "until"}

_COLUMNS = ", ".join(f"r.{name}" for name in ("id", "patient_id", *_READ, *_KEYS))

# The conditions after the first stand in a CASE, so that no engine tries their indexes.
_NEAR_BIRTH = "r.birth_date BETWEEN w.since AND w.until OR {day} = w.day"
_BLOCKS = {
    "born": (
        "r.birth_date = w.born",
        (
            "r.last_sound = w.sound OR r.first_key = w.first OR r.last_key = w.first"
            " OR {start} = w.start OR (r.phone = w.phone AND w.phone <> '')"
            " OR (r.zip = w.zip AND w.zip <> '')"
        ),
    ),
    "named": ("r.last_key = w.last AND r.first_key = w.first", _NEAR_BIRTH),
    "lives": (
        "r.zip = w.zip AND r.last_sound = w.sound",
        f"substr(r.first_key, 1, 1) = substr(w.first, 1, 1) AND ({_NEAR_BIRTH})",
    ),
    "phone": (
        "r.phone = w.phone",
        f"substr(r.first_key, 1, 1) = substr(w.first, 1, 1) AND ({_NEAR_BIRTH})",
    ),
}


def pool_for(batch: Sequence[Identity]) -> Pool:
    """Give those that identities may be compared with, and all that belong to them."""
    people = _people()
    pool = Pool(Crowd(people=people), local_names.frequencies(people), again=True)
    shared = _shared_phones({each.phone for each in batch if each.phone_key})
    pool.share(("phone", placeholders.phone_digits(phone)) for phone in shared)
    seen: set[int] = set()
    for block, wanted in _wanted(batch, shared).items():
        for row, kept in _rows(_block(block), wanted):
            if row not in seen:
                seen.add(row)
                pool.add(kept)
    fitting: set[int] = set()
    for each in batch:
        fits = list(pool.fits(each))
        if any(likeness.by_home for _, likeness in fits):
            _count_home(pool, each)
        same = (patient for patient, likeness in fits if likeness.band is Band.SAME)
        fitting.update(same)
    _complete(pool, sorted(fitting))
    return pool


def _people() -> int:
    cursor = models.database.execute_sql('SELECT MAX(id) FROM "patient"')
    return int(cursor.fetchone()[0] or 0)


def _wanted(
    batch: Sequence[Identity], shared: set[str]
) -> dict[str, list[tuple[Any, ...]]]:
    """Give for each block those that look for candidates in it."""
    wanted: dict[str, list[tuple[Any, ...]]] = {block: [] for block in _BLOCKS}
    for each in batch:
        row = _wanted_row(each, each.zip_key)
        if not placeholders.is_birth_date(each.birth_date):
            wanted["born"].append(row)
        if not each.is_nobody:
            wanted["named"].append(row)
        if each.zip_key and each.last_sound:
            wanted["lives"].append(row)
            if each.zip != each.zip_key:
                wanted["lives"].append(_wanted_row(each, each.zip))
        if each.phone_key and each.phone not in shared:
            wanted["phone"].append(row)
    return wanted


def _wanted_row(each: Identity, zip_code: str) -> tuple[Any, ...]:
    born = each.birth_date
    return (
        each.last_key,
        each.first_key,
        each.last_sound,
        each.last_key[:3],
        born,
        date(max(born.year - 1, MINYEAR), 12, 31),
        date(min(born.year + 1, MAXYEAR), 1, 1),
        f"{born.month:02}-{born.day:02}",
        zip_code,
        each.phone,
    )


def _block(name: str) -> str:
    """Give the query of a block; its one parameter, or parameters, are `wanted`."""
    found_by, alike = _BLOCKS[name]
    if database.is_sqlite():
        alike = alike.format(day="substr(r.birth_date, 6)", start=_START)
        given = ", ".join(
            f"json_extract(value, '$[{place}]') AS {column}"
            for place, column in enumerate(_WANTED)
        )
        return (
            f"WITH w AS MATERIALIZED (SELECT {given} FROM json_each(?))"  # noqa: S608
            f" SELECT {_COLUMNS} FROM w CROSS JOIN {_TABLE} AS r"
            f" WHERE {found_by} AND CASE WHEN {alike} THEN 1 END = 1"
        )
    alike = alike.format(day="to_char(r.birth_date, 'MM-DD')", start=_START)
    arrays = ", ".join(
        f"%s::{'date' if column in _DATES else 'text'}[]" for column in _WANTED
    )
    # LIMIT keeps the planner from joining the whole table.
    return (
        f"SELECT c.* FROM unnest({arrays}) AS w ({', '.join(_WANTED)})"  # noqa: S608
        f" CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM {_TABLE} AS r"
        f" WHERE {found_by} AND CASE WHEN {alike} THEN true END LIMIT 5000) AS c"
    )


_START = "substr(r.last_key, 1, 3)"


def _rows(sql: str, wanted: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Kept]]:
    if not wanted:
        return
    parameters: tuple[Any, ...]
    if database.is_sqlite():
        parameters = (json.dumps(wanted, default=date.isoformat),)
    else:
        parameters = tuple(list(column) for column in zip(*wanted, strict=True))
    yield from _kept(sql, parameters)


def _kept(sql: str, parameters: Sequence[Any]) -> Iterator[tuple[int, Kept]]:
    for row, patient, *values in models.database.execute_sql(sql, parameters):
        if isinstance(values[_BIRTH_DATE], str):
            values[_BIRTH_DATE] = date.fromisoformat(values[_BIRTH_DATE])
        identity = Identity(*values[: len(_READ)])
        # They are stored: no need to reckon them again.
        identity.__dict__.update(zip(_KEYS, values[len(_READ) :], strict=True))
        yield row, Kept(identity, patient)


_BIRTH_DATE = _READ.index("birth_date")


def _shared_phones(phones: Iterable[str]) -> set[str]:
    """Give those that more patients have than live in one home."""
    wanted = sorted(set(phones))
    count = (
        "(SELECT COUNT(DISTINCT patient_id) FROM (SELECT r.patient_id"  # noqa: S608
        f" FROM {_TABLE} AS r WHERE r.phone = w.phone LIMIT {_LOOKED_AT}) AS few)"
    )
    sql = f"SELECT w.phone, {count} FROM {_listed('phone', 'text')}"  # noqa: S608
    found = models.database.execute_sql(sql, (_array(wanted),))
    return {phone for phone, patients in found if patients > SHARED_BY}


def _count_home(pool: Pool, one: Identity) -> None:
    """Count who lives in a home that would decide."""
    home = "home", one.zip_key, one.street_key
    if one.street_key and _patients_at(one.zip_key, one.street) > SHARED_BY:
        pool.share([home])


def _patients_at(zip_code: str, street: str) -> int:
    mark = "?" if database.is_sqlite() else "%s"
    sql = (
        "SELECT COUNT(*) FROM (SELECT DISTINCT patient_id"  # noqa: S608
        f" FROM {_TABLE} WHERE zip BETWEEN {mark} AND {mark} AND street = {mark}"
        f" LIMIT {SHARED_BY + 1}) AS few"
    )
    found = models.database.execute_sql(sql, (zip_code, f"{zip_code}9999", street))
    return int(found.fetchone()[0])


def _complete(pool: Pool, fitting: list[int]) -> None:
    """Add what else was reported of those that fit, and what the staff said of them."""
    if not fitting:
        return
    wanted = _listed("id", "bigint")
    sql = (
        f"SELECT {_COLUMNS} FROM {wanted}"  # noqa: S608
        f" CROSS JOIN {_TABLE} AS r WHERE r.patient_id = w.id"
    )
    for _, kept in _kept(sql, (_array(fitting),)):
        pool.add_member(kept)
    mark = "?" if database.is_sqlite() else "%s"
    sql = (
        f"SELECT m.candidate_id, r.patient_id FROM {wanted}"  # noqa: S608
        ' CROSS JOIN "match_review" AS m'
        f" JOIN {_TABLE} AS r ON r.id = m.identity_id"
        f" WHERE m.candidate_id = w.id AND m.status = {mark}"
    )
    parameters = (_array(fitting), ReviewStatus.KEPT_APART.value)
    pool.keep_apart(models.database.execute_sql(sql, parameters).fetchall())


def _listed(column: str, kind: str) -> str:
    if database.is_sqlite():
        return f"(SELECT value AS {column} FROM json_each(?)) AS w"  # noqa: S608
    return f"unnest(%s::{kind}[]) AS w ({column})"


def _array(values: list[Any]) -> Any:
    return json.dumps(values) if database.is_sqlite() else values

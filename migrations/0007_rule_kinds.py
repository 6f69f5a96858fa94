"""Threshold rules of several kinds, with exclusions and a cool-down."""

import re

from peewee import SqliteDatabase

KINDS = "providers|daily_mme|opioid_benzodiazepine|long_opioid_use|methadone"
JSON = {"sqlite": "TEXT", "postgres": "JSONB"}
BOOLEAN = {"sqlite": ("INTEGER", "0", "1"), "postgres": ("BOOLEAN", "false", "true")}


def up(migrator, db):
    engine = "sqlite" if isinstance(db, SqliteDatabase) else "postgres"
    change = _on_sqlite if engine == "sqlite" else _on_postgres
    change(db, _of_rules(engine))
    time = {"sqlite": "DATETIME", "postgres": "TIMESTAMP"}[engine]
    db.execute_sql('ALTER TABLE "dispensation" ADD COLUMN "care" VARCHAR(32)')
    for name, kind in (
        ("reached", "DECIMAL(12, 2)"),
        ("reached_on", "DATE"),
        ("queued_at", time),
        ("closed_reason", "TEXT"),
        ("cool_down_ends", "DATE"),
    ):
        db.execute_sql(f'ALTER TABLE "threshold_case" ADD COLUMN "{name}" {kind}')
    # Reports were asked for when a case was found, unless it was held for review.
    db.execute_sql(
        'UPDATE "threshold_case" SET "queued_at" = "detected_at"'
        ' WHERE "id" IN (SELECT "case_id" FROM "case_recipient")'
    )


def _of_rules(engine):
    """Give the columns to add: name, type, what rules that are there have."""
    words = ", ".join(f"'{word}'" for word in KINDS.split("|"))
    json = JSON[engine]
    boolean, no, yes = BOOLEAN[engine]
    return [
        ("kind", f'VARCHAR(32) NOT NULL CHECK ("kind" IN ({words}))', "'providers'"),
        ("amount", _number("(kind = 'providers') = (amount = 0)"), "0"),
        ("gap_days", _number("gap_days BETWEEN 0 AND 30"), "0"),
        ("drug_classes", f"{json} NOT NULL", "'[]'"),
        ("minimum_fills", _number("minimum_fills >= 1"), "1"),
        ("practices_once", f"{boolean} NOT NULL", no),
        ("exclusions", f"{json} NOT NULL", "'[]'"),
        ("cool_down_days", _number("cool_down_days BETWEEN 0 AND 731"), "0"),
        ("send_when_worse", f"{boolean} NOT NULL", yes),
    ]


def _number(check):
    return f"INTEGER NOT NULL CHECK ({check})"


def _on_postgres(db, added):
    for name, kind, value in added:
        filled = kind.replace("NOT NULL", f"NOT NULL DEFAULT {value}")
        db.execute_sql(f'ALTER TABLE "threshold_rule" ADD COLUMN "{name}" {filled}')
        db.execute_sql(
            f'ALTER TABLE "threshold_rule" ALTER COLUMN "{name}" DROP DEFAULT'
        )


def _on_sqlite(db, added):
    """Make the rules' table anew: SQLite adds no NOT NULL column without a default.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", "threshold_rule")).fetchall()
    indexes = [
        row[0] for row in db.execute_sql(query, ("index", "threshold_rule")) if row[0]
    ]
    columns = [row[1] for row in db.execute_sql('PRAGMA table_info("threshold_rule")')]
    more = "".join(f', "{name}" {kind}' for name, kind, _ in added)
    sql, count = re.subn(
        r'^CREATE TABLE "threshold_rule"(.*)\)$',
        lambda made: f'CREATE TABLE "threshold_rule_anew"{made[1]}{more})',
        sql,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError("threshold_rule was not made as expected")
    names = ", ".join(f'"{name}"' for name in columns)
    names_after = names + "".join(f', "{name}"' for name, _, _ in added)
    values = "".join(f", {value}" for _, _, value in added)
    db.execute_sql(sql)
    db.execute_sql(
        f'INSERT INTO "threshold_rule_anew" ({names_after})'  # noqa: S608
        f' SELECT {names}{values} FROM "threshold_rule"'
    )
    db.execute_sql('DROP TABLE "threshold_rule"')
    db.execute_sql('ALTER TABLE "threshold_rule_anew" RENAME TO "threshold_rule"')
    for index in indexes:
        db.execute_sql(index)

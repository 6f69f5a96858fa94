"""Letters about patients' requests; licences that run out between two imports."""

import re

from peewee import SqliteDatabase

FINDING = "licence_finding"
WORDS = {
    "kind": "gone|lapsed|in_force_again|covered_lapsed|renamed|moved",
    "verdict": "suspended|kept|reinstated|withdrawn|noted|overtaken",
}
# Table → new columns that name a row of another, and which.
NEW_KEYS = {
    "patient_request": {
        "extension_letter_id": "document",
        "denial_letter_id": "document",
    },
    FINDING: {"licence_id": "licence"},
}
GROUND = '"denied_ground" VARCHAR(255) NOT NULL'


def up(migrator, db):
    db.execute_sql('DROP INDEX "licence_finding_open_once"')
    change = _on_sqlite if isinstance(db, SqliteDatabase) else _on_postgres
    for table, keys in NEW_KEYS.items():
        change(db, table, keys)
        for column in keys:
            name = f"{table}_{column}"
            db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ("{column}")')
    db.execute_sql(
        'UPDATE "licence_finding" SET "licence_id" ='
        ' (SELECT "licence_id" FROM "user" WHERE "user"."id" = "user_id")'
    )
    db.execute_sql(
        'CREATE UNIQUE INDEX "licence_finding_open_once" ON "licence_finding"'
        ' ("user_id", "kind", "licence_id") WHERE settled_at IS NULL'
    )


def _allowed(column):
    words = ", ".join(f"'{word}'" for word in WORDS[column].split("|"))
    return f'"{column}" IN ({words})'


def _on_postgres(db, table, keys):
    for column, other in keys.items():
        db.execute_sql(
            f'ALTER TABLE "{table}" ADD COLUMN "{column}" INTEGER'
            f' REFERENCES "{other}" ("id") ON DELETE RESTRICT'
        )
    alter = f'ALTER TABLE "{table}"'
    if table != FINDING:
        db.execute_sql(f"{alter} ADD COLUMN {GROUND} DEFAULT ''")
        db.execute_sql(f'{alter} ALTER COLUMN "denied_ground" DROP DEFAULT')
        return
    db.execute_sql(f'{alter} ALTER COLUMN "batch_id" DROP NOT NULL')
    for column in WORDS:
        name = f"{table}_{column}_check"
        db.execute_sql(f'{alter} DROP CONSTRAINT "{name}"')
        db.execute_sql(f'{alter} ADD CONSTRAINT "{name}" CHECK ({_allowed(column)})')


def _on_sqlite(db, table, keys):
    """Make the table anew: a key that SQLite adds stands elsewhere than one made so.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    names = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{table}")')]
    parts = _parts(sql)
    columns = [_changed(part, table) for part in parts if part.startswith('"')]
    ground = [] if table == FINDING else [GROUND]
    made = [
        *columns,
        *(f'"{column}" INTEGER' for column in keys),
        *ground,
        *parts[len(columns) :],
        *(
            f'FOREIGN KEY ("{column}") REFERENCES "{other}" ("id") ON DELETE RESTRICT'
            for column, other in keys.items()
        ),
    ]
    db.execute_sql(f'CREATE TABLE "{table}_anew" ({", ".join(made)})')
    listed = ", ".join(f'"{name}"' for name in names)
    further, value = (', "denied_ground"', ", ''") if ground else ("", "")
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({listed}{further})'  # noqa: S608
        f' SELECT {listed}{value} FROM "{table}"'
    )
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


def _changed(column, table):
    """Give a column of the finding as it is from now on; all others as they are."""
    name = column.split('"')[1]
    if table == FINDING and name == "batch_id":
        return column.replace(" NOT NULL", "")
    if table == FINDING and name in WORDS:
        return re.sub(r"CHECK \(.*\)$", f"CHECK ({_allowed(name)})", column)
    return column


def _parts(sql):
    """Give the columns, keys and checks of CREATE TABLE, one by one."""
    parts, depth = [""], 0
    for sign in sql.partition("(")[2].rstrip().removesuffix(")"):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]

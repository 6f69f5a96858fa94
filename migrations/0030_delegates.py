"""Delegates: accounts of those who look up patients on a user's behalf."""

import re

from peewee import (
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    Model,
    SqliteDatabase,
    TextField,
)

ROLES = "practitioner|pharmacy|delegate|staff|analyst|administrator|auditor"
NOTICES = (
    "factor_added|factor_removed|password_changed|new_sign_in|closing|closed|suspended"
    "|reactivated|unlocked|new_letter|role_changed|licence_suspended"
    "|licence_reinstated|delegate_decided|delegation_begun|delegates_to_review|delegation_ended"
)
STATUSES = "asked|approved|declined|withdrawn|ended"
# Table → its columns that may hold more words from now on.
WORDS = {
    "user": {"role": ROLES},
    "new_account": {"role": ROLES},
    "role_change": {"from_role": ROLES, "to_role": ROLES},
    "account_notice": {"kind": NOTICES},
}
ON_BEHALF = ("look_up", "patient_schedule")
KEY = '"delegation_id" INTEGER'
REFERENCE = 'REFERENCES "delegation" ("id") ON DELETE RESTRICT'


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        for table in (*WORDS, *ON_BEHALF):
            _made_anew(db, table)
    else:
        for table, columns in WORDS.items():
            _allow(db, table, columns)
    _make_delegations(db)
    if not isinstance(db, SqliteDatabase):
        for table in ON_BEHALF:
            db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN {KEY} {REFERENCE}')
    db.execute_sql(
        'CREATE INDEX "look_up_of_delegation" ON "look_up" ("delegation_id", "at")'
        " WHERE delegation_id IS NOT NULL"
    )


def _make_delegations(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class Delegation(Table):
        supervisor = ForeignKeyField(User, on_delete="RESTRICT")
        delegate = ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
        status = CharField(
            max_length=32, index=True, constraints=[Check(_allowed("status", STATUSES))]
        )
        name = CharField()
        position = CharField()
        email = CharField()
        phone = CharField()
        code = CharField(unique=True)
        asked_at = DateTimeField()
        decided_by = CharField()
        decided_at = DateTimeField(null=True)
        answer = TextField()
        reviewed_at = DateTimeField(null=True)
        review_told_at = DateTimeField(null=True)
        ended_by = CharField()
        ended_at = DateTimeField(null=True)
        end_reason = TextField()

        class Meta:
            constraints = [Check("status <> 'approved' OR delegate_id IS NOT NULL")]

    db.create_tables([Delegation])
    db.execute_sql(
        'CREATE UNIQUE INDEX "delegation_approved_once" ON "delegation"'
        ' ("supervisor_id", "delegate_id") WHERE status = \'approved\''
    )


def _allowed(column, words):
    listed = ", ".join(f"'{word}'" for word in words.split("|"))
    return f'"{column}" IN ({listed})'


def _allow(db, table, columns):
    for column, words in columns.items():
        name = f"{table}_{column}_check"
        db.execute_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        db.execute_sql(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}"'
            f" CHECK ({_allowed(column, words)})"
        )


def _made_anew(db, table):
    """Make a table anew: SQLite changes no CHECK, and adds a key elsewhere.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    names = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{table}")')]
    parts = _parts(sql)
    columns = [_changed(part, table) for part in parts if part.startswith('"')]
    rest = parts[len(columns) :]
    if table in ON_BEHALF:
        columns.append(KEY)
        rest.append(f'FOREIGN KEY ("delegation_id") {REFERENCE}')
    db.execute_sql(f'CREATE TABLE "{table}_anew" ({", ".join([*columns, *rest])})')
    listed = ", ".join(f'"{name}"' for name in names)
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({listed}) SELECT {listed} FROM "{table}"'  # noqa: S608
    )
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


def _changed(column, table):
    name = column.split('"')[1]
    words = WORDS.get(table, {}).get(name)
    if words is None:
        return column
    return re.sub(r"CHECK \(.*\)$", f"CHECK ({_allowed(name, words)})", column)


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

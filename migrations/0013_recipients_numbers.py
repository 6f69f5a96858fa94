"""Recipients' numbers: checks by test page, answering machines, text messages."""

import re

from peewee import (
    SQL,
    BooleanField,
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

CHECKED = "email|fax|sms"
HOW = "typed|told|faxed_back|link"
VERDICTS = "right|wrong_number"
FURTHER = {
    "kind": ("fax_test_page", "email_check", "mobile_code", "contact_change"),
    "channel": ("sms",),
}
ONE_OWNER = " + ".join(
    f"(CASE WHEN {owner}_id IS NULL THEN 0 ELSE 1 END)"
    for owner in ("user", "licence", "prescriber", "pharmacy")
)


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        _anew(db, "delivery", _delivery_parts)
    else:
        for column, words in FURTHER.items():
            _allow_on_postgres(db, "delivery", column, words)
    for table in ("user", "application"):
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "mobile" VARCHAR(255)')
    _create_tables(db)


def _allow_on_postgres(db, table, column, words):
    """Let a column hold further words."""
    constraint = f"{table}_{column}_check"
    ((said,),) = db.execute_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = %s AND conrelid = %s::regclass",
        (constraint, table),
    ).fetchall()
    allowed = ", ".join(f"'{word}'" for word in [*re.findall(r"'(\w+)'", said), *words])
    db.execute_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"')
    db.execute_sql(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{constraint}"'
        f' CHECK ("{column}" IN ({allowed}))'
    )


def _delivery_parts(parts):
    for column, words in FURTHER.items():
        added = "".join(f", '{word}'" for word in words)
        parts = [
            re.sub(r"\)\)$", f"{added}))", part)
            if part.startswith(f'"{column}"')
            else part
            for part in parts
        ]
    return parts


def _anew(db, table, change):
    """Make a table anew: SQLite does not change a CHECK.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    names = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{table}")')]
    parts = _parts(sql)
    changed = change(parts)
    if changed == parts:
        raise ValueError(f"{table} was not made as expected")
    db.execute_sql(f'CREATE TABLE "{table}_anew" ({", ".join(changed)})')
    listed = ", ".join(f'"{name}"' for name in names)
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({listed}) SELECT {listed} FROM "{table}"'  # noqa: S608
    )
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


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


def _word(name, words, **options):
    allowed = ", ".join(f"'{word}'" for word in words.split("|"))
    check = Check(f'"{name}" IN ({allowed})')
    return CharField(max_length=32, constraints=[check], **options)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class Licence(Table):
        pass

    class Prescriber(Table):
        pass

    class Pharmacy(Table):
        pass

    class Delivery(Table):
        pass

    class ContactCheck(Table):
        channel = _word("channel", CHECKED)
        address = CharField(index=True)
        user = ForeignKeyField(User, null=True, on_delete="CASCADE")
        licence = ForeignKeyField(Licence, null=True, on_delete="RESTRICT")
        prescriber = ForeignKeyField(Prescriber, null=True, on_delete="RESTRICT")
        pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
        code = CharField()
        adopt = BooleanField()
        asked_by = CharField()
        asked_at = DateTimeField()
        expires_at = DateTimeField()
        wrong_tries = IntegerField()
        confirmed_at = DateTimeField(null=True)
        confirmed_how = _word("confirmed_how", HOW, null=True)
        confirmed_by = CharField()
        ended_at = DateTimeField(null=True)

        class Meta:
            constraints = [Check(f"{ONE_OWNER} = 1")]

    ContactCheck.add_index(
        ContactCheck.index(
            ContactCheck.code,
            unique=True,
            name="contact_check_fax_code_once",
            where=SQL("channel = 'fax'"),
        )
    )

    class FaxNumber(Table):
        number = CharField(unique=True)
        station = CharField()
        station_at = DateTimeField(null=True)
        line_type = CharField()
        line_asked_at = DateTimeField(null=True)
        blocked_at = DateTimeField(null=True)
        blocked_by = CharField()
        blocked_why = TextField()

    class StationChange(Table):
        number = ForeignKeyField(FaxNumber, on_delete="RESTRICT")
        before = CharField()
        after = CharField()
        delivery = ForeignKeyField(Delivery, on_delete="RESTRICT")
        noticed_at = DateTimeField()
        verdict = _word("verdict", VERDICTS, null=True)
        settled_by = CharField()
        settled_at = DateTimeField(null=True)

    class TextNumber(Table):
        number = CharField(unique=True)
        agreed_at = DateTimeField(null=True)
        agreed_by = CharField()
        stopped_at = DateTimeField(null=True)
        stopped_how = CharField()

    db.create_tables([ContactCheck, FaxNumber, StationChange, TextNumber])

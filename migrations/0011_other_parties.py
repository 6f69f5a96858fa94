"""Tickets about a whole record; reporters who are no users; questions to dispensers.

And what users are told about entries that reports of theirs showed.
"""

import re

from peewee import (
    CharField,
    Check,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

OUTSIDE = "caller|patient"
CHANNELS = "email|fax|letter"
ANSWERS = "corrected|removed|reported|explained"
OUTCOMES = "corrected|voided|upheld|identity_fixed|referred"
KINDS = ("ticket_question", "outside_answer", "look_up_correction")
ONE_OF_THEM = "(dispensation_id IS NULL) <> (patient_id IS NULL)"
REPORTER = "'user:' || opened_by_id"
NEW_KEYS = {"patient_id": "patient", "look_up_id": "look_up"}


def up(migrator, db):
    on_sqlite = isinstance(db, SqliteDatabase)
    db.execute_sql('DROP INDEX "ticket_open_once"')
    if on_sqlite:
        _anew(db, "ticket", _ticket_parts, {"reporter": REPORTER})
        _anew(db, "delivery", _delivery_parts, {})
    else:
        _ticket_on_postgres(db)
        _delivery_on_postgres(db)
    for column in NEW_KEYS:
        db.execute_sql(f'CREATE INDEX "ticket_{column}" ON "ticket" ("{column}")')
    db.execute_sql(
        'CREATE UNIQUE INDEX "ticket_open_once"'
        ' ON "ticket" ("dispensation_id", "reporter") WHERE resolved_at IS NULL'
    )
    db.execute_sql(
        'CREATE UNIQUE INDEX "ticket_of_record_open_once"'
        ' ON "ticket" ("patient_id", "reporter", "problem")'
        " WHERE resolved_at IS NULL AND dispensation_id IS NULL"
    )
    _create_tables(db)


def _ticket_on_postgres(db):
    for change in (
        'ALTER COLUMN "dispensation_id" DROP NOT NULL',
        *(
            f'ADD COLUMN "{column}" INTEGER'
            f' REFERENCES "{table}" ("id") ON DELETE RESTRICT'
            for column, table in NEW_KEYS.items()
        ),
        'ADD COLUMN "reporter" VARCHAR(255)',
    ):
        db.execute_sql(f'ALTER TABLE "ticket" {change}')
    db.execute_sql(f'UPDATE "ticket" SET "reporter" = {REPORTER}')  # noqa: S608
    db.execute_sql('ALTER TABLE "ticket" ALTER COLUMN "reporter" SET NOT NULL')
    db.execute_sql(f'ALTER TABLE "ticket" ADD CHECK ({ONE_OF_THEM})')


def _delivery_on_postgres(db):
    """Let a delivery be of the new kinds too."""
    ((said,),) = db.execute_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'delivery_kind_check'"
        " AND conrelid = 'delivery'::regclass"
    ).fetchall()
    allowed = ", ".join(f"'{word}'" for word in [*re.findall(r"'(\w+)'", said), *KINDS])
    db.execute_sql('ALTER TABLE "delivery" DROP CONSTRAINT "delivery_kind_check"')
    db.execute_sql(
        'ALTER TABLE "delivery" ADD CONSTRAINT "delivery_kind_check"'
        f' CHECK ("kind" IN ({allowed}))'
    )


def _ticket_parts(parts):
    found = [
        part.removesuffix(" NOT NULL") if part.startswith('"dispensation_id"') else part
        for part in parts
    ]
    keys = [
        f'FOREIGN KEY ("{column}") REFERENCES "{table}" ("id") ON DELETE RESTRICT'
        for column, table in NEW_KEYS.items()
    ]
    columns = [f'"{column}" INTEGER' for column in NEW_KEYS]
    return [
        *_columns_of(found),
        *columns,
        '"reporter" VARCHAR(255) NOT NULL',
        *found[len(_columns_of(found)) :],
        *keys,
        f"CHECK ({ONE_OF_THEM})",
    ]


def _delivery_parts(parts):
    added = "".join(f", '{kind}'" for kind in KINDS)
    return [
        re.sub(r"\)\)$", f"{added}))", part) if part.startswith('"kind"') else part
        for part in parts
    ]


def _columns_of(parts):
    """Give the parts that are columns: they come before keys and checks."""
    return [part for part in parts if part.startswith('"')]


def _anew(db, table, change, values):
    """Make a table anew: SQLite neither adds a NOT NULL column nor changes one.

    Foreign keys are off meanwhile, as whoever runs migrations sees to. `values` are of
    new columns that may not be empty, as SQL.
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
    into = listed + "".join(f', "{name}"' for name in values)
    given = listed + "".join(f", {value}" for value in values.values())
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({into}) SELECT {given} FROM "{table}"'  # noqa: S608
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

    class Pharmacy(Table):
        pass

    class LookUp(Table):
        pass

    class Dispensation(Table):
        pass

    class Ticket(Table):
        pass

    class OutsideReporter(Table):
        ticket = ForeignKeyField(Ticket, unique=True, on_delete="CASCADE")
        kind = _word("kind", OUTSIDE)
        name = CharField()
        relation = CharField()
        phone = CharField()
        fax = CharField()
        address = TextField()
        answer_by = _word("answer_by", CHANNELS, null=True)
        received_on = DateField()
        answered_at = DateTimeField(null=True)
        answered_by = CharField()

    class TicketQuestion(Table):
        ticket = ForeignKeyField(Ticket, on_delete="CASCADE")
        pharmacy = ForeignKeyField(Pharmacy, on_delete="RESTRICT", index=False)
        text = TextField()
        asked_by = CharField()
        asked_at = DateTimeField()
        due_at = DateTimeField()
        answer = _word("answer", ANSWERS, null=True)
        answer_text = TextField()
        answered_by = CharField()
        answered_at = DateTimeField(null=True)

        class Meta:
            indexes = ((("pharmacy", "answered_at"), False),)

    class LookUpCorrection(Table):
        user = ForeignKeyField(User, on_delete="RESTRICT", index=False)
        look_up = ForeignKeyField(LookUp, on_delete="RESTRICT")
        dispensation = ForeignKeyField(Dispensation, on_delete="RESTRICT")
        version = IntegerField()
        turn = IntegerField()
        outcome = _word("outcome", OUTCOMES)
        made_at = DateTimeField()
        seen_at = DateTimeField(null=True)

        class Meta:
            indexes = (
                (("user", "dispensation", "version", "turn"), True),
                (("user", "seen_at"), False),
            )

    db.create_tables([OutsideReporter, TicketQuestion, LookUpCorrection])

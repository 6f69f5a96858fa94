"""Tickets: more kinds, clocks, who reads a line, attachments, who takes what."""

import re

from peewee import (
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

AUDIENCES = "reporter|dispenser|staff"
CLOCKS = "triage|dispenser|outcome"
PROBLEMS = (
    "not_my_patient|did_not_write|wrong_drug|wrong_quantity|wrong_date"
    "|returned_to_stock|wrong_person|other"
)
# Table → column → the words that it may hold beside those that it may already.
FURTHER = {
    "document": ("kind", "ticket_attachment|evidence_pack"),
    "ticket": ("problem", "wrong_days|duplicate|missing|possible_forgery"),
}
TIMES = ("triage_due_at", "asked_at", "dispenser_due_at", "escalated_at")


def up(migrator, db):
    on_sqlite = isinstance(db, SqliteDatabase)
    change = _on_sqlite if on_sqlite else _on_postgres
    for table, (column, words) in FURTHER.items():
        times = TIMES if table == "ticket" else ()
        change(db, table, (column, words.split("|")), times)
    change(db, "ticket_message", None, ())
    _create_tables(db)


def _allowed(name, words):
    allowed = ", ".join(f"'{word}'" for word in words)
    return f'"{name}" IN ({allowed})'


def _on_postgres(db, table, further, times):
    if further is None:
        check = _allowed("audience", AUDIENCES.split("|"))
        db.execute_sql(
            f'ALTER TABLE "{table}" ADD COLUMN "audience" VARCHAR(32) NOT NULL'
            f" DEFAULT 'reporter' CHECK ({check})"
        )
        db.execute_sql(f'ALTER TABLE "{table}" ALTER COLUMN "audience" DROP DEFAULT')
        return
    column, words = further
    constraint = f"{table}_{column}_check"
    ((said,),) = db.execute_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = %s AND connamespace = current_schema()::regnamespace::oid",
        (constraint,),
    ).fetchall()
    check = _allowed(column, _joined(said, words))
    db.execute_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"')
    db.execute_sql(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{constraint}" CHECK ({check})'
    )
    for name in times:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{name}" TIMESTAMP')


def _on_sqlite(db, table, further, times):
    """Make the table anew: SQLite cannot change a CHECK, nor add NOT NULL alone.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    columns = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{table}")')]
    names = names_after = ", ".join(f'"{name}"' for name in columns)
    values, more = names, "".join(f', "{name}" DATETIME' for name in times)
    if further is None:
        check = _allowed("audience", AUDIENCES.split("|"))
        more = f', "audience" VARCHAR(32) NOT NULL CHECK ({check})'
        names_after, values = f'{names}, "audience"', f"{names}, 'reporter'"
    else:
        sql = _widened(sql, *further)
    head, foreign, keys = sql.partition(", FOREIGN KEY")
    sql = head + more + foreign + keys if foreign else sql[:-1] + more + ")"
    sql, count = re.subn(
        rf'^CREATE TABLE "{table}"', f'CREATE TABLE "{table}_anew"', sql
    )
    if count != 1:
        raise ValueError(f"{table} was not made as expected")
    db.execute_sql(sql)
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({names_after})'  # noqa: S608
        f' SELECT {values} FROM "{table}"'
    )
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


def _widened(sql, column, words):
    found = re.search(rf'CHECK \("{column}" IN \([^)]*\)\)', sql)
    if found is None:
        raise ValueError(f"{column} has no CHECK")
    check = f"CHECK ({_allowed(column, _joined(found[0], words))})"
    return sql.replace(found[0], check, 1)


def _joined(said, words):
    """Give the words that a CHECK allows, and then the further ones."""
    return list(dict.fromkeys([*re.findall(r"'([^']*)'", said), *words]))


def _word(name, words, **options):
    check = Check(_allowed(name, words.split("|")))
    return CharField(max_length=32, constraints=[check], **options)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Ticket(Table):
        pass

    class Document(Table):
        pass

    class Pharmacy(Table):
        pass

    class User(Table):
        pass

    class TicketAttachment(Table):
        ticket = ForeignKeyField(Ticket, on_delete="RESTRICT")
        document = ForeignKeyField(Document, on_delete="RESTRICT")
        what = CharField()
        audience = _word("audience", AUDIENCES)
        pharmacy = ForeignKeyField(Pharmacy, null=True, on_delete="RESTRICT")
        added_by = CharField()
        added_at = DateTimeField()
        removed_by = CharField()
        removed_at = DateTimeField(null=True)

        class Meta:
            constraints = [
                Check("(audience = 'dispenser') = (pharmacy_id IS NOT NULL)")
            ]

    class TicketOverdue(Table):
        ticket = ForeignKeyField(Ticket, on_delete="CASCADE", index=False)
        clock = _word("clock", CLOCKS)
        due_at = DateTimeField()
        noticed_at = DateTimeField()

        class Meta:
            indexes = ((("ticket", "clock", "due_at"), True),)

    class TicketTaker(Table):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        problem = _word("problem", f"{PROBLEMS}|{FURTHER['ticket'][1]}")

        class Meta:
            indexes = ((("user", "problem"), True),)

    class EvidencePack(Table):
        ticket = ForeignKeyField(Ticket, on_delete="RESTRICT")
        document = ForeignKeyField(Document, on_delete="RESTRICT")
        code = CharField(max_length=16, unique=True)
        recipient = CharField()
        reason = TextField()
        pages = IntegerField()
        made_by = CharField()
        made_at = DateTimeField()

    db.create_tables([TicketAttachment, TicketOverdue, TicketTaker, EvidencePack])

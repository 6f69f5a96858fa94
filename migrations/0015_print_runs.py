"""Print runs of letters, and letters that are in one."""

import re
from datetime import UTC, datetime

from peewee import (
    SQL,
    CharField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
)

STATE = "batched"
TOGETHER = 500


def up(migrator, db):
    on_sqlite = isinstance(db, SqliteDatabase)
    (_state_on_sqlite if on_sqlite else _state_on_postgres)(db)
    _create_tables(db)


def _state_on_postgres(db):
    """Let a delivery be in the new state too."""
    ((said,),) = db.execute_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'delivery_state_check'"
        " AND conrelid = 'delivery'::regclass"
    ).fetchall()
    words = [*re.findall(r"'(\w+)'", said), STATE]
    allowed = ", ".join(f"'{word}'" for word in words)
    db.execute_sql('ALTER TABLE "delivery" DROP CONSTRAINT "delivery_state_check"')
    db.execute_sql(
        'ALTER TABLE "delivery" ADD CONSTRAINT "delivery_state_check"'
        f' CHECK ("state" IN ({allowed}))'
    )


def _state_on_sqlite(db):
    """Make the table anew, since SQLite cannot change a CHECK.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", "delivery")).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", "delivery")) if row[0]]
    changed, states = re.subn(
        r'(CHECK \("state" IN \([^)]*)\)\)', rf"\1, '{STATE}'))", sql
    )
    changed, names = re.subn(
        r'^CREATE TABLE "delivery"', 'CREATE TABLE "delivery_anew"', changed
    )
    if (states, names) != (1, 1):
        raise ValueError("delivery was not made as expected")
    db.execute_sql(changed)
    columns = ", ".join(
        f'"{row[1]}"' for row in db.execute_sql('PRAGMA table_info("delivery")')
    )
    db.execute_sql(
        f'INSERT INTO "delivery_anew" ({columns}) SELECT {columns} FROM "delivery"'  # noqa: S608
    )
    db.execute_sql('DROP TABLE "delivery"')
    db.execute_sql('ALTER TABLE "delivery_anew" RENAME TO "delivery"')
    for index in indexes:
        db.execute_sql(index)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Delivery(Table):
        pass

    class PrintRun(Table):
        kind = CharField(default="")
        opened_by = CharField()
        opened_at = DateTimeField(index=True)
        mailed_by = CharField(default="")
        mailed_on = DateField(null=True)
        mailed_at = DateTimeField(null=True)
        closed_at = DateTimeField(null=True)

    class PrintRunLetter(Table):
        run = ForeignKeyField(PrintRun, on_delete="CASCADE")
        delivery = ForeignKeyField(Delivery, on_delete="CASCADE", index=False)
        place = IntegerField()
        sheets = IntegerField()
        tracking = CharField(default="")
        taken_out_at = DateTimeField(null=True)
        taken_out_for = CharField(default="")

        class Meta:
            indexes = ((("run", "place"), True),)

    PrintRunLetter.add_index(
        PrintRunLetter.index(
            PrintRunLetter.delivery,
            unique=True,
            name="print_run_letter_once",
            where=SQL("taken_out_at IS NULL"),
        )
    )
    db.create_tables([PrintRun, PrintRunLetter])
    _run_of_what_is_printed(db, PrintRun, PrintRunLetter)


def _run_of_what_is_printed(db, run, letter):
    """Give letters that were printed and not yet mailed a run, to be mailed from."""
    query = (
        "SELECT id FROM delivery WHERE channel = 'letter' AND state = 'printed'"
        " ORDER BY id"
    )
    printed = [row[0] for row in db.execute_sql(query).fetchall()]
    if not printed:
        return
    at = datetime.now(UTC).replace(tzinfo=None)
    made = run.create(opened_by="upgrade", opened_at=at)
    rows = [
        {"run": made.id, "delivery": delivery, "place": place, "sheets": 1}
        for place, delivery in enumerate(printed, start=1)
    ]
    for start in range(0, len(rows), TOGETHER):
        letter.insert_many(rows[start : start + TOGETHER]).execute()

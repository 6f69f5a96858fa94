"""Whether a carrier is called, what staff were told, and who is next in a channel.

On SQLite `delivery` is made anew, for the new kind of message.
"""

import re

from peewee import (
    BooleanField,
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SqliteDatabase,
    TextField,
)

KIND = "staff_alert"
NEW_TIMES = ("told_at", "called_at")
STATES = "closed|open|half_open|paused"
ERRORS = (
    "busy|no_answer|not_a_fax|line_dropped|rejected|document|carrier_down"
    "|throttled|configuration|in_doubt|unknown"
)
ALERTS = "carrier|digest"


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        _delivery_on_sqlite(db)
    else:
        _delivery_on_postgres(db)
    db.execute_sql(
        'CREATE INDEX "delivery_queued" ON "delivery"'
        ' ("channel", "priority", "due_at", "id") WHERE state = \'queued\''
    )
    db.execute_sql(
        'CREATE INDEX "delivery_needs_staff" ON "delivery" ("told_at")'
        " WHERE needs_staff"
    )
    # Whoever waits for staff now is on their list already.
    db.execute_sql('UPDATE "delivery" SET "told_at" = "created_at" WHERE needs_staff')
    # Whoever is with a worker now may have been sent.
    db.execute_sql(
        'UPDATE "delivery" SET "called_at" = "lease_until" WHERE state = \'sending\''
        ' AND EXISTS (SELECT 1 FROM "delivery_attempt" AS one'
        ' WHERE one."delivery_id" = "delivery"."id"'
        ' AND one."number" = "delivery"."attempts" AND one."outcome" = \'calling\')'
    )
    _create_tables(db)


def _delivery_on_postgres(db):
    for column in NEW_TIMES:
        db.execute_sql(f'ALTER TABLE "delivery" ADD COLUMN "{column}" TIMESTAMP')
    ((said,),) = db.execute_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'delivery_kind_check'"
        " AND conrelid = 'delivery'::regclass"
    ).fetchall()
    allowed = ", ".join(f"'{word}'" for word in [*re.findall(r"'(\w+)'", said), KIND])
    db.execute_sql('ALTER TABLE "delivery" DROP CONSTRAINT "delivery_kind_check"')
    db.execute_sql(
        'ALTER TABLE "delivery" ADD CONSTRAINT "delivery_kind_check"'
        f' CHECK ("kind" IN ({allowed}))'
    )


def _delivery_on_sqlite(db):
    """Make the table anew: SQLite cannot change a CHECK.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", "delivery")).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", "delivery")) if row[0]]
    names = [row[1] for row in db.execute_sql('PRAGMA table_info("delivery")')]
    changed = re.sub(
        r'(CHECK \("kind" IN \([^)]*)\)', rf"\g<1>, '{KIND}')", sql.partition("(")[2]
    )
    changed = changed.replace(
        '"final_at" DATETIME,',
        '"final_at" DATETIME, "told_at" DATETIME, "called_at" DATETIME,',
        1,
    )
    if KIND not in changed or '"called_at"' not in changed:
        raise ValueError("delivery was not made as expected")
    db.execute_sql(f'CREATE TABLE "delivery_anew" ({changed}')
    listed = ", ".join(f'"{name}"' for name in names)
    db.execute_sql(
        f'INSERT INTO "delivery_anew" ({listed}) SELECT {listed} FROM "delivery"'  # noqa: S608
    )
    db.execute_sql('DROP TABLE "delivery"')
    db.execute_sql('ALTER TABLE "delivery_anew" RENAME TO "delivery"')
    for index in indexes:
        db.execute_sql(index)


def _word(name, words, **options):
    allowed = ", ".join(f"'{word}'" for word in words.split("|"))
    check = Check(f'"{name}" IN ({allowed})')
    return CharField(max_length=32, constraints=[check], **options)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Circuit(Table):
        channel = CharField()
        carrier = CharField()
        in_use = BooleanField()
        state = _word("state", STATES)
        since = DateTimeField()
        until = DateTimeField(null=True)
        troubled = BooleanField()
        failures = JSONField()
        openings = IntegerField()
        error_class = _word("error_class", ERRORS, null=True)
        why = TextField()
        changed_by = CharField()
        told_at = DateTimeField(null=True)

        class Meta:
            indexes = ((("channel", "carrier"), True),)

    class StaffAlert(Table):
        kind = _word("kind", ALERTS)
        circuit = ForeignKeyField(Circuit, null=True, on_delete="RESTRICT")
        content = JSONField()
        made_at = DateTimeField()

    db.create_tables([Circuit, StaffAlert])

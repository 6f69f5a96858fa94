"""When a carrier destroyed its copy of a fax, sent or received, and is asked again."""

from peewee import SqliteDatabase

TABLES = ("delivery_attempt", "inbound_fax")
COLUMNS = ("forgotten_at", "forget_due_at")


def up(migrator, db):
    kind = "DATETIME" if isinstance(db, SqliteDatabase) else "TIMESTAMP"
    for table in TABLES:
        for column in COLUMNS:
            db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
    # What an attempt's outcome said of it until now.
    db.execute_sql(
        'UPDATE "delivery_attempt"'
        ' SET "forgotten_at" = COALESCE("ended_at", "started_at")'
        " WHERE \"outcome\" = 'forgotten'"
    )

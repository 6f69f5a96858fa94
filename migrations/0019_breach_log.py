"""What staff do about messages that went astray: a breach or not, a page that asks.

And indexes for the figures of deliveries by the day.
"""

import re

from peewee import SqliteDatabase

KIND = "destroy_notice"


def up(migrator, db):
    on_sqlite = isinstance(db, SqliteDatabase)
    kind = "INTEGER" if on_sqlite else "BOOLEAN"
    db.execute_sql(f'ALTER TABLE "misdelivery" ADD COLUMN "is_breach" {kind}')
    if on_sqlite:
        _delivery_anew(db)
    else:
        _delivery_on_postgres(db)
    db.execute_sql('CREATE INDEX "delivery_final_at" ON "delivery" ("final_at")')
    db.execute_sql(
        'CREATE INDEX "delivery_attempt_started_at"'
        ' ON "delivery_attempt" ("started_at")'
    )


def _delivery_on_postgres(db):
    """Let a delivery be of the new kind too."""
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


def _delivery_anew(db):
    """Make the table anew: SQLite changes no check. Foreign keys are off meanwhile."""
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", "delivery")).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", "delivery")) if row[0]]
    changed, number = re.subn(
        r"""(CHECK\s*\("kind" IN \([^)]*)\)""", rf"\1, '{KIND}')", sql, count=1
    )
    if number != 1:
        raise ValueError("delivery was not made as expected")
    names = [row[1] for row in db.execute_sql('PRAGMA table_info("delivery")')]
    listed = ", ".join(f'"{name}"' for name in names)
    body = changed.partition("(")[2]
    db.execute_sql(f'CREATE TABLE "delivery_anew" ({body}')
    db.execute_sql(
        f'INSERT INTO "delivery_anew" ({listed}) SELECT {listed} FROM "delivery"'  # noqa: S608
    )
    db.execute_sql('DROP TABLE "delivery"')
    db.execute_sql('ALTER TABLE "delivery_anew" RENAME TO "delivery"')
    for index in indexes:
        db.execute_sql(index)

"""Other roles for staff accounts, settings that are kept, and the news of an account.

On SQLite `delivery` is made anew, for the new kind of message.
"""

import re

from peewee import SqliteDatabase

KIND = "account_news"
ROLES = "'practitioner', 'pharmacy', 'staff', 'analyst', 'administrator', 'auditor'"
STATUSES = "'open', 'confirmed', 'declined', 'withdrawn'"


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        _delivery_anew(db)
        _tables(db, key="INTEGER", time="DATETIME", json="TEXT")
    else:
        _delivery_on_postgres(db)
        _tables(db, key="SERIAL", time="TIMESTAMP", json="JSONB")
    db.execute_sql('CREATE INDEX "role_change_user_id" ON "role_change" ("user_id")')
    db.execute_sql('CREATE INDEX "role_change_status" ON "role_change" ("status")')
    db.execute_sql(
        'CREATE UNIQUE INDEX "role_change_open_once" ON "role_change" ("user_id")'
        " WHERE status = 'open'"
    )
    for column in ("follows", "undoes_id"):
        db.execute_sql(
            f'CREATE UNIQUE INDEX "setting_change_{column}"'
            f' ON "setting_change" ("{column}")'
        )


def _tables(db, *, key, time, json):
    db.execute_sql(
        f'CREATE TABLE "role_change" ("id" {key} NOT NULL PRIMARY KEY,'
        ' "user_id" INTEGER NOT NULL,'
        f' "from_role" VARCHAR(32) NOT NULL CHECK ("from_role" IN ({ROLES})),'
        f' "to_role" VARCHAR(32) NOT NULL CHECK ("to_role" IN ({ROLES})),'
        ' "reason" TEXT NOT NULL, "proposed_by" VARCHAR(255) NOT NULL,'
        f' "proposed_at" {time} NOT NULL,'
        f' "status" VARCHAR(32) NOT NULL CHECK ("status" IN ({STATUSES})),'
        f' "decided_by" VARCHAR(255) NOT NULL, "decided_at" {time},'
        ' "answer" TEXT NOT NULL,'
        ' FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE,'
        " CHECK (from_role <> to_role),"
        " CHECK (status <> 'confirmed' OR decided_by <> proposed_by))"
    )
    db.execute_sql(
        f'CREATE TABLE "setting_change" ("id" {key} NOT NULL PRIMARY KEY,'
        f' "follows" INTEGER NOT NULL, "before" {json} NOT NULL,'
        f' "after" {json} NOT NULL, "reason" TEXT NOT NULL,'
        f' "changed_by" VARCHAR(255) NOT NULL, "changed_at" {time} NOT NULL,'
        ' "undoes_id" INTEGER, FOREIGN KEY ("undoes_id")'
        ' REFERENCES "setting_change" ("id") ON DELETE RESTRICT)'
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

"""Other roles for staff accounts, and settings that are kept."""

from peewee import SqliteDatabase

ROLES = "'practitioner', 'pharmacy', 'staff', 'analyst', 'administrator', 'auditor'"
STATUSES = "'open', 'confirmed', 'declined', 'withdrawn'"


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        _tables(db, key="INTEGER", time="DATETIME", json="TEXT")
    else:
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

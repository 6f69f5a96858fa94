"""Second factors, forgotten passwords, and accounts that are kept in order.

Accounts that have come in before count as attested on the day they were made: their
registration said so.
"""

import re

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SqliteDatabase,
)

KINDS = ("forgotten_password", "account_notice")
NOTICES = (
    "factor_added",
    "factor_removed",
    "password_changed",
    "new_sign_in",
    "closing",
    "closed",
    "suspended",
    "reactivated",
    "unlocked",
    "new_letter",
    "role_changed",
    "licence_suspended",
    "licence_reinstated",
)


def up(migrator, db):
    on_sqlite = isinstance(db, SqliteDatabase)
    time, truth = ("DATETIME", "INTEGER") if on_sqlite else ("TIMESTAMP", "BOOLEAN")
    db.execute_sql(f'ALTER TABLE "user" ADD COLUMN "password_is_short" {truth}')
    for column in ("attested_at", "closing_told_at", "reopened_at"):
        db.execute_sql(f'ALTER TABLE "user" ADD COLUMN "{column}" {time}')
    db.execute_sql(
        'UPDATE "user" SET attested_at = created_at WHERE password_hash IS NOT NULL'
    )
    _create_tables(db)
    if on_sqlite:
        _delivery_anew(db)
    else:
        _delivery_on_postgres(db)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class AuthenticatorApp(Table):
        user = ForeignKeyField(User, on_delete="CASCADE", unique=True)
        secret = BlobField(null=True)
        next_secret = BlobField(null=True)
        next_at = DateTimeField(null=True)
        added_at = DateTimeField(null=True)
        last_step = IntegerField(default=0)
        wrong_tries = IntegerField(default=0)

    class RecoveryCode(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        code_hash = CharField(max_length=64)
        made_at = DateTimeField()
        used_at = DateTimeField(null=True)

    class Passkey(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        credential = CharField(unique=True, max_length=1400)
        public_key = BlobField()
        signatures = BigIntegerField(default=0)
        name = CharField()
        added_at = DateTimeField()
        used_at = DateTimeField(null=True)

    class FactorRemoval(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        reason = CharField()
        asked_by = ForeignKeyField(User, on_delete="RESTRICT", backref="+")
        asked_at = DateTimeField()
        decided_by = ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
        decided_at = DateTimeField(null=True)
        agreed = BooleanField(null=True)

    class ForgottenPassword(Table):
        user = ForeignKeyField(User, null=True, on_delete="CASCADE")
        by_letter = BooleanField()
        place = CharField(default="")
        asked_by = CharField(default="")
        asked_at = DateTimeField(index=True)
        answered_at = DateTimeField(null=True)
        token_sha256 = CharField(max_length=64, null=True, unique=True)
        expires_at = DateTimeField(null=True)
        ended_at = DateTimeField(null=True)

    class KeptForm(Table):
        user = ForeignKeyField(User, on_delete="CASCADE", unique=True)
        path = CharField(max_length=1000)
        sealed = BlobField()
        kept_at = DateTimeField(index=True)

    class AccountNotice(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        kind = CharField(max_length=32, constraints=[_among("kind", NOTICES)])
        detail = JSONField(default=dict)
        made_at = DateTimeField()

    db.create_tables(
        [
            AuthenticatorApp,
            RecoveryCode,
            Passkey,
            FactorRemoval,
            ForgottenPassword,
            KeptForm,
            AccountNotice,
        ]
    )
    db.execute_sql(
        'CREATE UNIQUE INDEX "factor_removal_waits_once"'
        ' ON "factor_removal" ("user_id") WHERE decided_at IS NULL'
    )


def _among(column, words):
    allowed = ", ".join(f"'{word}'" for word in words)
    return Check(f'"{column}" IN ({allowed})')


def _delivery_on_postgres(db):
    """Let a delivery be of the new kinds too."""
    ((said,),) = db.execute_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'delivery_kind_check'"
        " AND conrelid = 'delivery'::regclass"
    ).fetchall()
    words = [*re.findall(r"'(\w+)'", said), *KINDS]
    allowed = ", ".join(f"'{word}'" for word in words)
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
    added = "".join(f", '{kind}'" for kind in KINDS)
    changed, number = re.subn(
        r"""(CHECK\s*\("kind" IN \([^)]*)\)""", rf"\1{added})", sql, count=1
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

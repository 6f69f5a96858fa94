"""Licences that will end; denials of a part, reviews of denials, mailed letters."""

import re

from peewee import (
    CharField,
    Check,
    DateField,
    DateTimeField,
    ForeignKeyField,
    JSONField,
    Model,
    SqliteDatabase,
    TextField,
)

NOTICE = "account_notice"
KIND = "licence_ending"


def up(migrator, db):
    db.execute_sql('ALTER TABLE "user" ADD COLUMN "licence_told_for" DATE')
    db.execute_sql('ALTER TABLE "scheduled_run" ADD COLUMN "more" INTEGER')
    if isinstance(db, SqliteDatabase):
        _notice_anew(db)
    else:
        _notice_on_postgres(db)
    _create_tables(db)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Document(Table):
        pass

    class PatientRequest(Table):
        pass

    class PartDenial(Table):
        request = ForeignKeyField(PatientRequest, on_delete="RESTRICT", unique=True)
        entries = JSONField()
        ground = CharField()
        reason = TextField()
        denied_by = CharField()
        denied_at = DateTimeField()
        letter = ForeignKeyField(Document, null=True, on_delete="RESTRICT")

    class DenialReview(Table):
        request = ForeignKeyField(PatientRequest, on_delete="RESTRICT", index=False)
        denied_at = DateTimeField()
        asked_on = DateField()
        noted_by = CharField()
        reviewer = CharField()
        outcome = CharField(
            max_length=32,
            null=True,
            constraints=[Check("\"outcome\" IN ('upheld', 'overturned')")],
        )
        reason = TextField()
        ended_by = CharField()
        ended_at = DateTimeField(null=True)
        letter = ForeignKeyField(Document, null=True, on_delete="RESTRICT")

        class Meta:
            indexes = ((("request", "denied_at"), True),)

    class LetterMailing(Table):
        document = ForeignKeyField(Document, on_delete="RESTRICT", unique=True)
        mailed_on = DateField()
        noted_by = CharField()

    db.create_tables([PartDenial, DenialReview, LetterMailing])


def _notice_on_postgres(db):
    """Let a notice be of the new kind too."""
    name = f"{NOTICE}_kind_check"
    ((said,),) = db.execute_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = %s AND conrelid = %s::regclass",
        (name, NOTICE),
    ).fetchall()
    words = [*re.findall(r"'(\w+)'", said), KIND]
    allowed = ", ".join(f"'{word}'" for word in words)
    db.execute_sql(f'ALTER TABLE "{NOTICE}" DROP CONSTRAINT "{name}"')
    db.execute_sql(
        f'ALTER TABLE "{NOTICE}" ADD CONSTRAINT "{name}" CHECK ("kind" IN ({allowed}))'
    )


def _notice_anew(db):
    """Make the table anew: SQLite changes no check. Foreign keys are off meanwhile."""
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", NOTICE)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", NOTICE)) if row[0]]
    changed, number = re.subn(
        r"""(CHECK\s*\("kind" IN \([^)]*)\)""", rf"\1, '{KIND}')", sql, count=1
    )
    if number != 1:
        raise ValueError(f"{NOTICE} was not made as expected")
    names = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{NOTICE}")')]
    listed = ", ".join(f'"{name}"' for name in names)
    body = changed.partition("(")[2]
    db.execute_sql(f'CREATE TABLE "{NOTICE}_anew" ({body}')
    db.execute_sql(
        f'INSERT INTO "{NOTICE}_anew" ({listed}) SELECT {listed} FROM "{NOTICE}"'  # noqa: S608
    )
    db.execute_sql(f'DROP TABLE "{NOTICE}"')
    db.execute_sql(f'ALTER TABLE "{NOTICE}_anew" RENAME TO "{NOTICE}"')
    for index in indexes:
        db.execute_sql(index)

"""Registrations that are being typed, what staff have on the desk, reminders."""

from peewee import (
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    JSONField,
    Model,
    SqliteDatabase,
)

PROFESSIONS = "\"profession\" IN ('practitioner', 'pharmacy')"


def up(migrator, db):
    moment = "DATETIME" if isinstance(db, SqliteDatabase) else "TIMESTAMP"
    for name in ("mailed_at", "reminded_at"):
        db.execute_sql(f'ALTER TABLE "application" ADD COLUMN "{name}" {moment}')
    _create_tables(db)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class ApplicationDraft(Table):
        code = CharField(unique=True)
        profession = CharField(max_length=32, constraints=[Check(PROFESSIONS)])
        answers = JSONField(default=dict)
        started_at = DateTimeField()
        saved_at = DateTimeField(index=True)

    class DeskHold(Table):
        subject = CharField(unique=True)
        user = ForeignKeyField(User, on_delete="CASCADE")
        until = DateTimeField()

    db.create_tables([ApplicationDraft, DeskHold])

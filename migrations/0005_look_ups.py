"""Where look-ups began and why some are refused; unusual ones; lists of patients."""

import re

from peewee import (
    BooleanField,
    CharField,
    Check,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

ORIGINS = "search|candidate|again|schedule"
KINDS = "own_name|protected_person|volume|limit|no_link|odd_hour"
STATUSES = "open|asked|answered|explained"
PURPOSES = "treating|dispensing|reviewing_own|oversight"
OUTCOMES = "asked|report|candidates|none|refused"


def up(migrator, db):
    allowed = _allowed("origin", ORIGINS)
    added = [
        ("origin", f"VARCHAR(32) NOT NULL CHECK ({allowed})", "'search'"),
        ("zip", "VARCHAR(255) NOT NULL", "''"),
        ("refusal", "VARCHAR(255) NOT NULL", "''"),
    ]
    change = _on_sqlite if isinstance(db, SqliteDatabase) else _on_postgres
    change(db, "look_up", added)
    db.execute_sql('DROP INDEX "look_up_user_id"')  # the next one begins with it
    db.execute_sql('CREATE INDEX "look_up_user_id_at" ON "look_up" ("user_id", "at")')
    _create_tables(db)


def _allowed(name, words):
    allowed = ", ".join(f"'{word}'" for word in words.split("|"))
    return f'"{name}" IN ({allowed})'


def _on_postgres(db, table, added):
    for name, kind, value in added:
        filled = kind.replace("NOT NULL", f"NOT NULL DEFAULT {value}")
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{name}" {filled}')
        db.execute_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{name}" DROP DEFAULT')


def _on_sqlite(db, table, added):
    """Make the table anew: SQLite adds no NOT NULL column without a default.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    columns = [row[1] for row in db.execute_sql(f'PRAGMA table_info("{table}")')]
    more = "".join(f', "{name}" {kind}' for name, kind, _ in added)
    head, foreign, keys = sql.partition(", FOREIGN KEY")
    if not foreign:
        raise ValueError(f"{table} was not made as expected")
    sql, count = re.subn(
        rf'^CREATE TABLE "{table}"',
        f'CREATE TABLE "{table}_anew"',
        head + more + foreign + keys,
    )
    if count != 1:
        raise ValueError(f"{table} was not made as expected")
    names = ", ".join(f'"{name}"' for name in columns)
    names_after = names + "".join(f', "{name}"' for name, _, _ in added)
    values = "".join(f", {value}" for _, _, value in added)
    db.execute_sql(sql)
    db.execute_sql(
        f'INSERT INTO "{table}_anew" ({names_after})'  # noqa: S608
        f' SELECT {names}{values} FROM "{table}"'
    )
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


def _word(name, words, **options):
    check = Check(_allowed(name, words))
    return CharField(max_length=32, constraints=[check], **options)


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class LookUp(Table):
        pass

    class UnusualLookUp(Table):
        look_up = ForeignKeyField(LookUp, on_delete="RESTRICT", index=False)
        user = ForeignKeyField(User, on_delete="RESTRICT", index=False)
        kind = _word("kind", KINDS)
        reason = TextField()
        status = _word("status", STATUSES)
        found_at = DateTimeField()
        explained_by = CharField()
        explained_at = DateTimeField(null=True)

        class Meta:
            indexes = (
                (("look_up", "kind"), True),
                (("status", "found_at"), False),
                (("user", "kind", "found_at"), False),
            )

    class UnusualLookUpMessage(Table):
        unusual = ForeignKeyField(UnusualLookUp, on_delete="CASCADE")
        at = DateTimeField()
        by = CharField()
        text = TextField()

    class ProtectedPerson(Table):
        last_name = CharField()
        first_name = CharField()
        birth_date = DateField(index=True)
        reason = TextField()
        added_by = CharField()
        added_at = DateTimeField()
        removed_by = CharField()
        removed_at = DateTimeField(null=True)

    class PatientSchedule(Table):
        user = ForeignKeyField(User, on_delete="CASCADE")
        purpose = _word("purpose", PURPOSES)
        since = DateField()
        until = DateField()
        similar = BooleanField()
        made_at = DateTimeField()
        finished_at = DateTimeField(null=True, index=True)
        forget_at = DateTimeField(index=True)

    class ScheduledPatient(Table):
        schedule = ForeignKeyField(PatientSchedule, on_delete="CASCADE", index=False)
        number = IntegerField()
        first_name = CharField()
        last_name = CharField()
        birth_date = DateField()
        claimed_until = DateTimeField(null=True)
        outcome = _word("outcome", OUTCOMES)
        look_up = ForeignKeyField(LookUp, null=True, on_delete="SET NULL")
        fills = IntegerField()
        last_fill = DateField(null=True)
        mme = CharField()
        warnings = IntegerField()

        class Meta:
            indexes = ((("schedule", "number"), True),)

    db.create_tables(
        [
            UnusualLookUp,
            UnusualLookUpMessage,
            ProtectedPerson,
            PatientSchedule,
            ScheduledPatient,
        ]
    )

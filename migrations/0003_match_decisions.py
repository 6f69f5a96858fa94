"""What staff decide about who is one person, and whom a reporter says is not theirs."""

import re

from peewee import (
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    JSONField,
    Model,
    SqliteDatabase,
    TextField,
)

KINDS = "join|keep_apart|split"
SIDES = "patient|other"
NOTICE = '"recipient_id", "dispensation_id", "version"'
NOTICE_INDEX = "correction_notice_recipient_id_dispensation_id_version"


def up(migrator, db):
    _create_tables(db)
    db.execute_sql(f'DROP INDEX "{NOTICE_INDEX}"')
    if isinstance(db, SqliteDatabase):
        _add_turn_on_sqlite(db)
    else:
        db.execute_sql(
            'ALTER TABLE "correction_notice"'
            ' ADD COLUMN "turn" INTEGER NOT NULL DEFAULT 0'
        )
        db.execute_sql(
            'ALTER TABLE "correction_notice" ALTER COLUMN "turn" DROP DEFAULT'
        )
    db.execute_sql(
        f'CREATE UNIQUE INDEX "{NOTICE_INDEX}_turn"'
        f' ON "correction_notice" ({NOTICE}, "turn")'
    )


def _add_turn_on_sqlite(db):
    """Make the table anew: SQLite adds no column that is NOT NULL and has no default.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", "correction_notice")).fetchall()
    indexes = db.execute_sql(query, ("index", "correction_notice")).fetchall()
    listed = db.execute_sql('PRAGMA table_info("correction_notice")').fetchall()
    names = ", ".join(f'"{row[1]}"' for row in listed)
    head, foreign, keys = sql.partition(", FOREIGN KEY")
    sql = head + ', "turn" INTEGER NOT NULL' + foreign + keys
    sql, count = re.subn(r'^CREATE TABLE "\w+"', 'CREATE TABLE "anew"', sql)
    if count != 1 or not foreign:
        raise ValueError("correction_notice was not made as expected")
    db.execute_sql(sql)
    db.execute_sql(
        f'INSERT INTO "anew" ({names}, "turn")'  # noqa: S608
        f' SELECT {names}, 0 FROM "correction_notice"'
    )
    db.execute_sql('DROP TABLE "correction_notice"')
    db.execute_sql('ALTER TABLE "anew" RENAME TO "correction_notice"')
    for (index,) in indexes:
        if index:
            db.execute_sql(index)


def word(name, words):
    allowed = ", ".join(f"'{each}'" for each in words.split("|"))
    return CharField(max_length=32, constraints=[Check(f'"{name}" IN ({allowed})')])


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Patient(Table):
        pass

    class ReportedIdentity(Table):
        pass

    class MatchReview(Table):
        pass

    class Ticket(Table):
        pass

    class MatchDecision(Table):
        kind = word("kind", KINDS)
        patient = ForeignKeyField(Patient, on_delete="RESTRICT")
        other = ForeignKeyField(Patient, on_delete="RESTRICT")
        review = ForeignKeyField(MatchReview, null=True, on_delete="RESTRICT")
        reason = TextField(default="")
        decided_by = CharField()
        decided_at = DateTimeField()
        besides = JSONField(default=dict)
        undone_by = CharField(default="")
        undone_at = DateTimeField(null=True)

    class DecidedIdentity(Table):
        decision = ForeignKeyField(MatchDecision, on_delete="CASCADE", index=False)
        identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")
        side = word("side", SIDES)
        before = ForeignKeyField(Patient, on_delete="RESTRICT")
        after = ForeignKeyField(Patient, on_delete="RESTRICT")
        returned = ForeignKeyField(Patient, null=True, on_delete="RESTRICT")

        class Meta:
            indexes = ((("decision", "identity"), True),)

    class TicketIdentity(Table):
        ticket = ForeignKeyField(Ticket, on_delete="CASCADE", index=False)
        identity = ForeignKeyField(ReportedIdentity, on_delete="RESTRICT")

        class Meta:
            indexes = ((("ticket", "identity"), True),)

    db.create_tables([MatchDecision, DecidedIdentity, TicketIdentity])

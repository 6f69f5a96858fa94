"""What recipients of threshold reports answer, by page and by fax, and their notes."""

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

ANSWERS = "my_patient|not_my_patient"
CHANNELS = "page|fax|phone"
ANSWERED = "threshold_case:answered"
TOGETHER = 500
STATUSES = "waiting|kept|set_aside"
REASONS = "unsigned|unreadable|wrong_person|repeated|other"


def up(migrator, db):
    allow = _allow_on_sqlite if isinstance(db, SqliteDatabase) else _allow_on_postgres
    allow(db, "delivery", "kind", "care_note")
    _create_tables(db)
    _keep_answers(db)


def _check(name, words):
    allowed = ", ".join(f"'{word}'" for word in words)
    return f'CHECK ("{name}" IN ({allowed}))'


def _allow_on_postgres(db, table, name, word):
    """Add a word to those that a column may hold, whichever they are."""
    constraint = f"{table}_{name}_check"
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s"
    ((held,),) = db.execute_sql(query, (constraint,)).fetchall()
    words = re.findall(r"'([a-z_]+)'", held)
    if not words:
        raise ValueError(f"{table}.{name} was not made as expected")
    db.execute_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"')
    db.execute_sql(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{constraint}"'
        f" {_check(name, [*words, word])}"
    )


def _allow_on_sqlite(db, table, name, word):
    """Make the table anew: SQLite cannot change a CHECK.

    Foreign keys are off meanwhile, as whoever runs migrations sees to.
    """
    query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = ?"
    ((sql,),) = db.execute_sql(query, ("table", table)).fetchall()
    indexes = [row[0] for row in db.execute_sql(query, ("index", table)) if row[0]]
    held = re.search(rf'CHECK \("{name}" IN \(([^)]*)\)\)', sql)
    if held is None:
        raise ValueError(f"{table}.{name} has no CHECK")
    words = re.findall(r"'([a-z_]+)'", held[1])
    sql = sql.replace(held[0], _check(name, [*words, word]))
    sql, count = re.subn(
        rf'^CREATE TABLE "{table}"', f'CREATE TABLE "{table}_anew"', sql
    )
    if count != 1:
        raise ValueError(f"{table} was not made as expected")
    db.execute_sql(sql)
    db.execute_sql(f'INSERT INTO "{table}_anew" SELECT * FROM "{table}"')  # noqa: S608
    db.execute_sql(f'DROP TABLE "{table}"')
    db.execute_sql(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for index in indexes:
        db.execute_sql(index)


def _word(name, words, **options):
    return CharField(
        max_length=32,
        constraints=[
            Check(_check(name, words.split("|")).removeprefix("CHECK (")[:-1])
        ],
        **options,
    )


def _create_tables(db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class InboundFax(Table):
        pass

    class CaseRecipient(Table):
        pass

    class RecipientReply(Table):
        recipient = ForeignKeyField(CaseRecipient, on_delete="CASCADE")
        channel = _word("channel", CHANNELS)
        answer = _word("answer", ANSWERS, null=True)
        wrong_rows = JSONField()
        discussed_with_patient = BooleanField()
        discussed_with_others = BooleanField()
        referral_offered = BooleanField()
        please_call = BooleanField()
        note = TextField()
        tickets = JSONField()
        given_by = CharField()
        given_at = DateTimeField()
        called_by = CharField()
        called_at = DateTimeField(null=True)

    class FaxedReply(Table):
        fax = ForeignKeyField(InboundFax, on_delete="RESTRICT", index=False)
        recipient = ForeignKeyField(CaseRecipient, on_delete="CASCADE")
        page = IntegerField()
        status = _word("status", STATUSES, index=True)
        received_at = DateTimeField()
        reply = ForeignKeyField(RecipientReply, null=True, on_delete="RESTRICT")
        reason = _word("reason", REASONS, null=True)
        note = TextField()
        handled_by = CharField()
        handled_at = DateTimeField(null=True)

        class Meta:
            indexes = ((("fax", "recipient"), True),)

    class CareNote(Table):
        sender = ForeignKeyField(CaseRecipient, on_delete="RESTRICT")
        addressee = ForeignKeyField(CaseRecipient, on_delete="RESTRICT")
        text = TextField()
        sent_by = ForeignKeyField(User, on_delete="RESTRICT", index=False)
        sent_at = DateTimeField()
        opened_at = DateTimeField(null=True)

        class Meta:
            constraints = [Check("sender_id <> addressee_id")]
            indexes = ((("sent_by", "sent_at"), False),)

    db.create_tables([RecipientReply, FaxedReply, CareNote])


def _keep_answers(db):
    """Make a reply of each answer that was given before; who gave it, the record says.

    Until then an answer was given on the page, or staff wrote it down: not known which.
    """

    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class AuditEvent(Table):
        event = CharField()
        actor = CharField()
        detail = JSONField()

    class CaseRecipient(Table):
        answer = CharField(null=True)
        answered_at = DateTimeField(null=True)
        note = TextField()

    class RecipientReply(Table):
        recipient = ForeignKeyField(CaseRecipient)
        channel = CharField()
        answer = CharField(null=True)
        wrong_rows = JSONField()
        discussed_with_patient = BooleanField()
        discussed_with_others = BooleanField()
        referral_offered = BooleanField()
        please_call = BooleanField()
        note = TextField()
        tickets = JSONField()
        given_by = CharField()
        given_at = DateTimeField()
        called_by = CharField()

    answered = (
        CaseRecipient.select()
        .where(CaseRecipient.answered_at.is_null(is_null=False))
        .order_by(CaseRecipient.id)
    )
    events = (
        AuditEvent.select().where(AuditEvent.event == ANSWERED).order_by(AuditEvent.id)
    )
    by = {each.detail.get("recipient"): each.actor for each in events}
    rows = [
        {
            "recipient": each.id,
            "channel": "page",
            "answer": each.answer,
            "wrong_rows": {},
            "discussed_with_patient": False,
            "discussed_with_others": False,
            "referral_offered": False,
            "please_call": False,
            "note": each.note,
            "tickets": [],
            "given_by": by.get(each.id, "before"),
            "given_at": each.answered_at,
            "called_by": "",
        }
        for each in answered
    ]
    for start in range(0, len(rows), TOGETHER):
        RecipientReply.insert_many(rows[start : start + TOGETHER]).execute()

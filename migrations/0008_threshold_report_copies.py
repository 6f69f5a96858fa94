"""Drawings of Patient Threshold Reports, with their verification codes."""

from peewee import (
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
)

TOGETHER = 500


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Document(Table):
        sha256 = CharField()
        created_at = DateTimeField()

    class CaseRecipient(Table):
        document = ForeignKeyField(Document, null=True)

    class ThresholdReportCopy(Table):
        recipient = ForeignKeyField(CaseRecipient, on_delete="CASCADE")
        document = ForeignKeyField(Document, on_delete="RESTRICT")
        code = CharField(max_length=16, null=True, unique=True)
        pages = IntegerField()
        sha256 = CharField(max_length=64)
        entries = JSONField(default=list)
        made_at = DateTimeField(index=True)

    db.create_tables([ThresholdReportCopy])
    # What was drawn before has no code; it is kept and destroyed like the others.
    drawn = (
        CaseRecipient.select(CaseRecipient.id, Document)
        .join(Document)
        .order_by(CaseRecipient.id)
    )
    rows = [
        {
            "recipient": each.id,
            "document": each.document.id,
            "pages": 0,
            "sha256": each.document.sha256,
            "entries": [],
            "made_at": each.document.created_at,
        }
        for each in drawn
    ]
    for start in range(0, len(rows), TOGETHER):
        ThresholdReportCopy.insert_many(rows[start : start + TOGETHER]).execute()

"""Drawings of threshold reports with their codes; messages that went astray."""

from peewee import (
    BooleanField,
    CharField,
    Check,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
)

TOGETHER = 500
BECAME = "\"became\" IN ('destroyed', 'returned', 'kept', 'unknown')"


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Document(Table):
        sha256 = CharField()
        created_at = DateTimeField()

    class ThresholdCase(Table):
        pass

    class Dispensation(Table):
        row_code = CharField()

    class CaseEntry(Table):
        case = ForeignKeyField(ThresholdCase)
        dispensation = ForeignKeyField(Dispensation)

    class CaseRecipient(Table):
        case = ForeignKeyField(ThresholdCase)
        document = ForeignKeyField(Document, null=True)

    class ThresholdReportCopy(Table):
        recipient = ForeignKeyField(CaseRecipient, on_delete="CASCADE")
        document = ForeignKeyField(Document, on_delete="RESTRICT")
        code = CharField(max_length=16, null=True, unique=True)
        pages = IntegerField()
        sha256 = CharField(max_length=64)
        entries = JSONField(default=list)
        made_at = DateTimeField(index=True)

    class Delivery(Table):
        pass

    class Misdelivery(Table):
        delivery = ForeignKeyField(Delivery, unique=True, on_delete="RESTRICT")
        told_by = CharField()
        became = CharField(max_length=32, constraints=[Check(BECAME)])
        note = TextField(default="")
        address_barred = BooleanField(default=True)
        recorded_by = CharField()
        recorded_at = DateTimeField(index=True)
        assessment = TextField(default="")
        assessed_by = CharField(null=True)
        assessed_at = DateTimeField(null=True)

    db.create_tables([ThresholdReportCopy, Misdelivery])
    # What was drawn before has no code; it is kept and destroyed like the others, and
    # kept back like them once its entries are found to be of two people.
    drawn = list(
        CaseRecipient.select(CaseRecipient.id, CaseRecipient.case, Document)
        .join(Document)
        .order_by(CaseRecipient.id)
    )
    entries = _row_codes(CaseEntry, Dispensation) if drawn else {}
    rows = [
        {
            "recipient": each.id,
            "document": each.document.id,
            "pages": 0,
            "sha256": each.document.sha256,
            "entries": entries.get(each.__data__["case"], []),
            "made_at": each.document.created_at,
        }
        for each in drawn
    ]
    for start in range(0, len(rows), TOGETHER):
        ThresholdReportCopy.insert_many(rows[start : start + TOGETHER]).execute()


def _row_codes(entry, dispensation):
    """Give the codes of each case's rows, by case id."""
    query = (
        entry.select(entry.case, dispensation.row_code)
        .join(dispensation)
        .order_by(entry.case, dispensation.id)
        .tuples()
    )
    found = {}
    for case, code in query:
        found.setdefault(case, []).append(code)
    return found

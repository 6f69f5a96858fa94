"""What a report showed, and the PDFs of reports with their verification codes."""

from peewee import (
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
)


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class LookUp(Table):
        pass

    class Document(Table):
        pass

    class User(Table):
        pass

    class ReportSeen(Table):
        look_up = ForeignKeyField(LookUp, unique=True, on_delete="CASCADE")
        seen_at = DateTimeField()
        entries = JSONField(default=dict)

    class ReportCopy(Table):
        look_up = ForeignKeyField(LookUp, on_delete="RESTRICT")
        document = ForeignKeyField(Document, on_delete="RESTRICT")
        code = CharField(max_length=16, unique=True)
        pages = IntegerField()
        entries = IntegerField()
        sha256 = CharField(max_length=64)
        made_at = DateTimeField(index=True)
        made_by = ForeignKeyField(User, on_delete="RESTRICT")

    db.create_tables([ReportSeen, ReportCopy])

"""Patients' own requests, official requests, and disclosures not told yet."""

from peewee import (
    CharField,
    Check,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
)

OFFICIAL_STATES = "preparing|waiting|released|denied|withdrawn"


def _word(name, words, **options):
    allowed = ", ".join(f"'{word}'" for word in words.split("|"))
    check = Check(f'"{name}" IN ({allowed})')
    return CharField(max_length=32, constraints=[check], **options)


def up(migrator, db):
    db.execute_sql('ALTER TABLE "disclosure" ADD COLUMN "suspended_until" DATE')

    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Patient(Table):
        pass

    class Document(Table):
        pass

    class Disclosure(Table):
        pass

    class PatientRequest(Table):
        patient = ForeignKeyField(Patient, on_delete="RESTRICT")
        asks = _word("asks", "both|record|accounting")
        asked_by = CharField()
        represents = CharField()
        identity_paper = CharField()
        paper_seen_by = CharField()
        address = TextField()
        since = DateField()
        until = DateField()
        received_on = DateField()
        due_on = DateField()
        state = _word("state", "open|given|mailed|denied|withdrawn", index=True)
        extended_at = DateTimeField(null=True)
        extended_by = CharField()
        extended_reason = TextField()
        document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
        code = CharField(max_length=16, null=True, unique=True)
        pages = IntegerField()
        made_at = DateTimeField(null=True)
        taken_by = CharField()
        taken_at = DateTimeField()
        ended_by = CharField()
        ended_at = DateTimeField(null=True)
        ended_note = TextField()

        class Meta:
            constraints = [Check("(state = 'open') = (ended_at IS NULL)")]

    class OfficialRequest(Table):
        case_number = CharField()
        agency = CharField()
        officer = CharField()
        contact = CharField()
        address = TextField()
        legal_basis = CharField()
        reason = TextField()
        received_on = DateField()
        since = DateField()
        until = DateField()
        classes = JSONField()
        suspension = _word("suspension", "written|oral", null=True)
        suspended_until = DateField(null=True)
        state = _word(
            "state", "preparing|waiting|released|denied|withdrawn", index=True
        )
        revision = IntegerField()
        prepared_by = CharField()
        prepared_at = DateTimeField()
        decided_by = CharField()
        decided_at = DateTimeField(null=True)
        decided_note = TextField()
        document = ForeignKeyField(Document, null=True, on_delete="RESTRICT")
        code = CharField(max_length=16, null=True, unique=True)
        pages = IntegerField()

        class Meta:
            constraints = [
                Check("decided_by <> prepared_by"),
                Check("(suspension IS NULL) = (suspended_until IS NULL)"),
                Check("(state = 'released') = (document_id IS NOT NULL)"),
            ]

    class OfficialRequestPatient(Table):
        request = ForeignKeyField(OfficialRequest, on_delete="CASCADE", index=False)
        patient = ForeignKeyField(Patient, on_delete="RESTRICT")
        added_at = DateTimeField()
        disclosure = ForeignKeyField(Disclosure, null=True, on_delete="RESTRICT")

        class Meta:
            indexes = ((("request", "patient"), True),)

    db.create_tables([PatientRequest, OfficialRequest, OfficialRequestPatient])

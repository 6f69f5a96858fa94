"""Accounts for the program's own people that one proposes and a second decides."""

from peewee import CharField, Check, DateTimeField, Model, TextField

ROLES = "'practitioner', 'pharmacy', 'staff', 'analyst', 'administrator', 'auditor'"
STATUSES = "'open', 'confirmed', 'declined', 'withdrawn'"


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class NewAccount(Table):
        reason = TextField()
        proposed_by = CharField()
        proposed_at = DateTimeField()
        status = CharField(
            max_length=32, index=True, constraints=[Check(f'"status" IN ({STATUSES})')]
        )
        decided_by = CharField()
        decided_at = DateTimeField(null=True)
        answer = TextField()
        username = CharField()
        name = CharField()
        email = CharField()
        phone = CharField()
        role = CharField(max_length=32, constraints=[Check(f'"role" IN ({ROLES})')])

        class Meta:
            constraints = [
                Check("status <> 'confirmed' OR decided_by <> proposed_by"),
            ]

    db.create_tables([NewAccount])

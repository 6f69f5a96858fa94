"""Addresses from which email came back; certificates and pass phrases for sealing."""

from peewee import (
    BlobField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    Model,
    TextField,
)


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Delivery(Table):
        pass

    class MailProblem(Table):
        address = CharField(unique=True)
        delivery = ForeignKeyField(Delivery, on_delete="CASCADE")
        reason = CharField()
        found_at = DateTimeField(index=True)

    class MailCertificate(Table):
        address = CharField(index=True)
        pem = TextField()
        fingerprint = CharField(max_length=64)
        holder = CharField()
        issuer = CharField()
        not_after = DateTimeField()
        added_by = CharField()
        added_at = DateTimeField()
        withdrawn_by = CharField(null=True)
        withdrawn_at = DateTimeField(null=True)

    class MailPassPhrase(Table):
        address = CharField(unique=True)
        sealed = BlobField()
        made_by = CharField()
        made_at = DateTimeField()

    db.create_tables([MailProblem, MailCertificate, MailPassPhrase])
    db.execute_sql(
        'CREATE UNIQUE INDEX "mail_certificate_in_use_once"'
        ' ON "mail_certificate" ("address") WHERE withdrawn_at IS NULL'
    )

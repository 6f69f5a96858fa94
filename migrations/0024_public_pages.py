"""Texts of public pages as staff write them, announcements, and who dismissed them."""

from peewee import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
)


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        pass

    class PageText(Table):
        name = CharField()
        version = IntegerField()
        is_own = BooleanField()
        title = CharField(default="")
        summary = CharField(default="")
        body = TextField(default="")
        note = TextField()
        written_by = CharField()
        written_at = DateTimeField()

        class Meta:
            indexes = ((("name", "version"), True),)

    class Announcement(Table):
        title = CharField()
        body = TextField()
        audiences = JSONField()
        is_grave = BooleanField()
        starts_on = DateField()
        ends_on = DateField(index=True)
        fax_line = CharField(default="")
        version = IntegerField(default=1)
        written_by = CharField()
        written_at = DateTimeField()
        withdrawn_by = CharField(default="")
        withdrawn_at = DateTimeField(null=True)

    class DismissedAnnouncement(Table):
        announcement = ForeignKeyField(Announcement, on_delete="CASCADE")
        user = ForeignKeyField(User, on_delete="CASCADE")
        version = IntegerField()
        dismissed_at = DateTimeField()

        class Meta:
            indexes = ((("announcement", "user"), True),)

    db.create_tables([PageText, Announcement, DismissedAnnouncement])

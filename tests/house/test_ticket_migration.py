"""Tickets from before the desk keep what they say, on both engines."""

import pytest
from peewee import IntegrityError
from playhouse.migrations import Runner

import models
from pmp import database, settings, tables

_ROWS = """
INSERT INTO "user" (username, role, status, name, failed_sign_ins, created_at, receipts)
VALUES ('elm', 'pharmacy', 'active', 'Elm', 0, '2026-11-23 15:14:00', 'every');
INSERT INTO document (kind, media_type, sha256, size, created_at)
VALUES ('patient_report', 'application/pdf', 'x', 1, '2026-11-23 15:14:00')
"""


def test_an_upgrade_keeps_documents_and_lets_them_be_attachments(
    database_url: str,
) -> None:
    with settings.changed(database_url=database_url):
        database.begin_use()
        with database.connected():
            runner = Runner(
                models.database.obj,
                str(database.MIGRATIONS),
                table_name=database.HISTORY,
            )
            runner.up("0006_report_copies")
            for statement in _ROWS.split(";"):
                models.database.execute_sql(statement)
        database.upgrade()
        with database.connected():
            assert tables.differences() == []
            [document] = models.Document.select()
            assert document.kind is models.DocumentKind.PATIENT_REPORT
            models.Document.update(kind="ticket_attachment").execute()
            with pytest.raises(IntegrityError):
                models.Document.update(kind="odd").execute()
        models.database.obj.close()
        if not database.is_sqlite():
            models.database.obj.close_all()

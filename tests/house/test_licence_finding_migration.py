"""What was found about licences, and what patients asked, outlives 0028."""

import pytest
from peewee import IntegrityError
from playhouse.migrations import Runner

import models
from pmp import database, settings, tables

_ROWS = """
INSERT INTO licence (credential_id, code, profession, name, status, active, street,
  city, state, zip)
VALUES ('1', 'CSP.1', 'practitioner', 'OAKES', 'LAPSED', false, '', '', 'CT', '');
INSERT INTO "user" (username, role, status, name, failed_sign_ins, created_at, receipts,
  licence_id)
SELECT 'dr.oakes', 'practitioner', 'active', 'Rae Oakes', 0, '2026-11-23 15:14:00',
  'every', id FROM licence;
INSERT INTO roster_import (filename, sha256, applied_by, new, changed, gone, invalid,
  kind, source, state, asked_by, asked_at, roster_version, rows_read, unchanged,
  skipped, error, undone_by, undo_reason)
VALUES ('a.csv', 'x', 'lee', 0, 0, 0, 0, 'licences', 'upload', 'applied', 'lee',
  '2026-11-23 15:14:00', 1, 1, 0, 0, '', '', '');
INSERT INTO licence_finding (user_id, batch_id, kind, before, after, found_at, reason,
  settled_by)
SELECT "user".id, roster_import.id, 'lapsed', '', 'LAPSED', '2026-11-23 15:14:00', '',
  '' FROM "user", roster_import;
INSERT INTO patient (created_at) VALUES ('2026-11-23 15:14:00');
INSERT INTO patient_request (patient_id, asks, asked_by, represents, identity_paper,
  paper_seen_by, address, since, until, received_on, due_on, state, extended_by,
  extended_reason, pages, taken_by, taken_at, ended_by, ended_at, ended_note)
SELECT id, 'both', 'Edith Brandt', '', 'Passport', 'lee', '', '2020-11-23',
  '2026-11-23', '2026-11-23', '2026-12-23', 'denied', '', '', 0, 'lee',
  '2026-11-23 15:14:00', 'lee', '2026-11-23 15:14:00', 'No paper.' FROM patient
"""


def test_findings_are_about_a_licence_and_denials_have_no_ground_yet(
    database_url: str,
) -> None:
    with settings.changed(database_url=database_url):
        database.begin_use()
        with database.connected():
            folder = str(database.MIGRATIONS)
            runner = Runner(models.database.obj, folder, table_name=database.HISTORY)
            runner.up("0026_disclosures")
            for statement in _ROWS.split(";"):
                models.database.execute_sql(statement)
        database.upgrade()
        with database.connected():
            assert tables.differences() == []
            (finding,) = models.LicenceFinding.select()
            assert finding.licence == finding.user.licence
            assert (finding.kind, finding.after) == ("lapsed", "LAPSED")
            again = {name: getattr(finding, name) for name in ("user", "licence")}
            with pytest.raises(IntegrityError), models.database.atomic():
                models.LicenceFinding.create(
                    **again, kind="lapsed", found_at=finding.found_at
                )
            models.LicenceFinding.create(
                **again, kind="covered_lapsed", found_at=finding.found_at
            )
            (request,) = models.PatientRequest.select()
            assert (request.ended_note, request.denied_ground) == ("No paper.", "")
            assert request.denial_letter is None
        models.database.obj.close()
        if not database.is_sqlite():
            models.database.obj.close_all()

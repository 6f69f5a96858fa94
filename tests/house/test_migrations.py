"""Migrations make exactly the tables of models.py, on both engines, once."""

import subprocess
import sys
from pathlib import Path

import pytest
from peewee import IntegrityError
from playhouse.migrations import Runner

import models
from pmp import database, settings, tables

ROOT = Path(__file__).parents[2]


def test_the_migrated_schema_is_the_one_models_py_says(database_url: str) -> None:
    with settings.changed(database_url=database_url):
        database.begin_use()
        assert database.upgrade() == [p.stem for p in sorted(_migrations())]
        assert database.upgrade() == []
        with database.connected():
            assert tables.differences() == []
        _close()


def test_a_column_too_many_or_too_few_is_told(database_url: str) -> None:
    with settings.changed(database_url=database_url):
        database.begin_use()
        database.upgrade()
        with database.connected():
            models.database.execute_sql('ALTER TABLE "user" ADD COLUMN hat TEXT')
            models.database.execute_sql('ALTER TABLE "user" DROP COLUMN phone')
            lines = tables.differences()
        _close()
    assert any(line.startswith("not expected: ") and "hat" in line for line in lines)
    assert any(line.startswith("missing: ") and "phone" in line for line in lines)


def test_three_who_upgrade_at_once_all_end_well(
    database_url: str, program: settings.Settings
) -> None:
    environment = {
        "PMP_DATABASE_URL": database_url,
        "PMP_DATA_DIR": str(program.data_dir),
        "PMP_SECRET_KEY": "s" * 40,
        "PMP_DOCUMENT_KEY": "d" * 40,
    }
    code = "from pmp import database as d; d.begin_use(); print(len(d.upgrade()))"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    applied = sorted(int(run.communicate()[0]) for run in runs)
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert applied == [0, 0, len(_migrations())]


def test_an_upgrade_keeps_what_the_tables_hold(database_url: str) -> None:
    """Tables that are made anew on SQLite lose no row, no key and no index."""
    with settings.changed(database_url=database_url):
        database.begin_use()
        with database.connected():
            runner = Runner(
                models.database.obj,
                str(database.MIGRATIONS),
                table_name=database.HISTORY,
            )
            runner.up("0001_first_tables")
            for statement in _ROWS.split(";"):
                models.database.execute_sql(statement)
        later = [path.stem for path in sorted(_migrations())[1:]]
        assert database.upgrade() == later
        with database.connected():
            assert tables.differences() == []
            (record,) = models.SubmissionRecord.select()
            assert (record.submission.held, record.submission.source) == (3, "upload")
            assert (record.corrections, record.reason) == ({}, "")
            assert record.submission.submitted_by.receipts == "every"
            (case,) = models.ThresholdCase.select()
            assert (case.rule.kind, case.rule.amount) == ("providers", 0)
            assert (case.rule.exclusions, case.rule.send_when_worse) == ([], True)
            assert (case.queued_at, case.reached) == (None, None)
            models.SubmissionRecord.update(status="withdrawn").execute()
            with pytest.raises(IntegrityError):
                models.User.delete().execute()
        _close()


_ROWS = """
INSERT INTO "user" (username, role, status, name, failed_sign_ins, created_at)
VALUES ('elm', 'pharmacy', 'active', 'Elm', 0, '2026-11-23 15:14:00');
INSERT INTO document (kind, media_type, sha256, size, created_at)
VALUES ('submission', 'text/plain', 'x', 1, '2026-11-23 15:14:00');
INSERT INTO submission (filename, sha256, document_id, submitted_by_id, received_at,
  status, dry_run, test, version, pharmacies, progress, records, stored,
  stored_with_warning, revised, held, duplicate, voided, void_not_found,
  not_reportable, zero_reports)
SELECT 'a.dat', 'x', document.id, "user".id, '2026-11-23 15:14:00', 'processed',
  false, false, '4.2B', '[]', 3, 3, 0, 0, 0, 3, 0, 0, 0, 0, 0 FROM document, "user";
INSERT INTO submission_record (submission_id, number, segment_number, status,
  prescription_number, pharmacy_name, elements, corrected_by)
SELECT id, 1, 5, 'held', '600100', 'ELM', '{}', '' FROM submission;
INSERT INTO threshold_rule (name, version, status, prescribers, pharmacies, connective,
  window_days, schedules, reason, written_by, written_at)
VALUES ('Ours', 1, 'active', 3, 3, 'and', 90, '["CII"]', '', 'system',
  '2026-11-23 15:14:00');
INSERT INTO patient (created_at) VALUES ('2026-11-23 15:14:00');
INSERT INTO threshold_case (rule_id, patient_id, crossed_on, window_first, window_last,
  prescribers, pharmacies, status, detected_at, withdrawn_reason)
SELECT threshold_rule.id, patient.id, '2026-11-01', '2026-10-01', '2026-11-01', 3, 3,
  'sent', '2026-11-23 15:14:00', '' FROM threshold_rule, patient
"""


def test_migrations_do_not_lean_on_the_code_that_changes_under_them() -> None:
    for path in _migrations():
        text = path.read_text()
        for name in ("models", "pmp", "portal", "gateway"):
            assert f"import {name}" not in text
            assert f"from {name}" not in text


def _migrations() -> list[Path]:
    return list(database.MIGRATIONS.glob("[0-9]*.py"))


def _close() -> None:
    models.database.obj.close()
    if not database.is_sqlite():
        models.database.obj.close_all()

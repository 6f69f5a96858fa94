"""What was drawn before reports had codes is kept, and destroyed in its time."""

from datetime import UTC, datetime

from playhouse.migrations import Runner

import models
from pmp import database, settings
from pmp.thresholds import threshold_copies

ROWS = """
INSERT INTO document (kind, media_type, sha256, size, created_at, sealed)
VALUES ('threshold_report', 'application/pdf', 'x', 1, '2023-10-23 15:14:00', NULL);
INSERT INTO patient (created_at) VALUES ('2023-10-23 15:14:00');
INSERT INTO pharmacy (name, street, city, state, zip) VALUES ('ELM', '', '', '', '');
INSERT INTO pharmacy (name, street, city, state, zip) VALUES ('OAK', '', '', '', '');
INSERT INTO threshold_rule (name, version, status, prescribers, pharmacies,
  connective, window_days, schedules, reason, written_by, written_at)
VALUES ('Ours', 1, 'active', 3, 3, 'and', 90, '[]', '', 'lee', '2023-10-23 15:14:00');
INSERT INTO threshold_case (rule_id, patient_id, crossed_on, window_first, window_last,
  prescribers, pharmacies, status, detected_at, withdrawn_reason)
SELECT threshold_rule.id, patient.id, '2023-10-20', '2023-10-01', '2023-10-20', 3, 3,
  'sent', '2023-10-23 15:14:00', '' FROM threshold_rule, patient;
INSERT INTO case_recipient (case_id, pharmacy_id, reply_code, document_id, note)
SELECT threshold_case.id, pharmacy.id, 'RPL-1', document.id, ''
FROM threshold_case, pharmacy, document WHERE pharmacy.name = 'ELM';
INSERT INTO case_recipient (case_id, pharmacy_id, reply_code, note)
SELECT threshold_case.id, pharmacy.id, 'RPL-2', ''
FROM threshold_case, pharmacy WHERE pharmacy.name = 'OAK'
"""


def test_reports_from_before_codes_have_a_copy_without_one(database_url: str) -> None:
    with settings.changed(database_url=database_url):
        database.begin_use()
        with database.connected():
            runner = Runner(
                models.database.obj,
                str(database.MIGRATIONS),
                table_name=database.HISTORY,
            )
            runner.up("0001_first_tables")
            for statement in ROWS.split(";"):
                models.database.execute_sql(statement)
        database.upgrade()
        with database.connected():
            [copy] = models.ThresholdReportCopy.select()
            assert (copy.recipient.reply_code, copy.sha256) == ("RPL-1", "x")
            assert (copy.code, copy.entries, copy.pages) == (None, [], 0)
            assert threshold_copies.code_of(copy.recipient) == ""
            later = datetime(2026, 11, 23, 15, 14, tzinfo=UTC)
            assert threshold_copies.purge(at=later) == 1
            assert models.Document.get().purged_at == later
        models.database.obj.close()
        if not database.is_sqlite():
            models.database.obj.close_all()

"""What was drawn and answered before is kept, and destroyed in its time."""

from datetime import UTC, datetime

from playhouse.migrations import Runner

import models
from pmp import database, settings
from pmp.thresholds import answers, threshold_copies
from pmp.thresholds.answers import Reply

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
FROM threshold_case, pharmacy WHERE pharmacy.name = 'OAK';
UPDATE case_recipient SET answer = 'not_my_patient', note = 'Who?',
  answered_at = '2023-10-24 15:14:00' WHERE reply_code = 'RPL-2';
INSERT INTO audit_event (at, event, actor, subject, address, detail, previous_hash,
  hash)
VALUES ('2023-10-24 15:14:00', 'threshold_case:answered', 'oak', 'case:1', '',
  '{"recipient": 2, "answer": "not_my_patient"}', '', 'x');
INSERT INTO reported_identity (fingerprint, patient_id, last_name, first_name,
  middle_name, suffix, birth_date, sex, street, city, state, zip, phone, species,
  animal_name, last_key, first_key, last_sound, link_rule, link_evidence, linked_by,
  linked_at)
SELECT 'f', id, 'A', 'B', '', '', '1971-04-28', '', '', '', '', '', '', 'human', '',
  'A', 'B', '', '', '{}', 'matching', '2023-10-23 15:14:00' FROM patient;
INSERT INTO prescriber (dea, dea_suffix, last_name, first_name)
VALUES ('AB1234563', '', '', '');
INSERT INTO dispensation (row_code, patient_id, identity_id, pharmacy_id,
  prescriber_id, record_number, segment_number, status, version, corrected,
  prescription_number, filled_on, fill_number, partial, product_qualifier,
  product_code, quantity, days_supply, units, refills_authorized, payment, drug_name,
  ingredient, strength_unit, form, schedule, drug_class, long_acting, mme_key,
  stored_at)
SELECT 'D-' || pharmacy.name, patient.id, reported_identity.id, pharmacy.id,
  prescriber.id, 0, 0, 'current', 1, false, '1', '2023-10-01', 0, 0, '01', '1', 60, 30,
  '', 0, '', 'X', '', '', '', '', 'other', false, '', '2023-10-23 15:14:00'
FROM patient, reported_identity, pharmacy, prescriber;
INSERT INTO case_entry (case_id, dispensation_id, version)
SELECT threshold_case.id, dispensation.id, 1 FROM threshold_case, dispensation
WHERE dispensation.row_code = 'D-ELM'
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
            assert (copy.code, copy.entries, copy.pages) == (None, ["D-ELM"], 0)
            assert threshold_copies.code_of(copy.recipient) == ""
            later = datetime(2026, 11, 23, 15, 14, tzinfo=UTC)
            assert threshold_copies.purge(at=later) == 1
            assert models.Document.get().purged_at == later
            _look_at_replies()
        models.database.obj.close()
        if not database.is_sqlite():
            models.database.obj.close_all()


def _look_at_replies() -> None:
    [reply] = models.RecipientReply.select()
    recipient = reply.recipient
    assert (recipient.reply_code, reply.given_by) == ("RPL-2", "oak")
    assert reply.given_at == recipient.answered_at
    kept = answers.newest(recipient)
    assert kept is not None
    assert answers.as_reply(kept) == Reply(
        models.RecipientAnswer.NOT_MY_PATIENT, note="Who?"
    )
    assert (kept.tickets, kept.called_at, kept.called_by) == ([], None, "")

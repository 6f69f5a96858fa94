"""Tickets from before outside reporters keep who opened them, on both engines."""

import pytest
from peewee import IntegrityError
from playhouse.migrations import Runner

import models
from pmp import database, settings, tables

AT = "'2026-11-23 15:14:00'"
_ROWS = f"""
INSERT INTO "user" (username, role, status, name, failed_sign_ins, created_at, receipts)
VALUES ('elm', 'pharmacy', 'active', 'Elm', 0, {AT}, 'every');
INSERT INTO delivery (kind, subject_id, channel, address, further_routes, dedupe_key,
  priority, state, revision, attempts, due_at, deadline_at, possible_duplicate,
  needs_staff, error_text, created_at)
VALUES ('ticket_notice', 1, 'email', 'elm@example.org', '[]', 'key', 5, 'sent', 0, 1,
  {AT}, {AT}, false, false, '', {AT});
INSERT INTO delivery_event (delivery_id, source, from_state, to_state, note, at)
SELECT id, 'worker', 'queued', 'sent', '', {AT} FROM delivery;
INSERT INTO patient (created_at) VALUES ({AT});
INSERT INTO reported_identity (fingerprint, patient_id, last_name, first_name,
  middle_name, suffix, birth_date, sex, street, city, state, zip, phone, species,
  animal_name, last_key, first_key, last_sound, link_rule, link_evidence, linked_by,
  linked_at)
SELECT 'f', id, 'A', 'B', '', '', '1971-04-28', '', '', '', '', '', '', 'human', '',
  'A', 'B', '', '', '{{}}', 'matching', {AT} FROM patient;
INSERT INTO pharmacy (name, street, city, state, zip, kind)
VALUES ('ELM', '', '', '', '', 'pharmacy');
INSERT INTO prescriber (dea, dea_suffix, last_name, first_name)
VALUES ('AB1234563', '', '', '');
INSERT INTO dispensation (row_code, patient_id, identity_id, pharmacy_id,
  prescriber_id, record_number, segment_number, status, version, corrected,
  prescription_number, filled_on, fill_number, partial, product_qualifier,
  product_code, quantity, days_supply, units, refills_authorized, payment, drug_name,
  ingredient, strength_unit, form, schedule, drug_class, long_acting, mme_key,
  stored_at)
SELECT 'D-1', patient.id, reported_identity.id, pharmacy.id, prescriber.id, 0, 0,
  'current', 1, false, '1', '2026-11-01', 0, 0, '01', '1', 60, 30, '', 0, '', 'X', '',
  '', '', '', 'other', false, '', {AT}
FROM patient, reported_identity, pharmacy, prescriber;
INSERT INTO ticket (number, dispensation_id, opened_by_id, opened_at, due_at, problem,
  note, status, outcome_note, resolved_by, revision)
SELECT 'T1', dispensation.id, "user".id, {AT}, {AT}, 'other', '', 'new', '', '', 1
FROM dispensation, "user";
INSERT INTO ticket_message (ticket_id, at, by, text)
SELECT id, {AT}, 'elm', 'Reported.' FROM ticket
"""  # noqa: S608


def test_an_upgrade_keeps_tickets_and_deliveries_and_names_their_reporters(
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
            _look()
        models.database.obj.close()
        if not database.is_sqlite():
            models.database.obj.close_all()


def _look() -> None:
    [ticket] = models.Ticket.select()
    assert ticket.reporter == f"user:{ticket.opened_by.id}"
    assert (ticket.patient, ticket.look_up) == (None, None)
    assert [line.text for line in models.TicketMessage.select()] == ["Reported."]
    [event] = models.DeliveryEvent.select()
    assert event.delivery == models.Delivery.get()
    models.Delivery.update(kind="ticket_question").execute()
    for columns in ({"kind": "odd"}, {"dedupe_key": None}):
        with pytest.raises(IntegrityError), database.atomic():
            models.Delivery.update(**columns).execute()
    with pytest.raises(IntegrityError), database.atomic():
        models.Ticket.update(dispensation=None).execute()
    with pytest.raises(IntegrityError), database.atomic():
        models.Ticket.update(patient=models.Patient.get()).execute()
    twin = dict(ticket.__data__, id=None, number="T2")
    with pytest.raises(IntegrityError), database.atomic():
        models.Ticket.insert(**twin).execute()

import json

import pytest
from flask import Flask

from models import AuditEvent, ThresholdCase
from pmp import audit, database, settings
from pmp.settings import Settings
from pmp.thresholds import threshold_rules
from portal import cli
from tests.conftest import NOW
from tests.factories import make_dispensation, make_patient
from tests.portals import portal_for


@pytest.fixture
def app(program: Settings) -> Flask:
    """Give the portal with its commands, on a migrated database of its own."""
    database.begin_use()
    database.upgrade()
    made = portal_for(settings.current())
    cli.register(made)
    return made


def fills(number: int) -> None:
    patient = make_patient()
    for _ in range(number):
        make_dispensation(patient=patient)


def run(app: Flask, *words: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=words)
    return result.exit_code, result.stdout, result.stderr


def test_run_evaluates_everybody(app: Flask) -> None:
    with database.connected():
        fills(3)
        fills(2)

    code, output, _ = run(app, "thresholds", "run")

    assert code == 0
    assert "1 case made" in output
    with database.connected():
        assert ThresholdCase.select().count() == 1


def test_simulate_shows_what_a_preset_would_have_made(app: Flask) -> None:
    with database.connected():
        fills(5)

    code, output, _ = run(
        app,
        *("thresholds", "simulate", "oklahoma"),
        *("--since", "2026-11-01", "--until", "2026-11-30"),
    )

    assert code == 0
    assert "5 or more prescribers and 5 or more pharmacies in 90 days" in output
    assert "1 case of 1 patient" in output
    assert "5 prescribers: 5 by no known way." in output
    with database.connected():
        assert ThresholdCase.select().count() == 0
    assert run(app, "thresholds", "simulate", "Utopia")[0] == 1


def test_simulate_takes_other_numbers_and_compares_with_the_rule_in_force(
    app: Flask,
) -> None:
    with database.connected():
        fills(3)
        fills(2)
        threshold_rules.seed(at=NOW)
    days = ("--since", "2026-11-01", "--until", "2026-11-30")
    name = threshold_rules.DEFAULT.name
    numbers = ("--prescribers", "2", "--pharmacies", "2")

    code, output, _ = run(
        app, "thresholds", "simulate", "--rule", name, *numbers, *days, "--json"
    )

    assert code == 0
    found = json.loads(output)
    assert (found["now"]["cases"], found["would"]["cases"]) == (1, 2)
    assert (found["patients_more"], found["patients_fewer"]) == (1, 0)
    assert found["would"]["channels"]["pharmacy"] == {"no known way": 5}
    assert len(found["would"]["samples"]) == 2
    assert found["tonight"] == {"cases": 2, "reports": 10}
    for words in ((), ("--rule", name, "--days", "9999")):
        code, _, complaint = run(app, "thresholds", "simulate", *words)
        assert code == 1
        assert "Traceback" not in complaint


def test_verify_audit_says_which_row_was_changed(app: Flask) -> None:
    with database.connected():
        row = audit.record(audit.Event.CASE_OPENED, actor="a", subject="x", at=NOW)
    assert run(app, "verify-audit")[0] == 0

    with database.connected():
        AuditEvent.update(actor="b").execute()
    code, _, complaint = run(app, "verify-audit")

    assert code == 1
    assert f"Event {row.id}: its content was changed." in complaint

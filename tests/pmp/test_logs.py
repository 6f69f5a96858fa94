"""The log is JSON lines without patient data, of the portal and of the worker."""

import json
import logging
from datetime import date

import pytest

from gateway import worker
from pmp import logs


def test_an_exception_is_told_by_its_kind_and_place_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    worker.consumer(threads=1)
    try:
        date.fromisoformat("FALLOWS 1983")
    except ValueError:
        logging.getLogger("huey").exception("Unhandled exception in task %s.", "x-1")
    line = json.loads(capsys.readouterr().err)
    assert "FALLOWS" not in str(line)
    assert (line["level"], line["error"]) == ("error", "ValueError")
    assert line["event"] == "Unhandled exception in task x-1."
    assert "test_logs.py" in line["where"][0]


def test_fields_stand_beside_the_event(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin("some.logger")
    logging.getLogger("some.logger").info("request", extra={"fields": {"status": 200}})
    logging.getLogger("some.logger").debug("noise")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["status"]) == ("request", 200)

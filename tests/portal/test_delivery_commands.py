"""outbox and fax, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway import barcodes, documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryKind, DeliveryState, InboundFax
from pmp import clock, database, deliveries
from pmp.deliveries import Route
from portal.cli.fax import fax
from portal.cli.outbox import outbox

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, db: object) -> Run:
    # The tables are there, made without migrations.
    monkeypatch.setattr(database, "begin_use", lambda: None)
    monkeypatch.setattr(database, "require_current_schema", lambda: None)
    monkeypatch.setattr(
        messages,
        "compose",
        lambda delivery, _: Message(delivery.address, subject="A", text="B\n"),
    )
    return lambda command, *words: CliRunner().invoke(command, list(words))


def delivery(key: str = "a") -> Delivery:
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[Route(ChannelName.EMAIL, "doctor@example.org")],
        dedupe_key=key,
        at=clock.now(),
    )


def state(row: Delivery) -> DeliveryState:
    return DeliveryState(Delivery.get_by_id(row.id).state)


def listed(run: Run, *words: str) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(
        run(outbox, "list", "--json", *words).stdout
    )
    return answer


def test_outbox_list_gives_the_newest_first(run: Run) -> None:
    first, second = delivery("a"), delivery("b")
    run(outbox, "cancel", str(first.id))

    assert [row["id"] for row in listed(run)] == [second.id, first.id]
    [row] = listed(run, "--state", "cancelled")
    assert (row["id"], row["kind"]) == (first.id, "ticket_notice")
    assert "ticket_notice\temail\tqueued" in run(outbox, "list").stdout


def test_outbox_run_sends_what_is_due(run: Run) -> None:
    sent, cancelled = delivery("a"), delivery("b")
    run(outbox, "cancel", str(cancelled.id), "--reason", "wrong person")

    answer = run(outbox, "run")

    assert answer.exit_code == 0
    assert answer.stdout == "1 deliveries tried.\n"
    assert state(sent) == DeliveryState.SENT
    assert state(cancelled) == DeliveryState.CANCELLED


def test_outbox_retry_refuses_what_is_done(run: Run) -> None:
    row = delivery()
    run(outbox, "run")

    answer = run(outbox, "retry", str(row.id))

    assert answer.exit_code == 1
    assert answer.stderr == "It cannot be sent again now. Its state: sent.\n"
    assert run(outbox, "retry", "999").exit_code == 1
    assert run(outbox, "retry", "x").exit_code == 2


def test_fax_receive_reads_the_code_and_says_what_it_is_about(
    run: Run, tmp_path: Path
) -> None:
    code = documents.png_uri(barcodes.qr_png("CTR-00000-00000"))
    page = f'<img src="{code}" style="width: 36mm; height: 36mm"/>'
    file = tmp_path / "fax.pdf"
    file.write_bytes(documents.drawn("test", page))

    answers = [run(fax, "receive", str(file), "--from", "860-555-0123")] * 2

    [taken] = InboundFax.select()
    assert taken.from_number == "+18605550123"
    assert taken.pages == 1
    assert f"Fax {taken.id}: unmatched, 1 pages." in answers[0].stdout
    assert answers[0].exit_code == 1
    assert taken.note in answers[0].stderr


def test_fax_receive_refuses_what_is_no_fax(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fax.txt"
    file.write_text("hello")

    answer = run(fax, "receive", str(file))

    assert (answer.exit_code, InboundFax.select().count()) == (1, 0)
    assert answer.stderr == "The file is not a PDF, TIFF or PNG.\n"

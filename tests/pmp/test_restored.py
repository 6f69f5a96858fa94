"""After a restore nothing that may have been sent is sent again without a person."""

import pytest
from click.testing import CliRunner

from models import ChannelName, Delivery, DeliveryKind, DeliveryState
from pmp import database, deliveries, settings
from pmp.deliveries import Route, delivery_desk, outbox, restored, turns
from portal.cli import db as commands
from tests.conftest import NOW

S = DeliveryState
ADDRESSES = {
    ChannelName.FAX: "+18605550123",
    ChannelName.LETTER: "Dr. A\n1 Main Street\nHartford, CT 06106",
    ChannelName.EMAIL: "doctor@example.org",
}


@pytest.fixture
def backed_up(db: settings.Settings) -> dict[str, Delivery]:
    made = {}
    for channel, address in ADDRESSES.items():
        for state in DeliveryState:
            made[f"{channel}-{state}"] = row = deliveries.request(
                kind=DeliveryKind.TICKET_NOTICE,
                subject_id=1,
                routes=[Route(channel, address)],
                dedupe_key=f"{channel}-{state}",
                at=NOW,
            )
            Delivery.update(state=state).where(Delivery.id == row.id).execute()
    return made


def states(made: dict[str, Delivery]) -> dict[str, DeliveryState]:
    return {key: Delivery.get_by_id(row.id).state for key, row in made.items()}


def test_faxes_and_letters_that_had_not_ended_wait_for_staff(
    backed_up: dict[str, Delivery],
) -> None:
    before = states(backed_up)

    done = restored.hold_doubtful(at=NOW)

    after = states(backed_up)
    moved = {key for key in before if before[key] != after[key]}
    underway = (S.QUEUED, S.SENDING, S.SUBMITTED, S.IN_DOUBT, S.BATCHED, S.PRINTED)
    papers = (ChannelName.FAX, ChannelName.LETTER)
    assert moved == {f"{paper}-{state}" for paper in papers for state in underway}
    assert {after[key] for key in moved} == {S.HELD}
    assert (done.held, done.marked) == (12, 6)
    fax = Delivery.get_by_id(backed_up["fax-queued"].id)
    assert (fax.needs_staff, fax.possible_duplicate) == (True, True)
    assert fax.error_text == "may have been sent after the back-up"
    assert turns.due(at=NOW) == [backed_up["email-queued"].id]


def test_it_may_be_run_again_and_staff_release_what_was_not_sent(
    backed_up: dict[str, Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "begin_use", lambda: None)
    runner = CliRunner()
    assert "12 faxes and letters are held" in runner.invoke(
        commands.db, ["after-restore"]
    ).output.replace("\n", " ")
    assert runner.invoke(commands.db, ["after-restore"]).output.startswith("0 faxes")

    fax = backed_up["fax-submitted"]
    delivery_desk.retry(fax.id, by=None, at=NOW)

    assert outbox.taken(fax.id).state == S.QUEUED
    assert Delivery.get_by_id(fax.id).possible_duplicate

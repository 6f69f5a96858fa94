"""A run is confirmed and mailed while somebody else works on one of its letters."""

import threading
from collections.abc import Callable

import pytest

from models import Delivery, DeliveryState, PrintRun, User
from pmp import database, deliveries
from pmp.deliveries import delivery_desk, mailings, outbox, print_runs
from pmp.errors import RuleError
from tests import locks
from tests.conftest import NOW
from tests.factories import make_user
from tests.pmp.test_print_runs import TODAY, make_letter, open_run, states

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff() -> User:
    return make_user(username="sandra")


@pytest.fixture
def run(staff: User) -> PrintRun:
    """Give a run of a letter and the one that somebody cancels."""
    make_letter()
    make_letter()
    return open_run(staff)


def while_one_is_cancelled(run: PrintRun, act: Callable[[], object]) -> list[object]:
    """Begin `act` when another has taken the run's last letter; give how it ended."""
    *_, last = print_runs.contents(run)
    ended: list[object] = []

    def work() -> None:
        with database.connected():
            try:
                ended.append(act())
            except RuleError as refusal:
                ended.append(refusal.message)

    other = threading.Thread(target=work, daemon=True)
    with database.atomic():
        outbox.taken(last.delivery.id)
        other.start()
        locks.until_it_waits(other)
        reason = "no longer needed"
        delivery_desk.cancel(last.delivery.id, reason=reason, by=None, at=NOW)
    other.join(timeout=20)
    return ended


def all_states() -> list[str]:
    return states(*Delivery.select().order_by(Delivery.id))


def test_a_letter_that_is_cancelled_meanwhile_is_not_mailed(
    run: PrintRun, staff: User
) -> None:
    print_runs.confirm(run.id, by=staff, at=NOW)

    [ended] = while_one_is_cancelled(
        run, lambda: mailings.mail(run.id, on=TODAY, by=staff, at=NOW)
    )

    assert "First pull out the paper" in str(ended)
    assert all_states() == ["printed", "cancelled"]


def test_a_letter_that_is_cancelled_meanwhile_did_not_come_out(
    run: PrintRun, staff: User
) -> None:
    ended = while_one_is_cancelled(
        run, lambda: print_runs.confirm(run.id, by=staff, at=NOW)
    )

    assert ended == [1]
    assert all_states() == ["printed", "cancelled"]
    assert [each.to_pull for each in print_runs.contents(run)] == [False, True]


def test_what_is_mailed_is_undone_while_a_rule_withdraws_the_message(
    run: PrintRun, staff: User
) -> None:
    """Both lock all the letters of a run; neither waits for the other for ever."""
    print_runs.confirm(run.id, by=staff, at=NOW)
    mailings.mail(run.id, on=TODAY, by=staff, at=NOW)
    first, second = Delivery.select().order_by(Delivery.id)
    Delivery.update(state=DeliveryState.PRINTED).where(
        Delivery.id == second.id
    ).execute()

    ended = while_one_is_cancelled(
        run, lambda: mailings.undo_mailing(run.id, by=staff, at=NOW)
    )

    assert ended == [1]
    assert states(first, second) == ["printed", "cancelled"]
    assert deliveries.due(at=NOW) == []

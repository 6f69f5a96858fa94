"""Whatever staff decide in whatever order: one patient each, and true cases."""

import pytest

from models import (
    DecidedIdentity,
    DecisionKind,
    DecisionSide,
    Dispensation,
    MatchDecision,
    ReportedIdentity,
)
from pmp import thresholds
from pmp.matching import whereabouts
from tests.histories import History, Looked, recomputed, stored

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_keep_everyone_true(seed: int) -> None:
    history = History(seed)
    for step in range(40):
        history.go_on()
        assert_fills_follow_their_identities()
        assert_nobody_kept_apart_is_together()
        if step % 8 == 7:
            assert_looks_open_their_own_person(history.looks)
        assert set(stored(history.rule)) == set(recomputed(history.rule))
    assert thresholds.run(history.at) == []
    assert len({each.kind for each in MatchDecision.select()}) > 1


def assert_fills_follow_their_identities() -> None:
    for fill in Dispensation.select(Dispensation, ReportedIdentity).join(
        ReportedIdentity
    ):
        assert fill.patient.id == fill.identity.patient.id


def assert_looks_open_their_own_person(looks: list[Looked]) -> None:
    """Old looks lead to their person, unless those who stood there are divided now.

    Then nobody can tell whom it meant, and it leads to nobody.
    """
    now = {row.id: row.patient.id for row in ReportedIdentity.select()}
    for look in looks:
        together = {now[each] for each in look.there}
        opened = whereabouts.today([look.patient], look.at)
        assert opened == (together if len(together) == 1 else set())
        assert opened <= {now[look.person]}


def assert_nobody_kept_apart_is_together() -> None:
    standing = MatchDecision.select().where(
        MatchDecision.undone_at.is_null(), MatchDecision.kind != DecisionKind.JOIN
    )
    for decision in standing:
        sides = [
            {
                row.identity.patient.id
                for row in DecidedIdentity.select().where(
                    DecidedIdentity.decision == decision, DecidedIdentity.side == side
                )
            }
            for side in DecisionSide
        ]
        assert not sides[0] & sides[1]

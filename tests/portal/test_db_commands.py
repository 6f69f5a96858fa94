"""db upgrade, on the command line."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

import models
from models import RuleStatus, ThresholdRule
from pmp import database, settings
from pmp.errors import ConflictError
from pmp.thresholds import threshold_rules
from portal.cli import db

pytestmark = pytest.mark.each_engine


@pytest.fixture
def upgrade(
    database_url: str, program: settings.Settings
) -> Iterator[Callable[[], Result]]:
    def run() -> Result:
        _close()
        return CliRunner().invoke(db.db, ["upgrade"])

    with settings.changed(database_url=database_url):
        database.begin_use()
        yield run
        _close()


def _close() -> None:
    models.database.obj.close()
    if not database.is_sqlite():
        models.database.obj.close_all()


def test_an_upgraded_database_has_the_rules_as_delivered(
    upgrade: Callable[[], Result],
) -> None:
    for _ in range(2):
        assert upgrade().exit_code == 0
        with database.connected():
            [active] = ThresholdRule.select().where(
                ThresholdRule.status == RuleStatus.ACTIVE
            )
            assert active.name == threshold_rules.DEFAULT.name
            assert ThresholdRule.select().count() == 1 + len(threshold_rules.PRESETS)


def test_rules_that_another_host_has_just_written_are_no_fault(
    upgrade: Callable[[], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(**_: object) -> None:
        raise ConflictError("Somebody else has just changed this rule.", "name")

    monkeypatch.setattr(threshold_rules, "seed", lose)
    assert upgrade().exit_code == 0

"""Letters that were printed before there were print runs can still be mailed."""

from playhouse.migrations import Runner

import models
from models import Delivery, PrintRun, User
from pmp import database, settings
from pmp.deliveries import mailings, print_runs
from tests.conftest import NOW

_ROWS = """
INSERT INTO delivery (kind, subject_id, channel, address, further_routes, dedupe_key,
  priority, state, revision, attempts, due_at, deadline_at, possible_duplicate,
  needs_staff, error_text, created_at)
VALUES ('ticket_notice', 1, '{channel}', 'A', '[]', '{key}', 5, '{state}', 0, 1,
  '2026-11-23 15:14:00', '2026-12-23 15:14:00', false, false, '',
  '2026-11-23 15:14:00')
"""


def test_printed_letters_are_in_a_run_after_the_upgrade(database_url: str) -> None:
    with settings.changed(database_url=database_url):
        database.begin_use()
        with database.connected():
            folder = str(database.MIGRATIONS)
            runner = Runner(models.database.obj, folder, table_name=database.HISTORY)
            runner.up("0011_other_parties")
            for number, (channel, state) in enumerate(
                [
                    ("letter", "printed"),
                    ("letter", "submitted"),
                    ("letter", "printed"),
                    ("fax", "submitted"),
                ]
            ):
                models.database.execute_sql(
                    _ROWS.format(channel=channel, state=state, key=f"k{number}")
                )
        database.upgrade()
        with database.connected():
            (run,) = PrintRun.select()
            found = print_runs.contents(run)
            assert [each.delivery.dedupe_key for each in found] == ["k0", "k2"]
            assert all(each.to_mail for each in found)
            staff = User.create(
                username="lee",
                name="Lee",
                role="staff",
                status="active",
                created_at=NOW,
            )
            assert mailings.mail(run.id, on=NOW.date(), by=staff, at=NOW) == 2
            assert Delivery.select().where(Delivery.state == "mailed").count() == 2
        models.database.close()

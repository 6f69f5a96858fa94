"""Who waits for whom while links change: no fill is stored by a link that is changing.

Whoever reads links to store or change fills holds them; any number may do so at once.
Whoever changes links waits for all of these and keeps new ones out.  Both hold until
the end of their transaction.  On SQLite there is one writer anyway.
"""

import models
from pmp import database

# Any number but those of the migrations, the audit record, the intake and matching.
ADVISORY_LOCK = 20574


def hold_links() -> None:
    """Keep the links as they are until this transaction ends; before reading them."""
    _take("pg_advisory_xact_lock_shared")


def change_links() -> None:
    """Be the only one who reads or changes links until this transaction ends."""
    _take("pg_advisory_xact_lock")


def _take(function: str) -> None:
    if not database.is_sqlite():
        models.database.execute_sql(f"SELECT {function}(%s)", (ADVISORY_LOCK,))

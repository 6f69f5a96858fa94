"""One portal for all tests of a process: making its routes takes longer than most do.

Each test has it with its own settings and database; a test that adds to a portal, or is
about how one starts, makes its own with `create_app`.
"""

from unittest.mock import patch

from flask import Flask

import models
from pmp import database, settings
from portal import configure, create_app
from portal.views import BLUEPRINTS

_made: list[Flask] = []


def portal_for(chosen: settings.Settings) -> Flask:
    """Give the portal, with these settings."""
    settings.use(chosen)
    if not _made:
        # Not those of a test that adds views of its own.
        with patch("portal.BLUEPRINTS", BLUEPRINTS):
            _made.append(create_app(chosen))
        _made[0].testing = True
    if models.database.obj is None:
        database.begin_use()
    configure(_made[0])
    return _made[0]

"""The web app for a server and for `flask --app wsgi`; nothing else."""

import os

from flask import Flask

from pmp.settings import SettingsError
from portal import cli, create_app


def application() -> Flask:
    """Make the portal; for a command that needs no settings, its commands alone."""
    try:
        return create_app()
    except SettingsError:
        if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
            raise
    commands_alone = Flask("portal")
    cli.register(commands_alone)
    return commands_alone


app = application()

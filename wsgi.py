"""The web app for a server and for `flask --app wsgi`; nothing else."""

import os

from flask import Flask

from pmp.settings import SettingsError
from portal import cli, create_app


def application() -> Flask:
    """Make the portal; for a command that needs no settings, its commands alone."""
    is_command = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
    try:
        made = create_app()
    except SettingsError:
        if not is_command:
            raise
        made = Flask("portal")
    if is_command:
        cli.register(made)
    return made


app = application()

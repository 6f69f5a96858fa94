"""Commands: flask --app wsgi <group> <verb>.

Exit 0 = done, 1 = done with problems or a refusal, 2 = wrong call.
"""

from importlib import import_module

from flask import Flask

# Module of portal.cli → name of its click command or group in that module.
COMMANDS = {
    "asap": "asap",
    "db": "db",
    "demo": "demo",
    "drugs": "drugs",
    "fax": "fax",
    "match": "match",
    "mme": "mme",
    "outbox": "outbox",
    "roster": "roster",
    "serve": "serve",
    "thresholds": "thresholds",
    "user": "user",
    "verify_audit": "verify_audit",
    "worker": "worker",
}


def register(app: Flask) -> None:
    """Give the application its commands."""
    for module, command in COMMANDS.items():
        app.cli.add_command(getattr(import_module(f"portal.cli.{module}"), command))

"""demo: a made-up state, portal and worker in one process.

It keeps to var/demo/, with keys of its own, whatever PMP_* variables say: a demo never
meets real records. All email, fax and letters are written to folders there.
"""

import logging
import secrets
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

from pmp import database
from pmp import settings as program_settings
from pmp.accounts import users
from pmp.errors import RuleError
from pmp.settings import Settings, SettingsError
from portal.cli import refusals

HERE = Path("var/demo")
LOADED = "loaded"


@click.command()
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--reset", is_flag=True, help="Throw the demo's state away and begin anew."
)
@click.option("--scale", default=1.0, show_default=True, help="1 = about 300 patients.")
@click.option("--database", "database_url", default="", help="An empty local Postgres.")
@click.option("--delegates", is_flag=True, help="As in a state that allows delegates.")
@click.option("--data-dir", type=click.Path(path_type=Path), default=HERE, hidden=True)
def demo(
    port: int,
    *,
    reset: bool,
    scale: float,
    database_url: str,
    delegates: bool = False,
    data_dir: Path,
) -> None:
    """Show the program at work on made-up records: portal and worker in one."""
    if reset:
        shutil.rmtree(data_dir, ignore_errors=True)
    _refuse_foreign(data_dir)
    with refusals():
        made = demo_settings(data_dir, port, database_url, delegates=delegates)
        program_settings.use(made)
        database.begin_use()
        database.upgrade()
        _refuse_used(data_dir)
        _load_once(data_dir, scale)
    _serve(port)


def demo_settings(
    data_dir: Path, port: int, database_url: str = "", *, delegates: bool = False
) -> Settings:
    """Give the demo's settings: its own folder and keys, nothing leaves the machine.

    Raises SettingsError for a database that is on another machine.
    """
    if urlsplit(database_url).hostname not in {None, *program_settings.LOOPBACK}:
        raise SettingsError("A demo's database is on this machine.")
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return program_settings.load(
        {
            "PMP_DEMO": "true",
            "PMP_DATA_DIR": str(data_dir),
            "PMP_DATABASE_URL": database_url or f"sqlite:///{data_dir}/pmp.db",
            "PMP_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PMP_SECRET_KEY": _key(data_dir / "secret.key"),
            "PMP_DOCUMENT_KEY": _key(data_dir / "document.key"),
            "PMP_SWEEP_SECONDS": "5",
            "PMP_DELEGATES": str(delegates),
        }
    )


def _key(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return file.read_text()


def _refuse_foreign(data_dir: Path) -> None:
    """Refuse a folder with a database that the demo did not make."""
    if (data_dir / "pmp.db").exists() and not (data_dir / "secret.key").exists():
        click.echo(f"{data_dir}/pmp.db is not a demo's database.", err=True)
        raise SystemExit(1)


def _refuse_used(data_dir: Path) -> None:
    """Refuse a database that has users whom this demo did not make."""
    with database.connected():
        if users.every() and not (data_dir / LOADED).exists():
            raise RuleError("This database is in use: a demo takes an empty one.")


def _load_once(data_dir: Path, scale: float) -> None:
    marker = data_dir / LOADED
    if marker.exists():
        click.echo("The demo's state is there already; --reset begins anew.")
        return
    # Loading draws letters and reads faxes: a good part of the program's imports.
    from portal.cli import demo_state  # noqa: PLC0415

    began = time.monotonic()
    with database.connected():
        demo_state.load(scale=scale, data_dir=data_dir, say=click.echo)
    marker.touch()
    click.echo(f"Loaded in {time.monotonic() - began:.0f} s.")


def _serve(port: int) -> None:
    """Serve from a daemon thread; the worker has the main one, and its signals."""
    from gateway.worker import run_worker  # noqa: PLC0415
    from portal import create_app, processes  # noqa: PLC0415
    from portal.cli import demo_state  # noqa: PLC0415
    from portal.serving import make_server  # noqa: PLC0415

    server = make_server(create_app(), processes.listen("127.0.0.1", port))
    logging.getLogger("portal").setLevel(logging.WARNING)  # the table stays in sight
    threading.Thread(target=server.run, daemon=True).start()
    click.echo(demo_state.accounts_table(f"http://127.0.0.1:{port}/"))
    # Ctrl-C may come before the worker has taken the signals over.
    with suppress(KeyboardInterrupt):
        run_worker()

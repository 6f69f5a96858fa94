"""Settings, a fresh database on each engine, and what every test may lean on."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from playhouse.pool import PooledPostgresqlDatabase
from playwright.sync_api import Browser, sync_playwright

import models
from pmp import database, settings
from tests.chromium import ARGUMENTS, EXECUTABLE, is_installed

NOW = datetime(2026, 11, 23, 15, 14, tzinfo=UTC)
POSTGRES = os.environ.get("PMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["sqlite", "postgres", "both"],
        default="both",
        help="which database the tests that need one run on",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--engine")
        engines = ["sqlite", "postgres"] if chosen == "both" else [chosen]
        metafunc.parametrize("database_url", engines, indirect=True)


@pytest.fixture(autouse=True)
def program(tmp_path: Path) -> Iterator[settings.Settings]:
    """Give a test its own folder and keys, and nothing that leaves this machine."""
    for variable in [name for name in os.environ if name.startswith(settings.PREFIX)]:
        if variable != "PMP_TEST_POSTGRES":
            del os.environ[variable]
    chosen = settings.load(
        {
            "PMP_DATA_DIR": str(tmp_path),
            "PMP_DATABASE_URL": f"sqlite:///{tmp_path}/pmp.db",
            "PMP_SECRET_KEY": "test-secret-" + "s" * 32,
            "PMP_DOCUMENT_KEY": "test-document-" + "d" * 32,
        }
    )
    settings.use(chosen)
    yield chosen
    settings.use(chosen)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of an empty database, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/pmp.db"
        return
    name = f"pmp_test_{secrets.token_hex(6)}"
    with _postgres() as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield f"{POSTGRES}/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _postgres() -> psycopg.Connection:
    try:
        return psycopg.connect(f"{POSTGRES}/postgres", autocommit=True)
    except psycopg.OperationalError:
        missing(f"Postgres does not answer at {POSTGRES}")
        raise


def missing(what: str) -> None:
    """Skip a test, with the reason, for want of a program; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: CI needs it")
    pytest.skip(f"{what} (.ci/run installs and starts what the tests want)")


@pytest.fixture
def db(database_url: str, program: settings.Settings) -> Iterator[settings.Settings]:
    """Bind the tables to an empty database and make them."""
    with settings.changed(database_url=database_url) as chosen:
        database.begin_use()
        opened = models.database.obj
        with models.database.connection_context():
            models.database.create_tables(models.TABLES)
            yield chosen
        # A command under test may have bound the tables anew.
        for each in {opened, models.database.obj}:
            each.close()
            if isinstance(each, PooledPostgresqlDatabase):
                each.close_all()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start one Chromium for all browser tests."""
    if not is_installed():
        missing(f"There is no {EXECUTABLE}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=EXECUTABLE, args=list(ARGUMENTS)
        )
        yield started
        started.close()

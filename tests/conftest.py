"""Settings, a fresh database on each engine, and what every test may lean on."""

import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

import models
from pmp import database, settings
from tests import compiled_templates
from tests.chromium import ARGUMENTS, EXECUTABLE, is_installed

NOW = datetime(2026, 11, 23, 15, 14, tzinfo=UTC)
POSTGRES = os.environ.get("PMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
ENGINES = ("sqlite", "postgres")
IN_TURN = {"gateway", "portal"}

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own there


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' files in memory where there is such a place: they sync a lot."""
    compiled_templates.keep()
    if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def pytest_xdist_auto_num_workers() -> int:
    """Give two workers a core: many tests wait for a time-out, a line or a browser."""
    return 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["sqlite", "postgres", "both", "each"],
        default="both",
        help="which database the tests that need one run on; both: a case of a page or"
        " a channel on one of the two in turn, all others on each; each: all on each",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.getoption("--engine")
    engines = list(ENGINES) if chosen in {"both", "each"} else [chosen]
    for name in ("database_url", "tables_url"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, engines, indirect=True)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave a case of a page or a channel to one engine: decision 45 says why.

    The stories come first: one that began last would be waited for.
    """
    items.sort(key=lambda item: item.path.parent.name != "stories")
    if config.getoption("--engine") != "both":
        return
    spared = [item for item in items if _is_for_the_other_engine(item)]
    config.hook.pytest_deselected(items=spared)
    left_out = set(spared)
    items[:] = [item for item in items if item not in left_out]


def _is_for_the_other_engine(item: pytest.Item) -> bool:
    if item.path.parent.name not in IN_TURN or item.get_closest_marker("each_engine"):
        return False
    given = item.callspec.params if hasattr(item, "callspec") else {}
    engine = given.get("tables_url", given.get("database_url"))
    case = item.nodeid.replace(str(engine), "")
    return engine not in {None, ENGINES[crc32(case.encode()) % len(ENGINES)]}


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


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with empty tables once; tests get copies of it."""
    path = tmp_path_factory.mktemp("tables") / "pmp.db"
    _make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_with_tables() -> Iterator[str]:
    """Make a database with empty tables once; a test that had it empties it again."""
    name = f"pmp_test_{secrets.token_hex(6)}"
    with _postgres() as server:
        server.execute(f'CREATE DATABASE "{name}"')
        # Tests kill processes, not the server: it need not wait for the disk.
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        _make_tables(f"{POSTGRES}/{name}")
        yield f"{POSTGRES}/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def emptying(postgres_with_tables: str) -> Iterator[psycopg.Connection]:
    """Give the connection that empties tables; a new one would read their catalog."""
    with psycopg.connect(postgres_with_tables, autocommit=True) as server:
        server.execute("SET session_replication_role = replica")
        yield server


@pytest.fixture
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a database with empty tables, on each engine in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_with_tables"), tmp_path / "pmp.db")
        yield f"sqlite:///{tmp_path}/pmp.db"
        return
    server = request.getfixturevalue("emptying")
    yield request.getfixturevalue("postgres_with_tables")
    server.execute(_LET_GO)
    _empty(server)


# Whoever is still connected, like a process that a test killed, would hold locks.
_LET_GO = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SEQUENCES = """
SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


def _empty(server: psycopg.Connection) -> None:
    """Empty what a test has filled: a dozen times as fast as TRUNCATE of all tables.

    Vacuumed as well, so that the next test's rows lie in the order of their making.
    """
    named = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    names = [f'"{name}"' for (name,) in server.execute(named)]
    asked = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names]  # noqa: S608
    filled = [name for (name,) in server.execute(" UNION ALL ".join(asked).encode())]
    if filled:
        server.execute("; ".join(f"DELETE FROM {name}" for name in filled).encode())  # noqa: S608
        server.execute(f"VACUUM {', '.join(filled)}".encode())
    server.execute(_SEQUENCES)


def _make_tables(url: str) -> None:
    made = database.open_database(url)
    with made.bind_ctx(models.TABLES), made.connection_context(), made.atomic():
        made.create_tables(models.TABLES)
    made.close_all()


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
def db(tables_url: str, program: settings.Settings) -> Iterator[settings.Settings]:
    """Bind the tables to a database that has them, empty."""
    with settings.changed(database_url=tables_url) as chosen:
        database.begin_use()
        opened = models.database.obj
        with models.database.connection_context():
            yield chosen
        # A command under test may have bound the tables anew.
        for each in {opened, models.database.obj}:
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

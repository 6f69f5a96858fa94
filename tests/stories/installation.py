"""A running installation: real portal, real worker, real carriers, one database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.servers.carrier import KEY, Carrier
from tests.servers.relay import Relay

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 40


class Installation:
    """Settings, processes and carriers of one installation, in one folder."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.carrier = Carrier()
        self.carrier.page_count = None  # it does not say: reports have many pages
        self.relay = Relay()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PMP_DATA_DIR": str(folder),
            "PMP_DATABASE_URL": database_url,
            "PMP_PUBLIC_URL": self.url,
            "PMP_SECRET_KEY": "story-secret-key-0123456789-abcdefgh",
            "PMP_DOCUMENT_KEY": "story-document-key-9876543210-zyxwv",
            "PMP_SWEEP_SECONDS": "1",
            "PMP_FAX_SIGNING_KEY": KEY,
            "PMP_FAX_HOURS": "0-24",
            "PMP_STAFF_MAIL_TO": "staff@example.org",
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def engine(self) -> str:
        """Tell which database it is on: sqlite or postgresql."""
        return self.environment["PMP_DATABASE_URL"].split(":")[0]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the carriers open, and stop every process at the end."""
        with self.carrier, self.relay:
            self.environment["PMP_FAX_URL"] = self.carrier.url
            self.environment["PMP_MAIL_URL"] = self.relay.url
            try:
                yield
            finally:
                for process in self._processes:
                    process.terminate()
                for process in self._processes:
                    process.wait(timeout=40)

    def command(self, *arguments: str, status: int = 0) -> str:
        """Run a command as the sysadmin would; give what it printed."""
        done = subprocess.run(
            self._flask(*arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a service; its log goes to a file of the installation."""
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                self._flask(*arguments), cwd=ROOT, env=self.environment, stderr=log
            )
        self._processes.append(process)
        return process

    def serve(self) -> None:
        """Start the portal and wait until it answers."""
        self.start("serve", "--port", str(self.port))
        wait_for(self._answers)

    def logs(self) -> str:
        """Give all that the services wrote."""
        return "".join(file.read_text() for file in self.folder.glob("*.log"))

    def _answers(self) -> bool:
        with suppress(URLError, ConnectionError):
            answer = urlopen(f"{self.url}/healthz", timeout=5)  # noqa: S310 - ours
            return bool(answer.status == 200)
        return False

    def _flask(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]


def wait_for(met: Callable[[], object], what: str = "") -> None:
    """Look again and again until something is so; fail after a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not met():
        assert time.monotonic() < deadline, f"still not: {what or met}"
        time.sleep(0.1)


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

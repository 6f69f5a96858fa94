"""A telephone exchange, HylaFAX on one of its lines, and a fax machine on another.

The exchange (softexchange.c) carries the sound of the calls between a class 1 modem,
which is a terminal device that HylaFAX opens, and a T.30 fax machine in software: what
is sent is modulated, negotiated and received as over a telephone line, faster. The
spool, the devices and the port are this rig's own, so that several may run; it must be
root, since HylaFAX's programs become the user uucp.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

SOURCE = Path(__file__).parent / "softexchange.c"
HOOK = Path(__file__).parents[2] / "gateway" / "hylafax" / "FaxDispatch"
SPOOL, CONFIG = Path("/var/spool/hylafax"), Path("/etc/hylafax")
PROGRAMS = ("/usr/sbin/faxq", "/usr/sbin/hfaxd", "/usr/sbin/faxgetty", "gcc")


PROGRAM, DOCTOR = "8607137242", "2035550202"  # HylaFAX's line, the fax machine's
BUSY, UNANSWERED, NO_TONE, VOICE = (f"203555000{last}" for last in (1, 2, 3, 4))
USER, PASSWORD = "gateway", "over@the/wire"
_CRYPT = (
    "$6$faxrig$LbZBK.nNCzhhd69XtEjb5yPdrPo5XwdK/5BvE6QmH7IctLr8dDij3Es2G.pW"
    "DMQsSFFfu7XCrZl5lZczGYgyl1"
)
IN_USE, IDLE = "Running", "Running and idle"

# A second try soon: the tests wait for it.
_MODEM = """
CountryCode: 1
AreaCode: 860
FAXNumber: +1.860.713.7242
LongDistancePrefix: 1
InternationalPrefix: 011
DialStringRules: etc/dialrules
ServerTracing: 0xFFF
SessionTracing: 0xFFF
RecvFileMode: 0600
LogFileMode: 0600
DeviceMode: 0660
RingsBeforeAnswer: 1
SpeakerVolume: off
LocalIdentifier: "DCP PMP"
TagLineFont: ""
MaxRecvPages: 60
ModemType: Class1
ModemRate: 38400
ModemFlowControl: none
ModemResetCmds: "ATH1\\nAT+VCID=1"
ModemReadyCmds: ATH0
ModemDialCmd: ATDT%s
Class1AdaptRecvCmd: AT+FAR=1
Class1TMConnectDelay: 400
CallIDPattern: "NMBR="
CallIDPattern: "NAME="
CallIDPattern: "ANID="
CallIDPattern: "NDID="
PollLockWait: 1
PollModemWait: 1
ModemResetDelay: 100
ModemDTRDropDelay: 20
ModemSoftResetCmdDelay: 50
ModemBaudRateDelay: 0
JobReqBusy: 1
JobReqNoAnswer: 5
JobReqNoCarrier: 5
JobReqDataConn: 5
JobReqProto: 5
JobReqOther: 5
"""
# The scheduler's own interval, for a second try that was due before it had looked: five
# minutes where none is given.
_SCHEDULER = """
JobReqOther: 2
LogFacility: daemon
CountryCode: 1
AreaCode: 860
LongDistancePrefix: 1
InternationalPrefix: 011
DialStringRules: etc/dialrules
ServerTracing: 1
SendFaxCmd: /usr/sbin/faxsend
"""


def lacking() -> str:
    """Say what is missing to run the rig here; empty: nothing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    missing += [str(folder) for folder in (SPOOL, CONFIG) if not folder.exists()]
    if not _has_spandsp():
        missing.append("libspandsp-dev")
    if missing:
        return f"no real faxes without {', '.join(missing)}"
    if os.geteuid() != 0:
        return "no real faxes but as root: HylaFAX's programs become the user uucp"
    return ""


class Rig:
    """Use as a context manager; `url` is what PMP_FAX_URL is set to.

    `batches` is HylaFAX's MaxBatchJobs, `speed` how much faster than real time the
    sound runs.
    """

    def __init__(self, *, speed: int = 6, batches: int = 1) -> None:
        self.speed = speed
        self.device = f"ttyPMP{secrets.token_hex(4)}"
        self.port = _free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="fax-rig-"))
        self.spool, self.received = self.folder / "spool", self.folder / "received"
        self.drop = self.folder / "faxes-in"
        self._batches = batches
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        sign_in = f"{USER}:{quote(PASSWORD, safe='')}"
        return f"hylafax://{sign_in}@127.0.0.1:{self.port}/{self.device}"

    def __enter__(self) -> Self:
        try:
            self._build()
            self._make_spool()
            self._start()
            self.wait_until_idle()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End what was started here, and nothing else."""
        for process in reversed(self._running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
        Path(f"/dev/{self.device}").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def say(self, command: str) -> None:
        """Tell the exchange something: see the head of softexchange.c."""
        with (self.folder / "commands").open("w") as pipe:
            pipe.write(f"{command}\n")

    def fax_in(self, path: Path) -> None:
        """Have the doctor's machine fax a TIFF to the program."""
        self.wait_until_idle()
        self.say(f"send {DOCTOR} {PROGRAM} {path}")

    def status(self) -> str:
        """Give what HylaFAX says of its modem."""
        file = self.spool / "status" / self.device
        return file.read_text().strip() if file.exists() else ""

    def wait_until_idle(self, seconds: float = 90) -> None:
        """Wait until the modem would take a call: some ten seconds after the last."""
        _wait(lambda: IDLE in self.status(), seconds, lambda: f"modem: {self.status()}")

    def ended(self) -> list[str]:
        """Give the exchange's lines about finished T.30 sessions, in order."""
        said = (self.folder / "exchange.log").read_text()
        return [line for line in said.splitlines() if "T30 done" in line]

    def dialled(self) -> list[str]:
        """Give the numbers that HylaFAX has dialled, in order."""
        said = (self.folder / "exchange.log").read_text().splitlines()
        mine = (line.split(" dials ")[1] for line in said if f"{PROGRAM} dials" in line)
        return [words.split()[0] for words in mine]

    def papers(self) -> list[Path]:
        """Give what came out of the doctor's machine, in order."""
        return sorted(
            self.received.glob("*.tif"), key=lambda path: path.stat().st_ctime
        )

    def _build(self) -> None:
        command = ["gcc", "-O2", "-o", str(self.folder / "softexchange"), str(SOURCE)]
        libraries = ["-lspandsp", "-ltiff", "-lutil", "-lm"]
        subprocess.run([*command, *libraries], check=True)

    def _make_spool(self) -> None:
        self.folder.chmod(0o755)
        for folder in (self.received, self.drop):
            folder.mkdir()
        subprocess.run(["cp", "-a", str(SPOOL), str(self.spool)], check=True)
        etc = self.spool / "etc"
        subprocess.run(["cp", "-a", f"{CONFIG}/.", str(etc)], check=True)
        self.spool.chmod(0o755)
        (etc / f"config.{self.device}").write_text(_MODEM)
        (etc / "config").write_text(f"{_SCHEDULER}MaxBatchJobs: {self._batches}\n")
        (etc / "hosts.hfaxd").write_text(
            f"^{USER}@127\\.0\\.0\\.1$:60:{_CRYPT}:{_CRYPT}\n"
        )
        hook = HOOK.read_text().replace("/var/lib/pmp/faxes-in", str(self.drop))
        (etc / "FaxDispatch").write_text(hook)
        subprocess.run(
            ["chown", "-R", "uucp:uucp", str(etc), str(self.drop)], check=True
        )
        (etc / "hosts.hfaxd").chmod(0o600)

    def _start(self) -> None:
        lines = [
            "-m",
            f"{PROGRAM}:/dev/{self.device}",
            "-t",
            f"{DOCTOR}:{self.received}",
        ]
        pipe = self.folder / "commands"
        speed = ["-x", str(self.speed), "-c", str(pipe)]
        self._run("exchange", [f"{self.folder}/softexchange", *speed, *lines])
        _wait(
            Path(f"/dev/{self.device}").exists, 10, lambda: "the exchange has no line"
        )
        spool = ["-q", str(self.spool)]
        self._run("faxq", ["/usr/sbin/faxq", "-D", *spool])
        listen = ["-d", "-l", "127.0.0.1", "-i", str(self.port)]
        self._run("hfaxd", ["/usr/sbin/hfaxd", *listen, *spool])
        self._run("faxgetty", ["/usr/sbin/faxgetty", *spool, self.device])

    def _run(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                start_new_session=True,
            )
        self._running.append(process)


def _has_spandsp() -> bool:
    asked = ["gcc", "-E", "-x", "c", "-include", "spandsp.h", "/dev/null"]
    try:
        return not subprocess.run(asked, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return False


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait(until: Callable[[], bool], seconds: float, words: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, words()
        time.sleep(0.2)

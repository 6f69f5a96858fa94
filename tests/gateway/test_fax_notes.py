"""What lies beside a fax in the drop folder: believed as little as any caller."""

import io
import json
import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from gateway import fax_notes, inbound, schedule
from models import InboundFax
from pmp import clock, settings
from tests.gateway.conftest import work

HOOK = Path(__file__).parents[2] / "gateway" / "hylafax" / "FaxDispatch"

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def folder(program: settings.Settings) -> Path:
    made = program.data_dir / "faxes-in"
    made.mkdir()
    return made


def a_fax(shade: int = 1) -> bytes:
    written = io.BytesIO()
    Image.new("1", (1728, 1078), shade).save(written, "TIFF", compression="group4")
    return written.getvalue()


def settle(folder: Path, seconds: float = 10) -> None:
    """Make everything in a folder as old as if it had been left alone."""
    then = clock.now().timestamp() - seconds
    for path in folder.iterdir():
        os.utime(path, (then, then), follow_symlinks=False)


def drop(folder: Path, note: object) -> None:
    (folder / "one.tif").write_bytes(a_fax())
    text = note if isinstance(note, str) else json.dumps(note)
    (folder / "one.json").write_text(text)
    settle(folder)


def test_caller_and_station_come_from_the_note_and_it_goes_with_its_fax(
    folder: Path,
) -> None:
    drop(folder, {"caller": "860-555-0111", "station": "PRACTICE 1", "commid": "7"})

    assert len(inbound.pick_up()) == 1

    [fax] = InboundFax.select()
    assert (fax.from_number, fax.station) == ("+18605550111", "PRACTICE 1")
    assert fax.source == "hylafax"
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "note",
    [
        "{",
        "[]",
        '"text"',
        "[" * 5000,
        '{"caller": 1, "station": ["x"]}',
        json.dumps({"station": "x" * 5000, "caller": "8605550111"}),
    ],
)
def test_a_note_that_cannot_be_read_costs_no_fax(folder: Path, note: str) -> None:
    drop(folder, note)

    inbound.pick_up()

    [fax] = InboundFax.select()
    assert (fax.from_number, fax.station) == ("", "")
    assert not list(folder.iterdir())


def test_what_a_caller_calls_itself_is_cut_and_printable(folder: Path) -> None:
    odd = "A\u202eB\x00\n<b>" + "x" * 100
    drop(folder, {"caller": "0'; --" + "9" * 60, "station": odd})

    inbound.pick_up()

    [fax] = InboundFax.select()
    assert fax.station == ("AB<b>" + "x" * 100)[:60]
    assert set(fax.from_number) <= set("+0123456789")
    assert len(fax.from_number) <= 20


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text('{"station": "SECRET"}')
    drop(folder, "")
    (folder / "one.json").unlink()
    (folder / "one.json").symlink_to(elsewhere)

    inbound.pick_up()

    assert InboundFax.get().station == ""
    assert elsewhere.exists()


def test_a_note_without_a_fax_goes_after_an_hour(folder: Path) -> None:
    for name in ("old.json", "new.json", "waiting.json"):
        (folder / name).write_text("{}")
    settle(folder, 4000)
    settle_new = clock.now().timestamp() - 60
    os.utime(folder / "new.json", (settle_new, settle_new))
    (folder / "waiting.tif").write_bytes(b"")  # still being written

    fax_notes.drop_orphans(folder, at=clock.now())

    left = sorted(path.name for path in folder.iterdir())
    assert left == ["new.json", "waiting.json", "waiting.tif"]


def hook(folder: Path, spool: Path, **call: str) -> str:
    """Do what bin/faxrcvd does: read the hook in a shell, in the spool folder."""
    script = HOOK.read_text().replace("/var/lib/pmp/faxes-in", str(folder))
    told = subprocess.run(
        ["/bin/sh", "-c", f'{script}\necho "to:$SENDTO:"'],
        cwd=spool,
        env={"PATH": os.environ["PATH"], "SENDTO": "boss@example.org", **call},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "to::" in told.stdout  # nobody is sent the fax by mail
    return told.stderr


def test_the_hook_puts_a_fax_and_its_note_into_the_folder(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "recvq").mkdir()
    received = tmp_path / "recvq" / "fax000000012.tif"
    received.write_bytes(a_fax())

    said = hook(
        folder,
        tmp_path,
        FILE="recvq/fax000000012.tif",
        COMMID="000000042",
        DEVICE="ttyS0",
        CALLID1="8605550111",
        SENDER='DR. "A" $(touch /tmp/x) \\ PRACTICE',
    )

    assert said == ""
    names = sorted(path.name for path in folder.iterdir())
    base = "hylafax-000000042-fax000000012"
    assert names == [f"{base}.json", f"{base}.tif"]
    note = json.loads((folder / f"{base}.json").read_text())
    assert note["caller"] == "8605550111"
    assert note["station"] == "DR. A touch tmpx  PRACTICE"
    assert received.exists()
    settle(folder)
    schedule.pick_up_faxes()
    work()
    assert InboundFax.get().from_number == "+18605550111"


def test_the_hook_says_what_it_could_not_do(tmp_path: Path) -> None:
    (tmp_path / "recvq").mkdir()
    (tmp_path / "recvq" / "fax1.tif").write_bytes(a_fax())

    said = hook(tmp_path / "missing", tmp_path, FILE="recvq/fax1.tif", COMMID="1")

    assert "fax1.tif was not put into" in said
    assert (tmp_path / "recvq" / "fax1.tif").exists()

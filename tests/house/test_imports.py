"""Each room of the rules, and what looks into many, can be the first imported."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [
    *sorted(f"pmp.{path.parent.name}" for path in (ROOT / "pmp").glob("*/__init__.py")),
    *("pmp.statistics", "pmp.work_queues"),
]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_imported_first(room: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {room}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr

"""Strangers' files are opened in a process of their own, with little of everything.

A damaged TIFF or PDF may make a library loop, fill the memory or crash. Whatever it
does there, the worker goes on and the fax stands in the tray as unreadable. The process
is given the file and none of the program's keys; it writes no file.

    python -m gateway.reading_apart 180 2048 sheets image/tiff < file
"""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from gateway.pages import UnreadableFax
from pmp.fax_parts import Sheet

ROOT = Path(__file__).parent.parent
SECONDS = 180
MEGABYTES = 2048
_SPARE_SECONDS = 5
_UNREADABLE = 3


def sheets(body: bytes, media_type: str) -> list[Sheet]:
    """Read every page of a file; UnreadableFax, with a sentence for the fax desk."""
    answer = _apart(["sheets", media_type], body)
    try:
        return [_sheet(line) for line in answer.splitlines()]
    except (ValueError, TypeError, KeyError):
        raise UnreadableFax("The file broke the reader.") from None


def cut(body: bytes, media_type: str, numbers: Sequence[int]) -> bytes:
    """Give a file of some of another's pages; UnreadableFax if that cannot be."""
    wanted = ",".join(map(str, numbers))
    return _apart(["cut", media_type, wanted], body)


def _apart(arguments: list[str], body: bytes) -> bytes:
    limits = [str(SECONDS), str(MEGABYTES)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "gateway.reading_apart", *limits, *arguments],
            input=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a library's complaint may quote the page
            timeout=SECONDS + _SPARE_SECONDS,
            check=False,
            cwd=ROOT,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        raise UnreadableFax("The file took too long to open.") from None
    if done.returncode == -signal.SIGXCPU:
        raise UnreadableFax("The file took too long to open.")
    if done.returncode == _UNREADABLE:
        raise UnreadableFax(done.stdout.decode("utf-8", "replace"))
    if done.returncode != 0:
        raise UnreadableFax("The file broke the reader.")
    return done.stdout


def _sheet(line: bytes) -> Sheet:
    found = json.loads(line)
    return Sheet(
        int(found["number"]),
        tuple(map(str, found["codes"])),
        bool(found["blank"]),
        str(found["look"]),
    )


def _limit_itself(seconds: int, megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + _SPARE_SECONDS))
    memory = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for none in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(none, (0, 0))


def main(arguments: Sequence[str]) -> int:
    """Do what `_apart` asks, in the process that it starts."""
    seconds, megabytes, what, media_type, *rest = arguments
    _limit_itself(int(seconds), int(megabytes))
    body = sys.stdin.buffer.read()
    try:
        if what == "cut":
            from gateway import cut_pages  # noqa: PLC0415 - a third of a second

            numbers = [int(number) for number in rest[0].split(",")]
            sys.stdout.buffer.write(cut_pages.cut(body, media_type, numbers))
        else:
            from gateway import fax_sheets  # noqa: PLC0415 - within the limits

            for sheet in list(fax_sheets.read(body, media_type)):
                sys.stdout.write(f"{json.dumps(asdict(sheet))}\n")
    except UnreadableFax as refusal:
        sys.stdout.write(str(refusal))
        return _UNREADABLE
    except MemoryError:
        sys.stdout.write("The file needs too much memory to open.")
        return _UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A folder that someone outside can write to, worked in without believing it.

Everything is done relative to the open folder and never through a link, so that what a
sender puts there cannot lead anywhere else.  A file is claimed by one rename into a
folder of its own under `.taking`, whose name says since when it is claimed: two workers
cannot both have it, and one that was killed leaves it where the next finds it.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

TAKING = ".taking"
FILE_MODE = 0o640
FOLDER_MODE = 0o2770
"""The group is the sender's own: new files in it get the same."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A named pipe without a writer would make the opening of it wait.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20

Marks = tuple[int, int, int, int]  # inode, size, mtime and ctime in nanoseconds


class UnfinishedError(Exception):
    """The file changed while it was read: it is still being written."""


@dataclass(frozen=True)
class Folder:
    """A folder held open by its descriptor."""

    handle: int

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open a folder of the operator's own; OSError if it cannot be."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield cls(handle)
        finally:
            os.close(handle)

    @contextmanager
    def inside(self, name: str, *, make: bool = False) -> Iterator[Self]:
        """Open a folder in this one, a link never; OSError if it cannot be."""
        made = make and self._make(name)
        handle = os.open(name, _FOLDER, dir_fd=self.handle)
        try:
            if made:
                self._share(handle)
                os.fchmod(handle, FOLDER_MODE)
            yield type(self)(handle)
        finally:
            os.close(handle)

    def folders(self) -> list[str]:
        """Name the folders in this one, by name; hidden ones and links left out."""
        with os.scandir(self.handle) as entries:
            return sorted(
                each.name
                for each in entries
                if each.is_dir(follow_symlinks=False) and not each.name.startswith(".")
            )

    def files(self) -> dict[str, Marks]:
        """Give the plain files by name, with what tells that one has changed.

        Links, devices and files that have a second name elsewhere are left out.
        """
        found = {}
        for name in sorted(os.listdir(self.handle)):  # noqa: PTH208 - a descriptor
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=self.handle, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                    found[name] = _marks(status)
        return found

    def claim(self, name: str, *, at: datetime) -> "Claim | None":
        """Take a file for this worker alone; None if another was quicker."""
        with self.inside(TAKING, make=True) as taking:
            claim = Claim(name, since=at, lease=at)
            os.mkdir(claim.folder, 0o700, dir_fd=taking.handle)
            with taking.inside(claim.folder) as own:
                try:
                    os.rename(name, name, src_dir_fd=self.handle, dst_dir_fd=own.handle)
                except FileNotFoundError:
                    os.rmdir(claim.folder, dir_fd=taking.handle)
                    return None
        return claim

    def abandoned(self, *, before: datetime, at: datetime) -> Iterator["Claim"]:
        """Claim anew what was claimed before a time and not finished."""
        try:
            with self.inside(TAKING) as taking:
                for folder in taking.folders():
                    old = _claim_of(folder)
                    if old is None or old.lease >= before:
                        continue
                    if claim := taking.claim_anew(folder, old.since, at):
                        yield claim
        except FileNotFoundError:
            return

    def claim_anew(self, folder: str, since: datetime, at: datetime) -> "Claim | None":
        """Take over a claim's folder in this one; None if another was quicker."""
        try:
            with self.inside(folder) as own:
                names = sorted(own.files())
            if not names:
                os.rmdir(folder, dir_fd=self.handle)
                return None
            claim = Claim(names[0], since=since, lease=at, again=True)
            os.rename(
                folder, claim.folder, src_dir_fd=self.handle, dst_dir_fd=self.handle
            )
        except OSError:
            return None
        return claim

    @contextmanager
    def holding(self, claim: "Claim") -> Iterator[Self]:
        """Open the folder in which a claimed file lies."""
        with self.inside(TAKING) as taking, taking.inside(claim.folder) as own:
            yield own

    def release(self, claim: "Claim") -> None:
        """Remove a claimed file, which is safe elsewhere by now."""
        with self.holding(claim) as own, suppress(FileNotFoundError):
            os.unlink(claim.name, dir_fd=own.handle)
        self._forget(claim)

    def set_aside(self, claim: "Claim", *, folder: str, name: str) -> None:
        """Move a claimed file to a folder in this one, under a name."""
        with self.holding(claim) as own, self.inside(folder, make=True) as aside:
            os.rename(claim.name, name, src_dir_fd=own.handle, dst_dir_fd=aside.handle)
        self._forget(claim)

    def size(self, name: str) -> int:
        """Give a file's size in bytes."""
        return os.stat(name, dir_fd=self.handle, follow_symlinks=False).st_size

    def read(self, name: str, *, most: int) -> bytes:
        """Give a plain file's bytes, and no more than `most` and one of them.

        UnfinishedError if it changed meanwhile; OSError if it is a link, or not ours to
        read.
        """
        handle = os.open(name, _FILE, dir_fd=self.handle)
        with os.fdopen(handle, "rb", buffering=0) as stream:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise PermissionError("not a plain file")
            body = bytearray()
            while len(body) <= most and (
                chunk := stream.read(min(_CHUNK, most + 1 - len(body)))
            ):
                body += chunk
            if _marks(os.fstat(handle)) != _marks(before):
                raise UnfinishedError
        return bytes(body)

    def write(self, name: str, text: str) -> None:
        """Write a file whole or not at all; an earlier one of its name is replaced."""
        hidden = f".{secrets.token_hex(8)}.part"
        handle = os.open(hidden, _NEW, FILE_MODE, dir_fd=self.handle)
        try:
            with os.fdopen(handle, "wb") as stream:
                self._share(handle)
                os.fchmod(handle, FILE_MODE)
                stream.write(text.encode(errors="replace"))
                stream.flush()
                os.fsync(handle)
            os.rename(hidden, name, src_dir_fd=self.handle, dst_dir_fd=self.handle)
        except BaseException:
            with suppress(OSError):
                os.unlink(hidden, dir_fd=self.handle)
            raise

    def _make(self, name: str) -> bool:
        try:
            os.mkdir(name, 0o700, dir_fd=self.handle)
        except FileExistsError:
            return False
        return True

    def _share(self, handle: int) -> None:
        """Give what is made here to the group of this folder, which is the sender's."""
        with suppress(PermissionError):
            os.fchown(handle, -1, os.fstat(self.handle).st_gid)

    def _forget(self, claim: "Claim") -> None:
        with suppress(OSError), self.inside(TAKING) as taking:
            os.rmdir(claim.folder, dir_fd=taking.handle)


@dataclass(frozen=True)
class Claim:
    """A file that a worker has taken: `since` when, and `lease` when last anew."""

    name: str
    since: datetime
    lease: datetime
    again: bool = False
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def folder(self) -> str:
        """The name of its folder under `.taking`."""
        return f"{_millis(self.since)}-{_millis(self.lease)}-{self.mark}"


def _claim_of(folder: str) -> Claim | None:
    parts = folder.split("-")
    if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return None
    since, lease = (
        datetime.fromtimestamp(int(part[:14]) / 1000, UTC) for part in parts[:2]
    )
    return Claim("", since=since, lease=lease, mark=parts[2])


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _marks(status: os.stat_result) -> Marks:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

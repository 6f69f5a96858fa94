"""Submission files dropped in their sender's folder: taken in, and answered there.

`<submissions_dir>/<user name>/` is one user's; what lies in `dry-run` in it is checked
and not stored.  A file is taken once it has not changed from one sweep to the next; it
is removed when it is safe in the database, and its report is written where it lay.
Neither names nor contents of files are logged.
"""

import hashlib
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from gateway.drop_folder import Claim, Folder, Marks, UnfinishedError
from models import Submission, SubmissionSource, User
from pmp import clock, documents, settings, uploads
from pmp.errors import RuleError
from pmp.uploads import dropped, reports
from pmp.uploads.reports import Report

log = logging.getLogger(__name__)

DRY_RUN = "dry-run"
REFUSED = "refused"
SETTLED_SECONDS = 2.0
MOST_SECONDS = 10.0
"""So long a sweep takes files in; what is left waits for the next one."""

UNFINISHED_ENDINGS = (".part", ".tmp", ".filepart")
_REPORT = re.compile(r"\.\d+\.report\.(txt|json)$")


class Place(NamedTuple):
    """A folder in which files are dropped: whose, and whether for a dry run."""

    username: str
    dry_run: bool


@dataclass
class _Watch:
    """What each file looked like, and since when it looks so."""

    seen: dict[tuple[Place, str], tuple[Marks, float]]
    last: Place | None = None

    def settled(self, place: Place, files: dict[str, Marks]) -> list[str]:
        """Name the files that have not changed for a while, in order of names."""
        at = time.monotonic()
        before = {
            name: known for (where, name), known in self.seen.items() if where == place
        }
        for name in before.keys() - files.keys():
            del self.seen[place, name]
        found = []
        for name, marks in files.items():
            known = before.get(name)
            if known is None or known[0] != marks:
                self.seen[place, name] = (marks, at)
            elif at - known[1] >= SETTLED_SECONDS:
                found.append(name)
        return found


_watch = _Watch({})


def pick_up() -> int:
    """Take in the dropped files that are whole; give how many became submissions.

    Folder after folder; a sweep that ran out of time has the next one go on with the
    folder after its last.
    """
    until = time.monotonic() + MOST_SECONDS
    count = 0
    with _root() as root:
        for place in _after(_watch.last, _places(root)):
            count += _pick_up(root, place, until)
            _watch.last = place
            if time.monotonic() > until:
                break
    if count:
        log.info("dropped files taken in", extra={"fields": {"files": count}})
    return count


def answer() -> int:
    """Write the reports of finished submissions where their files lay; give how many.

    One whose folder is gone, or closed to us, stays unanswered until it is there.
    """
    waiting = dropped.unanswered()
    if not waiting:
        return 0
    with _root() as root:
        places = set(_places(root))
        return sum(
            _answer(root, place, number)
            for number, username, dry_run in waiting
            if (place := Place(username, dry_run)) in places
        )


def write_report(folder: Folder, report: Report) -> None:
    """Write a report's two files; whoever waits for the JSON finds the text as well."""
    folder.write(f"{report.stem}.txt", report.text)
    folder.write(f"{report.stem}.json", report.json)


@contextmanager
def _root() -> Iterator[Folder | None]:
    path = dropped.folder_of(settings.current())
    if not path.is_dir():
        yield None
        return
    with Folder.opened(path) as root:
        yield root


def _places(root: Folder | None) -> list[Place]:
    names = root.folders() if root else []
    return [Place(name, dry_run) for name in names for dry_run in (False, True)]


def _after(last: Place | None, places: list[Place]) -> list[Place]:
    """Begin with the place after the last one, and come round to it."""
    start = sum(place <= last for place in places) if last else 0
    return places[start:] + places[:start]


@contextmanager
def _within(root: Folder | None, place: Place) -> Iterator[Folder]:
    if root is None:
        raise FileNotFoundError
    with root.inside(place.username) as own:
        if not place.dry_run:
            yield own
            return
        with own.inside(DRY_RUN) as dry:
            yield dry


def _pick_up(root: Folder | None, place: Place, until: float) -> int:
    count = 0
    lease = timedelta(seconds=settings.current().lease_seconds)
    try:
        with _within(root, place) as folder:
            at = clock.now()
            for claim in folder.abandoned(before=at - lease, at=at):
                count += _take_in(folder, place, claim)
            files = {n: m for n, m in folder.files().items() if _is_submission(n)}
            for name in _watch.settled(place, files):
                if time.monotonic() > until:
                    break
                if taken := folder.claim(name, at=clock.now()):
                    count += _take_in(folder, place, taken)
    except FileNotFoundError:
        pass  # no dry runs here, or the folder was removed meanwhile
    except OSError as error:
        _log("dropped files not taken in", place, error)
    return count


def _is_submission(name: str) -> bool:
    hidden = name.startswith(".") or name.casefold().endswith(UNFINISHED_ENDINGS)
    return not hidden and not _REPORT.search(name)


def _take_in(folder: Folder, place: Place, claim: Claim) -> int:
    """Make a claimed file a submission, then remove it; 1 if it became a new one."""
    name = uploads.plain_name(claim.name)
    try:
        user = dropped.sender(place.username)
        body = _read(folder, claim)
        if not _is_in(body, user, place, claim):
            uploads.receive(
                filename=name,
                body=body,
                by=user,
                at=clock.now(),
                dry_run=place.dry_run,
                source=SubmissionSource.FOLDER,
            )
    except UnfinishedError:
        return 0  # when its lease has run out it is looked at again
    except uploads.SubmittedBeforeError as before:
        _answer_again(folder, name, before.submission)
    except (RuleError, PermissionError) as refusal:
        _refuse(folder, place, claim, refusal)
        return 0
    else:
        folder.release(claim)
        return 1
    folder.release(claim)
    return 0


def _read(folder: Folder, claim: Claim) -> bytes:
    with folder.holding(claim) as own:
        uploads.require_size(own.size(claim.name))
        return own.read(claim.name, most=uploads.most_bytes())


def _is_in(body: bytes, user: User, place: Place, claim: Claim) -> bool:
    """Tell whether a worker that was killed had made it a submission already."""
    if not claim.again:
        return False
    sha256 = hashlib.sha256(body).hexdigest()
    return dropped.was_taken(
        by=user, sha256=sha256, since=claim.since, dry_run=place.dry_run
    )


def _answer_again(folder: Folder, name: str, before: Submission) -> None:
    """Answer a file that came before: with what became of it, if that is known."""
    if before.status in dropped.UNFINISHED:
        write_report(folder, reports.pending_report(before, filename=name))
    else:
        write_report(folder, reports.report_of(before, filename=name, again=True))


def _refuse(folder: Folder, place: Place, claim: Claim, refusal: Exception) -> None:
    """Move a file aside, with a report that says why; nobody else is told."""
    at = clock.now()
    code, why = "F00", "The program may not read this file: its permissions are wrong."
    if isinstance(refusal, RuleError):
        code, why = "F10" if refusal.field else "F09", refusal.message
    head = f"{clock.local(at):%Y%m%d-%H%M%S}-{claim.mark[:4]}."
    name = reports.stem_of(head + uploads.plain_name(claim.name), "")
    report = reports.refusal_of(name, code=code, why=why, dry_run=place.dry_run, at=at)
    with folder.inside(REFUSED, make=True) as aside:
        write_report(aside, report)
    folder.set_aside(claim, folder=REFUSED, name=name)
    _log("a dropped file was refused", place, refusal)


def _answer(root: Folder | None, place: Place, number: int) -> int:
    try:
        with _within(root, place) as folder:
            write_report(folder, reports.report_of(Submission.get_by_id(number)))
    except FileNotFoundError:
        return 0
    except (OSError, documents.DocumentLostError) as error:
        _log("a report could not be written", place, error)
        return 0
    dropped.answered(number, at=clock.now())
    return 1


def _log(event: str, place: Place, error: Exception) -> None:
    fields = {"user": place.username, "error": type(error).__name__}
    log.warning(event, extra={"fields": fields})

"""What became of a submission, as two files for its sender: text and JSON.

The same for a file that was dropped in a folder and for one submitted by command.  What
they hold of a person, and why so little, is decision 0016.
"""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from models import Submission, SubmissionStatus
from pmp import asap, clock, documents, settings
from pmp.uploads import submissions
from pmp.uploads.discretion import Told, told
from pmp.uploads.programme import programme
from pmp.wording import phone, us_time

WIDTH = 78
LONGEST_NAME = 255
"""Bytes that a file's name may have."""

S = SubmissionStatus
STATUS = {
    S.PROCESSED: "Accepted",
    S.RESOLVED: "All corrected",
    S.PROCESSED_WITH_ERRORS: "Accepted with errors",
    S.FAILED_STRUCTURE: "Refused",
    S.WITHDRAWN: "Withdrawn",
}
COUNTS = {
    "stored": "stored",
    "held": "held for correction",
    "withdrawn": "withdrawn",
    "duplicate": "reported before",
    "voided": "voided",
    "void_not_found": "voids without a record",
    "not_reportable": "not to be reported",
    "zero_reports": "zero reports",
}
"""The counts that add up to the records, in the words of the result page."""

ADDED = (
    "stored",
    "stored_with_warning",
    "revised",
    "held",
    "duplicate",
    "voided",
    "void_not_found",
    "not_reportable",
    "zero_reports",
)


@dataclass(frozen=True)
class Report:
    """The two files; their names are `stem` with “.txt” and “.json”."""

    stem: str
    text: str
    json: str


def report_of(
    submission: Submission, *, filename: str = "", again: bool = False
) -> Report:
    """Report on a finished submission under the name of its file, or another.

    `again`: the same bytes came once more and were not imported.  Raises
    DocumentLostError if the kept file cannot be read.
    """
    name = filename or submission.filename
    found = as_json(submission, file=name)
    if again:
        found["received_before"] = True
    return Report(
        stem=stem_of(name, f".{submission.id}.report"),
        text=_joined(_text(submission, name, again=again)),
        json=json.dumps(found, indent=1, ensure_ascii=False) + "\n",
    )


def pending_report(submission: Submission, *, filename: str) -> Report:
    """Report that a file came before, as a submission that is not finished yet."""
    first = (
        f"This file was received before, as submission {submission.id}, which is still"
        f" being read. Its report will be beside this one, as"
        f" {stem_of(submission.filename, f'.{submission.id}.report')}.txt."
    )
    found = {"file": filename, "received_before": True, "submission": submission.id}
    return Report(
        stem=stem_of(filename, f".{submission.id}.report"),
        text=_joined([filename, "", *_wrapped(first)]),
        json=json.dumps(found, indent=1, ensure_ascii=False) + "\n",
    )


def refusal_of(
    filename: str, *, code: str, why: str, dry_run: bool, at: datetime
) -> Report:
    """Report on a file that was refused before it was read; nothing of it was kept."""
    chosen = settings.current()
    problem = Told(code, "fatal", 0, "", "", "", why, "", None, None)
    none = ("read", "good", *ADDED)
    found = {
        "file": filename,
        "sha256": "",
        "verdict": "refused",
        "version": "",
        "transactions": 0,
        "pharmacies": 0,
        "test": False,
        "records": dict.fromkeys(none, 0),
        "problems": [asdict(problem)],
        "submission": None,
        "dry_run": dry_run,
    }
    lines = [
        *_head("REFUSED", ""),
        *_facts([("File", filename), ("Refused", us_time(at))]),
        "",
        *_wrapped(why),
        *_wrapped("The program kept nothing of the file."),
        "",
        *_help(chosen),
    ]
    return Report(
        stem=stem_of(filename, ".report"),
        text=_joined(lines),
        json=json.dumps(found, indent=1, ensure_ascii=False) + "\n",
    )


def as_json(submission: Submission, *, file: str) -> dict[str, Any]:
    """Give what `asap submit --json` prints of a processed submission."""
    reading = _read(submission)
    verdict = reading.verdict
    if submission.held and verdict == "accepted":
        verdict = "accepted_with_problems"
    counts = reading.counts
    return {
        "file": file,
        "sha256": submission.sha256,
        "verdict": verdict,
        "version": reading.version,
        "transactions": len(reading.transactions),
        "pharmacies": len(set(reading.pharmacies)),
        "test": reading.test,
        "records": {"read": counts.read, "good": counts.good}
        | {name: getattr(submission, name) for name in ADDED},
        "problems": [asdict(problem) for problem in _problems(submission)],
        "submission": submission.id,
        "dry_run": submission.dry_run,
    }


def stem_of(filename: str, ending: str) -> str:
    """Give a file's name with an ending before “.json”, not too long, not hidden."""
    room = LONGEST_NAME - len(f"{ending}.json".encode())
    cut = filename.replace("/", "_").encode()[:room].decode(errors="ignore")
    return f"{cut.lstrip('. ') or 'submission'}{ending}"


def _read(submission: Submission) -> asap.Reading:
    """Read the kept file again for what the tables do not keep of it."""
    body = memoryview(documents.read(submission.document))
    reading = asap.read(
        (bytes(body[at : at + asap.CHUNK]) for at in range(0, len(body), asap.CHUNK)),
        today=clock.day_of(submission.received_at),
        programme=programme(),
    )
    for _ in reading:
        pass
    return reading


def _problems(submission: Submission) -> list[Told]:
    return [
        told(problem, version=submission.version, number=submission.id)
        for problem in submissions.problems(submission)
    ]


def _text(submission: Submission, name: str, *, again: bool) -> Iterator[str]:
    problems = _problems(submission)
    yield from _head(f"SUBMISSION {submission.id}", _status(submission))
    yield from _facts(
        [
            ("File", name),
            ("Received", us_time(submission.received_at)),
            ("Submitted by", submission.submitted_by.username),
            ("Version", f"ASAP {submission.version}" if submission.version else ""),
            ("Pharmacies", ", ".join(submission.pharmacies)),
        ]
    )
    yield ""
    for words in _what_it_means(submission, again=again):
        yield from _wrapped(words)
    if submission.status is not S.FAILED_STRUCTURE:
        yield from _counted(submission)
    if problems:
        yield from _kinds(problems)
        yield from _one_by_one(submission, problems)
    elif submission.records:
        yield from ("No problem was found.", "")
    yield from _help(settings.current())


def _status(submission: Submission) -> str:
    kind = " (dry run)" if submission.dry_run else ""
    kind = " (test file)" if submission.test and not kind else kind
    return STATUS.get(submission.status, "Being read") + kind


def _what_it_means(submission: Submission, *, again: bool) -> Iterator[str]:
    if again:
        yield (
            f"This file was received before, as submission {submission.id}. It was not"
            " imported again; this is what became of it then."
        )
    page = f"{settings.current().public_url}/submissions/{submission.id}"
    rehearsal = submission.dry_run or submission.test
    if submission.status is S.FAILED_STRUCTURE:
        yield (
            "Nothing of this file was stored. Mend what is named below and send the"
            " whole file again."
        )
    elif rehearsal:
        what = "This was a dry run" if submission.dry_run else "It is a test file"
        yield f"Nothing was stored. {what}: a real one would give this."
    if submission.held and not rehearsal:
        yield (
            "A held record is stored only once it is corrected: on the page"
            f" {page}, or in a file that you send again."
        )


def _counted(submission: Submission) -> Iterator[str]:
    would = "would be " if submission.dry_run or submission.test else ""
    yield from ("", "What became of the records", "")
    for name, words in COUNTS.items():
        number = getattr(submission, name)
        if number or name in {"stored", "held"}:
            if name in {"stored", "held", "voided"}:
                words = would + words  # noqa: PLW2901 - the same words, a dry run's
            yield f"{number:>9,}  {words}"
    yield "-" * 9
    yield f"{submission.records:>9,}  records in the file"
    further = []
    if submission.stored_with_warning:
        further.append(f"{submission.stored_with_warning:,} with a warning")
    if submission.revised:
        further.append(f"{submission.revised:,} revised an earlier record")
    if further:
        yield from _wrapped(f"Of those {would}stored: {', '.join(further)}.")
    yield ""


def _kinds(problems: Sequence[Told]) -> Iterator[str]:
    """Count problems by code and element, the gravest first, each with an example."""
    kinds: Counter[tuple[str, str, str]] = Counter()
    example: dict[tuple[str, str, str], str] = {}
    for problem in problems:
        kind = (problem.severity, problem.code, problem.element)
        kinds[kind] += 1
        example.setdefault(kind, problem.message)
    yield from ("Problems by kind", "")
    for kind, number in kinds.items():
        severity, code, element = kind
        head = f"{number:>9,}  {severity:<8}{code:<5}{element:<9}"
        yield from _wrapped(example[kind], head, " " * 11)
    yield ""


def _one_by_one(submission: Submission, problems: Sequence[Told]) -> Iterator[str]:
    numbers = (problem.record for problem in problems)
    records = submissions.records_of(submission, numbers)
    yield from ("Problems one by one, the gravest first", "")
    for problem in problems:
        record = records.get(problem.record or 0)
        parts = [
            f"Record {problem.record}" if problem.record else "File",
            f"segment {problem.segment}" if problem.segment else "",
            f"Rx number {record.prescription_number}" if record else "",
            problem.element or problem.segment_id,
            f"value {problem.value}" if problem.value else "",
            f"{problem.severity} {problem.code}",
        ]
        yield from _wrapped(", ".join(filter(None, parts)), "  ", "  ")
        yield from _wrapped(problem.message, "    ", "    ")
        yield from _wrapped(problem.fix, "    ", "    ")
        yield ""


def _head(left: str, right: str) -> list[str]:
    return [f"{left}{right:>{WIDTH - len(left)}}", "=" * WIDTH]


def _facts(facts: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, words in facts:
        if words:
            yield from _wrapped(words, f"{name:<14}", " " * 14)


def _help(chosen: settings.Settings) -> list[str]:
    number = phone(chosen.help_phone)
    return _wrapped(f"Help with files: {number}, {chosen.help_email}")


def _wrapped(text: str, first: str = "", further: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=further)


def _joined(lines: Sequence[str] | Iterator[str]) -> str:
    # Machines that open it in a plain editor are often old ones with Windows.
    return "".join(f"{line}\r\n" for line in lines)

"""Records in a spreadsheet, for practices without pharmacy software.

The file is kept, encrypted, while its sender says what its columns are; then it becomes
a submission file of the standard and goes the way of every upload.  A layout is
remembered by user and headings, so that the next file needs no questions.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from models import (
    CsvFile,
    CsvLayout,
    Document,
    DocumentKind,
    RecordStatus,
    Submission,
    SubmissionProblem,
    SubmissionSource,
    User,
)
from pmp import audit, clock, database, documents, settings, uploads
from pmp.csv_submissions import columns, csv_reader, csv_records
from pmp.csv_submissions.csv_reader import Sheet
from pmp.csv_submissions.csv_records import Layout, RowProblem
from pmp.entry import asap_file, pharmacies
from pmp.entry.reading import PHARMACY
from pmp.errors import NotFoundError, RuleError
from pmp.uploads import rehearsal

KEPT_HOURS = 24
MOST_WAITING = 20
PREVIEWED = 20
MOST_PROBLEMS = 100
NAME_LENGTH = 120


@dataclass(frozen=True)
class PreviewRow:
    """A row as it will be read, and what would become of it; None if refused."""

    number: int
    elements: Mapping[str, str]
    status: RecordStatus | None


@dataclass(frozen=True)
class SharedProblem:
    """What is wrong in the same words in some rows; `value` is the first one's."""

    rows: list[int]
    heading: str
    value: str
    words: str


@dataclass(frozen=True)
class Preview:
    """The first rows, what is wrong where, each once, and how many of them in all."""

    rows: list[PreviewRow]
    problems: list[SharedProblem]
    count: int
    records: int


def receive(*, filename: str, body: bytes, by: User, at: datetime) -> CsvFile:
    """Keep a spreadsheet until its columns are known.

    RuleError (field “file”) for what is empty, too large or no spreadsheet, and for a
    user who has twenty that wait.
    """
    most = settings.current().upload_megabytes
    if len(body) > most * 1024 * 1024:
        message = f"The file is larger than {most} MB. Send it in parts."
        raise RuleError(message, field="file")
    sheet = csv_reader.read(body)
    if len(waiting(by)) >= MOST_WAITING:
        message = f"{MOST_WAITING} of your spreadsheets wait. Submit or remove some."
        raise RuleError(message, field="file")
    kind = DocumentKind.SUBMISSION
    with database.atomic():
        document = documents.keep(kind=kind, media_type="text/csv", body=body, at=at)
        kept: CsvFile = CsvFile.create(
            user=by, filename=_name(filename), document=document, uploaded_at=at
        )
        audit.record(
            audit.Event.CSV_RECEIVED,
            actor=by.username,
            subject=f"csv_file:{kept.id}",
            at=at,
            detail={"sha256": document.sha256, "rows": len(sheet.rows)},
        )
    return kept


def waiting(user: User) -> list[CsvFile]:
    """List a user's spreadsheets that are not submitted yet, the latest first."""
    query = CsvFile.select().where(
        CsvFile.user == user, CsvFile.submission.is_null(is_null=True)
    )
    return list(query.order_by(CsvFile.id.desc()))


def mine(csv_file_id: int, *, by: User) -> CsvFile:
    """Give a user's own spreadsheet; NotFoundError for others and forgotten ones."""
    found: CsvFile | None = CsvFile.get_or_none(
        (CsvFile.id == csv_file_id) & (CsvFile.user == by)
    )
    if found is None or found.document.purged_at:
        message = "This spreadsheet is gone: they are kept for a day. Send it again."
        raise NotFoundError(message)
    return found


def sheet_of(csv_file: CsvFile) -> Sheet:
    """Read a kept spreadsheet."""
    return csv_reader.read(documents.read(csv_file.document))


def layout_of(sheet: Sheet, *, by: User) -> tuple[Layout, bool]:
    """Give what a user's file with these headings means, and whether it is remembered.

    Else a guess, with the pharmacy of the account for all rows.
    """
    known = CsvLayout.get_or_none(
        (CsvLayout.user == by) & (CsvLayout.headings_sha256 == _sha256(sheet))
    )
    if known is not None:
        return Layout(known.columns, known.fixed), True
    covered = pharmacies.of(by)
    fixed = {PHARMACY: covered[0].number} if covered else {}
    return Layout(columns.guess(sheet), fixed), False


def remember(sheet: Sheet, layout: Layout, *, by: User, at: datetime) -> None:
    """Keep what the columns of a user's file mean.

    RuleError where two columns have one meaning, or a required element has neither a
    column nor a text for all rows.
    """
    meant = [element for element in layout.columns.values() if element]
    for element in meant:
        if meant.count(element) > 1:
            words = columns.COLUMNS[element].words
            raise RuleError(f"Two columns are “{words}”. Leave one of them out.")
    if lacking := missing(layout):
        words = ", ".join(lacking)
        raise RuleError(
            f"Not given yet: {words}. Choose the column that has it, or fill in below"
            " what holds for all rows."
        )
    row = {
        "columns": dict(layout.columns),
        "fixed": {name: text for name, text in layout.fixed.items() if text},
        "updated_at": at,
    }
    (
        CsvLayout.insert(user=by, headings_sha256=_sha256(sheet), **row)
        .on_conflict(
            conflict_target=[CsvLayout.user, CsvLayout.headings_sha256], update=row
        )
        .execute()
    )


def missing(layout: Layout) -> list[str]:
    """Name what every record needs and a layout does not give."""
    lacking = [column.words for column in columns.missing(layout.given)]
    if not {PHARMACY, *columns.PHARMACY_NUMBERS} & set(layout.given):
        lacking.append("the pharmacy")
    return lacking


def preview(sheet: Sheet, layout: Layout, *, by: User, at: datetime) -> Preview:
    """Tell how the rows will be read; the first twenty are also checked as records."""
    made, problems = csv_records.records(sheet, layout, by=by, today=clock.day_of(at))
    first = made[:PREVIEWED]
    rehearsed = rehearsal.rehearse(asap_file.write(first, by=by, at=at), by=by, at=at)
    told = {(each.row, each.heading) for each in problems}
    statuses: list[RecordStatus | None] = [None] * len(first)
    for place, decided in enumerate(rehearsed.decided):
        statuses[place] = decided.status
        for problem in rehearsal.problems_of(decided):
            heading = layout.heading(problem.element)
            number = sheet.rows[place].number
            if (number, heading) not in told:
                problems.append(_row_problem(number, heading, problem))
    rows = [
        PreviewRow(sheet.rows[place].number, record, statuses[place])
        for place, record in enumerate(first)
    ]
    shared = _shared(problems)
    return Preview(rows, shared[:MOST_PROBLEMS], len(shared), len(made))


def submit(
    csv_file: CsvFile, *, by: User, at: datetime, dry_run: bool = False
) -> Submission:
    """Make a submission of a spreadsheet whose layout is remembered; record n is row n.

    RuleError for a layout that lacks something, and for a file submitted before.
    """
    sheet = sheet_of(csv_file)
    layout, known = layout_of(sheet, by=by)
    if not known or missing(layout):
        raise RuleError("Say first what the columns are.")
    today = clock.day_of(at)
    made, _ = csv_records.records(sheet, layout, by=by, today=today)
    with database.atomic():
        submission = uploads.receive(
            filename=f"{csv_file.filename}.dat",
            # By the time it came: sent twice it is the same file, and refused.
            body=asap_file.write(made, by=by, at=csv_file.uploaded_at),
            by=by,
            at=at,
            dry_run=dry_run,
            source=SubmissionSource.CSV,
        )
        if not dry_run:
            CsvFile.update(submission=submission, note=rows_of_records(sheet)).where(
                CsvFile.id == csv_file.id
            ).execute()
    return submission


def rows_of_records(sheet: Sheet) -> str:
    """Say which row of the spreadsheet a record of the submission is."""
    first = sheet.rows[0].number
    words = f"Record 1 is row {first} of your spreadsheet"
    if not sheet.empty:
        return f"{words}, record 2 is row {first + 1}, and so on."
    shown = ", ".join(str(number) for number in sheet.empty[:10])
    more = " and more" if len(sheet.empty) > 10 else ""
    return f"{words}, and so on; empty rows ({shown}{more}) do not count."


def note_on(submission: Submission) -> str:
    """Say which row of its spreadsheet is which record; “” for any other submission."""
    if submission.source != SubmissionSource.CSV:
        return ""
    found = CsvFile.get_or_none(CsvFile.submission == submission)
    return found.note if found else ""


def forget(csv_file: CsvFile, *, at: datetime) -> None:
    """Destroy a kept spreadsheet; of a submitted one its name and note stay."""
    with database.atomic():
        (
            CsvFile.delete()
            .where(CsvFile.id == csv_file.id, CsvFile.submission.is_null(is_null=True))
            .execute()
        )
        documents.purge(csv_file.document, at=at)


def expire(*, at: datetime) -> int:
    """Destroy spreadsheets that are a day old, submitted or not; give how many."""
    oldest = at - timedelta(hours=KEPT_HOURS)
    old = list(
        CsvFile.select(CsvFile, Document)
        .join(Document)
        .where(CsvFile.uploaded_at < oldest, Document.purged_at.is_null(is_null=True))
    )
    for csv_file in old:
        forget(csv_file, at=at)
    return len(old)


def _shared(problems: list[RowProblem]) -> list[SharedProblem]:
    """Put rows with the same words together, in the order of their first rows."""
    found: dict[tuple[str, str], SharedProblem] = {}
    for each in sorted(problems, key=lambda each: each.row):
        key = (each.heading, each.words)
        first = SharedProblem([], each.heading, each.value, each.words)
        found.setdefault(key, first).rows.append(each.row)
    return list(found.values())


def _row_problem(number: int, heading: str, problem: SubmissionProblem) -> RowProblem:
    return RowProblem(number, heading, str(problem.value), rehearsal.words_of(problem))


def _name(filename: str) -> str:
    name = PurePosixPath(filename.replace("\\", "/")).name
    shown = "".join(sign for sign in name if sign.isprintable()).strip()
    return shown[-NAME_LENGTH:] or "spreadsheet.csv"


def _sha256(sheet: Sheet) -> str:
    return hashlib.sha256("\x1f".join(sheet.headings).encode()).hexdigest()

"""How far a submission has come, as the page that waits for it shows it."""

from collections.abc import Iterator
from typing import Any

import pytest

from models import Dispensation, Role, Submission, SubmissionStatus, User
from pmp import thresholds, uploads
from pmp.uploads import files, intake
from pmp.uploads.stages import Stage, stage_of
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_product, make_submission, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.usefixtures("db")
S = SubmissionStatus


@pytest.fixture
def elm() -> User:
    make_product(ndc=OXYCODONE)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2]))


def receive(by: User, *, count: int = 6, dry_run: bool = False) -> Submission:
    body = submission((ELM, [fill(str(number)) for number in range(count)]))
    return uploads.receive(filename="a.dat", body=body, by=by, at=NOW, dry_run=dry_run)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": S.RECEIVED}, ("received", 0, 1000)),
        ({"status": S.RECEIVED, "bytes_read": 300}, ("reading", 300, 1000)),
        ({"status": S.READING, "progress": 4, "records": 9}, ("storing", 4, 9)),
        ({"status": S.READING, "progress": 9, "records": 9}, ("thresholds", 9, 9)),
        ({"status": S.PROCESSED, "progress": 9, "records": 9}, ("done", 9, 9)),
        ({"status": S.FAILED_STRUCTURE, "bytes_read": 1000}, ("done", 0, 0)),
    ],
)
def test_a_stage_tells_how_much_of_how_much(
    fields: dict[str, Any], expected: tuple[str, int, int]
) -> None:
    make_submission(body=b"y" * 77)  # noise
    stage = stage_of(make_submission(body=b"x" * 1000, **fields))

    assert (stage.name, stage.done, stage.of) == expected
    assert stage.words


def test_the_words_of_a_dry_run_do_not_promise_to_store() -> None:
    fields = {"status": S.READING, "progress": 1, "records": 2}
    words = {stage_of(make_submission(dry_run=dry, **fields)).words for dry in (0, 1)}

    assert words == {"Storing", "Comparing with what is stored"}


def test_a_file_that_is_read_says_how_far(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmp.asap.CHUNK", 500)
    monkeypatch.setattr(files, "TELL_SECONDS", 0.0)
    received = receive(elm, count=200)
    body = files.body_of(received)
    seen: list[Stage] = []
    chunks = files._chunks

    def looked_at(whole: bytes) -> Iterator[bytes]:
        for chunk in chunks(whole):
            seen.append(stage_of(Submission.get_by_id(received.id)))
            yield chunk

    monkeypatch.setattr(files, "_chunks", looked_at)
    _, kept = files.check(received, body)

    assert kept
    assert len(kept) == 200
    assert len(seen) > 50
    assert {stage.of for stage in seen} == {len(body)}
    read = [stage.done for stage in seen]
    assert read == sorted(read)
    assert 0 < read[-1] < len(body)
    assert [seen[0].name, seen[-1].name] == ["received", "reading"]


def test_how_far_is_written_once_in_a_while_not_for_each_part(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmp.asap.CHUNK", 100)
    clock = iter(range(10_000))
    monkeypatch.setattr("time.monotonic", lambda: next(clock) / 50)
    received = receive(elm, count=60)
    written: list[int] = []
    real = Submission.update

    def update(**columns: Any) -> Any:
        written.extend(columns.get("bytes_read", ()) and [columns["bytes_read"]])
        return real(**columns)

    monkeypatch.setattr(Submission, "update", update)
    body = files.body_of(received)
    files.check(received, body)

    assert len(body) / 100 > 100  # so many parts
    assert 1 <= len(written) <= 5


def test_each_stage_is_seen_on_the_way(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BATCH", 2)
    received = receive(elm)
    stages = [stage_of(received)]

    def looking(module: Any, name: str) -> None:
        real = getattr(module, name)

        def look(*args: Any, **how: Any) -> Any:
            stages.append(stage_of(Submission.get_by_id(received.id)))
            return real(*args, **how)

        monkeypatch.setattr(module, name, look)

    looking(uploads, "_take_in")
    looking(thresholds, "evaluate")
    done = uploads.process(received.id, at=NOW)
    stages.append(stage_of(done))

    names = [stage.name for stage in stages]
    assert names == ["received", *["storing"] * 3, "thresholds", "done"]
    assert stages[-1] == Stage("done", "Done", 6, 6)
    assert done.bytes_read == done.document.size


def test_a_large_file_goes_on_where_it_was_stopped_and_keeps_few_records(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read a second time, from the first record that is not in."""
    monkeypatch.setattr(uploads, "BATCH", 2)
    monkeypatch.setattr(files, "KEPT_RECORDS", 3)
    received = receive(elm, count=9)
    taken: list[int] = []
    take_in = intake.take_in

    def stopped(into: Any, records: Any) -> Any:
        if len(taken) == 4:
            raise InterruptedError
        taken.extend(record.number for record in records)
        return take_in(into, records)

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "take_in", stopped)
        with pytest.raises(InterruptedError):
            uploads.process(received.id, at=NOW)
    done = uploads.process(received.id, at=NOW)

    assert taken == [1, 2, 3, 4]
    assert (done.stored, done.duplicate) == (9, 0)
    assert Dispensation.select().count() == 9


def test_records_are_let_go_as_they_are_taken_in() -> None:
    kept: list[Any] = ["one", "two", "three"]
    going: Iterator[Any] = files.let_go(kept)

    assert next(going) == "one"
    assert kept == ["three", "two"]
    assert list(going) == ["two", "three"]

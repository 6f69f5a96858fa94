"""Files dropped in a sender's folder: taken once, whole, and answered there."""

import json
import logging
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import drop_folder, schedule, submissions_in, tasks
from gateway.drop_folder import Folder, UnfinishedError
from gateway.queue import huey
from models import (
    Delivery,
    Dispensation,
    Role,
    Submission,
    SubmissionSource,
    SubmissionStatus,
    User,
    UserStatus,
)
from pmp import clock, settings, uploads
from tests.factories import make_pharmacy, make_product, make_user
from tests.gateway.conftest import work
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.each_engine


@pytest.fixture(autouse=True)
def elm(db: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> User:
    """Make a user with a folder; what lies there is settled at the second look."""
    monkeypatch.setattr(submissions_in, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(submissions_in, "_watch", submissions_in._Watch({}))
    make_product(ndc=OXYCODONE)
    user = make_user(Role.PHARMACY, username="elm", pharmacy=make_pharmacy(dea=ELM[2]))
    make_user(Role.PHARMACY, username="other")  # noise: has no folder
    return user


@pytest.fixture(autouse=True)
def an_empty_queue(db: settings.Settings) -> Iterator[None]:
    huey.flush()
    yield
    huey.close()


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return folder("elm", tmp_path)


def folder(username: str, tmp_path: Path) -> Path:
    made = tmp_path / "submissions-in" / username
    made.mkdir(parents=True)
    return made


def good(*numbers: str) -> bytes:
    return submission((ELM, [fill(number) for number in numbers or ("1",)]))


def sweep() -> int:
    """Look twice, as the worker does: what has not changed in between is whole."""
    return submissions_in.pick_up() + submissions_in.pick_up()


def sweep_and_process() -> None:
    sweep()
    schedule.sweep_submissions()
    work()
    submissions_in.answer()


def names(box: Path) -> list[str]:
    return sorted(each.name for each in box.iterdir() if not each.name.startswith("."))


def test_a_dropped_file_is_taken_processed_and_answered(box: Path) -> None:
    (box / "daily.dat").write_bytes(
        submission((ELM, [fill("1"), fill("2", last="ZEBRA", days="0")]))
    )

    sweep_and_process()

    done = Submission.get()
    assert done.source is SubmissionSource.FOLDER
    assert done.submitted_by.username == "elm"
    assert (done.stored, done.held) == (1, 1)
    stem = f"daily.dat.{done.id}.report"
    assert names(box) == [f"{stem}.json", f"{stem}.txt"]
    told = json.loads((box / f"{stem}.json").read_text())
    assert (told["file"], told["submission"], told["dry_run"]) == (
        "daily.dat",
        done.id,
        False,
    )
    assert told["verdict"] == "accepted_with_problems"
    assert (told["records"]["read"], told["records"]["held"]) == (2, 1)
    [problem] = told["problems"]
    assert (problem["code"], problem["element"], problem["value"]) == (
        "E10",
        "DSP10",
        "0",
    )
    text = (box / f"{stem}.txt").read_text()
    assert "        1  held for correction" in text
    assert "Rx number 2, DSP10, value 0, error E10" in text
    assert max(map(len, text.splitlines())) <= 78
    assert "ZEBRA" not in text


def test_a_report_is_private_and_has_the_folders_group(box: Path) -> None:
    (box / "daily.dat").write_bytes(good())
    before = os.umask(0o077)  # as the service has it
    try:
        sweep_and_process()
    finally:
        os.umask(before)

    for name in names(box):
        status = (box / name).stat()
        assert status.st_mode & 0o777 == 0o640
        assert status.st_gid == box.stat().st_gid


def test_a_report_is_written_once(box: Path) -> None:
    (box / "daily.dat").write_bytes(good())
    sweep_and_process()
    for name in names(box):
        (box / name).unlink()  # fetched and removed by the sender

    assert submissions_in.answer() == 0
    sweep_and_process()

    assert names(box) == []


def test_a_report_that_was_not_written_before_a_stop_is_written_after(
    box: Path,
) -> None:
    (box / "daily.dat").write_bytes(good())
    sweep()
    uploads.process(Submission.get().id, at=clock.now())
    assert names(box) == []

    assert submissions_in.answer() == 1

    assert len(names(box)) == 2


@pytest.mark.parametrize(
    "name", ["daily.dat.part", "daily.TMP", "daily.filepart", ".daily.dat"]
)
def test_a_file_with_the_name_of_an_unfinished_one_is_left_alone(
    box: Path, name: str
) -> None:
    (box / name).write_bytes(good())
    assert sweep() == 0
    assert (box / name).exists()


def test_a_file_that_grows_is_left_until_it_is_whole(box: Path) -> None:
    body = good("1", "2", "3")
    path = box / "daily.dat"
    for end in range(100, len(body), 200):
        path.write_bytes(body[:end])
        assert submissions_in.pick_up() == 0

    path.write_bytes(body)
    assert sweep() == 1

    assert Submission.get().sha256
    uploads.process(Submission.get().id, at=clock.now())
    assert Submission.get().stored == 3


def test_a_file_must_stand_still_for_a_while(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions_in, "SETTLED_SECONDS", 60.0)
    (box / "daily.dat").write_bytes(good())
    assert sweep() == 0


def test_a_file_that_changes_while_it_is_read_is_not_whole(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop_folder, "_CHUNK", 100)  # so that reading takes a while
    path = box / "daily.dat"
    path.write_bytes(b"x" * 8_000_000)
    done = threading.Event()

    def go_on_writing() -> None:
        with path.open("ab", buffering=0) as late:
            while not done.is_set():
                late.write(b"x")

    writer = threading.Thread(target=go_on_writing)
    writer.start()
    try:
        with Folder.opened(box) as opened, pytest.raises(UnfinishedError):
            opened.read("daily.dat", most=100_000_000)
    finally:
        done.set()
        writer.join()


def test_what_was_not_whole_is_looked_at_again_when_its_claim_is_over(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "daily.dat").write_bytes(good())
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Folder, "read", _not_whole)
        assert sweep() == 0
    assert names(box) == []
    assert sweep() == 0  # its claim is not over

    hours_pass(monkeypatch)

    assert submissions_in.pick_up() == 1
    assert Submission.get().filename == "daily.dat"


def _not_whole(*_: object, **__: object) -> bytes:
    raise UnfinishedError


def hours_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)


def test_a_worker_killed_after_the_file_was_received_leaves_no_second_one(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "dry-run").mkdir()
    for place in (box, box / "dry-run"):
        (place / "daily.dat").write_bytes(good())
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(Folder, "release", _killed)
            with pytest.raises(KeyboardInterrupt):
                sweep()
    assert [each.dry_run for each in Submission.select().order_by(1)] == [False, True]

    hours_pass(monkeypatch)
    sweep_and_process()

    assert [each.dry_run for each in Submission.select().order_by(1)] == [False, True]
    assert len(names(box)) == 3  # the folder for dry runs, and two reports
    assert len(names(box / "dry-run")) == 2
    assert list((box / ".taking").iterdir()) == []


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_worker_killed_before_it_was_received_leaves_it_to_the_next(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "daily.dat").write_bytes(good())
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(uploads, "receive", _killed_early)
        with pytest.raises(KeyboardInterrupt):
            sweep()
    assert sweep() == 0

    hours_pass(monkeypatch)

    assert sweep() == 1
    assert Submission.get().filename == "daily.dat"


def _killed_early(**_: object) -> None:
    raise KeyboardInterrupt


def test_the_same_bytes_again_are_answered_and_not_imported_again(box: Path) -> None:
    body = good()
    (box / "daily.dat").write_bytes(body)
    sweep_and_process()
    (box / "copy.dat").write_bytes(body)

    sweep_and_process()

    number = Submission.get().id
    assert Submission.select().count() == 1
    stem = f"copy.dat.{number}.report"
    told = json.loads((box / f"{stem}.json").read_text())
    assert told["received_before"] is True
    assert "was received before" in (box / f"{stem}.txt").read_text()
    assert "copy.dat" not in names(box)


def test_the_same_bytes_again_while_they_are_read_are_told_where_to_look(
    box: Path,
) -> None:
    body = good()
    (box / "daily.dat").write_bytes(body)
    sweep()
    (box / "copy.dat").write_bytes(body)
    sweep()

    number = Submission.get().id
    text = (box / f"copy.dat.{number}.report.txt").read_text()
    assert f"daily.dat.{number}.report.txt" in text.replace("\n", " ")


def test_the_same_name_every_day_keeps_every_report(box: Path) -> None:
    for day in range(3):
        (box / "daily.dat").write_bytes(good(str(day)))
        sweep_and_process()

    assert len(names(box)) == 6


def test_a_file_for_a_dry_run_stores_nothing_and_is_answered_there(box: Path) -> None:
    dry = box / "dry-run"
    dry.mkdir()
    (dry / "daily.dat").write_bytes(good())

    sweep_and_process()

    done = Submission.get()
    assert done.dry_run
    assert Dispensation.select().count() == 0
    stem = f"daily.dat.{done.id}.report"
    assert names(dry) == [f"{stem}.json", f"{stem}.txt"]
    assert "would be stored" in (dry / f"{stem}.txt").read_text()
    assert json.loads((dry / f"{stem}.json").read_text())["dry_run"] is True


@pytest.mark.parametrize(
    ("username", "why"),
    [
        ("nobody", "belongs to no user"),
        ("Elm", "belongs to no user"),
        ("gone", "suspended"),
        ("closed", "closed"),
        ("doctor", "may not submit"),
    ],
)
def test_who_may_not_submit_is_refused_in_the_folder_and_nobody_is_told(
    username: str, why: str, tmp_path: Path
) -> None:
    make_user(Role.PHARMACY, username="gone", status=UserStatus.SUSPENDED)
    make_user(Role.PHARMACY, username="closed", status=UserStatus.CLOSED)
    make_user(Role.AUDITOR, username="doctor")
    box = folder(username, tmp_path)
    (box / "daily.dat").write_bytes(good())

    sweep_and_process()
    (box / "daily.dat").write_bytes(good())
    sweep_and_process()

    assert Submission.select().count() == 0
    assert names(box) == ["refused"]
    kept = [name for name in names(box / "refused") if name.endswith(".dat")]
    assert len(kept) == 2
    text = (box / "refused" / f"{kept[0]}.report.txt").read_text()
    assert why in " ".join(text.split())
    told = json.loads((box / "refused" / f"{kept[0]}.report.json").read_text())
    assert (told["verdict"], told["problems"][0]["code"]) == ("refused", "F09")
    assert Delivery.select().count() == 0


def test_empty_and_huge_files_are_refused_unread(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "empty.dat").touch()
    with (box / "huge.dat").open("wb") as huge:
        huge.truncate(200 * 1024**3)  # sparse
    monkeypatch.setattr(Folder, "read", _never)

    sweep()

    refused = names(box / "refused")
    assert len([name for name in refused if name.endswith(".dat")]) == 2
    text = "".join((box / "refused" / n).read_text() for n in refused if "txt" in n)
    assert "The file is empty" in text
    assert "larger than 64 MB" in text
    assert Submission.select().count() == 0


def _never(*_: object, **__: object) -> bytes:
    raise AssertionError("read")


def test_links_devices_and_folders_are_never_taken(box: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.dat"
    secret.write_bytes(good())
    (box / "link.dat").symlink_to(secret)
    (box / "twice.dat").hardlink_to(secret)
    (box / "folder.dat").mkdir()
    os.mkfifo(box / "pipe.dat")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "daily.dat").write_bytes(good())
    (box / "dry-run").symlink_to(outside)
    (box.parent / "other").symlink_to(outside)

    assert sweep() == 0

    assert names(box) == ["dry-run", "folder.dat", "link.dat", "pipe.dat", "twice.dat"]
    assert secret.exists()
    assert names(outside) == ["daily.dat"]


def test_a_link_to_elsewhere_as_refused_folder_moves_nothing_there(
    box: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (box / "refused").symlink_to(outside)
    (box / "empty.dat").touch()

    sweep()

    assert names(outside) == []


@pytest.mark.parametrize(
    "name",
    [
        "février 2026 ☂.dat",
        " ",
        "two\nlines.dat",
        "x" * 251 + ".dat",
        "☂" * 85,
        "latin-\udce9.dat",
        "daily.report.txt",
        "-rf",
    ],
)
def test_any_name_is_taken_and_answered_under_one_that_fits(
    box: Path, name: str
) -> None:
    (box / name).write_bytes(good())

    sweep_and_process()

    number = Submission.get().id
    assert len(names(box)) == 2
    assert all(f".{number}.report." in found for found in names(box))
    assert all(found.isprintable() for found in names(box))
    sweep_and_process()
    assert len(names(box)) == 2  # a report is not taken for a submission


def test_a_folder_that_vanishes_stops_nothing(box: Path, tmp_path: Path) -> None:
    (box / "daily.dat").write_bytes(good())
    sweep()
    uploads.process(Submission.get().id, at=clock.now())
    for each in (box / ".taking", box):
        each.rmdir()
    assert submissions_in.answer() == 0
    assert sweep() == 0
    box.parent.rmdir()
    assert submissions_in.answer() == 0
    assert sweep() == 0

    folder("elm", tmp_path)
    assert submissions_in.answer() == 1


def test_a_folder_that_is_closed_to_the_worker_does_not_stop_the_others(
    box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(Role.PHARMACY, username="closed-off")
    (folder("closed-off", tmp_path) / "daily.dat").write_bytes(good("8"))
    (box / "daily.dat").write_bytes(good())
    real = Folder.files

    def files(self: Folder) -> dict[str, tuple[int, int, int, int]]:
        if os.fstat(self.handle).st_ino == closed:
            raise PermissionError
        return real(self)

    closed = (box.parent / "closed-off").stat().st_ino
    monkeypatch.setattr(Folder, "files", files)  # root, who may run tests, reads all

    assert sweep() == 1
    assert Submission.get().submitted_by.username == "elm"


def test_many_files_are_taken_in_order_of_their_names(box: Path) -> None:
    for day in (3, 1, 2):
        (box / f"2026-01-0{day}.dat").write_bytes(good(str(day)))

    assert sweep() == 3

    taken = [each.filename for each in Submission.select().order_by(Submission.id)]
    assert taken == ["2026-01-01.dat", "2026-01-02.dat", "2026-01-03.dat"]


def test_files_of_one_sender_are_processed_one_after_the_other(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2, 3):
        (box / f"{day}.dat").write_bytes(good(str(day)))
    sweep()
    upload = uploads.receive(  # noise: on the page nobody waits for a dropped file
        filename="p.dat", body=good("9"), by=User.get(username="elm"), at=clock.now()
    )
    first, second, third, _ = [s.id for s in Submission.select().order_by(1)]
    nudged: list[int] = []

    def nudge(task: object, number: int) -> None:
        if task is tasks.process_submission:  # a receipt is nudged as well
            nudged.append(number)

    monkeypatch.setattr(tasks, "nudge", nudge)

    schedule.sweep_submissions()
    assert nudged == [first, upload.id]

    tasks.process_submission.call_local(first)
    assert nudged[2:] == [second]
    hours_pass(monkeypatch)  # one that cannot be finished holds nobody up for long
    schedule.sweep_submissions()
    assert nudged[3:] == [second, third, upload.id]


def test_a_sweep_that_ran_out_of_time_goes_on_with_the_next_folder(
    box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "daily.dat").write_bytes(good())
    other = folder("other", tmp_path)
    (other / "daily.dat").write_bytes(good("2"))
    submissions_in.pick_up()
    monkeypatch.setattr(submissions_in, "MOST_SECONDS", 0.0)

    for _ in range(8):
        submissions_in.pick_up()

    assert Submission.select().count() == 0  # no time at all
    monkeypatch.setattr(submissions_in, "MOST_SECONDS", 10.0)
    assert sweep() == 2


def test_two_workers_take_each_file_once(box: Path) -> None:
    count = 30
    for number in range(count):
        (box / f"{number}.dat").write_bytes(good(str(number)))
    barrier = threading.Barrier(2)
    taken: list[str] = []

    def take(_: int) -> None:
        barrier.wait()
        with Folder.opened(box) as opened:
            claims = [opened.claim(n, at=clock.now()) for n in opened.files()]
            taken.extend(claim.name for claim in claims if claim)

    workers = [threading.Thread(target=take, args=(n,)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(taken) == sorted(f"{number}.dat" for number in range(count))
    assert names(box) == []


def test_the_log_has_neither_names_nor_contents(
    box: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (box / "SECRETNAME.dat").write_bytes(submission((ELM, [fill(last="SECRETNAME")])))
    (box / "SECRETNAME-2.dat").write_bytes(b"")

    sweep_and_process()

    assert Submission.get().status is SubmissionStatus.PROCESSED
    assert caplog.records
    assert "SECRETNAME" not in caplog.text
    assert "SECRETNAME" not in str([each.__dict__ for each in caplog.records])


def test_without_a_folder_there_is_nothing_to_do() -> None:
    assert sweep() == 0
    assert submissions_in.answer() == 0


def test_a_folder_of_ones_own_can_be_set(tmp_path: Path) -> None:
    box = tmp_path / "sftp" / "elm"
    box.mkdir(parents=True)
    (box / "daily.dat").write_bytes(good())
    with settings.changed(submissions_dir=str(tmp_path / "sftp")):
        assert sweep() == 1


def test_a_file_that_the_worker_may_not_read_is_refused_with_the_reason(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "daily.dat").write_bytes(good())
    monkeypatch.setattr(Folder, "read", _not_ours)  # root, who may run tests, reads all

    sweep()

    [text] = [each.read_text() for each in (box / "refused").glob("*.txt")]
    assert "its permissions are wrong" in text


def _not_ours(*_: object, **__: object) -> bytes:
    raise PermissionError

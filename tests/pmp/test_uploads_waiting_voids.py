"""A void that came before its record waits, and never takes the replacement."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import (
    Dispensation,
    DispensationVersion,
    RecordStatus,
    Role,
    Submission,
    SubmissionStatus,
    User,
    WaitingVoid,
)
from pmp import asap, settings, thresholds, uploads
from pmp.reporters import coverage_of
from pmp.uploads import corrections, submissions, waiting_voids
from pmp.uploads.intake import Intake, take_in
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, MAIN, OXYCODONE, fill, submission

pytestmark = pytest.mark.usefixtures("db")

OTHER_PRODUCT = "00406051205"
EARLY, LATE, LATER = "20261116*090000", "20261116*120000", "20261117*080000"
R = RecordStatus


@pytest.fixture
def elm() -> User:
    """Make a pharmacy user; noise: another pharmacy."""
    make_product(ndc=OXYCODONE)
    make_product(ndc=OTHER_PRODUCT)
    make_pharmacy()
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))


def send(
    by: User,
    *records: list[str],
    written: str = "20261116*101500",
    at: datetime = NOW,
    dry_run: bool = False,
    pharmacy: Any = ELM,
) -> Submission:
    """Send a file whose header says when it was written (TH05, TH06)."""
    body = submission((pharmacy, records)).replace(b"20261116*101500", written.encode())
    received = uploads.receive(
        filename="november.dat", body=body, by=by, at=at, dry_run=dry_run
    )
    return uploads.process(received.id, at=at)


def now(done: Submission) -> Submission:
    found: Submission = Submission.get_by_id(done.id)
    names = (
        "stored",
        "held",
        "duplicate",
        "voided",
        "void_not_found",
        "not_reportable",
        "zero_reports",
    )
    assert sum(getattr(found, name) for name in names) == found.records
    return found


def standing() -> list[Decimal]:
    """Give the quantities of the fills that stand."""
    query = Dispensation.select().where(Dispensation.status == "current")
    return [row.quantity for row in query.order_by(Dispensation.id)]


def said(done: Submission, number: int) -> list[str]:
    record = submissions.record(done, number)
    return [problem.code for problem in submissions.problems_of(record)]


def status_of(done: Submission, number: int) -> RecordStatus:
    found: RecordStatus = submissions.record(done, number).status
    return found


def test_a_void_that_finds_nothing_waits(elm: User) -> None:
    done = send(elm, fill(), fill("2", status="02"), written=LATE)

    assert (now(done).void_not_found, status_of(done, 2)) == (1, R.VOID_NOT_FOUND)
    (void,) = WaitingVoid.select()
    assert (void.submission, void.record_number) == (done, 2)
    assert void.pharmacy == elm.pharmacy
    assert (void.prescription_number, void.quantity) == ("2", Decimal(60))
    assert void.written == "20261116120000"
    assert void.waits_until == NOW + timedelta(hours=72)
    (problem,) = submissions.problems_of(submissions.record(done, 2))
    assert problem.code == "P04"
    assert "72 hours" in problem.message


def test_an_older_file_that_comes_later_is_stored_and_voided_at_once(
    elm: User,
) -> None:
    void = send(elm, fill("0"), fill(status="02"), written=LATE)
    older = send(elm, fill(), fill("7"), written=EARLY, at=NOW + timedelta(hours=1))

    assert standing() == [60, 60]
    gone = Dispensation.get(Dispensation.status == "voided")
    assert (gone.prescription_number, gone.version) == ("600100", 2)
    assert (gone.submission, gone.record_number) == (older, 1)
    (version,) = DispensationVersion.select()
    assert (version.dispensation, version.version) == (gone, 1)
    assert (version.submission, version.record_number) == (void, 2)
    assert version.segment_number == submissions.record(void, 2).segment_number > 0
    assert version.changed_by == elm.username
    assert (now(older).stored, now(older).stored_with_warning) == (2, 1)
    assert said(older, 1) == ["P10"]
    (remark,) = submissions.problems_of(submissions.record(older, 1))
    assert f"record 2 of submission {void.id}" in remark.message


def test_a_void_whose_record_came_is_told_so_on_its_own_page(elm: User) -> None:
    void = send(elm, fill(status="02"), written=LATE)
    noise = send(elm, fill("9", status="02"), written=LATE)
    older = send(elm, fill("7"), fill(), written=EARLY, at=NOW + timedelta(hours=1))

    assert (now(void).void_not_found, now(void).voided) == (0, 1)
    assert (now(noise).void_not_found, now(noise).voided) == (1, 0)
    record = submissions.record(void, 1)
    assert record.status is R.VOIDED
    assert record.dispensation
    assert record.dispensation.prescription_number == "600100"
    (problem,) = submissions.problems_of(record)
    assert problem.code == "P09"
    assert f"record 2 of submission {older.id}" in problem.message
    waited = WaitingVoid.get(WaitingVoid.submission == void)
    assert waited.applied_at == NOW + timedelta(hours=1)
    assert said(noise, 1) == ["P04"]


@pytest.mark.parametrize("batch", [1, 500])
def test_a_replacement_in_the_voids_own_file_stands(
    elm: User, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(uploads, "BATCH", batch)
    done = send(elm, fill(status="02"), fill())

    assert standing() == [60]
    assert (now(done).void_not_found, now(done).stored) == (1, 1)
    assert status_of(done, 1) is R.VOID_NOT_FOUND
    assert now(done).stored_with_warning == 0


@pytest.mark.parametrize("written", [LATE, LATER, "", "no time"])
def test_a_replacement_that_comes_tomorrow_stands_and_is_doubted(
    elm: User, written: str
) -> None:
    """Written later, at the same time, or nobody knows when: it is not surely older."""
    void = send(elm, fill(status="02"), written=LATE)
    new = send(elm, fill(), written=written or "*", at=NOW + timedelta(days=1))

    assert standing() == [60]
    assert (now(void).void_not_found, now(new).stored) == (1, 1)
    assert said(new, 1)[-1] == "P11"
    (*_, doubt) = submissions.problems_of(submissions.record(new, 1))
    assert f"submission {void.id}" in doubt.message
    assert "send the void again" in doubt.fix

    again = send(elm, fill(status="02"), at=NOW + timedelta(days=1))
    assert standing() == []
    assert (now(again).voided, now(void).void_not_found) == (1, 1)


def test_a_void_of_unknown_time_takes_nothing_that_comes_after_it(elm: User) -> None:
    send(elm, fill(status="02"), written="*")
    send(elm, fill(), written=EARLY)

    assert standing() == [60]


def test_an_older_file_after_the_replacement_does_not_bring_the_fill_back(
    elm: User,
) -> None:
    """The first record comes last: it is the one that was voided."""
    void = send(elm, fill(status="02"), fill(quantity="90", filled="20261104"))
    older = send(elm, fill(), written=EARLY)

    assert standing() == [90]
    assert (now(void).voided, now(void).stored, now(older).stored) == (1, 1, 1)


def hold_and_void(elm: User) -> tuple[Submission, Submission]:
    held = send(elm, fill("5"), fill(days="0"))
    return held, send(elm, fill(status="02"), at=NOW + timedelta(hours=2))


def correct(done: Submission, number: int, by: User) -> list[Any]:
    held = submissions.record(done, number)
    elements = {**held.elements, "DSP10": "30"}
    return corrections.correct(held, elements=elements, by=by, at=NOW)


def test_a_held_record_that_is_corrected_after_its_void_is_voided(elm: User) -> None:
    held, void = hold_and_void(elm)
    assert now(void).void_not_found == 1
    assert correct(held, 2, elm) == []

    assert standing() == [60]
    assert Dispensation.get(Dispensation.status == "voided").submission == held
    assert (now(void).voided, now(void).void_not_found) == (1, 0)
    assert (now(held).held, now(held).stored) == (0, 2)
    assert now(held).status is SubmissionStatus.RESOLVED
    assert said(held, 2) == ["P10"]


def test_a_held_record_before_its_void_in_one_file_is_voided(elm: User) -> None:
    done = send(elm, fill(days="0"), fill(status="02"), fill("8"))
    assert correct(done, 1, elm) == []

    assert standing() == [60]
    assert (now(done).voided, now(done).stored, now(done).held) == (1, 2, 0)


def test_a_held_replacement_stands_once_it_is_corrected(elm: User) -> None:
    done = send(elm, fill(status="02"), fill(days="0"))
    tomorrow = send(elm, fill("2", status="02"))
    later = send(elm, fill("2", days="0"), written=LATER)
    assert correct(done, 2, elm) == []
    assert correct(later, 1, elm) == []

    assert standing() == [60, 60]
    assert (now(done).void_not_found, now(tomorrow).void_not_found) == (1, 1)
    assert said(later, 1) == ["P11"]


def test_a_corrected_record_whose_replacement_stands_is_a_duplicate(elm: User) -> None:
    held = send(elm, fill(days="0"))
    void = send(elm, fill(status="02"), fill())
    assert correct(held, 1, elm) == []

    assert standing() == [60]
    assert (now(held).duplicate, now(void).void_not_found) == (1, 1)


def test_a_void_that_was_held_waits_once_it_is_corrected(elm: User) -> None:
    older = send(elm, fill("3", quantity="30", days="0"))
    void = send(elm, fill("3", status="02", quantity="30", days="0"))
    assert correct(void, 1, elm) == []
    assert now(void).void_not_found == 1
    assert correct(older, 1, elm) == []

    assert standing() == []
    assert (now(void).voided, now(void).void_not_found) == (1, 0)


def test_two_voids_of_one_record_are_one_void_and_one_repeated(elm: User) -> None:
    first = send(elm, fill(status="02"), written=LATE)
    second = send(elm, fill(status="02"), fill(status="02"), written=LATER)
    send(elm, fill(), written=EARLY)

    assert standing() == []
    assert (now(first).voided, now(first).void_not_found) == (1, 0)
    assert (now(second).duplicate, now(second).void_not_found) == (2, 0)
    assert (said(first, 1), said(second, 1)) == (["P09"], ["P08"])


def test_each_of_two_voids_takes_the_record_before_it(elm: User) -> None:
    """Fill, void, fill again, void again; the fills come last, in either order."""
    first = send(elm, fill(status="02"), written="20261116*100000")
    second = send(elm, fill(status="02"), written="20261116*140000")
    send(elm, fill(), written="20261116*120000")
    assert (now(first).void_not_found, now(second).voided) == (1, 1)
    send(elm, fill(), written="20261116*080000")

    assert standing() == []
    assert (now(first).voided, now(second).voided) == (1, 1)


@pytest.mark.parametrize("batch", [1, 500])
def test_what_an_old_file_voids_and_sends_anew_does_not_escape_the_void(
    elm: User, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Also where fill, void and replacement are not in one batch."""
    void = send(elm, fill(status="02"), written=LATE)
    monkeypatch.setattr(uploads, "BATCH", batch)
    send(elm, fill(), fill(status="02"), fill(), fill(), written=EARLY)

    assert standing() == []
    assert (now(void).voided, now(void).void_not_found) == (1, 0)


def test_another_pharmacys_record_is_left_alone(elm: User) -> None:
    make_pharmacy(dea=MAIN[2])
    staff = make_user(Role.STAFF)
    void = send(elm, fill(status="02"), written=LATE)
    send(staff, fill(), written=EARLY, pharmacy=MAIN)

    assert standing() == [60]
    assert now(void).void_not_found == 1


def test_a_pharmacy_that_nobody_knew_can_void_first(elm: User) -> None:
    staff = make_user(Role.STAFF)
    void = send(staff, fill(status="02"), written=LATE, pharmacy=MAIN)
    send(staff, fill(), written=EARLY, pharmacy=MAIN)

    assert standing() == []
    assert now(void).voided == 1


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ({"quantity": "61"}, True),
        ({"filled": "20261104"}, True),
        ({"fill_number": "1"}, True),
        ({"ndc": OTHER_PRODUCT}, False),
        ({"partial": "01"}, False),
    ],
)
def test_a_waiting_void_fits_as_any_void_does(
    elm: User, how: dict[str, str], *, left: bool
) -> None:
    """Key and quantity; or day, fill number and quantity of the only such fill."""
    send(elm, fill(status="02"), written=LATE)
    done = send(elm, fill(**how), written=EARLY)

    assert bool(standing()) is left
    assert "P10" in said(done, 1) if not left else now(done).stored == 1


def test_of_two_drugs_under_one_number_the_void_takes_its_own(elm: User) -> None:
    send(elm, fill(status="02"), written=LATE)
    send(elm, fill(ndc=OTHER_PRODUCT), fill(), written=EARLY)

    (left,) = Dispensation.select().where(Dispensation.status == "current")
    assert left.product_code == OTHER_PRODUCT


def test_a_revision_that_comes_into_reach_of_the_void_is_voided(elm: User) -> None:
    send(elm, fill(quantity="30"), written=EARLY)
    void = send(elm, fill(status="02", quantity="90"), written=LATER)
    done = send(elm, fill(status="01", quantity="90"), written=LATE)

    assert standing() == []
    assert (now(void).voided, now(done).revised) == (1, 1)
    reasons = DispensationVersion.select().order_by(DispensationVersion.version)
    assert [row.submission for row in reasons] == [done, void]


def test_after_its_time_a_void_takes_nothing_and_is_forgotten(elm: User) -> None:
    void = send(elm, fill(status="02"), written=LATE)
    over = NOW + timedelta(hours=72)
    send(elm, fill("fresh", status="02"), at=over)
    send(elm, fill(), written=EARLY, at=over)

    assert standing() == [60]
    assert now(void).void_not_found == 1
    assert uploads.forget_waiting_voids(at=over - timedelta(minutes=1)) == 0
    assert uploads.forget_waiting_voids(at=over) == 1
    assert [row.prescription_number for row in WaitingVoid.select()] == ["FRESH"]


def test_many_voids_are_forgotten_in_parts(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_voids, "AT_ONCE", 2)
    send(elm, *(fill(str(number), status="02") for number in range(5)))

    assert uploads.forget_waiting_voids(at=NOW + timedelta(days=4)) == 5


def test_a_programme_may_have_no_void_wait(elm: User) -> None:
    with settings.changed(void_wait_hours=0):
        void = send(elm, fill(status="02"), written=LATE)

    assert WaitingVoid.select().count() == 0
    (problem,) = submissions.problems_of(submissions.record(void, 1))
    assert "wait" not in problem.message


def test_in_a_dry_run_no_void_waits_and_none_is_used_up(elm: User) -> None:
    send(elm, fill("2", status="02"), dry_run=True)
    assert WaitingVoid.select().count() == 0

    void = send(elm, fill(status="02"), written=LATE)
    rehearsed = send(elm, fill(), written=EARLY, dry_run=True)
    assert said(rehearsed, 1) == ["P10"]
    assert (now(void).void_not_found, Dispensation.select().count()) == (1, 0)
    assert WaitingVoid.get().applied_at is None

    send(elm, fill(), written=EARLY)
    assert now(void).voided == 1
    assert standing() == []


def test_what_is_only_rehearsed_is_not_older_than_a_void(elm: User) -> None:
    """As records that are typed on a page: they have no submission yet."""
    send(elm, fill(status="02"), written=LATE)
    body = submission((ELM, [fill()])).replace(b"20261116*101500", b"*")
    intake = Intake(submission=0, by="x", coverage=coverage_of(elm), at=NOW, dry=True)
    (decided,) = take_in(intake, list(asap.read([body], today=NOW.date())))

    assert [remark.code for remark in decided.remarks] == ["P11"]


class KilledError(Exception):
    """The worker's end, at a place that a test chose."""


@pytest.mark.parametrize("place", ["settle", "remember", "_count"])
def test_killed_in_the_middle_the_record_is_voided_once(
    elm: User, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def killed(*args: Any, **how: Any) -> None:
        real(*args, **how)
        raise KilledError

    void = send(elm, fill(status="02"), written=LATE)
    module: Any = waiting_voids if place == "settle" else uploads
    real = getattr(module, place)
    with monkeypatch.context() as patched:
        patched.setattr(module, place, killed)
        with pytest.raises(KilledError):
            send(elm, fill("1"), fill(), written=EARLY)
    assert (now(void).void_not_found, Dispensation.select().count()) == (1, 0)
    (number,) = uploads.waiting()
    done = uploads.process(number, at=NOW)

    assert (now(done).stored, now(void).voided) == (2, 1)
    assert standing() == [Decimal(60)]
    assert DispensationVersion.select().count() == 1


def test_the_thresholds_of_the_patient_are_looked_at(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated: list[int] = []
    send(elm, fill(status="02"), written=LATE)
    monkeypatch.setattr(
        thresholds, "evaluate", lambda patients, **_: evaluated.extend(patients)
    )
    send(elm, fill(), written=EARLY)

    assert evaluated == [Dispensation.get().patient.id]


@pytest.fixture
def voided(elm: User) -> User:
    send(elm, fill(), fill("noise"))
    send(elm, fill(status="02"), at=NOW + timedelta(days=1))
    assert standing() == [60]
    return elm


def test_a_void_sent_again_is_a_duplicate_that_says_when(voided: User) -> None:
    done = send(voided, fill(status="02"), at=NOW + timedelta(days=5))

    assert (now(done).duplicate, now(done).void_not_found) == (1, 0)
    (problem,) = submissions.problems_of(submissions.record(done, 1))
    assert problem.code == "P08"
    assert "11/24/2026" in problem.message
    assert WaitingVoid.select().count() == 0
    gone = submissions.record(done, 1).dispensation
    assert gone
    assert gone.status == "voided"


def test_a_void_repeated_in_one_file_names_the_first(voided: User) -> None:
    done = send(voided, fill("4"), fill("4", status="02"), fill("4", status="02"))
    rehearsed = send(
        voided,
        fill("5"),
        fill("5", status="02"),
        fill("5", status="02"),
        dry_run=True,
    )

    for each in (done, rehearsed):
        assert (now(each).voided, now(each).duplicate) == (1, 1)
        (problem,) = submissions.problems_of(submissions.record(each, 3))
        assert "record 2 of this file" in problem.message


def test_a_void_of_another_quantity_than_the_voided_one_waits(voided: User) -> None:
    done = send(voided, fill(status="02", quantity="61"))

    assert now(done).void_not_found == 1
    assert WaitingVoid.select().count() == 1


def test_a_void_makes_room_for_the_fill_again(voided: User) -> None:
    done = send(voided, fill(), at=NOW + timedelta(days=2))

    assert (now(done).stored, now(done).stored_with_warning) == (1, 0)
    assert standing() == [60, 60]


def test_a_revision_of_a_voided_fill_is_stored_as_new_and_said(voided: User) -> None:
    done = send(voided, fill(status="01", quantity="90"), at=NOW + timedelta(days=2))

    assert (now(done).stored, now(done).revised) == (1, 0)
    assert standing() == [60, 90]
    (problem,) = submissions.problems_of(submissions.record(done, 1))
    assert problem.code == "P12"
    assert "11/24/2026" in problem.message

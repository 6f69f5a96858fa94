from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from models import Role, Submission, User
from pmp import database, uploads
from pmp.uploads import arrivals
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_user
from tests.submission_files import ELM, fill, submission

pytestmark = pytest.mark.usefixtures("db")

LATER = NOW + timedelta(minutes=3)


@pytest.fixture
def elm() -> User:
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2]))


def body(number: str = "1") -> bytes:
    return submission((ELM, [fill(number)]))


def numbers(sent: list[arrivals.Arrival]) -> list[int]:
    return [each.id for each in arrivals.received(sent)]


def test_a_refused_file_loses_none_of_the_others(elm: User) -> None:
    known = body("1")
    uploads.receive(filename="before.dat", body=known, by=elm, at=NOW)
    files = [("a.dat", body("2")), ("b.dat", b""), ("c.dat", known), ("d.dat", b"x")]
    sent = arrivals.receive_each(files, by=elm, at=LATER)

    assert [each.filename for each in sent] == ["a.dat", "b.dat", "c.dat", "d.dat"]
    assert [each.submission is not None for each in sent] == [True, False, False, True]
    assert "empty" in sent[1].refusal
    assert "before" in sent[2].refusal
    assert sent[1].earlier is None
    assert sent[2].earlier == Submission.get(Submission.filename == "before.dat")
    assert Submission.select().count() == 3


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_same_press_of_a_button_submits_once(elm: User, *, dry_run: bool) -> None:
    files = [("a.dat", body("1")), ("b.dat", body("2"))]
    first = arrivals.receive_each(files, by=elm, at=NOW, dry_run=dry_run)
    again = arrivals.receive_each(files, by=elm, at=NOW, dry_run=dry_run)

    assert numbers(first) == numbers(again)
    assert not [each.refusal for each in again if each.refusal]
    assert Submission.select().count() == 2


def test_two_presses_at_the_same_moment_submit_once(elm: User) -> None:
    files = [("a.dat", body("1"))]

    start = Barrier(4)

    def press(_number: int) -> list[arrivals.Arrival]:
        with database.connected():
            start.wait(timeout=30)
            return arrivals.receive_each(files, by=elm, at=NOW)

    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(press, range(4)))

    assert len({each for one in sent for each in numbers(one)}) == 1
    assert Submission.select().count() == 1


def test_the_same_bytes_under_two_names_are_one_submission_and_a_refusal(
    elm: User,
) -> None:
    same = body()
    sent = arrivals.receive_each([("a.dat", same), ("copy.dat", same)], by=elm, at=NOW)

    assert "before" in sent[1].refusal
    assert sent[1].earlier == sent[0].submission


def test_a_user_sees_only_their_own_of_the_files_sent_together(elm: User) -> None:
    other = make_user(Role.PHARMACY)
    mine = arrivals.receive_each([("a.dat", body("1"))], by=elm, at=NOW)
    theirs = arrivals.receive_each([("b.dat", body("2"))], by=other, at=NOW)

    found = arrivals.own([*numbers(theirs), *numbers(mine), 999], of=elm)
    assert [each.id for each in found] == numbers(mine)

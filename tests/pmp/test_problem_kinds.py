from collections import Counter

import pytest

from models import Role, Severity, Submission, SubmissionProblem, User
from pmp import uploads
from pmp.uploads import corrections, problem_kinds, submissions
from pmp.uploads.problem_kinds import FEW, MOST_MESSAGES, ProblemKind
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def elm() -> User:
    make_product(ndc=OXYCODONE)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2]))


def send(by: User, *records: list[str]) -> Submission:
    body = submission((ELM, records))
    received = uploads.receive(filename="a.dat", body=body, by=by, at=NOW)
    return uploads.process(received.id, at=NOW)


def at_days_supply(done: Submission) -> list[ProblemKind]:
    kinds = problem_kinds.kinds_of(done)
    return [kind for kind in kinds if kind.code == "E10"]


def listed(done: Submission, kind: ProblemKind) -> list[SubmissionProblem]:
    kinds = problem_kinds.kinds_of(done)
    return list(problem_kinds.only(submissions.problems(done), kind, kinds))


def test_records_with_the_same_wrong_value_are_one_line(elm: User) -> None:
    zeros = [fill(str(n), days="0") for n in range(14)]
    done = send(elm, *zeros, fill("50", days="1000"), fill("51"))
    send(elm, fill("60", days="0"))  # noise: another submission

    zero, thousand = at_days_supply(done)
    assert zero.title == "Days supply (DSP10) is “0”"
    assert (zero.records, zero.held, zero.next_held) == (14, 14, 1)
    assert (thousand.records, thousand.next_held) == (1, 15)
    assert len(listed(done, zero)) == 14
    assert {each.value for each in listed(done, zero)} == {"0"}


def test_a_corrected_record_leaves_its_kind(elm: User) -> None:
    done = send(elm, fill("1", days="0"), fill("2", days="0"))
    record = submissions.record(done, 1)
    elements = record.elements | {"DSP10": "30"}
    corrections.correct(record, elements=elements, by=elm, at=NOW)

    (zero,) = at_days_supply(done)
    assert (zero.records, zero.held, zero.next_held) == (1, 1, 2)


def test_many_values_of_one_element_are_one_line_beside_those_that_repeat(
    elm: User,
) -> None:
    odd = [fill(str(n), days=f"x{n}") for n in range(FEW + 1)]
    done = send(elm, *odd, fill("90", days="0"), fill("91", days="0"))

    zero, various = sorted(at_days_supply(done), key=lambda kind: kind.various)
    assert (zero.records, zero.various) == (2, False)
    assert various.title == "Days supply (DSP10), various values"
    assert (various.records, various.held) == (FEW + 1, FEW + 1)
    assert {each.value for each in listed(done, various)} == {"x0", "x1", "x2", "x3"}


def test_a_few_values_are_told_each_by_itself(elm: User) -> None:
    done = send(elm, *[fill(str(n), days=f"x{n}") for n in range(FEW)])

    assert [kind.count for kind in at_days_supply(done)] == [1] * FEW


def test_a_value_with_a_semicolon_is_told_whole() -> None:
    message = "Days supply (DSP10) is “3; 4”; a whole number is expected."
    kind = ProblemKind("E10", Severity.ERROR, "DSP10", message, 1, 1, 1)

    assert kind.title == "Days supply (DSP10) is “3; 4”"


def test_thousands_of_problems_are_few_kinds_that_add_up(elm: User) -> None:
    done = send(elm, fill("1"))
    rows = [
        {
            "submission": done,
            "record_number": n + 1,
            "code": f"E{n % 3}",
            "severity": (Severity.ERROR, Severity.WARNING)[n % 2],
            "element": f"DSP{n % 5:02}",
            # Half of the messages repeat, in hundreds of ways.
            "message": f"It is “{n // 8 % 200 if n % 4 < 2 else n}”.",
        }
        for n in range(5000)
    ]
    for start in range(0, 5000, 500):
        SubmissionProblem.insert_many(rows[start : start + 500]).execute()
    kinds = problem_kinds.kinds_of(done)

    per_place = Counter((kind.code, kind.severity, kind.element) for kind in kinds)
    assert max(per_place.values()) <= MOST_MESSAGES + 1
    assert sum(kind.count for kind in kinds) == 5000
    assert [kind.severity for kind in kinds] == sorted(
        (kind.severity for kind in kinds), key=problem_kinds.GRAVITY.index
    )
    all_problems = submissions.problems(done)
    for kind in kinds:
        assert problem_kinds.only(all_problems, kind, kinds).count() == kind.count
        assert problem_kinds.with_key(kinds, kind.key) is kind

"""Held records: suggestions, the same change for many, taking back, the file anew."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    Dispensation,
    Profession,
    RecordStatus,
    Role,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionStatus,
    User,
)
from pmp import asap, audit, clock, documents, thresholds, uploads
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.uploads import (
    alike,
    checking,
    corrected_files,
    correction_log,
    corrections,
    held_records,
    outcomes,
    submissions,
    suggestions,
    withdrawals,
)
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_licence,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_user,
)
from tests.submission_files import ELM, MAIN, OXYCODONE, fill, submission, zero

pytestmark = pytest.mark.usefixtures("db")

LATER = NOW + timedelta(minutes=5)
PARTS = (
    "stored",
    "held",
    "withdrawn",
    "duplicate",
    "voided",
    "void_not_found",
    "not_reportable",
    "zero_reports",
)


@pytest.fixture
def elm() -> User:
    """Make a pharmacy user that covers ELM alone; the product of `fill` is known."""
    make_product(ndc=OXYCODONE)
    pharmacy = make_pharmacy(dea=ELM[2], ncpdp=ELM[1], npi=ELM[0], name=ELM[3])
    make_pharmacy()  # noise: another's
    return make_user(Role.PHARMACY, pharmacy=pharmacy)


def submit(by: User, *records: list[str], **how: Any) -> Submission:
    return send(by, submission((ELM, records), **how))


def send(by: User, body: bytes) -> Submission:
    received = uploads.receive(filename="nov.dat", body=body, by=by, at=NOW)
    return uploads.process(received.id, at=LATER)


def counts(done: Submission) -> dict[str, int]:
    """Give the counts that are not zero; they always add up to the records."""
    now = Submission.get_by_id(done.id)
    assert sum(getattr(now, name) for name in PARTS) == now.records
    return {name: number for name in PARTS if (number := getattr(now, name))}


def kept(done: Submission, number: int) -> SubmissionRecord:
    return submissions.record(done, number)


def correct(done: Submission, number: int, by: User, **changes: str) -> list[Any]:
    record = kept(done, number)
    elements = {**checking.current(record), **changes}
    return corrections.correct(record, elements=elements, by=by, at=LATER)


def suggested(
    done: Submission, number: int, element: str, by: User, **others: str
) -> list[str]:
    checker = checking.checker_for(done, by=by)
    elements = {**checking.current(kept(done, number)), **others}
    found = suggestions.suggest(elements, [element], checker=checker, by=by)
    return [guess.value for guess in found.get(element, [])]


def events(event: audit.Event) -> list[AuditEvent]:
    found = AuditEvent.select().where(AuditEvent.event == event.value)
    return list(found.order_by(AuditEvent.id))


# --- Correcting one


def test_what_is_still_wrong_keeps_its_new_values(elm: User) -> None:
    done = submit(elm, fill("1", days="0", quantity="x"))
    left = correct(done, 1, elm, DSP09="60")

    assert {problem.element for problem in left} == {"DSP10"}
    record = kept(done, 1)
    assert record.status is RecordStatus.HELD
    assert record.corrections == {"DSP09": "60"}
    assert record.elements["DSP09"] == "x"
    assert {p.element for p in submissions.problems_of(record)} == {"DSP10"}
    assert counts(done) == {"held": 1}
    assert correct(done, 1, elm, DSP10="30") == []
    assert kept(done, 1).corrections == {"DSP09": "60", "DSP10": "30"}
    assert Dispensation.get().days_supply == 30
    said = [event.detail for event in events(audit.Event.SUBMISSION_RECORD_CORRECTED)]
    assert [(each["outcome"], each["elements"]) for each in said] == [
        ("held", ["DSP09"]),
        ("stored", ["DSP09", "DSP10"]),
    ]


def test_the_place_of_a_problem_outlives_a_first_correction(elm: User) -> None:
    done = submit(elm, fill("1", days="0", quantity="x"))
    (before,) = SubmissionProblem.select().where(SubmissionProblem.element == "DSP10")
    correct(done, 1, elm, DSP09="60")
    (after,) = SubmissionProblem.select().where(SubmissionProblem.element == "DSP10")

    assert before.byte_offset
    assert after.byte_offset == before.byte_offset
    assert after.segment_number == before.segment_number


def test_an_emptied_element_is_a_correction_too(elm: User) -> None:
    done = submit(elm, fill("1", days="0"))
    correct(done, 1, elm, DSP10="30", DSP16="")

    assert kept(done, 1).corrections == {"DSP10": "30", "DSP16": ""}
    assert Dispensation.get().payment == ""


def test_skipping_keeps_what_was_typed_and_stores_nothing(elm: User) -> None:
    done = submit(elm, fill("1", days="0"))
    record = kept(done, 1)
    elements = {**record.elements, "DSP10": "30"}
    corrections.keep(record, elements=elements, by=elm, at=LATER)

    assert kept(done, 1).corrections == {"DSP10": "30"}
    assert counts(done) == {"held": 1}
    assert Dispensation.select().count() == 0


def test_a_social_security_number_typed_on_the_page_is_not_kept(elm: User) -> None:
    record = fill("1", days="0")
    record[0] = record[0].replace("PAT*******", "PAT**07*219099999****")
    done = submit(elm, record)
    assert kept(done, 1).elements["PAT03"] == "*********"
    correct(done, 1, elm, DSP09="x", PAT03="219-09-9998")

    assert "219" not in str(kept(done, 1).corrections.get("PAT03", ""))
    assert not SubmissionProblem.select().where(SubmissionProblem.value.contains("219"))
    assert correct(done, 1, elm, DSP09="60", DSP10="30") == []


def test_an_unknown_product_is_told_on_the_page(elm: User) -> None:
    done = submit(elm, fill("1", days="0", ndc="99999888801"))
    record = kept(done, 1)
    checker = checking.checker_for(done, by=elm)
    found = checking.problems_of(record, record.elements, checker=checker)

    assert {(problem.code, problem.element) for problem in found} == {
        ("E10", "DSP10"),
        ("P05", "DSP08"),
    }


# --- Suggestions


def test_only_what_would_pass_the_check_is_suggested(elm: User) -> None:
    done = submit(elm, fill("1", filled="2026-11-03"), fill("2", filled="2026-01-05"))

    assert suggested(done, 1, "DSP05", elm) == ["20261103"]
    # It would be filled before it was written.
    assert suggested(done, 2, "DSP05", elm) == []
    assert kept(done, 1).corrections == {}


def test_an_ndc_is_completed_from_the_drug_table(elm: User) -> None:
    make_product(ndc="00093005801", name="Tramadol 50 mg tablet")
    done = submit(elm, fill("1", ndc="0406051201"), fill("2", ndc="0040605120"))

    assert suggested(done, 1, "DSP08", elm) == [OXYCODONE]
    assert suggested(done, 2, "DSP08", elm) == [OXYCODONE]
    assert suggested(done, 1, "DSP08", elm, DSP08="00406051209") == [OXYCODONE]
    assert suggested(done, 1, "DSP08", elm, DSP08="93-58-1") == ["00093005801"]
    assert suggested(done, 1, "DSP08", elm, DSP08="99999888801") == []


def test_a_dea_number_comes_from_the_roster_by_name_npi_licence_or_a_slip(
    elm: User,
) -> None:
    roster = {"profession": Profession.PRACTITIONER}
    make_licence(**roster, name="NOISE PERSON MD", dea="AN1234563")
    make_licence(
        **roster, name="SARA SMITH MD", dea="AS3045122", npi="1093817465", code="1.5"
    )
    done = submit(elm, fill("1", dea=""), fill("2", dea="AS3045121"))

    assert suggested(done, 1, "PRE02", elm) == ["AS3045122"]
    assert suggested(done, 2, "PRE02", elm) == ["AS3045122"]
    other = {"PRE05": "JONES", "PRE06": "JO"}
    assert suggested(done, 1, "PRE02", elm, **other) == []
    assert suggested(done, 2, "PRE02", elm, **other) == ["AS3045122"]
    npi, licence = {"PRE01": "1093817465"}, {"PRE04": "1.5"}
    assert suggested(done, 1, "PRE02", elm, **other, **npi) == ["AS3045122"]
    assert suggested(done, 1, "PRE02", elm, **other, **licence) == ["AS3045122"]


def test_a_dea_number_comes_from_a_reported_prescriber_but_not_with_a_suffix(
    elm: User,
) -> None:
    make_prescriber(dea="AS3045122", last_name="SMITH", first_name="SARA")
    make_prescriber(
        dea="FH1234563", dea_suffix="12", last_name="SMITH", first_name="SARA"
    )
    done = submit(elm, fill("1", dea=""))

    assert suggested(done, 1, "PRE02", elm) == ["AS3045122"]


def test_the_pharmacys_number_is_its_own_accounts(elm: User) -> None:
    done = send(elm, submission((MAIN, [fill("1")])))

    assert suggested(done, 1, "PHA03", elm) == [ELM[2]]


def test_a_birth_date_comes_from_the_pharmacys_own_records_alone(elm: User) -> None:
    mine = make_identity(last_name="EXAMPLE", first_name="ADA")
    make_dispensation(mine, pharmacy=elm.pharmacy)
    others = make_identity(
        last_name="EXAMPLE", first_name="ADA", birth_date=date(1955, 5, 5)
    )
    make_dispensation(others)
    done = submit(elm, fill("1", born="20991231"))

    assert suggested(done, 1, "PAT18", elm) == ["19710428", "19991231"]


def test_a_missing_name_comes_from_the_pharmacys_own_records_alone(elm: User) -> None:
    born = date(1980, 2, 16)
    for last, pharmacy in (("EXAMPLE", elm.pharmacy), ("STRANGER", None)):
        person = make_identity(last_name=last, first_name="ADA", birth_date=born)
        make_dispensation(person, pharmacy=pharmacy)
    done = submit(elm, fill("1", last=""), fill("2", first=""))

    assert suggested(done, 1, "PAT07", elm) == ["EXAMPLE"]
    assert suggested(done, 2, "PAT08", elm) == ["ADA"]


def test_an_earlier_fill_of_the_prescription_tells_what_a_refill_lacks(
    elm: User,
) -> None:
    submit(elm, fill("7"))
    done = submit(
        elm,
        fill("7", fill_number="1", filled="20261110", written="", days="0"),
        fill("7", fill_number="1", filled="20261110", days="0", quantity="30"),
        fill("7", fill_number="1", last="STRANGER", born="19500101", days="0"),
    )

    assert suggested(done, 1, "DSP03", elm, DSP10="30") == ["20261102"]
    assert suggested(done, 1, "DSP10", elm, DSP03="20261102") == ["30"]
    assert suggested(done, 2, "DSP10", elm) == []  # another quantity
    assert suggested(done, 3, "DSP10", elm) == []  # another patient


# --- The same change for all like it


def numbers(proposals: Iterable[alike.Proposal]) -> list[int]:
    return [each.record.number for each in proposals]


def test_the_same_wrong_value_takes_the_same_correction(elm: User) -> None:
    make_product(ndc="00093005801")
    done = submit(
        elm,
        fill("1", days="0"),
        fill("2", days="0"),
        fill("3", days="0", quantity="x"),
        fill("4", days="0", ndc="00093005801"),
        fill("5", days="-1"),
        fill("6", quantity="0"),
        fill("7"),
    )
    correct(done, 1, elm, DSP10="30")
    (offer,) = alike.offers(kept(done, 1), by=elm)
    assert (offer.element, offer.before, offer.count) == ("DSP10", "0", 3)

    like = alike.require(kept(done, 1), "DSP10", by=elm)
    found = alike.proposals(like, by=elm)
    assert numbers(found) == [2, 3, 4]
    assert [each.likely for each in found] == [True, False, False]
    done_with = alike.apply(like, numbers=[2, 3], by=elm, at=LATER)
    assert (done_with.settled, done_with.held, done_with.taken) == ([2], [3], [])
    assert kept(done, 3).corrections == {"DSP10": "30"}
    assert kept(done, 4).corrections == {}
    assert counts(done) == {"stored": 3, "held": 4}
    event = events(audit.Event.SUBMISSION_RECORD_CORRECTED)[-1]
    assert event.detail["like"] == 1


def test_values_that_differ_change_by_the_same_rule(elm: User) -> None:
    done = submit(
        elm,
        fill("1", filled="2026-11-03"),
        fill("2", filled="2026-11-04"),
        fill("3", filled="2026-11-03"),
        fill("4", filled="soon"),
        fill("5", filled="11/05/2026"),
    )
    # `fill` gives the day sold as it gives the day filled: two elements are wrong.
    correct(done, 1, elm, DSP05="20261103", DSP17="20261103")
    like = alike.require(kept(done, 1), "DSP05", by=elm)
    found = alike.proposals(like, by=elm)

    assert {each.record.number: each.after for each in found} == {
        2: "20261104",
        3: "20261103",
    }
    assert all(each.likely for each in found)
    outcome = alike.apply(like, numbers=[2, 3], by=elm, at=LATER)
    assert outcome.held == [2, 3]
    (offer,) = alike.offers(kept(done, 1), by=elm)
    assert (offer.element, offer.count) == ("DSP17", 2)
    sold = alike.require(kept(done, 1), "DSP17", by=elm)
    alike.apply(sold, numbers=[2, 3], by=elm, at=LATER)
    assert counts(done) == {"stored": 3, "held": 2}
    assert {row.filled_on.day for row in Dispensation.select()} == {3, 4}


def test_a_name_or_birth_date_is_never_given_to_somebody_else(elm: User) -> None:
    done = submit(
        elm,
        fill("1", last=""),
        fill("2", last="", born="19500101"),
        fill("3", last="", first="BEN"),
        fill("4", last=""),
    )
    correct(done, 1, elm, PAT07="EXAMPLE")
    like = alike.require(kept(done, 1), "PAT07", by=elm)

    assert numbers(alike.proposals(like, by=elm)) == [4]
    alike.apply(like, numbers=[2, 3], by=elm, at=LATER)
    assert kept(done, 2).corrections == kept(done, 3).corrections == {}


def test_a_dea_number_goes_only_to_records_of_the_same_prescriber(elm: User) -> None:
    other = fill("3", dea="")
    other[2] = other[2].replace("SMITH*SARA", "JONES*JO")
    nobody = fill("4", dea="")
    nobody[2] = "PRE********"
    done = submit(elm, fill("1", dea=""), fill("2", dea=""), other, nobody)
    correct(done, 1, elm, PRE02="AS3045122")
    like = alike.require(kept(done, 1), "PRE02", by=elm)

    assert numbers(alike.proposals(like, by=elm)) == [2]


def test_a_prescription_number_is_never_shared(elm: User) -> None:
    done = submit(elm, fill(""), fill(""))
    correct(done, 1, elm, DSP02="600100")

    assert alike.offers(kept(done, 1), by=elm) == []
    with pytest.raises(NotFoundError):
        alike.require(kept(done, 1), "DSP02", by=elm)


def test_a_record_that_someone_else_took_meanwhile_is_left_alone(elm: User) -> None:
    done = submit(elm, *(fill(str(n), days="0") for n in range(1, 5)))
    correct(done, 1, elm, DSP10="30")
    like = alike.require(kept(done, 1), "DSP10", by=elm)
    stale = [
        corrections.Change(each.record, {"DSP10": each.after})
        for each in alike.proposals(like, by=elm)
    ]
    correct(done, 2, elm, DSP10="60")
    withdrawals.withdraw(kept(done, 3), reason="a test", by=elm, at=LATER)
    outcome = corrections.correct_all(stale, by=elm, at=LATER)

    assert (outcome.settled, outcome.taken) == ([4], [2, 3])
    assert counts(done) == {"stored": 3, "withdrawn": 1}
    days = {row.prescription_number: row.days_supply for row in Dispensation.select()}
    assert days == {"1": 30, "2": 60, "4": 30}


def test_many_records_are_changed_by_batches(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "BATCH", 4)
    done = submit(elm, *(fill(str(n), days="0") for n in range(1, 12)))
    correct(done, 1, elm, DSP10="30")
    like = alike.require(kept(done, 1), "DSP10", by=elm)
    outcome = alike.apply(like, numbers=range(2, 12), by=elm, at=LATER)

    assert outcome.settled == list(range(2, 12))
    assert counts(done) == {"stored": 11}
    assert Submission.get_by_id(done.id).status is SubmissionStatus.RESOLVED
    assert len(events(audit.Event.SUBMISSION_RECORD_CORRECTED)) == 11
    assert audit.verify() == []


def test_a_batch_that_breaks_leaves_nothing_half_done(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = submit(elm, *(fill(str(n), days="0") for n in range(1, 4)))
    correct(done, 1, elm, DSP10="30")
    like = alike.require(kept(done, 1), "DSP10", by=elm)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(thresholds, "evaluate", broken)
    with pytest.raises(OSError, match="disk full"):
        alike.apply(like, numbers=[2, 3], by=elm, at=LATER)
    assert counts(done) == {"stored": 1, "held": 2}
    assert kept(done, 2).status is RecordStatus.HELD
    assert Dispensation.select().count() == 1


def test_records_beyond_the_problems_that_are_kept_are_found_too(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "MOST_PROBLEMS", 3)
    done = submit(elm, *(fill(str(n), days="0") for n in range(1, 7)), fill("7"))
    correct(done, 1, elm, DSP10="30")
    like = alike.require(kept(done, 1), "DSP10", by=elm)

    assert numbers(alike.proposals(like, by=elm)) == [2, 3, 4, 5, 6]
    assert alike.offers(kept(done, 1), by=elm)[0].count == 5


def test_nothing_ticked_is_refused(elm: User) -> None:
    done = submit(elm, fill("1", days="0"), fill("2", days="0"))
    correct(done, 1, elm, DSP10="30")
    like = alike.require(kept(done, 1), "DSP10", by=elm)
    with pytest.raises(RuleError, match="Tick"):
        alike.apply(like, numbers=[], by=elm, at=LATER)


# --- Taking back


def test_a_record_is_taken_back_with_a_reason_and_held_again(elm: User) -> None:
    done = submit(elm, fill("1", days="0"), fill("2"))
    with pytest.raises(RuleError, match="Say why"):
        withdrawals.withdraw(kept(done, 1), reason=" ", by=elm, at=LATER)
    withdrawals.withdraw(kept(done, 1), reason="never\npicked up", by=elm, at=LATER)

    assert counts(done) == {"stored": 1, "withdrawn": 1}
    now = Submission.get_by_id(done.id)
    assert now.status is SubmissionStatus.RESOLVED
    record = kept(done, 1)
    assert (record.status, record.reason) == (RecordStatus.WITHDRAWN, "never picked up")
    assert held_records.next_after(done, 2) is None
    with pytest.raises(ConflictError):
        correct(done, 1, elm, DSP10="30")
    with pytest.raises(ConflictError):
        withdrawals.withdraw(kept(done, 1), reason="again", by=elm, at=LATER)

    withdrawals.restore(kept(done, 1), by=elm, at=LATER)
    assert counts(done) == {"stored": 1, "held": 1}
    now = Submission.get_by_id(done.id)
    assert now.status is SubmissionStatus.PROCESSED_WITH_ERRORS
    with pytest.raises(ConflictError):
        withdrawals.restore(kept(done, 1), by=elm, at=LATER)
    assert correct(done, 1, elm, DSP10="30") == []
    assert counts(done) == {"stored": 2}
    told = events(audit.Event.SUBMISSION_RECORD_WITHDRAWN)
    assert [each.detail["outcome"] for each in told] == ["withdrawn", "held again"]
    assert "picked" not in str([each.detail for each in told])


# --- Who corrected what


def test_the_log_says_who_changed_what_and_why(elm: User) -> None:
    done = submit(elm, fill("1", days="0"), fill("2", days="0"), fill("3", days="0"))
    correct(done, 1, elm, DSP10="30")
    withdrawals.withdraw(kept(done, 2), reason="a test", by=elm, at=LATER)
    other = submit(elm, fill("9", days="0"))  # noise: another submission's
    correct(other, 1, elm, DSP10="30")
    (first, second) = correction_log.page(done).rows

    (line,) = correction_log.lines_of(first, version=done.version)
    assert (line.element, line.before, line.after) == ("DSP10", "0", "30")
    assert (first.corrected_by, first.corrected_at) == (elm.username, LATER)
    assert correction_log.outcome_of(second) == "Taken back"
    rows = list(correction_log.download(done, by=elm, at=LATER))
    assert [row[3:7] for row in rows] == [
        ("DSP10", "Days supply", "0", "30"),
        ("", "", "", ""),
    ]
    assert rows[1][-1] == "a test"
    (event,) = events(audit.Event.SUBMISSION_DOWNLOADED)
    assert event.detail == {"what": "corrections"}


# --- The corrected file


def again(done: Submission, by: User) -> tuple[asap.Reading, list[asap.Record]]:
    body = b"".join(corrected_files.download(done, by=by, at=LATER))
    reading = asap.read([body], today=clock.day_of(NOW))
    return reading, list(reading)


def test_the_corrected_file_has_every_record_as_it_is_now(elm: User) -> None:
    secret = fill("5", days="0")
    secret[0] = secret[0].replace("PAT*******", "PAT*CT*07*219099999****")
    done = submit(
        elm, fill("1"), fill("2", days="0"), fill("3", days="0"), zero(), secret
    )
    correct(done, 2, elm, DSP10="30", DSP16="")
    withdrawals.withdraw(kept(done, 3), reason="a test", by=elm, at=LATER)
    reading, records = again(done, elm)

    assert not reading.refused
    assert [problem.code for problem in reading.problems] == ["W09"]  # as it was sent
    assert [record.elements.get("DSP02") for record in records] == ["1", "2", None, "5"]
    assert records[1].elements["DSP10"] == "30"
    assert "DSP16" not in records[1].elements
    assert records[2].zero_report
    assert records[3].elements["DSP10"] == "0"
    for element in ("PAT01", "PAT02", "PAT03"):
        assert element not in records[3].elements
    original = list(asap.read([documents.read(done.document)], today=clock.day_of(NOW)))
    assert records[0].elements == original[0].elements
    (event,) = events(audit.Event.SUBMISSION_DOWNLOADED)
    assert event.detail == {"what": "corrected file"}


def test_a_corrected_file_sent_again_adds_nothing(elm: User) -> None:
    done = submit(elm, fill("1"), fill("2", days="0"))
    correct(done, 2, elm, DSP10="30")
    body = b"".join(corrected_files.download(done, by=elm, at=LATER))

    assert counts(send(elm, body)) == {"duplicate": 2}


def test_a_long_file_is_written_in_parts_that_read_as_one(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrected_files, "RECORDS_AT_ONCE", 3)
    done = submit(elm, *(fill(str(n), days="0") for n in range(1, 9)))
    correct(done, 7, elm, DSP10="30")
    reading, records = again(done, elm)

    assert len(reading.transactions) == 3
    assert len({each.control_number for each in reading.transactions}) == 3
    assert [record.elements["DSP10"] for record in records] == [*"000000", "30", "0"]


def test_there_is_no_corrected_file_of_nothing(elm: User) -> None:
    refused = send(elm, submission((ELM, [fill()]))[:-60])
    with pytest.raises(NotFoundError):
        corrected_files.download(refused, by=elm, at=LATER)
    done = submit(elm, fill("1", days="0"))
    withdrawals.withdraw(kept(done, 1), reason="a test", by=elm, at=LATER)
    with pytest.raises(RuleError, match="taken back"):
        corrected_files.download(Submission.get_by_id(done.id), by=elm, at=LATER)
    documents.purge(done.document, at=LATER)
    with pytest.raises((NotFoundError, RuleError)):
        corrected_files.download(Submission.get_by_id(done.id), by=elm, at=LATER)


# --- How a record is recognised


def test_a_record_is_told_by_names(elm: User) -> None:
    make_licence(
        Profession.PRACTITIONER, name="SARA Q SMITH MD", dea="AS3045122", npi=None
    )
    done = submit(elm, fill("1"), fill("2", days="0"))
    summary = held_records.summary_of(kept(done, 2).elements)

    assert summary.parts == [
        "EXAMPLE, ADA",
        "born 02/16/1980",
        "Oxycodone Hydrochloride 10 mg tablet",
        "quantity 60 for 0 days",
        "by SARA Q SMITH MD",
        "Rx 2, fill 0",
        "filled 11/03/2026",
    ]
    assert held_records.summary_of({}).parts == []
    assert held_records.position(kept(done, 2)) == (1, 1)

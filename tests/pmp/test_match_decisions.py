"""Staff decide who is one person: what moves, what stays, and the way back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

import models
from models import (
    AuditEvent,
    CaseStatus,
    CorrectionNotice,
    DecidedIdentity,
    DecisionKind,
    DecisionSide,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Disclosure,
    Dispensation,
    LookUp,
    LookUpOrigin,
    LookUpOutcome,
    MatchDecision,
    MatchReview,
    Patient,
    Purpose,
    ReportedIdentity,
    ReviewStatus,
    Role,
    Submission,
    ThresholdCase,
    User,
)
from pmp import database, disclosures, lookup, matching, thresholds, tickets, uploads
from pmp.audit import audit_search
from pmp.audit.audit_search import Search
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.lookup import Criteria, changes
from pmp.lookup import reports as look_up_reports
from pmp.lookup.keeping import hashed
from pmp.matching import Identity, decisions, moves, reviews, undoing
from pmp.matching.outlook import outlook
from pmp.thresholds import case_recipients, correction_notices
from pmp.tickets import identity_tickets
from pmp.uploads import intake
from tests import locks
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_rule,
    make_user,
)
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.usefixtures("db")

LATER = NOW + timedelta(hours=1)
LATEST = NOW + timedelta(hours=2)
DAY = date(2026, 11, 1)
EDITH = Identity(
    last="BRANDT",
    first="EDITH",
    middle="",
    suffix="",
    birth_date=date(1969, 4, 2),
    sex="F",
    street="19 ORCHARD LN",
    city="HARTFORD",
    state="CT",
    zip="06106",
    phone="9595550119",
)
MARRIED = replace(EDITH, last="LINDGREN")


@pytest.fixture(autouse=True)
def noise(db: object) -> None:
    make_dispensation(make_identity(last_name="BRANDT", first_name="OTTO"))


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


def reported(identity: Identity) -> ReportedIdentity:
    [link] = matching.link([identity], at=NOW)
    found: ReportedIdentity = ReportedIdentity.get_by_id(link.identity_id)
    return found


def asked() -> MatchReview:
    """Have two reports come that the matcher doubts, each with a fill."""
    make_dispensation(reported(EDITH))
    make_dispensation(reported(MARRIED))
    review: MatchReview = MatchReview.get()
    return review


def mark(review: MatchReview) -> str:
    fresh = MatchReview.get_by_id(review.id)
    return decisions.mark_of(fresh.identity.patient.id, fresh.candidate.id)


def join(review: MatchReview, by: User, reason: str = "Married.") -> MatchDecision:
    return decisions.join(review, reason=reason, seen=mark(review), by=by, at=LATER)


def keep_apart(review: MatchReview, by: User) -> MatchDecision:
    return decisions.keep_apart(review, reason="", seen=mark(review), by=by, at=LATER)


def split(
    patient: int, rows: list[ReportedIdentity], by: User, to: int | None = None
) -> MatchDecision:
    return decisions.split(
        patient,
        [row.id for row in rows],
        to=to,
        reason="Two people.",
        seen=decisions.mark_of(patient),
        by=by,
        at=LATER,
    )


def patient_of(row: ReportedIdentity) -> int:
    return int(ReportedIdentity.get_by_id(row.id).patient.id)


# --- Join


def test_a_join_moves_the_newer_patient_with_all_its_fills(staff: User) -> None:
    review = asked()
    older, newer = review.candidate.id, review.identity.patient.id
    gone = make_dispensation(review.identity, status="voided")

    decision = join(review, staff)

    assert (decision.patient.id, decision.other.id) == (older, newer)
    assert patient_of(review.identity) == older
    fills = Dispensation.select().where(Dispensation.patient == older)
    assert {fill.id for fill in fills} >= {gone.id}
    assert fills.count() == 3
    assert not Dispensation.select().where(Dispensation.patient == newer).exists()
    assert MatchReview.get_by_id(review.id).status == ReviewStatus.JOINED
    events = AuditEvent.select().where(AuditEvent.event == "identity:joined")
    assert {event.subject for event in events} == {
        f"patient:{older}",
        f"patient:{newer}",
    }
    assert events.first().detail["reason"] == "Married."


def test_a_join_against_warning_signs_needs_a_reason(staff: User) -> None:
    review = asked()
    row = review.identity
    row.sex = "M"
    row.save()

    with pytest.raises(RuleError, match="different sex") as refused:
        join(review, staff, reason=" ")

    assert refused.value.field == "reason"
    assert patient_of(row) != review.candidate.id
    join(review, staff, reason="A slip: the pharmacy says so.")
    assert patient_of(row) == review.candidate.id


def test_a_person_and_an_animal_are_never_joined(staff: User) -> None:
    review = asked()
    ReportedIdentity.update(species="animal").where(
        ReportedIdentity.id == review.identity
    ).execute()

    with pytest.raises(RuleError, match="animal"):
        join(review, staff)


def test_two_who_decide_at_once_the_second_is_told(staff: User) -> None:
    review = asked()
    seen = mark(review)
    decisions.keep_apart(review, reason="", seen=seen, by=staff, at=LATER)

    with pytest.raises(ConflictError):
        decisions.join(review, reason="x", seen=seen, by=make_user(), at=LATER)

    assert MatchDecision.select().count() == 1


def test_a_report_that_came_meanwhile_makes_the_decision_wait(staff: User) -> None:
    review = asked()
    seen = mark(review)
    reported(replace(EDITH, street="7 NEW ST"))

    with pytest.raises(ConflictError):
        decisions.join(review, reason="x", seen=seen, by=staff, at=LATER)


def test_questions_about_the_patient_who_went_are_about_the_one_who_stays(
    staff: User,
) -> None:
    review = asked()
    stranger = make_identity(last_name="OTHER")
    open_one = MatchReview.create(
        identity=stranger,
        candidate=review.identity.patient,
        score=20,
        opened_at=NOW,
    )

    decision = join(review, staff)

    assert MatchReview.get_by_id(open_one.id).candidate == review.candidate
    assert [row.id for row in reviews.queue(_all(), by=staff, at=LATER).rows] == [
        open_one.id
    ]
    undoing.undo(decision, by=staff, at=LATEST)
    assert MatchReview.get_by_id(open_one.id).candidate == review.identity.patient
    assert MatchReview.get_by_id(review.id).status == ReviewStatus.OPEN


def _all() -> reviews.Wanted:
    return reviews.Wanted()


# --- Keep apart


def test_who_is_kept_apart_is_not_asked_about_again(staff: User) -> None:
    review = asked()
    decision = keep_apart(review, staff)
    assert reviews.queue(_all(), by=staff, at=LATER).open == 0

    [again] = matching.link([replace(MARRIED, last="Lindgren ")], at=LATEST)
    [moved] = matching.link(
        [replace(MARRIED, street="2 NEW ST", zip="06320", phone="")], at=LATEST
    )

    assert again.patient_id == moved.patient_id == review.identity.patient.id
    assert MatchReview.select().where(MatchReview.status == "open").count() == 0
    undoing.undo(decision, by=staff, at=LATEST)
    assert reviews.queue(_all(), by=staff, at=LATEST).open == 1


def test_a_new_report_that_fits_both_who_are_apart_is_asked_about(staff: User) -> None:
    old, new = reported(EDITH), reported(replace(EDITH, street="7 NEW ST", phone=""))
    assert old.patient == new.patient
    split(old.patient.id, [new], staff)

    [link] = matching.link([replace(EDITH, street="", phone="", zip="")], at=LATEST)

    assert link.patient_id not in {patient_of(old), patient_of(new)}
    found = MatchReview.select().where(MatchReview.identity == link.identity_id)
    assert {row.candidate.id for row in found} == {patient_of(old), patient_of(new)}


def test_a_new_report_goes_to_the_clearly_likelier_of_two_who_are_apart(
    staff: User,
) -> None:
    old, new = reported(EDITH), reported(replace(EDITH, street="7 NEW ST", phone=""))
    split(old.patient.id, [new], staff)

    [link] = matching.link(
        [replace(EDITH, street="7 NEW ST", phone="", middle="Q")], at=LATEST
    )

    assert link.patient_id == patient_of(new)
    assert not MatchReview.select().exists()


def test_who_is_kept_apart_is_not_joined_through_a_third(staff: User) -> None:
    review = asked()
    keep_apart(review, staff)
    third = make_identity(last_name="BRANDT")
    asks = [
        MatchReview.create(identity=third, candidate=each, score=20, opened_at=NOW)
        for each in (review.candidate, review.identity.patient)
    ]
    join(asks[0], staff)

    with pytest.raises(RuleError, match="keeps some of these apart"):
        join(asks[1], staff)


# --- Split


def test_a_split_makes_a_new_patient_and_keeps_the_parts_apart(staff: User) -> None:
    rows = [reported(EDITH), reported(replace(EDITH, street="7 NEW ST"))]
    [patient] = {row.patient.id for row in rows}
    fill = make_dispensation(rows[1])

    decision = split(patient, [rows[1]], staff)

    assert decision.kind is DecisionKind.SPLIT
    assert patient_of(rows[0]) == patient
    assert patient_of(rows[1]) == decision.other.id != patient
    assert Dispensation.get_by_id(fill.id).patient == decision.other
    [again] = matching.link([replace(EDITH, street="7 New St")], at=LATEST)
    assert again.patient_id == decision.other.id


def test_a_split_goes_back_to_an_existing_patient(staff: User) -> None:
    rows = [reported(EDITH), reported(replace(EDITH, street="7 NEW ST"))]
    other = make_identity(last_name="BRANDT", first_name="EDITHA")

    split(patient_of(rows[0]), [rows[1]], staff, to=other.patient.id)

    assert patient_of(rows[1]) == other.patient.id


@pytest.mark.parametrize(
    ("chosen", "to", "words"),
    [
        ([], None, "Choose who"),
        ([0, 1], None, "Leave at least one"),
        ([0], 987654, "no other patient"),
    ],
)
def test_a_split_is_refused_with_its_reason(
    staff: User, chosen: list[int], to: int | None, words: str
) -> None:
    rows = [reported(EDITH), reported(replace(EDITH, street="7 NEW ST"))]

    with pytest.raises(RuleError, match=words):
        split(patient_of(rows[0]), [rows[number] for number in chosen], staff, to=to)

    assert MatchDecision.select().count() == 0


# --- Undo


def test_what_came_since_goes_to_the_part_that_it_is_more_like(staff: User) -> None:
    review = asked()
    decision = join(review, staff)
    like_old = reported(replace(EDITH, street="8 NEW ST"))
    like_new = reported(replace(MARRIED, street="9 NEW ST"))
    assert patient_of(like_old) == patient_of(like_new) == decision.patient.id
    fill = make_dispensation(review.identity)

    plan = undoing.undo(decision, by=staff, at=LATEST)

    assert [row.id for row in plan.going] == [like_new.id]
    assert [row.id for row in plan.staying] == [like_old.id]
    assert patient_of(like_old) == decision.patient.id
    assert patient_of(like_new) == decision.other.id
    assert Dispensation.get_by_id(fill.id).patient == decision.other


def test_a_decision_is_undone_once(staff: User) -> None:
    decision = join(asked(), staff)
    undoing.undo(decision, by=staff, at=LATEST)

    with pytest.raises(ConflictError, match="undone already"):
        undoing.undo(decision, by=staff, at=LATEST)


def test_the_later_decision_is_undone_first(staff: User) -> None:
    first = join(asked(), staff)
    rows = moves.identities_of(first.patient.id)
    second = split(first.patient.id, [rows[0]], staff)

    with pytest.raises(ConflictError, match=f"Decision {second.id}"):
        undoing.undo(first, by=staff, at=LATEST)

    undoing.undo(second, by=staff, at=LATEST)
    undoing.undo(first, by=staff, at=LATEST)
    assert [
        row.patient
        for row in ReportedIdentity.select()
        .where(ReportedIdentity.id.in_([row.id for row in rows]))
        .order_by(ReportedIdentity.id)
    ] == [first.patient, first.other]


# --- Cases and those who were told


def crossing_pair() -> MatchReview:
    """Have two prescribers and pharmacies on one report, a third on the other."""
    review = asked()
    make_dispensation(moves.identities_of(review.candidate.id)[0])
    return review


def test_an_undo_leaves_whom_a_later_decision_placed_there(staff: User) -> None:
    joined = join(asked(), staff)
    elsewhere = reported(replace(EDITH, first="OTTILIE", birth_date=DAY))
    fresh = reported(replace(MARRIED, street="5 NEW ST"))
    moves.move([fresh.id], elsewhere.patient.id)  # where it was reported under
    placed = split(elsewhere.patient.id, [fresh], staff, to=joined.patient.id)

    assert undoing.later(joined) == placed
    with pytest.raises(ConflictError, match=f"Decision {placed.id} came later"):
        undoing.undo(joined, by=staff, at=LATEST)
    undoing.undo(placed, by=staff, at=LATEST)
    undoing.undo(joined, by=staff, at=LATEST)

    assert patient_of(fresh) == elsewhere.patient.id
    assert MatchDecision.select().where(MatchDecision.undone_at.is_null()).count() == 0


def test_an_undo_that_would_leave_some_behind_is_refused(staff: User) -> None:
    decision = join(asked(), staff)
    moved = DecidedIdentity.get(decision=decision, side=DecisionSide.OTHER).identity
    moves.move([moved.id], make_identity().patient.id)

    with pytest.raises(ConflictError, match="with another patient by now"):
        undoing.undo(decision, by=staff, at=LATEST)
    assert MatchDecision.get().undone_at is None


def test_a_join_that_reaches_the_numbers_makes_a_case_and_its_undo_ends_it(
    staff: User,
) -> None:
    make_rule()
    review = crossing_pair()
    thresholds.run(NOW)
    assert ThresholdCase.select().count() == 0

    decision = join(review, staff)

    case = ThresholdCase.get(ThresholdCase.rule == _ours())
    assert (case.patient, case.status) == (review.candidate, CaseStatus.QUEUED)
    assert len(case_recipients.of_case(case)) == 6
    Delivery.update(state=DeliveryState.SENT).execute()
    undoing.undo(decision, by=staff, at=LATEST)

    case = ThresholdCase.get_by_id(case.id)
    assert case.status == CaseStatus.WITHDRAWN
    told = CorrectionNotice.select()
    assert told.count() == 6
    assert {notice.outcome for notice in told} == {"identity_fixed"}
    assert all(notice.case_withdrawn for notice in told)


def _ours() -> Any:
    return models.ThresholdRule.get(models.ThresholdRule.name == "Ours")


def crossed(row: ReportedIdentity, fills: int = 3) -> ThresholdCase:
    for number in range(fills):
        make_dispensation(row, filled_on=date(2026, 11, 1) - timedelta(days=number))
    thresholds.evaluate([patient_of(row)], at=NOW)
    return ThresholdCase.get(
        ThresholdCase.patient == patient_of(row), ThresholdCase.rule == _ours()
    )


def test_a_case_goes_with_its_patient_and_nobody_is_told_that_it_is_wrong(
    staff: User,
) -> None:
    make_rule()
    review = asked()
    case = crossed(review.identity)
    Delivery.update(state=DeliveryState.SENT).execute()
    code = [each.reply_code for each in case_recipients.of_case(case)]

    decision = join(review, staff)

    case = ThresholdCase.get_by_id(case.id)
    assert (case.patient, case.status) == (review.candidate, CaseStatus.QUEUED)
    assert set(code) <= {each.reply_code for each in case_recipients.of_case(case)}
    assert CorrectionNotice.select().count() == 0
    undoing.undo(decision, by=staff, at=LATEST)
    assert ThresholdCase.get_by_id(case.id).patient == decision.other


def test_two_cases_of_one_day_become_one_and_two_again(staff: User) -> None:
    make_rule()
    review = asked()
    cases = [
        crossed(moves.identities_of(review.candidate.id)[0]),
        crossed(review.identity),
    ]
    Delivery.update(state=DeliveryState.SENT).execute()
    sent = Delivery.select().where(Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
    before = sent.count()

    decision = join(review, staff)

    kept, gone = (ThresholdCase.get_by_id(case.id) for case in cases)
    assert gone.status == CaseStatus.WITHDRAWN
    assert "another case of the same patient" in gone.withdrawn_reason
    assert kept.prescribers > 3
    assert CorrectionNotice.select().count() == 0
    Delivery.update(state=DeliveryState.SENT).execute()
    more = sent.count()
    assert more > before

    undoing.undo(decision, by=staff, at=LATEST)
    kept, gone = (ThresholdCase.get_by_id(case.id) for case in cases)
    assert (kept.status, gone.status) == (CaseStatus.QUEUED, CaseStatus.QUEUED)
    assert (kept.patient, gone.patient) == (decision.patient, decision.other)
    assert sent.count() == more  # nobody is sent again what they have
    assert {each.dispensation.patient for each in CorrectionNotice.select()} == {
        decision.other
    }


def test_who_was_told_that_an_entry_is_another_s_is_told_when_it_is_not(
    staff: User,
) -> None:
    make_rule()
    rows = [reported(EDITH), reported(replace(EDITH, street="7 NEW ST"))]
    crossed(rows[0], fills=3)
    entry = make_dispensation(rows[1], filled_on=date(2026, 10, 30))
    thresholds.evaluate([patient_of(rows[0])], at=NOW)
    Delivery.update(state=DeliveryState.SENT).execute()

    decision = split(patient_of(rows[0]), [rows[1]], staff)
    undoing.undo(decision, by=staff, at=LATEST)
    split(patient_of(rows[0]), [rows[1]], staff)

    told = CorrectionNotice.select().where(CorrectionNotice.dispensation == entry)
    turns = {
        turn: {notice.outcome.value for notice in told if notice.turn == turn}
        for turn in range(3)
    }
    assert turns == {0: {"identity_fixed"}, 1: {"corrected"}, 2: {"identity_fixed"}}
    back = told.where(CorrectionNotice.turn == 1).first()
    assert "this patient's after all" in correction_notices.outcome_words(back)
    assert correction_notices.correction(back).fields == []


def test_the_outlook_says_what_a_join_will_do_and_does_nothing(staff: User) -> None:
    make_rule()
    review = crossing_pair()
    thresholds.run(NOW)
    events = AuditEvent.select().count()

    found = outlook(
        lambda: join(review, staff), (review.candidate.id, review.identity.patient.id)
    )

    assert (found.identities, found.fills) == (1, 1)
    assert (found.reports, found.notices) == (6, 0)
    [case] = [each for each in found.cases if "90 days" in each.rule]
    assert case.case_id is None
    assert case.becomes == "is new: 3 prescribers and 3 pharmacies"
    assert MatchDecision.select().count() == 0
    assert AuditEvent.select().count() == events
    assert Delivery.select().count() == 0
    assert patient_of(review.identity) != review.candidate.id


# --- What was looked up and disclosed


def looked_up(patient: Patient, by: User, at: Any = NOW) -> LookUp:
    found: LookUp = LookUp.create(
        user=by,
        at=at,
        first_name="EDITH",
        last_name="BRANDT",
        birth_date=EDITH.birth_date,
        purpose=Purpose.TREATING,
        since=date(2026, 1, 1),
        until=date(2026, 11, 23),
        outcome=LookUpOutcome.REPORT,
        patient=patient,
    )
    disclosures.record(
        patient=patient,
        recipient=by.name,
        what="patient report (page)",
        purpose="Treating this patient",
        at=at,
        look_up=found,
    )
    return found


def test_the_accounting_follows_the_person_and_falsifies_nothing(staff: User) -> None:
    doctor = make_user(Role.PRACTITIONER)
    review = asked()
    older, newer = review.candidate, review.identity.patient
    looked_up(older, doctor)
    looked_up(newer, doctor, NOW + timedelta(minutes=1))

    decision = join(review, staff)

    assert [each.patient for each in disclosures.accounting(older.id)] == [newer, older]
    looked_up(older, doctor, LATER + timedelta(minutes=1))
    undoing.undo(decision, by=staff, at=LATEST)
    looked_up(older, doctor, LATEST + timedelta(minutes=1))

    told = [each.patient for each in disclosures.accounting(newer.id)]
    assert told == [older, newer]  # the one while they were one, and its own
    assert len(disclosures.accounting(older.id)) == 3


def test_the_audit_of_a_patient_shows_who_looked_before_the_join(staff: User) -> None:
    doctor = make_user(Role.PRACTITIONER)
    review = asked()
    looked_up(review.identity.patient, doctor)
    join(review, staff)
    auditor = make_user(Role.AUDITOR)

    found = audit_search.search(
        Search(patient_id=review.candidate.id, event="disclosure"),
        by=auditor,
        at=LATEST,
    )

    assert [event.subject for event in found.events] == [
        f"patient:{review.identity.patient.id}"
    ]


def test_an_earlier_look_up_leads_to_the_joined_patient(staff: User) -> None:
    doctor = make_user(Role.PRACTITIONER)
    review = asked()
    before = looked_up(review.identity.patient, doctor)
    join(review, staff)

    answer = lookup.look_again(look_up_id=before.id, by=doctor, at=LATEST)
    opened = look_up_reports.open_report(
        token=answer.token, what="page", by=doctor, at=LATEST
    )
    report = opened.report

    assert report.patient_id == review.candidate.id
    assert len(report.entries) == 2
    assert LookUp.get_by_id(before.id).patient == review.identity.patient


def opens(look_up: LookUp, doctor: User, at: datetime = LATEST) -> int:
    """Open the report behind a look-up's token; give whose it is."""
    token = f"token-{look_up.id}"
    LookUp.update(token_sha256=hashed(token), token_until=at).where(
        LookUp.id == look_up.id
    ).execute()
    at -= timedelta(seconds=1)
    found = look_up_reports.open_report(token=token, what="page", by=doctor, at=at)
    people = identity_tickets.people(token=token, by=doctor, at=at)
    assert len(people) == len(found.report.identities)
    return found.report.patient_id


def looked_at_last() -> LookUp:
    found: LookUp = LookUp.select().order_by(LookUp.id.desc()).get()
    return found


def test_a_look_up_of_a_patient_who_was_divided_is_a_new_search(staff: User) -> None:
    review = asked()
    doctor = make_user(Role.PRACTITIONER)
    own = reported(replace(MARRIED, street="5 NEW ST"))
    gone = review.identity.patient
    assert own.patient == gone
    before = looked_up(gone, doctor)
    decision = join(review, staff)
    split(decision.patient.id, [own], staff)

    with pytest.raises(NotFoundError, match="divided"):
        opens(before, doctor)
    answer = lookup.look_again(look_up_id=before.id, by=doctor, at=LATEST)

    assert answer.outcome is LookUpOutcome.REPORT  # of EDITH BRANDT, as was typed
    assert looked_at_last().patient == decision.patient
    assert looked_at_last().origin is LookUpOrigin.AGAIN


def test_a_look_up_during_a_wrong_join_opens_no_strangers_report_after_it(
    staff: User,
) -> None:
    review, doctor = asked(), make_user(Role.PRACTITIONER)
    stranger, anna = review.candidate, review.identity.patient
    decision = join(review, staff)
    during = looked_up(stranger, doctor, LATER + timedelta(minutes=5))
    LookUp.update(last_name="LINDGREN").where(LookUp.id == during.id).execute()
    assert opens(during, doctor) == stranger.id
    undoing.undo(decision, by=staff, at=LATEST)
    after = LATEST + timedelta(hours=1)
    count = Disclosure.select().count()

    with pytest.raises(NotFoundError, match="divided"):
        opens(during, doctor, after)
    assert Disclosure.select().count() == count
    answer = lookup.look_again(look_up_id=during.id, by=doctor, at=after)

    assert looked_at_last().patient == anna
    opened = look_up_reports.open_report(
        token=answer.token, what="page", by=doctor, at=after
    )
    assert opened.report.patient_id == anna.id
    with pytest.raises(NotFoundError, match="divided"):
        changes.since(during.id, token=answer.token, by=doctor, at=after)


def test_a_look_up_follows_whom_it_found_when_a_stranger_keeps_the_number(
    staff: User,
) -> None:
    doctor = make_user(Role.PRACTITIONER)
    own = reported(EDITH)
    make_dispensation(own)
    before = looked_up(own.patient, doctor)
    came_since = reported(replace(EDITH, street="7 NEW ST"))
    ReportedIdentity.update(linked_at=NOW + timedelta(minutes=5)).where(
        ReportedIdentity.id == came_since.id
    ).execute()
    assert came_since.patient == own.patient
    split(came_since.patient.id, [own], staff)

    assert opens(before, doctor) == patient_of(own) != came_since.patient.id


def test_a_look_up_before_a_join_and_its_undo_opens_whom_it_found(
    staff: User,
) -> None:
    review, doctor = asked(), make_user(Role.PRACTITIONER)
    sides = review.candidate, review.identity.patient
    before = [looked_up(each, doctor) for each in sides]
    undoing.undo(join(review, staff), by=staff, at=LATER + timedelta(minutes=1))

    assert [opens(each, doctor) for each in before] == [each.id for each in sides]


def test_a_decision_at_the_moment_of_a_look_up_leaves_no_doubt_unasked(
    staff: User,
) -> None:
    """The search found what a split, asked for a second before, then took away."""
    doctor = make_user(Role.PRACTITIONER)
    rows = [reported(EDITH), reported(replace(EDITH, street="7 NEW ST"))]
    split(patient_of(rows[0]), [rows[1]], staff)
    found = looked_up(rows[0].patient, doctor, LATER + timedelta(seconds=1))

    with pytest.raises(NotFoundError, match="divided"):
        opens(found, doctor)


def test_candidates_of_whom_one_was_divided_are_not_chosen_from(staff: User) -> None:
    review, doctor = asked(), make_user(Role.PRACTITIONER)
    sides = [review.candidate.id, review.identity.patient.id]
    criteria = Criteria(
        "EDIT", "BRANDT", EDITH.birth_date, Purpose.TREATING, DAY, DAY, similar=True
    )
    answer = lookup.search(criteria=criteria, by=doctor, at=NOW)
    assert sides[0] in looked_at_last().candidates
    decision = join(review, staff)
    assert lookup.result(token=answer.token, by=doctor, at=LATER).candidates
    undoing.undo(decision, by=staff, at=LATER + timedelta(minutes=5))

    with pytest.raises(NotFoundError, match="divided"):
        lookup.choose(token=answer.token, patient_ids=[sides[0]], by=doctor, at=LATEST)


def test_an_entry_seen_before_a_split_can_still_be_reported(staff: User) -> None:
    doctor = make_user(Role.PRACTITIONER)
    rows = [reported(EDITH), reported(replace(EDITH, street="7 NEW ST"))]
    fill, unseen = make_dispensation(rows[1]), make_dispensation(make_identity())
    looked_up(rows[0].patient, doctor)
    split(patient_of(rows[0]), [rows[1]], staff)

    assert tickets.find_shown(fill.row_code, by=doctor).dispensation == fill
    with pytest.raises(NotFoundError):
        tickets.find_shown(unseen.row_code, by=doctor)


# --- A submission that is being stored at the same moment


def test_a_fill_that_is_being_stored_is_not_left_with_the_patient_who_goes(
    staff: User,
) -> None:
    review = asked()
    pharmacy, prescriber = make_pharmacy(), make_prescriber()
    kept = review.candidate.id
    deciding = _thread(lambda: join(review, staff))

    with database.atomic():
        [link] = matching.link([MARRIED], at=NOW)
        deciding.start()
        locks.until_it_waits(deciding)
        fill = make_dispensation(
            ReportedIdentity.get_by_id(link.identity_id),
            patient=None,
            pharmacy=pharmacy,
            prescriber=prescriber,
        )
        assert fill.patient.id == link.patient_id != kept
    deciding.join(timeout=20)

    assert Dispensation.get_by_id(fill.id).patient.id == kept
    assert patient_of(review.identity) == kept


def test_a_submission_waits_for_a_decision_and_then_has_the_new_link(
    staff: User,
) -> None:
    review = asked()
    links: list[matching.Link] = []
    storing = _thread(lambda: links.extend(matching.link([MARRIED], at=NOW)))

    with database.atomic():
        join(review, staff)
        storing.start()
        locks.until_it_waits(storing)
    storing.join(timeout=20)

    assert [link.patient_id for link in links] == [review.candidate.id]


def test_a_file_that_is_read_while_staff_join_ends_with_the_patient_who_stays(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real intake, stopped between reading the links and storing its fills."""
    shop = make_pharmacy(dea=ELM[2], name=ELM[3])
    pharmacy = make_user(Role.PHARMACY, pharmacy=shop)
    make_product(ndc=OXYCODONE)
    _process(pharmacy, fill("600100", last="BRANDT", first="EDITH"))
    _process(pharmacy, fill("600101", last="LINDGREN", first="EDITH"))
    review: MatchReview = MatchReview.get()
    deciding = _thread(lambda: join(review, staff))
    store = intake._store

    def store_late(*given: Any) -> None:
        deciding.start()
        locks.until_it_waits(deciding)
        store(*given)

    monkeypatch.setattr(intake, "_store", store_late)
    done = _process(pharmacy, fill("600102", last="LINDGREN", first="EDITH"))
    deciding.join(timeout=20)

    assert done.stored == 1
    fills = Dispensation.select().where(
        Dispensation.prescription_number.in_(["600100", "600101", "600102"])
    )
    assert [each.patient for each in fills] == [review.candidate] * 3


def _process(by: User, *records: list[str]) -> Submission:
    body = submission((ELM, records))
    received = uploads.receive(filename="a.dat", body=body, by=by, at=NOW)
    return uploads.process(received.id, at=NOW)


def _thread(act: Callable[[], object]) -> Thread:
    def run() -> None:
        with models.database.connection_context():
            act()

    return Thread(target=run, daemon=True)

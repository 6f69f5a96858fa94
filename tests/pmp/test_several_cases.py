"""Lists of cases, many released or closed at once, and what became of reports."""

from datetime import timedelta

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    CaseStatus,
    ChannelName,
    Delivery,
    DeliveryState,
    RecipientAnswer,
    ReplyChannel,
    ThresholdCase,
    TicketProblem,
    User,
)
from pmp import audit, settings
from pmp.errors import RuleError
from pmp.thresholds import (
    answers,
    case_lists,
    case_recipients,
    outcomes,
    several_cases,
    threshold_cases,
)
from pmp.thresholds.answers import Reply
from pmp.thresholds.case_lists import Answers, Wanted
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_licence,
    make_patient,
    make_prescriber,
    make_rule,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")
DAY = timedelta(days=1)


@pytest.fixture
def staff() -> User:
    return make_user()


@pytest.fixture
def held() -> list[ThresholdCase]:
    """Give three held cases; the one found last stands first by its number."""
    doctor = make_prescriber(licence=make_licence(fax="8605550143"))
    with settings.changed(hold_cases_for_review=True):
        cases = []
        for _ in range(3):
            patient = make_patient()
            make_dispensation(patient=patient, prescriber=doctor)
            cases.append(make_crossing(patient, fills=2))
    for number, case in enumerate(cases):
        case.detected_at = NOW - DAY * number
        case.save()
    return cases


def test_held_cases_are_listed_the_oldest_first_and_others_the_newest_first(
    held: list[ThresholdCase],
) -> None:
    noise = make_crossing(make_patient())
    noise.detected_at = NOW - 9 * DAY
    noise.save()

    waiting = case_lists.listed(Wanted(CaseStatus.HELD), page=1, at=NOW)
    every = case_lists.listed(Wanted(), page=1, at=NOW)

    assert [row.case for row in waiting.rows] == held[::-1]
    assert [row.case for row in every.rows] == [*held, noise]
    assert (waiting.total, every.total) == (3, 4)
    file = case_lists.rows_of(Wanted(), by=make_user(username="lee"), at=NOW)
    assert [row.case for row in file] == [*held, noise]
    event = AuditEvent.get(event=audit.Event.LIST_DOWNLOADED)
    assert (event.actor, event.subject) == ("lee", "threshold_cases")
    assert event.detail == {"rows": 4}


def test_a_rules_cases_are_listed_whatever_its_version(
    held: list[ThresholdCase],
) -> None:
    other = make_rule(name="Other")
    ThresholdCase.update(rule=other).where(ThresholdCase.id == held[0].id).execute()

    wanted = case_lists.listed(Wanted(rule="Other"), page=1, at=NOW)

    assert [row.case for row in wanted.rows] == [held[0]]
    assert "Other" in case_lists.rule_names()


def test_cases_without_an_answer_are_those_that_were_sent_and_are_silent(
    staff: User,
) -> None:
    silent, told, unsent = (make_crossing(make_patient()) for _ in range(3))
    for case, days in ((silent, 20), (told, 2)):
        ids = [each.id for each in case_recipients.of_case(case)]
        Delivery.update(state=DeliveryState.SENT, submitted_at=NOW - days * DAY).where(
            Delivery.subject_id.in_(ids)
        ).execute()

    def listed() -> list[ThresholdCase]:
        found = case_lists.listed(Wanted(answers=Answers.MISSING), page=1, at=NOW)
        return [row.case for row in found.rows]

    assert set(listed()) == {silent, told}
    assert unsent not in listed()
    with settings.changed(unanswered_days=14):
        assert listed() == [silent]
    for recipient in case_recipients.of_case(silent):
        answers.write_down(
            recipient,
            Reply(RecipientAnswer.MY_PATIENT),
            channel=ReplyChannel.PHONE,
            by=staff,
            at=NOW,
        )
    assert listed() == [told]
    row = next(
        case_lists.rows_of(Wanted(status=CaseStatus.ANSWERED), by=make_user(), at=NOW)
    )
    assert (row.case, row.recipients, row.answered) == (silent, 6, 6)


def test_a_review_counts_reports_by_channel_and_sends_nothing(
    held: list[ThresholdCase],
) -> None:
    out = make_crossing(make_patient())
    before = Delivery.select().count()

    review = several_cases.review_release([each.id for each in [*held[:2], out]])

    assert list(review.cases) == held[:2]
    assert list(review.passed_over) == [out]
    assert (review.channels[ChannelName.FAX], review.unreachable) == (2, 10)
    assert review.recipients == 12
    assert Delivery.select().count() == before


def test_released_are_those_that_wait_and_the_others_are_named(
    held: list[ThresholdCase], staff: User
) -> None:
    out = make_crossing(make_patient())

    done = several_cases.release(
        [held[0].id, held[1].id, out.id, 99_999], by=staff, at=NOW
    )

    assert done.cases == 2
    assert done.refused == {
        out.id: "This case is not waiting to be released.",
        99_999: "There is no such case.",
    }
    statuses = [ThresholdCase.get_by_id(each.id).status for each in held]
    assert statuses == ["queued", "queued", "held_for_review"]
    assert CaseRecipient.select().where(CaseRecipient.case == held[0]).count() == 6


def test_one_that_fails_does_not_keep_the_others(
    held: list[ThresholdCase], staff: User
) -> None:
    threshold_cases.close(held[0], reason="Hospice.", by=staff, at=NOW)

    ids = [each.id for each in held]
    done = several_cases.close(ids, reason="A drill.", by=staff, at=NOW)

    assert (done.cases, list(done.refused)) == (2, [held[0].id])
    assert {each.status for each in ThresholdCase.select()} == {CaseStatus.CLOSED}


def test_closing_wants_a_reason_and_choosing_wants_cases(
    held: list[ThresholdCase], staff: User
) -> None:
    with pytest.raises(RuleError) as refused:
        several_cases.close([held[0].id], reason=" ", by=staff, at=NOW)
    assert refused.value.field == "reason"
    with pytest.raises(RuleError):
        several_cases.review_close([])
    with pytest.raises(RuleError):
        several_cases.review_close(range(1, 52))


def test_outcomes_count_each_recipient_once_with_the_latest_answer(staff: User) -> None:
    case = make_crossing(make_patient())
    noise = make_rule(name="Noise")
    first, second, third, *_ = case_recipients.of_case(case)
    Delivery.update(state=DeliveryState.DELIVERED, submitted_at=NOW - 4 * DAY).where(
        Delivery.subject_id.in_([first.id, second.id])
    ).execute()
    CaseRecipient.update(opened_at=NOW).where(CaseRecipient.id == first.id).execute()
    row = threshold_cases.entries(case)[0].row_code
    mine, not_mine = RecipientAnswer.MY_PATIENT, RecipientAnswer.NOT_MY_PATIENT
    said = [
        (first, Reply(not_mine), ReplyChannel.FAX, NOW - 3 * DAY),
        (first, Reply(mine, {row: TicketProblem.WRONG_DATE}), ReplyChannel.PHONE, NOW),
        (second, Reply(mine, done=frozenset({"referral_offered"})), "fax", NOW),
        (third, Reply(not_mine), ReplyChannel.PAGE, NOW),
    ]
    for recipient, reply, channel, at in said:
        answers.write_down(
            recipient, reply, channel=ReplyChannel(channel), by=staff, at=at
        )

    found = outcomes.of_version(case.rule)

    assert (found.cases, found.withdrawn, found.recipients) == (1, 0, 6)
    assert (found.delivered, found.opened, found.answered) == (2, 1, 3)
    assert (found.by_page, found.by_fax, found.by_phone) == (1, 1, 1)
    assert (found.my_patient, found.not_my_patient) == (2, 1)
    assert (found.wrong_rows, found.referral_offered, found.discussed) == (1, 1, 0)
    assert found.days == 2.5
    none = outcomes.of_version(noise)
    assert (none.cases, none.recipients, none.answered, none.days) == (0, 0, 0, None)
    [*_, line] = outcomes.csv_rows([(case.rule, found)])
    assert len(line) == len(outcomes.csv_header())

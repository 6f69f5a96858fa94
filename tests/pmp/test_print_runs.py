"""Print runs: no letter twice, no letter lost, nothing mailed that was cancelled."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    DocumentKind,
    Misdelivery,
    PrintRun,
    PrintRunLetter,
    User,
    WhatBecame,
)
from pmp import database, deliveries, documents, settings
from pmp.deliveries import (
    Route,
    delivery_desk,
    delivery_stories,
    letters,
    mailings,
    print_runs,
    run_rows,
)
from pmp.deliveries.letter_codes import letter_code, read_code
from pmp.errors import RuleError
from tests.conftest import NOW
from tests.factories import make_user

ADDRESS = "Dr. Ana Ruiz\n1 Main Street\nHartford, CT 06106"
TODAY = NOW.date()


@pytest.fixture
def staff(db: settings.Settings) -> User:
    return make_user(username="sandra")


def make_letter(
    *,
    kind: DeliveryKind = DeliveryKind.TICKET_NOTICE,
    further: tuple[Route, ...] = (),
    carrier: str = "print",
) -> Delivery:
    """Make a letter that a channel took: ours waits to be printed."""
    made = deliveries.request(
        kind=kind,
        subject_id=1,
        routes=[Route(ChannelName.LETTER, ADDRESS), *further],
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW,
    )
    claimed = deliveries.claim(made.id, carrier=carrier, at=NOW)
    assert claimed is not None
    assert deliveries.begin(claimed, pdf=f"{made.id}".encode(), at=NOW)
    reference = f"{carrier}-{made.id}-1"
    deliveries.mark_submitted(claimed, reference=reference, at=NOW)
    return fresh(made)


def send_again(letter: Delivery) -> None:
    """Have the worker bring a released letter into the print queue once more."""
    claimed = deliveries.claim(letter.id, carrier="print", at=NOW)
    assert claimed is not None
    assert deliveries.begin(claimed, pdf=f"{letter.id}".encode(), at=NOW)
    deliveries.mark_submitted(claimed, reference=f"print-{letter.id}-2", at=NOW)


def fresh(row: Delivery) -> Delivery:
    found: Delivery = Delivery.get_by_id(row.id)
    return found


def states(*rows: Delivery) -> list[str]:
    return [fresh(row).state.value for row in rows]


def open_run(staff: User, **options: object) -> PrintRun:
    given = {"sheets": len, "by": staff, "at": NOW, **options}
    return print_runs.open_run(**given)  # type: ignore[arg-type]


def printed_run(staff: User) -> PrintRun:
    run = open_run(staff)
    print_runs.confirm(run.id, by=staff, at=NOW)
    return run


def test_a_run_takes_the_oldest_that_wait_and_those_of_a_kind_together(
    staff: User,
) -> None:
    first = make_letter()
    second = make_letter(kind=DeliveryKind.CREDENTIAL_LETTER)
    third, fourth = make_letter(), make_letter()
    make_letter(carrier="lob")  # noise: with a company that prints

    run = open_run(staff, most=3)

    found = print_runs.contents(run)
    assert [each.delivery for each in found] == [second, first, third]
    assert [(each.row.place, each.first_sheet) for each in found] == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    assert states(first, second, third, fourth) == ["batched"] * 3 + ["submitted"]
    assert print_runs.stage(found) == "To be printed"
    assert list(letters.waiting()) == [fourth]


def test_a_run_of_one_kind_leaves_the_others(staff: User) -> None:
    notice, credential = make_letter(), make_letter(kind=DeliveryKind.CREDENTIAL_LETTER)

    open_run(staff, kind="credential_letter")

    assert states(notice, credential) == ["submitted", "batched"]


def test_an_empty_queue_makes_no_run(staff: User) -> None:
    make_letter(carrier="lob")

    with pytest.raises(RuleError, match="No letter waits to be printed"):
        open_run(staff)

    assert PrintRun.select().count() == 0


def test_two_who_open_a_run_at_once_print_no_letter_twice(staff: User) -> None:
    made = [make_letter() for _ in range(12)]
    together, outcomes = threading.Barrier(2), []

    def open_one() -> None:
        def sheets(_body: bytes) -> int:
            if not together.broken:
                together.wait(timeout=20)  # both have read what waits
                together.abort()
            return 1

        with database.connected():
            try:
                outcomes.append(print_runs.contents(open_run(staff, sheets=sheets)))
            except RuleError as refusal:
                outcomes.append([])
                assert "somebody else" in refusal.message  # noqa: PT017

    threads = [threading.Thread(target=_quiet(open_one)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(len, outcomes)) == [0, 12]
    assert PrintRunLetter.select().count() == 12
    assert states(*made) == ["batched"] * 12


def _quiet(work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except threading.BrokenBarrierError:
            work()

    return run


def test_what_jammed_is_printed_again_and_the_rest_can_go(staff: User) -> None:
    good, jammed = make_letter(), make_letter()
    run = open_run(staff)
    assert len(print_runs.papers(run.id, by=staff, at=NOW)) == 2

    assert print_runs.confirm(run.id, jammed=[jammed.id], by=staff, at=NOW) == 1

    assert states(good, jammed) == ["printed", "batched"]
    stage = print_runs.stage(print_runs.contents(run))
    assert stage == "Some to be printed again"
    [(again, body)] = print_runs.papers(run.id, by=staff, at=NOW)
    assert (again, body) == (jammed, f"{jammed.id}".encode())

    mailings.mail(run.id, on=TODAY, by=staff, at=NOW)
    assert states(good, jammed) == ["mailed", "batched"]
    assert run_rows.get(run.id).closed_at is None


def test_a_whole_run_or_one_letter_can_be_printed_again(staff: User) -> None:
    first, second = make_letter(), make_letter()
    run = printed_run(staff)

    assert len(print_runs.papers(run.id, by=staff, at=NOW)) == 2
    [(again, _)] = print_runs.papers(run.id, again=[second.id], by=staff, at=NOW)

    assert again == second
    events = AuditEvent.select().where(AuditEvent.event == "letters:printed")
    assert [each.detail["deliveries"] for each in events] == [
        [first.id, second.id],
        [second.id],
    ]


def test_a_letter_whose_pages_are_destroyed_does_not_keep_others_from_being_printed(
    staff: User,
) -> None:
    burned, other = make_letter(), make_letter()
    run = printed_run(staff)
    assert burned.document is not None
    documents.purge(burned.document, at=NOW)

    [(again, _)] = print_runs.papers(run.id, by=staff, at=NOW)

    assert again == other
    found = print_runs.contents(run)
    assert [each.has_pages for each in found] == [False, True]
    with pytest.raises(RuleError, match="Mail the paper that you have"):
        print_runs.papers(run.id, again=[burned.id], by=staff, at=NOW)
    assert mailings.mail(run.id, on=TODAY, by=staff, at=NOW) == 2


def test_a_run_is_mailed_with_its_day_and_tracking_numbers(staff: User) -> None:
    first, second = make_letter(), make_letter()
    run = printed_run(staff)
    typed = {first.id: "420 06106 9407 1118 9956 0000 0000 01", second.id: ""}

    yesterday = TODAY - timedelta(days=1)
    count = mailings.mail(run.id, on=yesterday, tracking=typed, by=staff, at=NOW)

    assert count == 2
    assert states(first, second) == ["mailed", "mailed"]
    stored = run_rows.get(run.id)
    assert (stored.mailed_on, stored.mailed_by) == (yesterday, "sandra")
    assert stored.closed_at is not None
    [one, other] = print_runs.contents(run)
    assert (one.row.tracking, other.row.tracking) == ("9407111899560000000001", "")


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("12345", "“12345” is no tracking number"),
        ("9407111899560000000001", "Given to two letters"),
    ],
)
def test_a_wrong_tracking_number_mails_nothing(
    staff: User, typed: str, fault: str
) -> None:
    rows = [make_letter(), make_letter()]
    run = printed_run(staff)

    with pytest.raises(RuleError, match=fault):
        mailings.mail(
            run.id,
            on=TODAY,
            tracking={row.id: typed for row in rows},
            by=staff,
            at=NOW,
        )

    assert states(*rows) == ["printed", "printed"]


@pytest.mark.parametrize("days", [1, -32])
def test_a_day_that_cannot_be_is_refused(staff: User, days: int) -> None:
    make_letter()
    run = printed_run(staff)

    with pytest.raises(RuleError, match="cannot be"):
        mailings.mail(run.id, on=TODAY + timedelta(days=days), by=staff, at=NOW)


def test_what_is_not_printed_is_not_mailed(staff: User) -> None:
    letter = make_letter()
    run = open_run(staff)

    with pytest.raises(RuleError, match="First print the run"):
        mailings.mail(run.id, on=TODAY, by=staff, at=NOW)

    assert states(letter) == ["batched"]


def test_a_cancelled_letter_must_be_pulled_out_before_the_run_is_mailed(
    staff: User,
) -> None:
    gone, stays = make_letter(), make_letter()
    run = printed_run(staff)
    delivery_desk.cancel(gone.id, reason="no longer needed", by=staff, at=NOW)
    found = print_runs.contents(run)
    assert [each.to_pull for each in found] == [True, False]
    assert print_runs.stage(found) == "Pull out what must not go"

    with pytest.raises(RuleError, match=letter_code(gone.id)):
        mailings.mail(run.id, on=TODAY, by=staff, at=NOW)
    print_runs.put_back(run.id, gone.id, by=staff, at=NOW)
    mailings.mail(run.id, on=TODAY, by=staff, at=NOW)

    assert states(gone, stays) == ["cancelled", "mailed"]
    assert print_runs.contents(run)[0].row.taken_out_for == print_runs.PULLED


@pytest.mark.parametrize("came_out", [False, True])
def test_a_withdrawn_message_leaves_its_run(staff: User, *, came_out: bool) -> None:
    letter = make_letter()
    run = printed_run(staff) if came_out else open_run(staff)

    deliveries.withdraw_for(
        kind=letter.kind, subject_id=1, reason="answered", by=None, at=NOW
    )

    assert states(letter) == ["cancelled"]
    assert print_runs.contents(run)[0].to_pull


@pytest.mark.parametrize("came_out", [False, True])
def test_what_is_for_somebody_elses_address_is_pulled_out_not_mailed(
    staff: User, *, came_out: bool
) -> None:
    letter, stray, notice = (
        make_letter(),
        make_letter(),
        make_letter(kind=DeliveryKind.DESTROY_NOTICE),
    )
    Delivery.update(address="Somebody else").where(Delivery.id == letter.id).execute()
    run = printed_run(staff) if came_out else open_run(staff)
    Misdelivery.create(
        delivery=stray,
        told_by="A bakery",
        became=WhatBecame.KEPT,
        recorded_by="sandra",
        recorded_at=NOW,
    )
    found = {each.delivery.id: each for each in print_runs.contents(run)}
    assert [found[each.id].to_pull for each in (letter, stray, notice)] == [
        False,
        True,
        False,
    ]

    if not came_out:
        print_runs.confirm(run.id, by=staff, at=NOW)
    with pytest.raises(RuleError, match=letter_code(stray.id)):
        mailings.mail(run.id, on=TODAY, by=staff, at=NOW)
    print_runs.put_back(run.id, stray.id, by=staff, at=NOW)
    mailings.mail(run.id, on=TODAY, by=staff, at=NOW)

    assert states(letter, stray, notice) == ["mailed", "held", "mailed"]
    assert fresh(stray).needs_staff


def test_a_letter_that_is_sent_again_is_printed_once_its_old_paper_is_pulled_out(
    staff: User,
) -> None:
    letter, noise = make_letter(), make_letter()
    run = printed_run(staff)
    delivery_desk.cancel(letter.id, reason="a mistake", by=staff, at=NOW)
    delivery_desk.undo(letter.id, by=staff, at=NOW)
    delivery_desk.release(letter.id, by=staff, at=NOW)
    send_again(letter)

    assert list(letters.waiting()) == []
    assert letters.waiting_by_kind() == []
    [place] = letters.to_pull_first()
    assert (place.delivery, place.run) == (letter, run)
    told = delivery_stories.now_words(fresh(letter), at=NOW)
    assert f"old paper is pulled out of print run {run.id}" in told
    with pytest.raises(RuleError, match="No letter waits"):
        open_run(staff)
    with pytest.raises(RuleError, match=letter_code(letter.id)):
        mailings.mail(run.id, on=TODAY, by=staff, at=NOW)

    print_runs.put_back(run.id, letter.id, by=staff, at=NOW)

    assert letters.to_pull_first() == []
    again = open_run(staff)
    assert [each.delivery for each in print_runs.contents(again)] == [letter]
    mailings.mail(run.id, on=TODAY, by=staff, at=NOW)
    assert states(letter, noise) == ["batched", "mailed"]


def test_a_letter_taken_out_waits_again_and_gets_into_the_next_run(
    staff: User,
) -> None:
    letter = make_letter()
    run = open_run(staff)

    print_runs.put_back(run.id, letter.id, by=staff, at=NOW)

    assert states(letter) == ["submitted"]
    assert run_rows.get(run.id).closed_at == NOW
    again = open_run(staff)
    assert [each.delivery for each in print_runs.contents(again)] == [letter]
    with pytest.raises(RuleError, match="not in this run any more"):
        print_runs.put_back(run.id, letter.id, by=staff, at=NOW)


def test_mailing_is_undone_on_the_same_day_only(staff: User) -> None:
    letter = make_letter()
    run = printed_run(staff)
    mailings.mail(run.id, on=TODAY, by=staff, at=NOW)

    with pytest.raises(RuleError, match="Only on the day itself"):
        mailings.undo_mailing(run.id, by=staff, at=NOW + timedelta(days=1))
    assert mailings.undo_mailing(run.id, by=staff, at=NOW) == 1

    assert states(letter) == ["printed"]
    assert fresh(letter).final_at is None
    assert run_rows.get(run.id).closed_at is None
    assert mailings.mail(run.id, on=TODAY, by=staff, at=NOW) == 1


def test_a_letter_without_pages_stays_out_of_a_run(staff: User) -> None:
    used, good = make_letter(), make_letter()
    assert used.document is not None
    documents.purge(used.document, at=NOW)

    run = open_run(staff)

    assert [each.delivery for each in print_runs.contents(run)] == [good]


def test_a_letters_code_is_read_back_however_it_is_typed() -> None:
    for number in (1, 31, 32, 4711, 32**5, 2**31 - 1):
        code = letter_code(number)
        assert read_code(code) == number
        assert read_code(f" {code.lower().replace('-', ' ')} ") == number
        wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
        assert read_code(wrong) is None
    for text in ("", "LTR-", "LTR-00000", "RPL-7K3Q9-XW4MT", "LTR-000000", "LTR-王"):
        assert read_code(text) is None


def test_a_letter_that_came_back_is_known_by_its_code_and_goes_on(
    staff: User,
) -> None:
    letter = make_letter(further=(Route(ChannelName.FAX, "+18605550123"),))
    noise = make_letter()
    run = printed_run(staff)
    mailings.mail(run.id, on=TODAY, by=staff, at=NOW)

    found = letters.returned_by_code(
        letter_code(letter.id).lower(), why="Vacant", by=staff, at=NOW
    )

    assert found == letter
    assert states(letter, noise) == ["returned", "mailed"]
    assert fresh(letter).needs_staff
    child = Delivery.get(Delivery.parent == letter)
    assert (child.channel, child.address) == (ChannelName.FAX, "+18605550123")
    assert run_rows.get(run.id).closed_at is not None
    [(row, event)] = letters.returned_today(at=NOW)
    assert row == letter
    assert event.note == "came back in the mail: Vacant"


def test_a_letter_that_nobody_marked_as_mailed_can_come_back(staff: User) -> None:
    letter, other = make_letter(), make_letter()
    run = printed_run(staff)

    letters.returned_by_code(letter_code(letter.id), by=staff, at=NOW)
    assert states(letter, other) == ["returned", "printed"]
    assert run_rows.get(run.id).closed_at is None
    letters.returned_by_code(letter_code(other.id), by=staff, at=NOW)

    assert run_rows.get(run.id).closed_at is not None


def test_what_cannot_be_back_is_refused_in_words(staff: User) -> None:
    waiting, fax = (
        make_letter(),
        deliveries.request(
            kind=DeliveryKind.TICKET_NOTICE,
            subject_id=1,
            routes=[Route(ChannelName.FAX, "+18605550123")],
            dedupe_key="a fax",
            at=NOW,
        ),
    )
    for code, words in (
        ("12345", "is no letter's code"),
        (letter_code(waiting.id), "has not been printed yet"),
        (letter_code(fax.id), "No letter has the code"),
        (letter_code(999_999), "No letter has the code"),
    ):
        with pytest.raises(RuleError, match=words):
            letters.returned_by_code(code, by=staff, at=NOW)


def test_a_return_is_undone_with_what_it_set_off(staff: User) -> None:
    letter = make_letter(further=(Route(ChannelName.FAX, "+18605550123"),))
    printed_run(staff)
    letters.returned_by_code(letter_code(letter.id), by=staff, at=NOW)

    letters.undo_returned(letter.id, by=staff, at=NOW)

    assert states(letter) == ["mailed"]
    assert Delivery.get(Delivery.parent == letter).state == DeliveryState.CANCELLED
    with pytest.raises(RuleError, match="not marked as returned"):
        letters.undo_returned(letter.id, by=staff, at=NOW)


def test_a_return_whose_next_message_has_left_is_not_undone(staff: User) -> None:
    letter = make_letter(further=(Route(ChannelName.FAX, "+18605550123"),))
    printed_run(staff)
    letters.returned_by_code(letter_code(letter.id), by=staff, at=NOW)
    child = Delivery.get(Delivery.parent == letter)
    assert deliveries.claim(child.id, carrier="laml", at=NOW)

    with pytest.raises(RuleError, match=f"delivery {child.id}, has left"):
        letters.undo_returned(letter.id, by=staff, at=NOW)

    assert states(letter) == ["returned"]


def test_documents_of_letters_are_kept_as_they_were(staff: User) -> None:
    letter = make_letter()
    run = open_run(staff)
    print_runs.papers(run.id, by=staff, at=NOW)

    document = fresh(letter).document
    assert document is not None
    assert document.kind == DocumentKind.NOTICE
    assert documents.read(document) == f"{letter.id}".encode()

"""Who is who, on the page: the queue, one side by side, decide, undo."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from models import (
    AuditEvent,
    MatchDecision,
    MatchReview,
    ReportedIdentity,
    ReviewStatus,
    Role,
    User,
)
from pmp import clock
from tests.browser import Browser
from tests.factories import make_dispensation, make_identity, make_rule, make_user
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.usefixtures("db")

EDITH: dict[str, Any] = {"first_name": "EDITH", "phone": "8605550119"}


@pytest.fixture
def staff(browser: Browser) -> User:
    user = make_user(username="staff.lee")
    browser.sign_in_as(user)
    return user


def asked(days: int = 1, score: float = 30.0, **fields: Any) -> MatchReview:
    """Have the matcher doubt whether two reports are one person."""
    one = make_identity(last_name="BRANDT", **EDITH)
    other = make_identity(last_name="LINDGREN", **(EDITH | fields))
    make_dispensation(one)
    make_dispensation(other)
    review: MatchReview = MatchReview.create(
        identity=other,
        candidate=one.patient,
        score=score,
        evidence={"why": "last name differs", "first name": "same (+11.3)"},
        opened_at=clock.now() - timedelta(days=days),
    )
    return review


def test_the_queue_shows_what_waits_the_oldest_first_and_is_on_record(
    browser: Browser, staff: User
) -> None:
    young, old = asked(days=2), asked(days=9)
    done = asked(days=20)
    MatchReview.update(status=ReviewStatus.JOINED).where(
        MatchReview.id == done.id
    ).execute()

    browser.get("/staff/matches")

    text = browser.text()
    assert "2 questions wait, the oldest for 9 days" in text
    page = browser.page.get_data(as_text=True) if browser.page else ""
    assert page.index(f"/staff/matches/{old.id}") < page.index(
        f"/staff/matches/{young.id}"
    )
    event = AuditEvent.get(AuditEvent.event == "match_review:listed")
    assert event.detail["reviews"] == [old.id, young.id]
    browser.get("/staff")
    assert "Who is one person, to decide oldest waits 9 days" in browser.text()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("band=low", [20]),
        ("band=middle", [30, 35]),
        ("band=high", [50]),
        ("species=animal", [35]),
        ("age=week", [30]),
        ("band=nonsense", [20, 30, 35, 50]),
    ],
)
def test_the_queue_is_narrowed(
    browser: Browser, staff: User, query: str, shown: list[int]
) -> None:
    asked(score=20)
    asked(score=30, days=8)
    asked(score=50)
    pet = asked(score=35, species="animal", animal_name="REX")
    ReportedIdentity.update(species="animal").where(
        ReportedIdentity.patient == pet.candidate
    ).execute()

    browser.get(f"/staff/matches?{query}")

    text = browser.text()
    assert f"{len(shown)} question" in text
    for score in (20, 30, 35, 50):
        assert (f" {score}.0 " in text) == (score in shown)


def test_the_queue_is_sorted_by_likeness_and_by_age(
    browser: Browser, staff: User
) -> None:
    low, high, middle = (
        str(asked(days=days, score=score).id)
        for days, score in ((3, 20), (2, 50), (9, 30))
    )
    path, link = "/staff/matches", "/staff/matches/"

    assert shown(browser, path, link) == [middle, low, high]
    assert sorted_by(browser) == {"Waits": "ascending"}
    assert shown(browser, f"{path}?sort=-bits", link) == [high, middle, low]
    assert shown(browser, f"{path}?sort=-bits&age=week", link) == [middle]
    assert "/staff/matches?sort=bits&amp;age=week" in browser.page_text()
    assert shown(browser, f"{path}?sort=evidence", link) == [middle, low, high]


def test_the_file_of_the_queue_names_nobody(browser: Browser, staff: User) -> None:
    low, high = asked(score=20), asked(score=50)

    table = lines(browser, "/staff/matches.csv?sort=-bits")

    assert [row["Question"] for row in table] == [str(high.id), str(low.id)]
    assert table[0]["Patient"] == str(high.identity.patient.id)
    assert table[0]["May be patient"] == str(high.candidate.id)
    text = str(table).upper()
    assert not any(name in text for name in ("BRANDT", "LINDGREN", "EDITH", "1971"))
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.actor, event.subject) == ("staff.lee", "match_reviews")
    assert event.detail == {"rows": 2}


def test_a_question_shows_both_sides_with_fields_fills_and_reasons(
    browser: Browser, staff: User
) -> None:
    review = asked()

    browser.get(f"/staff/matches/{review.id}")

    text = browser.text()
    assert "last name differs" in text
    assert "Last name differs LINDGREN BRANDT" in text
    assert "First name EDITH EDITH" in text
    assert text.count("1 fill, the newest 11/01/2026") == 2
    assert "Reported by PHARMACY" in text
    event = AuditEvent.get(AuditEvent.event == "match_review:opened")
    assert event.detail["review"] == review.id


def test_a_join_is_reviewed_first_and_undone_from_the_next_page(
    browser: Browser, staff: User
) -> None:
    make_rule(prescribers=2, pharmacies=2)
    review, following = asked(days=5), asked(days=2)
    browser.get(f"/staff/matches/{review.id}")

    browser.submit({"decision": "join"}, status=200)
    text = browser.text()
    assert "1 report moves with 1 fill" in text
    assert "is new: 2 prescribers and 2 pharmacies" in text
    assert "Reports that go out: 4." in text
    assert MatchDecision.select().count() == 0

    browser.submit()
    browser.follow()
    assert "Joined: they are one patient now." in browser.text()
    assert f"/staff/matches/{following.id}" in str(browser._path())
    moved = ReportedIdentity.get_by_id(review.identity.id)
    assert moved.patient == review.candidate
    decision = MatchDecision.get()
    assert decision.decided_by == "staff.lee"

    browser.submit(action=f"/staff/decisions/{decision.id}/undo")
    browser.follow()
    assert f"Decision {decision.id} is undone." in browser.text()
    moved = ReportedIdentity.get_by_id(review.identity.id)
    assert moved.patient == review.identity.patient


def test_a_join_against_a_sign_asks_why_and_keeps_what_was_typed(
    browser: Browser, staff: User
) -> None:
    review = asked(sex="M")
    browser.get(f"/staff/matches/{review.id}")
    assert "What speaks against one person: different sex" in browser.text()

    browser.submit({"decision": "join"}, status=422)
    assert "Say why they are one person in spite of different sex" in browser.text()

    browser.submit({"decision": "join", "reason": "A slip."}, status=200)
    assert "Reason: A slip." in browser.text()
    browser.submit()
    assert MatchDecision.get().reason == "A slip."


def test_keeping_apart_needs_no_reason_and_leads_back_to_the_queue(
    browser: Browser, staff: User
) -> None:
    review = asked()
    browser.get(f"/staff/matches/{review.id}")

    browser.submit({"decision": "apart"})
    browser.follow()

    assert "Kept apart" in browser.text()
    assert "Nothing waits." in browser.text()
    assert MatchReview.get_by_id(review.id).status == ReviewStatus.KEPT_APART
    browser.submit(action="/undo")
    assert MatchReview.get_by_id(review.id).status == ReviewStatus.OPEN


def test_the_second_of_two_staff_is_told(browser: Browser, staff: User) -> None:
    review = asked()
    browser.get(f"/staff/matches/{review.id}")
    before = browser.page
    browser.submit({"decision": "apart"})
    browser.page = before

    browser.submit({"decision": "join"}, status=422)

    assert "Somebody else has decided" in browser.text()
    assert MatchDecision.select().count() == 1


def test_a_form_that_says_neither_decides_nothing(
    browser: Browser, staff: User
) -> None:
    review = asked()
    browser.get(f"/staff/matches/{review.id}")

    browser.submit({"reason": "Hm."}, status=422)

    assert MatchDecision.select().count() == 0
    assert MatchReview.get_by_id(review.id).status == ReviewStatus.OPEN


def test_skip_goes_round(browser: Browser, staff: User) -> None:
    first, second = asked(days=4), asked(days=3)
    browser.get(f"/staff/matches/{first.id}/next", status=303)
    browser.follow()
    assert browser._path().endswith(f"/staff/matches/{second.id}")
    browser.get(f"/staff/matches/{second.id}/next", status=303)
    browser.follow()
    assert browser._path().endswith(f"/staff/matches/{first.id}")


@pytest.mark.each_engine
def test_next_follows_the_list_that_one_came_from(
    browser: Browser, staff: User
) -> None:
    low, high, middle, same = (
        asked(days=days, score=score)
        for days, score in ((9, 20), (2, 50.25), (8, 30), (8, 50.25))
    )
    asked(days=8, score=60, species="animal", animal_name="REX")
    ReportedIdentity.update(species="animal").where(
        ReportedIdentity.animal_name == "REX"
    ).execute()
    browser.get("/staff/matches?species=human&sort=-bits")
    link = f"/staff/matches/{same.id}?species=human&sort=-bits"
    assert link in unescape(browser.page_text())

    browser.get(link)
    browser.submit({"decision": "apart", "reason": "Two"})
    browser.follow()
    for review in (high, middle, low, high):
        path = f"/staff/matches/{review.id}"
        assert browser._path().split("?")[0] == path
        browser.get(f"{path}/next?species=human&sort=-bits", status=303)
        browser.follow()
    browser.get(f"/staff/matches/{low.id}/next?age=week&sort=reported", status=303)
    browser.follow()
    assert browser._path().startswith(f"/staff/matches/{middle.id}?age=week")


def test_the_undo_says_first_what_it_does(browser: Browser, staff: User) -> None:
    review = asked()
    browser.get(f"/staff/matches/{review.id}")
    browser.submit({"decision": "join"}, status=200)
    browser.submit()
    decision = MatchDecision.get()
    make_dispensation(ReportedIdentity.get_by_id(review.identity.id))
    late = make_identity(review.candidate, last_name="LINDGREN", **EDITH)

    browser.get(f"/staff/decisions/{decision.id}/undo")

    text = browser.text()
    assert "1 report goes back to patient" in text
    assert "LINDGREN, EDITH, born 04/28/1971, was reported for the first time" in text
    assert "goes along" in text
    assert MatchDecision.get().undone_at is None
    browser.submit(action="/undo")
    back = ReportedIdentity.get_by_id(late.id)
    assert back.patient == review.identity.patient


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.PHARMACY, Role.ANALYST])
def test_others_may_not_see_who_is_who(browser: Browser, role: Role) -> None:
    review = asked()
    browser.sign_in_as(make_user(role))
    for path in ("", ".csv", f"/{review.id}"):
        browser.get(f"/staff/matches{path}", status=404)
    browser.get(f"/staff/patients/{review.candidate.id}", status=404)
    browser.get("/staff/patients", status=404)

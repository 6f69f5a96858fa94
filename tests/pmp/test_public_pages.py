"""Public pages: their own texts in plain words, facts, versions, and the way back."""

import re
from dataclasses import replace

import pytest

from models import AuditEvent, PageText, Role, User
from pmp import public_pages, settings
from pmp.audit import Event
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.public_pages import Text, comparison, facts, markup, versions
from tests.conftest import NOW
from tests.factories import make_user

PAGES = list(public_pages.NAMES)
OURS = Text("Contact", "Whom to call", "# By telephone\n\nCall {program_phone}.")


@pytest.fixture
def chief(db: settings.Settings) -> User:
    return make_user(Role.ADMINISTRATOR, username="admin.chief")


def write(chief: User, text: Text, *, replaces: int = 0) -> PageText:
    return versions.write(
        "contact", text, note="Shorter", replaces=replaces, by=chief, at=NOW
    )


# --- The program's own texts


@pytest.mark.parametrize("name", PAGES)
def test_own_texts_would_be_taken_from_an_administrator(
    db: settings.Settings, name: str
) -> None:
    versions.require_sound(public_pages.own(name))


@pytest.mark.parametrize("name", PAGES)
def test_own_texts_have_short_sentences(name: str) -> None:
    text = public_pages.own(name)
    plain = re.sub(r"\]\([^)]*\)|[*#\[]|\(45 CFR [\d.]+\)", " ", text.body)

    sentences = [
        words
        for line in [text.summary, *plain.splitlines()]
        for sentence in re.split(r"(?<=[.?!:])\s", line)
        if (words := sentence.split())
    ]

    assert max(sentences, key=len)[24:] == []
    assert sum(map(len, sentences)) / len(sentences) < 12


@pytest.mark.parametrize("name", PAGES)
def test_own_texts_have_no_name_number_or_law_of_one_state(name: str) -> None:
    text = public_pages.own(name)
    whole = f"{text.title} {text.summary} {text.body}"

    assert not re.search(
        r"Connecticut|CPMRS|Consumer|Hartford|ctpmp|otech|\bDCP\b|21a|20-570", whole
    )
    assert not re.search(r"\d{3}[-) ]+\d{4}|1-800", whole)


def test_another_state_has_its_own_facts_by_settings_alone(
    db: settings.Settings,
) -> None:
    with settings.changed(
        state_name="Oklahoma",
        short_name="OKPMP",
        program_phone="+14055550123",
        reported_drugs="CII,gabapentin",
        statutes="63 O.S. § 2-309",
    ):
        texts = [f"{page.title} {page.body}" for page in public_pages.every()]

    whole = " ".join(texts)
    assert "What the OKPMP is" in whole
    assert "(405) 555-0123" in whole
    assert 'href="tel:+14055550123"' in whole
    assert "Schedule II, and gabapentin" in whole
    assert "63 O.S. § 2-309" in whole
    assert "Connecticut Prescription" in whole  # noise: a setting that was not changed
    assert "CPMRS" not in whole
    assert "{" not in whole


# --- The markup


KNOWN = {"short_name": "A*B*C <i>", "site": "http://example.org/a_b_c"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# One\n\n## Two", "<h2>One</h2>\n<h3>Two</h3>\n"),
        ("**b** and *i*", "<p><strong>b</strong> and <em>i</em></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("{short_name}", "<p>A*B*C &lt;i&gt;</p>\n"),
        ("{nothing}", "<p>{nothing}</p>\n"),
        (
            "[s]({site})",
            '<p><a href="http://example.org/a_b_c" rel="noreferrer">s</a></p>\n',
        ),
        ("[p](/register)", '<p><a href="/register">p</a></p>\n'),
        ('[x](/a"onclick=b)', '<p><a href="/a%22onclick=b">x</a></p>\n'),
        ("![x](/y.png)", '<p>!<a href="/y.png">x</a></p>\n'),
    ],
)
def test_markup_is_small_and_safe(text: str, shown: str) -> None:
    assert markup.html(text, KNOWN) == shown


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//evil.example.org", "data:text/html,x", "x"]
)
def test_addresses_that_lead_astray_are_no_links_and_are_refused(address: str) -> None:
    text = f"[x]({address})"

    assert "<a" not in markup.html(text, KNOWN)
    assert address.rstrip(")") in next(markup.problems(text, KNOWN))


def test_on_paper_lists_are_paragraphs_and_addresses_are_said() -> None:
    text = "1. one\n2. two\n\n- a **b**\n\n  more\n\n[s]({site}), [{site}]({site})"

    paper = markup.paper_html(text, KNOWN)

    assert '<p class="point">1.&nbsp; one</p>' in paper
    assert '<p class="point">2.&nbsp; two</p>' in paper
    assert '<p class="point">•&nbsp; a <strong>b</strong></p>' in paper
    assert '<p class="under">more</p>' in paper
    assert "s (http://example.org/a_b_c), http://example.org/a_b_c</p>" in paper
    assert "<a" not in paper
    assert "<li" not in paper


@pytest.mark.parametrize(
    ("field", "words", "said"),
    [
        ("title", " ", "Write something"),
        ("title", "x" * 101, "101 characters"),
        ("title", "The {nobody}", "{nobody}"),
        ("summary", "", "Write something"),
        ("body", "x {phone_of_the_boss}", "{phone_of_the_boss}"),
        ("body", "## Too small", "##"),
        ("body", "# A\n\n### B", "###"),
        ("body", "[a](ftp://x)", "ftp://x"),
        ("body", "x" * 12_001, "12,001 characters"),
    ],
)
def test_a_text_that_will_not_do_is_refused_at_its_field(
    chief: User, field: str, words: str, said: str
) -> None:
    with pytest.raises(RuleError, match=re.escape(said)) as refused:
        write(chief, replace(OURS, **{field: words}))

    assert refused.value.field == field
    assert PageText.select().count() == 0


# --- Versions


def test_a_text_is_in_force_when_it_is_written_and_on_the_record(chief: User) -> None:
    row = write(chief, OURS)

    page = public_pages.page("contact")
    assert "Call (860) 713-6073." in page.body
    assert (row.version, row.written_by, row.note) == (1, "admin.chief", "Shorter")
    event = AuditEvent.get(AuditEvent.event == Event.PUBLIC_PAGE_WRITTEN)
    assert event.subject == "public_page:contact"
    assert event.detail == {"version": 1, "own": False, "note": "Shorter"}
    assert public_pages.text_of("privacy") == public_pages.own("privacy")  # noise
    listed = {page.name: page.title for page in public_pages.every()}
    assert listed["contact"] == "Contact"


def test_who_saw_an_older_text_is_refused_and_nothing_is_written(chief: User) -> None:
    write(chief, OURS)
    events = AuditEvent.select().count()

    with pytest.raises(ConflictError):
        write(chief, replace(OURS, title="Mine"), replaces=0)

    with pytest.raises(ConflictError):  # a version that there never was
        write(chief, replace(OURS, title="Mine"), replaces=7)
    assert public_pages.text_of("contact") == OURS
    assert AuditEvent.select().count() == events
    assert write(chief, replace(OURS, title="Mine"), replaces=1).version == 2


def test_two_who_write_at_once_are_told_apart_by_the_database(
    chief: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(chief, OURS)
    monkeypatch.setattr(versions, "number_now", lambda _name: 0)

    with pytest.raises(ConflictError):
        write(chief, replace(OURS, title="Mine"), replaces=0)


def test_a_text_that_changes_nothing_or_says_no_reason_is_refused(chief: User) -> None:
    write(chief, OURS)

    with pytest.raises(RuleError, match="already"):
        write(chief, OURS, replaces=1)
    with pytest.raises(RuleError) as refused:
        versions.write(
            "contact",
            replace(OURS, title="New"),
            note=" ",
            replaces=1,
            by=chief,
            at=NOW,
        )
    assert refused.value.field == "note"


def test_an_earlier_version_and_the_own_text_can_be_put_back(chief: User) -> None:
    write(chief, OURS)
    write(chief, replace(OURS, title="Second"), replaces=1)

    versions.put_back("contact", 1, replaces=2, by=chief, at=NOW)
    assert public_pages.text_of("contact") == OURS
    own = versions.put_back("contact", 0, replaces=3, by=chief, at=NOW)
    assert public_pages.text_of("contact") == public_pages.own("contact")
    assert (own.is_own, own.version, own.body) == (True, 4, "")
    assert [row.version for row in versions.every("contact")] == [4, 3, 2, 1]

    with pytest.raises(RuleError, match="already"):
        versions.put_back("contact", 0, replaces=4, by=chief, at=NOW)
    with pytest.raises(ConflictError):
        versions.put_back("contact", 1, replaces=3, by=chief, at=NOW)
    with pytest.raises(NotFoundError):
        versions.put_back("contact", 9, replaces=4, by=chief, at=NOW)


@pytest.mark.parametrize("name", ["nobody", "../settings", "contact.md", ""])
def test_nothing_else_is_a_page(db: settings.Settings, name: str) -> None:
    for ask in (public_pages.page, public_pages.own, versions.every):
        with pytest.raises(NotFoundError):
            ask(name)


def test_a_comparison_shows_the_lines_that_differ_with_their_words() -> None:
    before = Text("Title", "Line", "same\n\nCall us at noon.\ngone")
    after = Text("Title", "Line", "same\nCall us at night.")

    first, second = comparison.differences(before, after)

    changed = [run.words for run in first.before if run.is_changed]
    assert changed == ["noon."]
    assert [run.words for run in first.after if run.is_changed] == ["night."]
    assert ["".join(run.words for run in second.before), list(second.after)] == [
        "gone",
        [],
    ]
    assert comparison.differences(before, before) == []


def test_every_fact_has_words(db: settings.Settings) -> None:
    known = facts.facts()

    assert list(known) == facts.names()
    assert [name for name, words in known.items() if not words] == []
    assert known["reporting"].startswith("twice a month")
    assert known["drugs"] == "Schedules II, III, IV and V, and gabapentin"
    assert known["office"].endswith("Hartford, CT 06106")

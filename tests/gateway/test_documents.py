"""Templates become PDFs: names readable, markup harmless, nothing fetched."""

import io
from collections.abc import Iterator

import pypdf
import pytest
from jinja2 import ChoiceLoader, DictLoader

from gateway import documents, pages, typefaces
from gateway.confined import Workshop
from gateway.documents import DocumentError, NotDrawnNowError

TEMPLATES = {
    "print/plain.html": """{% extends "print/_page.html" %}
        {% block content %}<h1>{{ name }}</h1>{% endblock %}""",
    "print/long.html": """{% extends "print/_page.html" %}
        {% block content %}{% for n in range(80) %}<p>Line {{ n }}</p>{% endfor %}
        {% endblock %}""",
    "print/coded.html": """{% extends "print/_page.html" %}
        {% import "print/_macros.html" as parts with context %}
        {% block content %}{{ parts.qr_mark("CTR-7K3Q9-XW4MT") }}{% endblock %}""",
}


@pytest.fixture(autouse=True)
def templates(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    environment = documents.environment()
    ours = ChoiceLoader([DictLoader(TEMPLATES), environment.loader])  # type: ignore[list-item]
    monkeypatch.setattr(environment, "loader", ours)
    yield
    environment.cache.clear()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("task", "most"),
    [("gateway.drawing:draw", 0), ("tests.gateway.confined_work:work", 1)],
)
def test_a_document_that_nobody_could_draw_now_is_not_at_fault(
    monkeypatch: pytest.MonkeyPatch, task: str, most: int
) -> None:
    taken = Workshop(task, seconds=9 * most, megabytes=1024, most=most)
    monkeypatch.setattr(documents, "_drawing", taken)

    with pytest.raises(NotDrawnNowError):
        documents.drawn("t", "die of Canaryquist")


def words(pdf: bytes) -> str:
    return "\n".join(
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
    )


@pytest.mark.parametrize(
    "name", ["Łukasz Ñandú", "Nguyễn Thị Hồng", "Žižek-Öztürk", "Ηλίας", "Жанна"]
)
def test_names_are_readable(name: str) -> None:
    pdf = documents.pdf("plain", name=name)

    assert name in words(pdf)
    assert b"DejaVu" in pdf


def test_hebrew_stands_on_paper_as_it_is_read_from_the_right() -> None:
    assert typefaces.drawable("Q נעמי לוי Z") == "Q יול ימענ Z"
    assert "[U+" not in words(documents.pdf("plain", name="נעמי לוי"))


def test_arabic_is_joined_as_it_is_written() -> None:
    drawn = typefaces.drawable("محمد")

    assert (
        drawn == "\ufeaa\ufee4\ufea4\ufee3"
    )  # final dal, medial mim, hah, initial mim
    assert "[U+" not in words(documents.pdf("plain", name="محمد علي"))


def test_drawings_are_in_our_font_too() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="30"><text x="1"'
        f' y="20" font-family="{typefaces.FAMILY}, Helvetica" font-weight="bold"'
        ' font-size="12">Words</text></svg>'
    )
    source = f'<img src="{documents.svg_uri(svg)}" style="width: 60mm"/>'

    pdf = documents.drawn("test", source)

    assert b"DejaVuSansCondensed-Bold" in pdf
    assert not any(sheet.foreign_fonts for sheet in pages.sheets(pdf))


@pytest.mark.parametrize(
    ("name", "printed"),
    [("Łukasz 王", "Łukasz [U+738B]"), ("Zoe\u0301", "Zoé"), ("a😀", "a[U+1F600]")],
)
def test_a_sign_that_no_font_has_is_printed_as_its_code_point(
    name: str, printed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert printed in words(documents.pdf("plain", name=name))
    assert capfd.readouterr() == ("", "")


def test_what_the_renderer_says_of_a_name_is_in_no_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DocumentError):
        documents.drawn("plain", "<p>Canaryquist 王</p>")
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_a_name_writes_no_markup() -> None:
    spoilt = '<img src="file:///etc/passwd"><b>X</b>{{ program.secret_key }}'

    printed = words(documents.pdf("plain", name=spoilt))
    assert "".join(spoilt.split()) in "".join(printed.split())


def test_each_page_says_whose_it_is_and_which() -> None:
    text = words(documents.pdf("long"))

    assert "Page 1 of 3" in text
    assert "Page 3 of 3" in text
    assert text.count("CONFIDENTIAL") == 3
    assert "(860) 713-6073" in text


def test_a_picture_is_drawn() -> None:
    [page] = pypdf.PdfReader(io.BytesIO(documents.pdf("coded"))).pages

    assert len(page.images) == 1


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="/etc/passwd">',
        '<img src="file:///etc/hostname">',
        '<img src="http://127.0.0.1:9/x.png">',
        '<img src="pyproject.toml">',
        "<div>" * 3000,
    ],
)
def test_what_cannot_be_drawn_whole_is_not_sent(markup: str) -> None:
    with pytest.raises(DocumentError):
        documents.drawn("test", f"<p>Jane Roe</p>{markup}")


def test_an_error_names_the_template_and_no_person() -> None:
    with pytest.raises(DocumentError) as error:
        documents.drawn("letter", '<p>Jane Roe</p><img src="/etc/passwd">')

    assert str(error.value).startswith("letter: ")
    assert "Roe" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(DocumentError, match="plain"):
        documents.pdf("plain")


def test_joined_letters_begin_on_sheets_of_their_own() -> None:
    one, three = documents.pdf("plain", name="A"), documents.pdf("long")

    batch = documents.joined([one, three, one])

    texts = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(batch)).pages]
    assert ["Page 1 of" in text for text in texts] == [
        True,
        False,
        True,
        False,
        False,
        False,
        True,
    ]


def test_text_stands_where_it_was_put() -> None:
    pdf = documents.drawn(
        "test",
        """<style>@page { size: letter;
           @frame here { left: 50mm; top: 100mm; width: 80mm; height: 40mm } }</style>
           <p>Here</p>""",
    )

    [box] = pages.text_boxes(pdf)
    assert box.text == "Here"
    assert box.left == pytest.approx(50, abs=1)
    assert box.top == pytest.approx(100, abs=8)

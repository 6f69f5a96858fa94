"""A letter that would not show its address in the window is not printed."""

import pytest
from jinja2 import DictLoader

from gateway import documents, letters_check
from gateway.channels import letters_print
from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import settings

ADDRESS = [
    "Dr. Łukasz Ñandú",
    "Suite 3",
    "12 Main Street",
    "Attn: desk",
    "Hartford, CT",
]


def letter(lines: list[str]) -> bytes:
    environment = documents.environment().overlay(
        loader=DictLoader(
            {
                "letter": """{% extends "print/_letter.html" %}
                {% block recipient %}{% for line in lines %}{{ line }}<br/>{% endfor %}
                {% endblock %}
                {% block dated %}11/23/2026{% endblock %}
                {% block content %}{% for n in range(60) %}
                <p>Line {{ n }}</p>{% endfor %}{% endblock %}""",
                **{
                    f"print/{name}": (documents.TEMPLATES / "print" / name).read_text()
                    for name in ("_page.html", "_letter.html")
                },
            }
        )
    )
    source = environment.get_template("letter").render(
        lines=lines, program=settings.current()
    )
    return documents.drawn("letter", source)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_letter_of_ours_fits_its_envelope(count: int) -> None:
    assert letters_check.problems(letter(ADDRESS[:count])) == []


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "0 lines"),
        (ADDRESS[:1], "1 lines"),
        ([*ADDRESS, "One too many"], "6 lines"),
    ],
)
def test_an_address_that_does_not_fit_is_found(lines: list[str], problem: str) -> None:
    found = letters_check.problems(letter(lines))

    assert any(problem in each for each in found)


def test_something_beside_the_address_is_found() -> None:
    lines = "<p>Dr. A<br/>1 Main Street<br/>Hartford<br/>Your patient<br/>x<br/>y</p>"
    low = documents.drawn(
        "letter",
        f"""<style>@page {{ size: letter;
            @frame a {{ left: 19.1mm; top: 58mm; width: 88mm; height: 40mm }} }}
            </style>{lines}""",
    )

    assert "Something beside the address would show in the window." in (
        letters_check.problems(low)
    )


def test_a_letter_that_does_not_fit_is_never_queued_for_print() -> None:
    with pytest.raises(DeliveryError) as error:
        letters_print.send(Message("x", pdf=letter([]), key="1-1"))
    assert error.value.error_class == ErrorClass.DOCUMENT

    assert letters_print.send(Message("x", pdf=letter(ADDRESS), key="1-1")) == "1-1"

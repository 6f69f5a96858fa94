"""A letter that would not show its address in the window is not printed."""

import pytest
from jinja2 import DictLoader

from gateway import documents, letters_check, windows
from gateway.channels import letters_print
from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import settings

ADDRESS = [
    "Dr. Łukasz Ñandú",
    "Attn: front desk",
    "Yellow building",
    "12 Main Street Suite 3",
    "Hartford, CT 06106",
]
ENVELOPES = sorted(windows.ENVELOPES)


def letter(lines: list[str]) -> bytes:
    environment = documents.environment().overlay(
        loader=DictLoader(
            {
                "letter": """{% extends "print/_letter.html" %}
                {% set window_lines = lines %}
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


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_letter_of_ours_fits_its_envelope(count: int, envelope: str) -> None:
    lines = [*ADDRESS[: count - 1], ADDRESS[-1]]
    with settings.changed(envelope=envelope):
        assert letters_check.problems(letter(lines), address="\n".join(lines)) == []


def test_a_letter_for_one_envelope_does_not_fit_the_other() -> None:
    for_double = letter(ADDRESS)

    with settings.changed(envelope="single10"):
        assert letters_check.problems(for_double)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "0 lines"),
        (["Dr. A"], "1 lines"),
        ([*ADDRESS[:-1], "One too many", "And one", "Hartford"], "beside the address"),
    ],
)
def test_an_address_that_does_not_fit_is_found(lines: list[str], problem: str) -> None:
    found = letters_check.problems(letter(lines))

    assert any(problem in each for each in found), found


def test_the_window_shows_nobody_elses_address() -> None:
    other = "Dr. A. Other\n1 Main St\nHartford, CT 06106"

    [found] = letters_check.problems(letter(ADDRESS), address=other)

    assert found == "The window shows another address than the delivery's."


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


def test_a_senders_line_that_slides_out_of_its_window_is_found() -> None:
    long = (
        "Department of Consumer Protection and of Many Other Good Things\nHartford, CT"
    )
    with settings.changed(office_lines=long):
        found = letters_check.problems(letter(ADDRESS))
    assert found == [
        "The upper window would not show the sender's lines, and them alone."
    ]

    with settings.changed(office_lines=long, envelope="single10"):
        assert letters_check.problems(letter(ADDRESS)) == []


def test_a_letter_that_does_not_fit_is_never_queued_for_print() -> None:
    address = "\n".join(ADDRESS)
    with pytest.raises(DeliveryError) as error:
        letters_print.send(Message(address, pdf=letter([]), key="1-1"))
    assert error.value.error_class == ErrorClass.DOCUMENT

    assert letters_print.send(Message(address, pdf=letter(ADDRESS), key="1-1")) == "1-1"


def test_an_address_that_the_post_would_not_take_is_refused_with_its_line() -> None:
    address = "Dr. A. Ruiz\n12 Main Street\nHartford, ZZ 06106"

    with pytest.raises(DeliveryError, match=r"Line 3, .*“ZZ” is not a state") as error:
        letters_print.send(Message(address, pdf=letter(address.splitlines())))

    assert error.value.error_class == ErrorClass.REJECTED

"""What templates print is escaped, whatever it is."""

import pytest
from flask import Flask, render_template_string
from markupsafe import Markup


class Rich:
    """Says of itself how it looks."""

    def __html__(self) -> str:
        return "<b>rich</b>"


class Shouting(str):
    """A text of a class of its own."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<b>&'\"", "&lt;b&gt;&amp;&#39;&#34;"),
        ("O'NEIL & SON", "O&#39;NEIL &amp; SON"),
        (Shouting("<b>"), "&lt;b&gt;"),
        (Markup("<b>bold</b>"), "<b>bold</b>"),
        (Rich(), "<b>rich</b>"),
        (7, "7"),
        (True, "True"),
        (None, "None"),
        (1.5, "1.5"),
        (["<i>"], "[&#39;&lt;i&gt;&#39;]"),
    ],
)
@pytest.mark.parametrize(
    "template",
    [
        "{{ value }}",
        "{% macro shown(v) %}{{ v }}{% endmacro %}{{ shown(value) }}",
        "{% set kept %}{{ value }}{% endset %}{{ kept }}",
        "{% filter trim %}{{ value }}{% endfilter %}",
        "{% for v in [value] %}{{ v }}{% endfor %}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{value}}{%endcall%}",
    ],
    ids=["plain", "macro", "set", "filter", "loop", "call"],
)
def test_a_value_is_escaped_once_wherever_it_is_printed(
    app: Flask, template: str, value: object, shown: str
) -> None:
    with app.test_request_context():
        assert render_template_string(template, value=value) == shown


def test_what_is_not_to_be_escaped_says_so(app: Flask) -> None:
    given = {"value": "<b>", "more": "<i>"}
    template = "{{ value|safe }}{% autoescape false %}{{ more }}{% endautoescape %}"
    with app.test_request_context():
        shown = render_template_string(template, **given)

    assert shown == "<b><i>"


def test_texts_put_together_are_escaped_once(app: Flask) -> None:
    template = "{{ value ~ '<' ~ bold }}{{ 'a&b' if yes }}"
    given = {"value": "<b>", "bold": Markup("<b>"), "yes": True}
    with app.test_request_context():
        shown = render_template_string(template, **given)

    assert shown == "&lt;b&gt;&lt;<b>a&amp;b"

"""Templates whose output is escaped to plain text, which is then joined.

Jinja makes an object of each piece of a page that says "this is escaped already", only
to join the pieces: a report of ninety fills has three thousand of them, and they cost
more than the escaping. What a template prints is joined and never looked at again, so a
piece of plain text is enough. Whatever says of itself how it looks in HTML, as Markup
does, still does so.
"""

from typing import Any

from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escaped  # type: ignore[attr-defined]


class _Code(CodeGenerator):
    """Writes `environment.escaped(…)` where a value is printed."""

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        usual = frame.eval_ctx.volatile or not frame.eval_ctx.autoescape
        if usual or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class Templates(Environment):
    """The portal's templates."""

    code_generator_class = _Code

    @staticmethod
    def escaped(value: Any) -> str:
        """Give a value as it stands in HTML."""
        kind = type(value)
        if kind is str:
            text: str = escaped(value)  # the library's own, but for the object
            return text
        if kind is Markup:
            marked: str = value
            return marked
        return str(value) if kind is int else escape(value)

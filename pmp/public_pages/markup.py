"""The small markup of public pages and announcements, on the screen and on paper.

A part of Markdown: headings (#, ##), lists (-, 1.), **bold**, *stress* and links. Raw
HTML, pictures and tables are no part of it: they show as they were typed. `{name}`
stands for a fact of the program (pmp.public_pages.facts).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

DEEPEST = 2  # of headings: the page's own title is above them
_RULES = ["list", "emphasis", "link", "newline", "escape"]
_SAFE = re.compile(r"(https?://|mailto:|tel:\+?\d|/(?!/))", re.IGNORECASE)
_SIGN = re.compile(r"\{(\w*)\}")
_ADDRESS = re.compile(r"\]\(\s*<?([^\s)>]*)")
_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")


def signs(text: str) -> set[str]:
    """Give the names that stand in braces."""
    return set(_SIGN.findall(text))


def filled(text: str, facts: Mapping[str, str]) -> str:
    """Put facts into a text that is no markup, such as a title; unknown ones stay."""
    return _SIGN.sub(lambda sign: facts.get(sign[1], sign[0]), text)


def html(text: str, facts: Mapping[str, str], *, headings: bool = True) -> Markup:
    """Give a text as HTML for the screen; its first headings are h2."""
    made = _reader(_OnScreen, headings=headings).render(_with(text, facts))
    return Markup(made)  # noqa: S704 - the reader escapes; raw HTML is off


def paper_html(text: str, facts: Mapping[str, str]) -> Markup:
    """Give a text as HTML for a printed document, with the addresses of its links.

    Lists are paragraphs: a list's bullets would be in a font that is not in the file.
    """
    return Markup(_reader(_OnPaper).render(_with(text, facts)))  # noqa: S704


def problems(text: str, known: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with a text, in sentences that name it; none: it will do."""
    for name in sorted(signs(text) - set(known)):
        yield (
            f"Nothing is called {{{name}}}. Use a name from the list, or write it"
            " without braces."
        )
    last = 0
    for depth in re.findall(r"^ {0,3}(#+)(?=\s)", text, flags=re.MULTILINE):
        if len(depth) > min(last + 1, DEEPEST):
            yield (
                f"A heading begins with {depth}. Begin headings with #, and those"
                " under them with ##."
            )
        last = len(depth)
    for address in addresses(filled(text, known)):
        if not _SAFE.match(address):
            yield (
                f"The link to “{address}” leads nowhere. Begin it with https://,"
                " mailto:, tel: or, for a page of this portal, with /."
            )


def addresses(text: str) -> list[str]:
    """List where the links of a text lead, as they are written."""
    return _ADDRESS.findall(text)


def _with(text: str, facts: Mapping[str, str]) -> str:
    """Put facts in so that nothing in them is read as markup."""

    def fact(sign: re.Match[str]) -> str:
        if sign[1] not in facts:
            return sign[0]
        return _SPECIAL.sub(r"\\\1", facts[sign[1]])

    return _SIGN.sub(fact, text)


def _reader(renderer: type[RendererHTML], *, headings: bool = True) -> MarkdownIt:
    reader = MarkdownIt("zero", renderer_cls=renderer)
    reader.enable([*_RULES, "heading"] if headings else _RULES)
    reader.validateLink = lambda url: bool(_SAFE.match(url))  # type: ignore[method-assign]
    return reader


class _OnScreen(RendererHTML):
    """Headings begin below the page's title; other sites are not told whence."""

    def heading_open(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return f"<{_level(tokens[at])}>"

    def heading_close(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return f"</{_level(tokens[at])}>\n"

    def link_open(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        address = str(tokens[at].attrGet("href"))
        apart = ' rel="noreferrer"' if address.lower().startswith("http") else ""
        return f'<a href="{escapeHtml(address)}"{apart}>'


class _OnPaper(_OnScreen):
    """No links and no lists; an address that the words do not say follows them."""

    def link_open(self, *_: Any) -> str:
        return ""

    def link_close(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        begun = max(n for n in range(at) if tokens[n].type == "link_open")
        address = str(tokens[begun].attrGet("href"))
        words = "".join(each.content for each in tokens[begun:at])
        if not address.lower().startswith("http") or words in address:
            return ""
        return f" ({escapeHtml(address)})"

    def list_item_open(self, *_: Any, **__: Any) -> str:
        return ""

    list_item_close = bullet_list_open = bullet_list_close = list_item_open
    ordered_list_open = ordered_list_close = list_item_open

    def paragraph_open(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        before = tokens[at - 1] if at else None
        if before is None or before.type != "list_item_open":
            return '<p class="under">' if tokens[at].level else "<p>"
        sign = f"{before.info}." if before.info else "•"
        return f'<p class="point">{sign}&nbsp; '

    def paragraph_close(self, *_: Any) -> str:
        return "</p>\n"


def _level(token: Token) -> str:
    return f"h{min(int(token.tag[1]), DEEPEST) + 1}"

"""The house rules that every page is held to, read from its bytes and headers."""

import re
from collections import Counter
from html.parser import HTMLParser

from werkzeug.test import TestResponse

UNLABELLED_KINDS = {"hidden", "submit", "button", "reset", "image"}
# What templates make of a line break between two conditions: `checkedaria-invalid=`.
GLUED = re.compile(
    r'="[^"]*"[^\s>/]|\s(?:checked|selected|novalidate|data-download)[a-z-]+'
)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"}
VOID |= {"source", "track", "wbr"}
OPTIONAL_END = {"p", "li", "dt", "dd", "option", "tr", "td", "th", "thead", "tbody"}


class Reader(HTMLParser):
    """Collects what the rules are about."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.headings: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.labels: set[str] = set()
        self.inputs: list[str] = []
        self.references: list[str] = []
        self.title = ""
        self.language = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if GLUED.search(self.get_starttag_text() or ""):
            self.faults.append(f"<{tag}> has attributes without a blank between")
        self.headings[tag] += 1
        self._inline(tag, given)
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag == "html":
            self.language = given.get("lang", "")
        if tag == "label":
            self.labels.add(given.get("for", ""))
        for name in ("aria-describedby", "aria-labelledby"):
            self.references += given.get(name, "").split()
        self._control(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag not in self.open:
            return
        while (top := self.open.pop()) != tag:
            if top not in OPTIONAL_END:
                self.faults.append(f"</{tag}> closes <{top}>")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title" and "svg" not in self.open:
            self.title += data

    def _inline(self, tag: str, given: dict[str, str]) -> None:
        handlers = [name for name in given if name.startswith("on")]
        if handlers or "style" in given or tag == "style":
            self.faults.append(f"<{tag}> has inline {handlers or 'style'}")
        if tag == "script" and not given.get("src"):
            self.faults.append("inline script")
        if tag in {"a", "form"} and "javascript:" in " ".join(given.values()):
            self.faults.append("a javascript: address")

    def _control(self, tag: str, given: dict[str, str]) -> None:
        is_control = tag in {"select", "textarea"} or (
            tag == "input" and given.get("type") not in UNLABELLED_KINDS
        )
        named = "aria-label" in given or "aria-labelledby" in given
        if is_control and not named and "hidden" not in given:
            self.inputs.append(given.get("id", f"(no id: {given.get('name')})"))


def page_faults(response: TestResponse, path: str) -> list[str]:
    """List what is wrong with an answer; pages and downloads alike need the headers."""
    faults = _header_faults(response, path)
    if response.mimetype == "text/html" and not 300 <= response.status_code < 400:
        faults += _markup_faults(response.get_data(as_text=True))
    return faults


def _header_faults(response: TestResponse, path: str) -> list[str]:
    headers, faults = response.headers, []
    if "default-src 'none'" not in headers.get("Content-Security-Policy", ""):
        faults.append("no content security policy")
    if "unsafe" in headers.get("Content-Security-Policy", ""):
        faults.append("an unsafe content security policy")
    if headers.get("X-Content-Type-Options") != "nosniff":
        faults.append("no nosniff")
    if "no-store" not in headers.get("Cache-Control", "") and "/static/" not in path:
        faults.append("may be kept in a cache")
    return faults


def _markup_faults(markup: str) -> list[str]:
    page = Reader()
    page.feed(markup)
    faults = page.faults
    if page.headings["h1"] != 1:
        faults.append(f"{page.headings['h1']} h1")
    if not page.title.strip() or not page.language:
        faults.append("no title or no language")
    faults += [f"id {name} twice" for name, count in page.ids.items() if count > 1]
    faults += [
        f"no label for {name}" for name in page.inputs if name not in page.labels
    ]
    faults += [f"no element {name}" for name in page.references if name not in page.ids]
    return faults

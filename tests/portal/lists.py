"""What tests of staff's lists read: the rows of a page, the lines of a file."""

import csv
import io
import re

from tests.browser import Browser


def shown(browser: Browser, path: str, link: str) -> list[str]:
    """Give what the links in a page's first table body have after `link`, in order."""
    page = browser.get(path).get_data(as_text=True)
    _, _, rest = page.partition("<tbody>")
    rows, _, _ = rest.partition("</tbody>")
    return re.findall(rf'href="{link}([^"?#]+)(?:\?[^"]*)?"', rows)


def lines(browser: Browser, path: str) -> list[dict[str, str]]:
    """Give the lines of a CSV file, each by its headings."""
    body = browser.get(path).get_data(as_text=True)
    assert body.startswith("\ufeff"), "not a file"
    return list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))


def sorted_by(browser: Browser) -> dict[str, str]:
    """Give the headings of the page at hand that say how they are sorted."""
    found = re.findall(
        r'aria-sort="(\w+)"\s*>\s*<a [^>]*>\s*([^<]+)', browser.page_text()
    )
    return {words.strip(): order for order, words in found}

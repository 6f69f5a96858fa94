"""Which page of a long list is asked for, and in which order."""

from collections.abc import Iterable

from flask import request

# No list is longer; a database counts rows in 64 bits and fails beyond.
LAST_PAGE = 1_000_000


def page_asked_for(of: str = "") -> int:
    """Give the number in `?page=`, from 1; 1 for anything that is none.

    `of` stands before it where a page has several lists, such as "wrong_".
    """
    asked = request.args.get(f"{of}page", default=1, type=int)
    return min(max(asked, 1), LAST_PAGE)


def sort_asked_for(of: str = "") -> str:
    """Give the order in `?sort=`; each list knows which it has: see pmp.sorting."""
    return request.args.get(f"{of}sort", "")


def asked_of_others(lists: Iterable[str], *, than: str) -> dict[str, str]:
    """Give page and order of the other lists of a page, for the links of one."""
    names = [f"{each}_{part}" for each in lists for part in ("sort", "page")]
    return {
        name: request.args[name]
        for name in names
        if name in request.args and not name.startswith(f"{than}_")
    }

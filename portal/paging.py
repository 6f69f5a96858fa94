"""Which page of a long list is asked for, and in which order."""

from flask import request

# No list is longer; a database counts rows in 64 bits and fails beyond.
LAST_PAGE = 1_000_000


def page_asked_for() -> int:
    """Give the number in `?page=`, from 1; 1 for anything that is none."""
    asked = request.args.get("page", default=1, type=int)
    return min(max(asked, 1), LAST_PAGE)


def sort_asked_for() -> str:
    """Give the order in `?sort=`; each list knows which it has: see pmp.sorting."""
    return request.args.get("sort", "")

"""Whether what is sent now is what its writer has just seen as others will see it."""

import hashlib
from typing import Any

from flask import request


def mark_of(typed: object) -> str:
    """Give a mark of what was typed, for the page that shows it."""
    return hashlib.sha256(repr(typed).encode()).hexdigest()[:16]


def is_confirmed(form: Any, typed: object) -> bool:
    """Tell whether the second button was pressed, and under what was shown.

    The form's field `seen` is given the mark of what this answer will show.
    """
    seen, form.seen.data = form.seen.data, mark_of(typed)
    return "confirm" in request.form and seen == form.seen.data

"""Whether the links that staff write lead to pages of this portal that there are."""

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from pmp.errors import RuleError
from pmp.public_pages import markup


def require_pages(body: str) -> None:
    """Raise RuleError, for the field `body`, where a link leads to no page of ours."""
    for address in markup.addresses(body):
        path = address.partition("?")[0].partition("#")[0]
        if path.startswith("/") and not _is_page(path):
            message = f"There is no page at {path}. Check the link."
            raise RuleError(message, field="body")


def _is_page(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return False
    try:
        adapter.match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return False
    return True

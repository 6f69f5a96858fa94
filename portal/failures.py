"""What a person sees when something went wrong: words, a way on, never a traceback."""

from flask import (
    Flask,
    current_app,
    g,
    jsonify,
    make_response,
    render_template,
    request,
)
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from peewee import InterfaceError, OperationalError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    default_exceptions,
)

from pmp.accounts.lock_out import ThrottledError
from pmp.errors import ConflictError, NotFoundError, RuleError
from portal import access, logging

_NO_PAGE = (
    "Check the address, or begin at the home page. A page that your role does not"
    " include answers the same."
)
WORDS = {
    400: (
        "This request could not be understood",
        "Go back, reload the page and try again.",
    ),
    401: ("Sign in first", "This page is for signed-in users."),
    403: ("This was not accepted", "Go back, reload the page and try again."),
    404: ("There is no such page", _NO_PAGE),
    405: ("This page cannot be opened this way", "Begin at the home page."),
    409: ("Someone else was quicker", "Reload the page to see what it says now."),
    413: ("This file is too large", "Split it into several files and send each."),
    422: ("This cannot be done", "Go back and check what you entered."),
    429: ("Too many requests", "Wait a few minutes, then try again."),
    500: (
        "Something went wrong on our side",
        "Nothing you sent was half kept. Try again; if it happens again, call us.",
    ),
    503: (
        "The system cannot be reached for the moment",
        "Try again in a minute. Nothing was stored.",
    ),
}
RULE_STATUSES = ((NotFoundError, 404), (ConflictError, 409), (ThrottledError, 429))


def begin(app: Flask) -> None:
    """Answer every failure with a page of ours."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(RuleError, _rule_refused)
    app.register_error_handler(OperationalError, _database_down)
    app.register_error_handler(InterfaceError, _database_down)
    app.register_error_handler(Exception, _failed)


def page(status: int, detail: str = "") -> ResponseReturnValue:
    """Give the page for a status, with words of its own where there are some."""
    title, words = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error=detail or title), status
    shown = render_template(
        "error.html",
        status=status,
        heading=title,
        words=detail or words,
        request_id=g.get("request_id", ""),
    )
    return shown, status


def _refused(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    if isinstance(error, MethodNotAllowed) and _is_unknown_otherwise(error):
        return page(404)
    own_words = error.description
    standard = default_exceptions.get(status, InternalServerError).description
    return page(status, own_words if own_words and own_words != standard else "")


def _is_unknown_otherwise(error: MethodNotAllowed) -> bool:
    """Tell whether a page would be refused however it is asked for."""
    routes = current_app.url_map.bind(request.host)
    endpoints = {
        routes.match(request.path, method=method)[0]
        for method in error.valid_methods or ()
        if method != "OPTIONS"
    }
    return all(map(access.is_unknown_to_role, endpoints))


def _stale_form(_error: CSRFError) -> ResponseReturnValue:
    return page(
        400, "This form was open for too long or came from another place. Reload it."
    )


def _rule_refused(refusal: RuleError) -> ResponseReturnValue:
    status = next((s for kind, s in RULE_STATUSES if isinstance(refusal, kind)), 422)
    return page(status, refusal.message)


def _database_down(error: Exception) -> ResponseReturnValue:
    logging.failure(error)
    g.user = g.session = None
    response = make_response(page(503))
    response.headers["Retry-After"] = "30"
    return response


def _failed(error: Exception) -> ResponseReturnValue:
    if current_app.testing:
        raise error
    logging.failure(error)
    return page(500)

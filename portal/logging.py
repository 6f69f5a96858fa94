"""One line of JSON for each request and each failure, on stderr.

No patient data: the route instead of the address (addresses carry tokens), no query,
no form, and of an exception its type and where it was raised but not its text.
"""

import logging
import secrets
import time
from typing import Any

from flask import Flask, Response, g, request

from pmp import logs

logger = logging.getLogger("portal")


def begin(app: Flask) -> None:
    """Give each request an id and a line."""
    logs.begin(logger.name, "waitress")
    app.before_request(_start)
    app.after_request(_finish)


def failure(error: BaseException) -> None:
    """Log a failure: what kind and where, never its text (it may quote a row)."""
    where = logs.where(error.__traceback__)
    fields = {**_request_fields(), "error": type(error).__name__, "where": where}
    logger.error("failure", extra={"fields": fields})


def _start() -> None:
    g.request_id = secrets.token_hex(8)
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint != "static":
        elapsed = time.perf_counter() - g.get("started", time.perf_counter())
        fields = {
            **_request_fields(),
            "status": response.status_code,
            "ms": round(elapsed * 1000, 1),
        }
        logger.info("request", extra={"fields": fields})
    return response


def _request_fields() -> dict[str, Any]:
    user = g.get("user")
    return {
        "request": g.get("request_id", ""),
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "user": user.id if user else None,
    }

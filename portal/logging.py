"""One line of JSON for each request and each failure, on stderr.

No patient data: the route instead of the address (addresses carry tokens), no query,
no form, and of an exception its type and where it was raised but not its text.
"""

import json
import logging
import secrets
import sys
import time
import traceback
from typing import Any

from flask import Flask, Response, g, request

from pmp import clock

logger = logging.getLogger("portal")


class JsonLine(logging.Formatter):
    """Writes a record as one JSON object; `extra={"fields": {…}}` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, default=str)


class Stderr(logging.StreamHandler[Any]):
    """Writes to whatever sys.stderr is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def begin(app: Flask) -> None:
    """Give each request an id and a line."""
    if not any(isinstance(handler, Stderr) for handler in logger.handlers):
        handler = Stderr()
        handler.setFormatter(JsonLine())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    app.before_request(_start)
    app.after_request(_finish)


def failure(error: BaseException) -> None:
    """Log a failure: what kind and where, never its text (it may quote a row)."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    fields = {**_request_fields(), "error": type(error).__name__, "where": where[-12:]}
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

"""One line of JSON for each event, on stderr, of the portal and of the worker alike.

No patient data: of an exception its type and where it was raised, never its text, which
may quote a row or a form.
"""

import json
import logging
import sys
import traceback
from types import TracebackType
from typing import Any

from pmp import clock

FRAMES = 12


class JsonLine(logging.Formatter):
    """Writes a record as one JSON object; `extra={"fields": {…}}` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line; what an exception says stays out of it."""
        line: dict[str, Any] = {
            "at": clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = where(record.exc_info[2])
        return json.dumps(line, default=str)


class Stderr(logging.StreamHandler[Any]):
    """Writes to whatever sys.stderr is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def begin(*names: str, level: int = logging.INFO) -> None:
    """Have the loggers with these names write such lines, and nothing else."""
    for name in names:
        logger = logging.getLogger(name)
        handler = Stderr()
        handler.setFormatter(JsonLine())
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def where(trace: TracebackType | None) -> list[str]:
    """Give the last places of a traceback: file, line and function."""
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]

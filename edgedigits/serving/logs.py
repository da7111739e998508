"""Logs: a JSON object a line on standard output, without anything of the pictures or of what was read in them."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO


class Log:
    """Writes a line for each request."""

    def __init__(self, *, requests: bool = True, file: TextIO | None = None) -> None:
        self._requests = requests
        self._file = file or sys.stdout

    def request(self, record: dict[str, Any], milliseconds: float) -> None:
        """Write what is known of a request that was answered, and how long that took."""
        if self._requests:
            line = {"time": now(), "event": "request", **record, "ms": round(milliseconds, 2)}
            # One write, so that lines of several processes stay whole.
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


class JsonLines(logging.Formatter):
    """What uvicorn has to say, in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": now(), "event": "server", "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def now() -> str:
    """Return the time, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def logging_config(*, quiet: bool = True) -> dict[str, Any]:
    """Return how uvicorn logs: warnings and errors, and the rest too if not `quiet`."""
    level = "WARNING" if quiet else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "edgedigits.serving.logs.JsonLines"}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
        "loggers": {"uvicorn": {"handlers": ["out"], "level": level, "propagate": False}},
    }

"""Logs: one JSON object a line on standard output. Nothing about the content of pictures is logged."""

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
        """Log a request after its response."""
        if self._requests:
            # A single write keeps lines of several processes whole.
            self._file.write(_line("request", **record, ms=round(milliseconds, 2)) + "\n")
            self._file.flush()


class JsonFormatter(logging.Formatter):
    """Formats the messages of uvicorn and of the protocol."""

    def format(self, record: logging.LogRecord) -> str:
        values = {"level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return _line("server", **values)


def _line(event: str, **values: Any) -> str:
    return json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **values})


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "edgedigits.serving.logs.JsonFormatter"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    "loggers": {"uvicorn": {"handlers": ["out"], "level": "WARNING", "propagate": False}},
}

"""Logs: one JSON object a line on standard error. Secrets never reach it; traces of them are redacted."""

import asyncio
import logging
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from io import FileIO
from typing import Any, TextIO

import orjson
import structlog

from shared.oauth.handle import Kind

_SECRET = re.compile(
    rf"\b(?:{'|'.join(Kind)})_[A-Za-z0-9_-]{{20,}}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
)
REDACTED = "[redacted]"

REQUEST_ID: ContextVar[str] = ContextVar("REQUEST_ID")
"""Of the request that is being answered: every line about it has this identifier."""


def redact(text: str) -> str:
    """*text* without handles and JWTs."""
    return _SECRET.sub(REDACTED, text)


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = redact(value)
    return event


def _of_request(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := REQUEST_ID.get(None):
        event["request_id"] = request_id
    return event


def _line(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(event, default=str)


@lru_cache(maxsize=256)
def _answered(service: str, method: str, route: str, status: int) -> bytes:
    """What many lines have in common, without the brace that ends it."""
    line = {
        "method": method,
        "route": route,
        "status": status,
        "event": "request",
        "service": service,
        "level": "info",
    }
    return orjson.dumps(line)[:-1]


@lru_cache(maxsize=2)
def _at(second: int) -> bytes:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


class RequestLog:
    """One line for each answered request, in the shape of every other line.

    Written past structlog, whose way costs as much CPU time as a small answer, and with one write for all
    requests answered in one turn of the loop. Nothing in it is a secret.
    """

    def __init__(self, service: str, write: Callable[[bytes], object]) -> None:
        self._service = service
        self._write = write
        self._lines: list[bytes] = []

    def answered(self, request_id: str, method: str, route: str, status: int, seconds: float) -> None:
        """*route* is the pattern, never the path that was asked for; *request_id* needs no quoting."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        second, nanosecond = divmod(time.time_ns(), 1_000_000_000)
        self._lines.append(
            b'%b,"ms":%.2f,"request_id":"%b","timestamp":"%b.%06dZ"}\n'
            % (
                _answered(self._service, method, route, status),
                seconds * 1000,
                request_id.encode(),
                _at(second),
                nanosecond // 1000,
            )
        )

    def _flush(self) -> None:
        lines, self._lines = self._lines, []  # a write that fails must not keep them
        self._write(b"".join(lines))


class _FromStandardLibrary(logging.Handler):
    """What libraries log, as events of one line; a traceback only for what is a defect of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("aiohttp.server"):
            # A malformed request of a stranger is no error of ours, and its traceback would flood the log.
            structlog.get_logger().info("http_refused", detail=record.getMessage()[:200])
            return
        fault = record.exc_info[1] if record.exc_info else None
        cause = f"{type(fault).__name__}: {fault}" if fault else None
        structlog.get_logger().log(
            record.levelno, "log", logger=record.name, detail=record.getMessage()[:1000], cause=cause
        )


def configure_log(level: str, service: str) -> RequestLog | None:
    """Set up this process's logging, once, before anything logs. None: *level* is above that of requests."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _of_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_FromStandardLibrary()], force=True)
    return RequestLog(service, _unbuffered(sys.stderr)) if number <= logging.INFO else None


def _unbuffered(stream: TextIO) -> Callable[[bytes], object]:
    # Whole lines at once, as structlog's: what is not flushed would be lost with the process.
    return FileIO(stream.fileno(), "ab", closefd=False).write

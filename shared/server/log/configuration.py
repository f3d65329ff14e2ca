"""Configures the log of this process: JSON objects on standard error, one on each line."""

import logging
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog

from shared.server.log.line import as_text, redact, render
from shared.server.log.output import standard_error
from shared.server.log.request_log import RequestLog

REQUEST_ID: ContextVar[str] = ContextVar("REQUEST_ID")
"""The id of the request being answered; every log line about it contains the id."""


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = redact(value)
    return event


def _of_request(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := REQUEST_ID.get(None):
        event["request_id"] = request_id
    return event


def _rendered(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    return render(event)


class _FromStandardLibrary(logging.Handler):
    """Turns log records of libraries into single-line events; only defects of ours have a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("aiohttp.server"):
            # A stranger's malformed request is not an error, and tracebacks would flood the log.
            structlog.get_logger().info("http_refused", detail=_message(record)[:200])
            return
        fault = record.exc_info[1] if record.exc_info else None
        cause = f"{type(fault).__name__}: {as_text(fault)}" if fault else None
        structlog.get_logger().log(
            record.levelno, "log", logger=record.name, detail=_message(record)[:1000], cause=cause
        )


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # its arguments do not match its format
        return as_text(record.msg)


class _Logger:
    """Receives rendered lines from structlog."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def msg(self, line: bytes) -> None:
        self._write(line + b"\n")

    debug = info = warning = error = critical = msg


def configure_log(level: str, service: str) -> RequestLog | None:
    """Set up logging, once, before anything is logged. None: *level* is above that of requests."""
    number = logging.getLevelNamesMapping()[level.upper()]
    output = standard_error()
    destination = _Logger(output.write)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _of_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            _rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: destination,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_FromStandardLibrary()], force=True)
    logging.captureWarnings(True)  # warnings would otherwise be printed, which could block
    return RequestLog(service, output.write) if number <= logging.INFO else None

"""Answers: JSON, and the protocol's errors as JSON."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Self

import orjson
from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from shared.oauth.errors import OAuthError
from shared.web.headers import NO_STORE, RETRY_AFTER, SAFE

_BODILESS = (204, 304)  # RFC 9110 §6.4.1


class Head:
    """Header fields that many answers have in common, kept as they go over the wire."""

    def __init__(self, *groups: Mapping[str, str]) -> None:
        fields = {name: value for group in groups for name, value in group.items()}
        self.wire = _wire(fields)

    @classmethod
    def of_private(cls, content_type: str) -> Self:
        """Of what no cache keeps."""
        return cls(SAFE, NO_STORE, {"Content-Type": content_type})


def _wire(fields: Mapping[str, str]) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    text = "".join(lines)
    if not text.count("\r") == text.count("\n") == len(lines):
        raise ValueError("a header field has a line break")  # it would begin another field
    return text.encode()


@lru_cache(maxsize=64)
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode("ascii")


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode("ascii")


class Answer(web.Response):
    """A response that leaves in one write. `headers` has only what is not in its head.

    aiohttp puts every response together field by field, which costs as much CPU time as reading the request.
    """

    def __init__(
        self, body: bytes, head: Head, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(body=body, status=status, headers=headers)
        self._head = head
        self._content = body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write all of it."""
        if not self._eof_sent and (transport := request.transport) is not None:
            self._keep_alive = self._keep_alive is not False and request.keep_alive
            transport.write(self._message(request))
        self._eof_sent = True
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """It has been written."""

    def _message(self, request: web.BaseRequest) -> bytes:
        for cookie in self.cookies.values() if self._cookies else ():
            self.headers.add("Set-Cookie", cookie.OutputString())
        if request.version != HttpVersion11 or not self._keep_alive:
            self.headers["Connection"] = "keep-alive" if self._keep_alive else "close"
        is_bodiless = self.status in _BODILESS
        return b"".join(
            (
                _status_line(self.status),
                self._head.wire,
                _wire(self.headers),
                _date(int(time.time())),
                b"" if is_bodiless else b"Content-Length: %d\r\n" % len(self._content),
                b"\r\n",
                b"" if is_bodiless or request.method == "HEAD" else self._content,
            )
        )


JSON = Head.of_private("application/json")


def json_answer(
    members: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    head: Head = JSON,
) -> web.Response:
    """A JSON object that no cache keeps. *headers* are none of those in *head*."""
    return Answer(orjson.dumps(members), head, status=status, headers=headers)


def error_answer(
    error: OAuthError,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> web.Response:
    """An error as RFC 6749 §5.2 has it; *members* are added to the JSON object."""
    all_headers = {**RETRY_AFTER, **(headers or {})} if error.status in (429, 503) else headers
    return json_answer({**error.parameters(), **(members or {})}, status=error.status, headers=all_headers)

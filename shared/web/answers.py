"""HTTP responses: JSON, protocol errors as JSON, and redirects."""

import math
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any, Self

import orjson
from aiohttp import HttpVersion, HttpVersion11, web

from shared.oauth.errors import OAuthError, TooManyRequests
from shared.web.headers import NO_STORE, RETRY_AFTER, SAFE

SERVER = "Ostiary"  # without versions

_BODILESS = (204, 304)  # RFC 9110 §6.4.1


class Head:
    """Header fields that many responses share, encoded once."""

    def __init__(self, *groups: Mapping[str, str]) -> None:
        fields = {name: value for group in groups for name, value in group.items()}
        self.wire = _wire(fields)

    @classmethod
    def of_private(cls, content_type: str) -> Self:
        """Header fields for responses that must not be cached."""
        return cls(SAFE, NO_STORE, {"Content-Type": content_type})


def _wire(fields: Mapping[str, str]) -> bytes:
    if not fields:
        return b""
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
    return f"Server: {SERVER}\r\nDate: {formatdate(second, usegmt=True)}\r\n".encode("ascii")


class PreparedResponse(web.Response):
    """A response with an encoded head. `headers` has only the fields that are not in it."""

    def __init__(
        self, body: bytes, head: Head, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(body=body, status=status, headers=headers)
        self.head = head


def wire(
    response: web.StreamResponse, added: bytes, version: HttpVersion, *, is_kept: bool, is_head: bool
) -> bytes:
    """The bytes of a response. Raises ValueError if a header field contains a line break.

    *added*: further header fields, each with its line break.
    """
    assert isinstance(response, web.Response)  # responses are never streamed
    body = response.body or b""
    assert isinstance(body, bytes)
    is_bodiless = response.status in _BODILESS
    return b"".join(
        (
            _status_line(response.status),
            response.head.wire if isinstance(response, PreparedResponse) else b"",
            _wire(response.headers),
            _cookies(response.cookies) if response.cookies else b"",
            added,
            _connection(version, is_kept),
            _date(int(time.time())),
            b"\r\n" if is_bodiless else b"Content-Length: %d\r\n\r\n" % len(body),
            b"" if is_bodiless or is_head else body,
        )
    )


def _cookies(cookies: SimpleCookie) -> bytes:
    return b"".join(_wire({"Set-Cookie": cookie.OutputString()}) for cookie in cookies.values())


def _connection(version: HttpVersion, is_kept: bool) -> bytes:
    """RFC 9112 §9.3."""
    if not is_kept:
        return b"Connection: close\r\n"
    return b"" if version == HttpVersion11 else b"Connection: keep-alive\r\n"


_REDIRECT = Head(SAFE, NO_STORE)


def see_other(uri: str) -> web.Response:
    """303, so that the browser does not repeat a POST at *uri* (RFC 9700 §4.12)."""
    return PreparedResponse(b"", _REDIRECT, status=303, headers={"Location": uri})


def found(uri: str) -> web.Response:
    """302, for a GET that another URI answers."""
    return PreparedResponse(b"", _REDIRECT, status=302, headers={"Location": uri})


JSON = Head.of_private("application/json")


def json_answer(
    members: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    head: Head = JSON,
) -> web.Response:
    """A JSON object that must not be cached. *headers* are fields in addition to *head*."""
    return PreparedResponse(orjson.dumps(members), head, status=status, headers=headers)


def error_answer(
    error: OAuthError,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> web.Response:
    """An error as JSON (RFC 6749 §5.2). *members* are added to the object."""
    retry_after = _retry_after(error)
    all_headers = {**retry_after, **(headers or {})} if retry_after else headers
    return json_answer({**error.parameters(), **(members or {})}, status=error.status, headers=all_headers)


def _retry_after(error: OAuthError) -> Mapping[str, str]:
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after.total_seconds())))}
    return RETRY_AFTER if error.status in (429, 503) else {}

"""Documents that are encoded once and served from memory until they change."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson
from aiohttp import web

from shared.web.answers import Head, PreparedResponse
from shared.web.headers import SAFE


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document, its entity tag and its headers."""

    body: bytes
    etag: str
    head: Head

    @classmethod
    def of(cls, members: Mapping[str, Any], max_age: int) -> Self:
        """*max_age* in seconds."""
        body = orjson.dumps(members)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        described = {
            "Content-Type": "application/json",
            "Cache-Control": f"public, max-age={max_age}",
            "ETag": etag,
        }
        return cls(body, etag, Head(SAFE, described))

    def answer(self, request: web.Request) -> web.Response:
        """The document, or 304 if the caller has it (RFC 9110 §13.1.2)."""
        if self.etag in request.headers.get("If-None-Match", ""):
            return PreparedResponse(b"", self.head, status=304)
        return PreparedResponse(self.body, self.head)

"""Answers: JSON, and the protocol's errors as JSON."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web
from multidict import CIMultiDict

from shared.oauth.errors import OAuthError
from shared.web.headers import NO_STORE, RETRY_AFTER, SAFE

_PRIVATE = CIMultiDict({**SAFE, **NO_STORE, "Content-Type": "application/json"})


def json_answer(
    members: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON object that no cache keeps."""
    all_headers = _PRIVATE.copy()
    if headers:
        all_headers.update(headers)
    return web.Response(body=orjson.dumps(members), status=status, headers=all_headers)


def error_answer(
    error: OAuthError,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> web.Response:
    """An error as RFC 6749 §5.2 has it; *members* are added to the JSON object."""
    all_headers = {**RETRY_AFTER, **(headers or {})} if error.status in (429, 503) else headers
    return json_answer({**error.parameters(), **(members or {})}, status=error.status, headers=all_headers)

"""Listing clients page by page: the query and the answer. Rules."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.codec.base64url import base64url
from shared.oauth.client.metadata.declaration import Reader
from shared.oauth.client.metadata.members import information
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.store import ClientFilter

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_TEXT = 200
PARAMETERS = ("limit", "cursor", "text", "is_disabled", "is_dynamically_registered")

_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page of at most *limit* clients that match, after a client_id."""

    after: str | None
    limit: int
    matching: ClientFilter


def read_page_request(query: Parameters) -> PageRequest:
    """Raises InvalidRequest."""
    if unknown := sorted(set(query) - set(PARAMETERS)):
        raise InvalidRequest(f"there is no parameter {unknown[0]}")
    text = query.one("text")
    if text is not None and len(text) > MAX_TEXT:
        raise InvalidRequest(f"text is longer than {MAX_TEXT} characters")
    matching = ClientFilter(
        text=text,
        is_disabled=_boolean(query, "is_disabled"),
        is_dynamically_registered=_boolean(query, "is_dynamically_registered"),
    )
    return PageRequest(_after(query.one("cursor")), _limit(query.one("limit")), matching)


def _boolean(query: Parameters, name: str) -> bool | None:
    value = query.one(name)
    if value is None:
        return None
    if value not in _BOOLEANS:
        raise InvalidRequest(f"{name} must be true or false")
    return _BOOLEANS[value]


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT_LIMIT
    if not (value.isascii() and value.isdecimal() and len(value) <= 4 and 1 <= int(value) <= MAX_LIMIT):
        raise InvalidRequest(f"limit must be a number from 1 to {MAX_LIMIT}")
    return int(value)


def _after(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidRequest("cursor is not a next_cursor of this server") from None


def page(clients: Sequence[Client], limit: int) -> dict[str, Any]:
    """The answer; *clients* has one client more than the limit if there is a next page."""
    shown = clients[:limit]
    more = {"next_cursor": base64url(shown[-1].client_id.encode())} if len(clients) > limit else {}
    return {"clients": [information(client, Reader.OPERATORS) for client in shown], **more}

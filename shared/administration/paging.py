"""Listing records page by page: the limit and the cursor of a query, and the answer. Rules."""

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from shared.codec.base64url import base64url
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.store.codecs.text import is_storable

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
PARAMETERS = ("limit", "cursor")
_BAD_CURSOR = "cursor is not a next_cursor of this server"

_BOOLEANS = {"true": True, "false": False}

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page of at most *limit* records, after the one with the key *after*."""

    after: str | None
    limit: int


def read_page_request(query: Parameters, filters: Collection[str] = ()) -> PageRequest:
    """*filters*: the parameters that the query may have besides. Raises InvalidRequest."""
    if unknown := sorted(set(query) - {*PARAMETERS, *filters}):
        raise InvalidRequest(f"there is no parameter {unknown[0]}")
    return PageRequest(_after(query.one("cursor")), _limit(query.one("limit")))


def uuid_after(page: PageRequest) -> UUID:
    """The key of a page of records with a UUID. Raises InvalidRequest."""
    try:
        return UUID(page.after) if page.after else UUID(int=0)
    except ValueError:
        raise InvalidRequest(_BAD_CURSOR) from None


def boolean(query: Parameters, name: str) -> bool | None:
    """A filter that is true, false, or absent. Raises InvalidRequest."""
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
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = "\0"
    if not is_storable(key):
        raise InvalidRequest(_BAD_CURSOR)
    return key


def split(records: Sequence[_Record], limit: int) -> tuple[Sequence[_Record], _Record | None]:
    """The records of a page, and its last one if there is a next page.

    *records* has one record more than the limit if there is one.
    """
    shown = records[:limit]
    return shown, shown[-1] if len(records) > limit else None


def page(name: str, shown: Iterable[Any], last_key: str | None) -> dict[str, Any]:
    """The answer. *last_key*: of the last record, if there is a next page."""
    more = {} if last_key is None else {"next_cursor": base64url(last_key.encode())}
    return {name: list(shown), **more}

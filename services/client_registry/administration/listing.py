"""Listing clients: the filters of the query, and the answer. Rules."""

from collections.abc import Sequence
from typing import Any

from shared.administration.paging import boolean, page, split
from shared.oauth.client.metadata.declaration import Reader
from shared.oauth.client.metadata.members import information
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.store import ClientFilter

MAX_TEXT = 200
FILTERS = ("text", "is_disabled", "is_dynamically_registered")


def read_filter(query: Parameters) -> ClientFilter:
    """Raises InvalidRequest."""
    text = query.one("text")
    if text is not None and len(text) > MAX_TEXT:
        raise InvalidRequest(f"text is longer than {MAX_TEXT} characters")
    return ClientFilter(
        text=text,
        is_disabled=boolean(query, "is_disabled"),
        is_dynamically_registered=boolean(query, "is_dynamically_registered"),
    )


def client_page(clients: Sequence[Client], limit: int) -> dict[str, Any]:
    """The answer; *clients* has one client more than the limit if there is a next page."""
    shown, last = split(clients, limit)
    described = (information(client, Reader.OPERATORS) for client in shown)
    return page("clients", described, last.client_id if last else None)

"""Listing users, sessions and grants: the filters of the query, and the answers. Rules."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.administration.paging import boolean, page, split
from shared.model import User
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.operations.users import shown
from shared.store import UserFilter
from shared.store.codecs.text import is_storable

USER_FILTERS = ("name", "group", "is_disabled")
SESSION_FILTERS = ("sub",)
GRANT_FILTERS = ("sub", "client_id")


def read_user_filter(query: Parameters) -> UserFilter:
    """Raises InvalidRequest."""
    return UserFilter(group=read_text(query, "group"), is_disabled=boolean(query, "is_disabled"))


def read_sub(query: Parameters) -> UUID | None:
    """The user whose records are listed. Raises InvalidRequest."""
    if (sub := query.one("sub")) is None:
        return None
    try:
        return UUID(sub)
    except ValueError:
        raise InvalidRequest("sub is not the identifier of a user") from None


def read_text(query: Parameters, name: str) -> str | None:
    """A filter that is a name. Raises InvalidRequest."""
    value = query.one(name)
    if value is not None and not is_storable(value):
        raise InvalidRequest(f"{name} has a character that no name has")
    return value


def user_page(users: Sequence[User], limit: int) -> dict[str, Any]:
    """The answer; *users* has one user more than the limit if there is a next page."""
    on_page, last = split(users, limit)
    return page("users", map(shown, on_page), last.username if last else None)

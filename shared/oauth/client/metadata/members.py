"""Client metadata as JSON, by the declaration in `record`: stored, sent and read. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, get_type_hints

from shared.model import Json
from shared.oauth.client.metadata.declaration import Member, Reader, Setter
from shared.oauth.client.record import Client


def _members() -> dict[str, Member]:
    hints = get_type_hints(Client, include_extras=True)
    declared = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return {name: metadata[0] for name, metadata in declared.items() if metadata}


MEMBERS: Mapping[str, Member] = MappingProxyType(_members())
"""Every declared member, by the name of its field."""

STANDARD_MEMBERS = frozenset(name for name, member in MEMBERS.items() if member.set_by is Setter.ANYONE)
OPERATORS_MEMBERS = frozenset(name for name, member in MEMBERS.items() if member.set_by is Setter.OPERATORS)
READ_ONLY_MEMBERS = tuple(
    member.name or name for name, member in MEMBERS.items() if member.set_by is Setter.SERVER
)

LONGEST_LIFETIMES: Mapping[str, timedelta] = MappingProxyType(
    {name: member.longest for name, member in MEMBERS.items() if member.longest}
)
PUBLIC_DEFAULTS: Mapping[str, bool] = MappingProxyType(
    {name: member.if_public for name, member in MEMBERS.items() if member.if_public is not None}
)
"""Members whose default is the opposite for a public client."""

_METADATA = {name: MEMBERS[name].kind for name in MEMBERS if MEMBERS[name].set_by is not Setter.SERVER}
_FROM_JSON = tuple((name, kind.from_json) for name, kind in _METADATA.items())


def _to_json(client: Client, name: str) -> Any:
    value, kind = getattr(client, name), MEMBERS[name].kind
    return kind.if_none if value is None else kind.to_json(value)


def to_metadata(client: Client) -> dict[str, Any]:
    """The effective metadata of a client: every member that has a value, and no credentials."""
    values = {name: _to_json(client, name) for name in _METADATA}
    return {name: value for name, value in values.items() if value is not None}


def from_metadata(client_id: str, metadata: Json, **record: Any) -> Client:
    """The client with this effective metadata; *record* has the fields that are not metadata."""
    values = {
        name: from_json(metadata[name]) for name, from_json in _FROM_JSON if metadata.get(name) is not None
    }
    return Client(client_id=client_id, **values, **record)


def information(client: Client, reader: Reader) -> dict[str, Any]:
    """The client as *reader* may see it: every member that has a value, and no credentials."""
    values = {
        member.name or name: _to_json(client, name)
        for name, member in MEMBERS.items()
        if reader in member.shown_to
    }
    return {
        "client_id": client.client_id,
        **{name: value for name, value in values.items() if value is not None},
    }

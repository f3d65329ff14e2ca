"""Importing clients, once or again: what a file describes is added, updated or, on request, deleted."""

from dataclasses import dataclass, field
from typing import Any

from shared.model import Json
from shared.oauth.client.faults import Allowed
from shared.oauth.client.record import Client
from shared.oauth.errors import OAuthError
from shared.operations.clients import add_client, every_client, update_client
from shared.operations.pydio import Read
from shared.store import Clients


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of each client, and every note."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Ambiguous(Exception):
    """Several clients could be the one that an entry describes."""


@dataclass(frozen=True, slots=True)
class _Description:
    """What tells a client from others where its client_id is not said."""

    client_name: str
    redirect_uris: frozenset[str]

    @classmethod
    def of(cls, client_name: object, redirect_uris: object) -> "_Description":
        listed = redirect_uris if isinstance(redirect_uris, list | tuple) else ()
        return cls(str(client_name or ""), frozenset(uri for uri in listed if isinstance(uri, str)))


@dataclass(slots=True)
class _Known:
    """The clients that were registered before, as far as an import needs them.

    An entry without a client_id is the client that an operator registered with the same `client_name` and the
    same `redirect_uris`. The first import adds it, and the next ones update it.
    """

    ids: dict[str, bool] = field(default_factory=dict)  # whether an operator registered it
    _described: dict[_Description, list[str]] = field(default_factory=dict)

    def add(self, client: Client) -> None:
        self.ids[client.client_id] = not client.is_dynamically_registered
        if not client.is_dynamically_registered:
            description = _Description.of(client.client_name, client.redirect_uris)
            self._described.setdefault(description, []).append(client.client_id)

    def match(self, metadata: Json) -> str | None:
        """The client_id of the client that *metadata* describe. Raises Ambiguous."""
        if (client_id := metadata.get("client_id")) is not None:
            return str(client_id) if client_id in self.ids else None
        found = self._described.get(
            _Description.of(metadata.get("client_name"), metadata.get("redirect_uris")), ()
        )
        if len(found) > 1:
            raise Ambiguous(f"{', '.join(found)} are alike: say by client_id which one is meant")
        return found[0] if found else None


async def import_clients(clients: Clients, read: Read, allowed: Allowed, *, prune: bool) -> Imported:
    """Add the clients that are new and update the others; one that is refused stops no other.

    *prune*: delete the clients that the file does not describe, but those that registered themselves.
    """
    imported, known, kept = Imported(notes=list(read.notes)), _Known(), set[str | None]()
    async for client in every_client(clients):
        known.add(client)
    for metadata in read.clients:
        client_id = metadata.get("client_id")
        try:
            client_id = known.match(metadata) or client_id
            row = await _imported(clients, metadata, client_id if client_id in known.ids else None, allowed)
        except (OAuthError, Ambiguous) as fault:
            name = client_id or metadata.get("client_name") or "A client without client_id"
            reason = fault.description if isinstance(fault, OAuthError) else fault
            imported.notes.append(f"{name}: refused: {reason}")
            row = {"client_id": client_id, "result": "refused"}
        kept.add(row["client_id"])
        imported.rows.append(row)
    for client_id, is_operators in known.ids.items():
        if prune and is_operators and client_id not in kept:
            await clients.delete(client_id)
            imported.rows.append({"client_id": client_id, "result": "deleted"})
    return imported


async def _imported(
    clients: Clients, metadata: dict[str, Any], client_id: str | None, allowed: Allowed
) -> dict[str, Any]:
    if client_id is not None:
        await update_client(clients, client_id, metadata, allowed)
        return {"client_id": client_id, "result": "updated"}
    registered = await add_client(clients, metadata, allowed)
    row = {"client_id": registered.client.client_id, "result": "added"}
    is_made = registered.client_secret and "client_secret" not in metadata
    return {**row, **({"client_secret": registered.client_secret} if is_made else {})}

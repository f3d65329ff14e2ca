"""Imports clients. An import can be repeated: it adds, updates and, on request, deletes clients."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.model import Json
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.record import Client
from shared.oauth.errors import OAuthError
from shared.operations.clients import Registered, add_client, every_client, update_client
from shared.operations.examination.examine import Examiner
from shared.operations.pydio import ClientFile
from shared.store import Clients


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result for each client, and notes about changes and refusals."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether no client was imported."""
        return all(row["result"] not in ("added", "updated") for row in self.rows)


class Ambiguous(Exception):
    """More than one client matches an entry without a client_id."""

    def __init__(self, client_ids: Sequence[str]) -> None:
        super().__init__(f"{', '.join(client_ids)} match: name one by its client_id")
        self.client_ids = client_ids


@dataclass(frozen=True, slots=True)
class _Identity:
    """The members that identify a client in an entry without a client_id."""

    client_name: str
    redirect_uris: frozenset[str]

    @classmethod
    def of(cls, client_name: object, redirect_uris: object) -> "_Identity":
        uris = redirect_uris if isinstance(redirect_uris, list | tuple) else ()
        return cls(str(client_name or ""), frozenset(uri for uri in uris if isinstance(uri, str)))


@dataclass(slots=True)
class _RegisteredClients:
    """The clients that were registered before the import.

    An entry without a client_id is the client that an operator registered with the same `client_name` and the
    same `redirect_uris`. The first import adds it, and the next ones update it.
    """

    ids: dict[str, bool] = field(default_factory=dict)  # whether an operator registered it
    _by_identity: dict[_Identity, list[str]] = field(default_factory=dict)

    def add(self, client: Client) -> None:
        self.ids[client.client_id] = not client.is_dynamically_registered
        if not client.is_dynamically_registered:
            identity = _Identity.of(client.client_name, client.redirect_uris)
            self._by_identity.setdefault(identity, []).append(client.client_id)

    def match(self, metadata: Json) -> str | None:
        """The client_id of the client that an entry describes. Raises Ambiguous."""
        if (client_id := metadata.get("client_id")) is not None:
            return str(client_id) if client_id in self.ids else None
        matches = self._by_identity.get(
            _Identity.of(metadata.get("client_name"), metadata.get("redirect_uris")), ()
        )
        if len(matches) > 1:
            raise Ambiguous(matches)
        return matches[0] if matches else None


async def import_clients(
    clients: Clients, file: ClientFile, allowed: Capabilities, examiner: Examiner, *, prune: bool
) -> ImportReport:
    """Add new clients and update the others. A refused entry does not stop the rest; notes contain warnings.

    *prune*: delete the operators' clients that the file does not describe.
    """
    report, registered = ImportReport(notes=list(file.notes)), _RegisteredClients()
    described = set[str | None]()
    async for client in every_client(clients):
        registered.add(client)
    for metadata in file.clients:
        client_id = metadata.get("client_id")
        try:
            client_id = registered.match(metadata) or client_id
            existing_id = client_id if client_id in registered.ids else None
            imported = await _imported(clients, metadata, existing_id, allowed)
        except (OAuthError, Ambiguous) as fault:
            name = client_id or metadata.get("client_name") or "A client without client_id"
            reason = fault.description if isinstance(fault, OAuthError) else fault
            if isinstance(fault, Ambiguous):  # one of them is described
                described.update(fault.client_ids)
            report.notes.append(f"{name}: refused: {reason}")
            row = {"client_id": client_id, "result": "refused"}
        else:
            row = _row(imported, metadata, is_new=existing_id is None)
            name = imported.client.client_id
            warnings = await examiner.examine(imported.client)
            report.notes.extend(f"{name}: warning: {warning}" for warning in warnings)
        described.add(row["client_id"])
        report.rows.append(row)
    for client_id, is_operators in registered.ids.items():
        if prune and is_operators and client_id not in described:
            await clients.delete(client_id)
            report.rows.append({"client_id": client_id, "result": "deleted"})
    return report


async def _imported(
    clients: Clients, metadata: Json, client_id: str | None, allowed: Capabilities
) -> Registered:
    if client_id is not None:
        return await update_client(clients, client_id, metadata, allowed)
    return await add_client(clients, metadata, allowed)


def _row(imported: Registered, metadata: Json, *, is_new: bool) -> dict[str, Any]:
    """The result, with the secret of a new client that the file did not choose."""
    row = {"client_id": imported.client.client_id, "result": "added" if is_new else "updated"}
    is_made = is_new and imported.client_secret and "client_secret" not in metadata
    return {**row, **({"client_secret": imported.client_secret} if is_made else {})}

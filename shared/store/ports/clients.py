"""Ports: clients, their registration, and the changes that every process follows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from shared.model import Author
from shared.oauth.client.record import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFilter:
    """The conditions that listed clients meet; None is no condition."""

    text: str | None = None  # contained in the client_id or the client_name, ignoring case
    is_disabled: bool | None = None
    is_dynamically_registered: bool | None = None
    is_document: bool = (
        False  # whether nobody registered it, because its client_id is the URL of its metadata
    )


EVERY_CLIENT = ClientFilter()

ClientEvent = Literal["client_changed", "client_secret_rotated"]


class Clients(Protocol):
    """Registered clients. PostgreSQL; `shared.live.client_cache` caches those in use.

    *by*: the author of the change in the audit row; None is an operator at the command line.
    """

    async def find(self, client_id: str) -> Client | None: ...

    async def list(
        self, after: str | None, limit: int, matching: ClientFilter = EVERY_CLIENT
    ) -> Sequence[Client]: ...

    async def list_startable(self, limit: int) -> Sequence[Client]:
        """Enabled clients with an `initiate_login_uri`, by name."""

    async def mapped_attributes(self) -> frozenset[str]:
        """The attributes of users that the `claims_mapping` of any client takes a value from."""

    async def add(
        self,
        client: Client,
        *,
        by: Author | None = None,
        quota: int | None = None,
        initial_access_token: bytes | None = None,
    ) -> None:
        """Raises Taken: the client_id is in use. Raises Full: the quota is reached. Raises UsedUp.

        *quota*: the number of clients that may have registered themselves. Concurrent calls do not exceed it.
        *initial_access_token*: the digest of the one of which this takes a use, in the same transaction.
        """

    async def replace(
        self, client: Client, *, by: Author | None = None, event: ClientEvent = "client_changed"
    ) -> None:
        """Write every field if the stored version is `client.version`. Raises Stale."""

    async def rewrap(self) -> int:
        """Encrypt stored secrets under the first secret key; the number of clients changed."""

    async def disable(self, client_id: str) -> bool: ...

    async def enable(self, client_id: str) -> bool: ...

    async def revoke_grants(self, client_id: str) -> bool:
        """Increment the client's epoch, which revokes every grant, token and code. Consents stay.

        False: there is no such client.
        """

    async def delete(self, client_id: str, *, by: Author | None = None, version: int | None = None) -> bool:
        """Increment the client's epoch and mark it for removal. Its client_id is free immediately.

        False: there is no such client, or none of that *version*.
        """


CLIENT_USE_NOTED_EVERY = timedelta(days=1)
"""The time after which a process marks a client again."""


class ClientUses(Protocol):
    """When clients last received a token, exact to CLIENT_USE_NOTED_EVERY. PostgreSQL."""

    async def mark(self, client_ids: Collection[str]) -> None:
        """Mark clients as used now."""

    async def unused(self, unused_for: timedelta) -> Mapping[str, datetime]:
        """The clients without a token for so long, with the time of the last, or of the registration.

        A grant counts as use.
        """

    async def expire(self, unused_for: timedelta) -> Sequence[str]:
        """Delete some of the clients that registered longer ago and were never used. Returns their ids.

        A grant or a consent counts as use. Disabled clients stay, as an operator has decided on them.
        """


class ClientRemovals(Protocol):
    """The records of deleted clients. PostgreSQL."""

    async def remove(self, batch: int) -> int:
        """Remove up to *batch* grants, consents and notices of a deleted client, and finally its row.

        Several workers may call it concurrently. Returns the number of removed records; 0: nothing is left.
        """


class InitialAccessTokens(Protocol):
    """Initial access tokens, by their digest. PostgreSQL."""

    async def add(
        self, token_hash: bytes, uses: int, expires_at: datetime, *, by: Author | None = None
    ) -> None: ...

    async def is_good(self, token_hash: bytes) -> bool:
        """Whether the token has a use left. Only `Clients.add`, which takes it, decides."""

    async def delete_expired(self) -> int:
        """Delete some of those that have expired. Returns their number; 0: nothing is left."""


class Changes(Protocol):
    """The change counter, which processes poll to invalidate their caches. PostgreSQL."""

    async def since(self, counter: int) -> "Change": ...


@dataclass(frozen=True, slots=True)
class Change:
    """The counter's current value, and the changes since an earlier one."""

    counter: int
    client_ids: tuple[str, ...]
    has_keys: bool
    has_resources: bool = False
    is_rewound: bool = False
    """The counter has decreased: the database was restored, and caches may be newer than it."""

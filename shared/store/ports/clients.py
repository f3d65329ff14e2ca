"""Clients, how they come to be, and how a process hears that one has changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from shared.oauth.client.record import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which clients a list shall hold; None: it does not matter."""

    text: str | None = None  # part of the client_id or the client_name, in any case
    is_disabled: bool | None = None
    is_dynamically_registered: bool | None = None


EVERY_CLIENT = Wanted()

ClientEvent = Literal["client_changed", "client_secret_rotated"]


class Clients(Protocol):
    """Registered clients. PostgreSQL; `shared.live.client_cache` keeps those in use in memory.

    *by* stands in the audit row: who made the change. None: an operator at the command line.
    """

    async def find(self, client_id: str) -> Client | None: ...

    async def list(
        self, after: str | None, limit: int, wanted: Wanted = EVERY_CLIENT
    ) -> Sequence[Client]: ...

    async def list_startable(self, limit: int) -> Sequence[Client]:
        """Clients at which a login may be started from here, by name; none that is disabled."""

    async def add(self, client: Client, *, by: str | None = None, quota: int | None = None) -> None:
        """Raises Taken when the client_id is.

        *quota*: how many clients may have registered themselves, exactly, however many do at once. Raises
        Full.
        """

    async def replace(
        self, client: Client, *, by: str | None = None, event: ClientEvent = "client_changed"
    ) -> None:
        """Write every field, if the stored version is `client.version`. Raises Stale."""

    async def rewrap(self) -> int:
        """Encrypt anew, under the first secret key, what is kept encrypted; how many were not."""

    async def disable(self, client_id: str) -> bool: ...

    async def enable(self, client_id: str) -> bool: ...

    async def revoke_grants(self, client_id: str) -> bool:
        """Raise the client's epoch: everything that it was given is over, codes in flight too.

        Consents stay. False: there is no such client.
        """

    async def delete(self, client_id: str, *, by: str | None = None, version: int | None = None) -> bool:
        """Raise the client's epoch and mark it for removal; its client_id is free at once.

        False: there is none, or not of that *version*.
        """


class ClientUses(Protocol):
    """Whether clients that registered themselves were ever used. PostgreSQL."""

    async def mark(self, client_ids: Collection[str]) -> None:
        """They have been used. Once is enough; more changes nothing."""

    async def expire(self, unused_for: timedelta) -> Sequence[str]:
        """Delete those that were registered so long ago and never used, some at a time; which they were.

        What grants and consents tell counts as use. Disabled clients stay: an operator decided on them.
        """


class ClientRemovals(Protocol):
    """What deleted clients leave behind. PostgreSQL."""

    async def remove(self, batch: int) -> int:
        """Remove so many grants, consents and notices of a deleted client, or at last the client.

        For a worker; several share the clients out. The number of records removed; 0: nothing is left.
        """


class InitialAccessTokens(Protocol):
    """Initial access tokens, by their digest. PostgreSQL."""

    async def add(
        self, token_hash: bytes, uses: int, expires_at: datetime, *, by: str | None = None
    ) -> None: ...

    async def is_good(self, token_hash: bytes) -> bool:
        """Whether a use is left now. Only `spend` decides."""

    async def spend(self, token_hash: bytes) -> bool:
        """Take one use. False: there is none left, or it has expired, or there is no such token."""

    async def delete_expired(self) -> None: ...


class Changes(Protocol):
    """The change counter: how a process learns that its caches are old. PostgreSQL, polled."""

    async def since(self, counter: int) -> "Change": ...


@dataclass(frozen=True, slots=True)
class Change:
    """The counter's value now, and what changed since the one given."""

    counter: int
    client_ids: tuple[str, ...]
    has_keys: bool
    is_rewound: bool = False
    """The counter went back: the database was restored, and everything in memory may be newer than it."""

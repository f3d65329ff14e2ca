"""Browser sessions, requests that wait, and consents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from shared.model import (
    Json,
    Scope,
    Session,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOwner:
    """Whose session a cookie names."""

    sid: UUID
    user_id: UUID
    username: str


class Sessions(Protocol):
    """Browser sessions: contents in Redis, one row in PostgreSQL that says whether it has ended."""

    async def begin(self, session: Session, replaced_key: bytes | None, detail: Json) -> Session | None:
        """Commit the row with its audit row, of which *detail* is part; then store the contents.

        The session that the browser had ends when it is another user's; the user's own goes on under the new
        key, with its `sid`. None: the user was disabled, or the `epoch` has risen, since it was read.
        """

    async def find(self, session_key: bytes, client_id: str) -> tuple[Session, Scope | None] | None:
        """The session, if it is alive, and what its user allows the client: two reads at once.

        To be found is to be used: the idle lifetime begins anew.
        """

    async def owner(self, session_key: bytes, *, is_ended_too: bool = False) -> SessionOwner | None:
        """Whose it is, if it is alive or *is_ended_too*: by PostgreSQL, or by Redis while that is away.

        Raises Unavailable: PostgreSQL is away, and Redis does not know the session, which may still be alive.
        """

    async def end(self, sid: UUID, reason: str) -> bool:
        """Commit the end, with its audit row and its logout notices. False: it had ended before."""

    async def clients(self, sid: UUID) -> Sequence[str]:
        """The clients that were given something within a session, ended or not, by client_id."""

    async def note_failure(self, user_id: UUID | None, detail: Json) -> None:
        """Write the audit row of a sign-in that failed."""


class Interactions(Protocol):
    """Authorization requests that wait for a person, by the digest of the handle. Redis."""

    async def add(self, interaction_hash: bytes, interaction: Json, lifetime: timedelta) -> None: ...

    async def find(self, interaction_hash: bytes) -> Json | None: ...

    async def replace(self, interaction_hash: bytes, interaction: Json) -> bool:
        """False: it is gone. Its lifetime stays."""

    async def end(self, interaction_hash: bytes) -> Json | None:
        """Take it out, once: of many callers one gets it."""


class PushedRequests(Protocol):
    """Pushed authorization requests, by the digest of the handle. Redis."""

    async def add(self, request_hash: bytes, pushed: Json, lifetime: timedelta) -> None: ...

    async def find(self, request_hash: bytes) -> Json | None: ...

    async def end(self, request_hash: bytes) -> bool:
        """Take it out, once: of many callers one gets True."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a client has of a user: the scope that it is given without asking, and the grants that stand."""

    client_id: str
    scope: Scope
    grants: int


class Consents(Protocol):
    """What a user allows a client to be given without asking again. PostgreSQL."""

    async def add(self, user_id: UUID, client_id: str, scope: Scope, *, is_remembered: bool) -> None:
        """Write the audit row of a consent, and widen by *scope* what is remembered."""

    async def given(self, user_id: UUID) -> Sequence[Given]:
        """What each client has of a user, by client_id."""

    async def revoke(self, user_id: UUID, client_id: str) -> int:
        """Take back all that a client has of a user; how many grants that were.

        Codes of the user that are in flight, for whichever client, are over too; sessions go on.
        """

"""Ports: browser sessions, interactions, pushed requests and consents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.model import Author, Json, Scope, Session
from shared.store.ports.mails import NewMail


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOwner:
    """The user of the session that a cookie names."""

    sid: UUID
    user_id: UUID
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A live session, for its user and for operators.

    `address` and `user_agent`: where its latest sign-in came from. `last_used_at` is None if Redis, which
    knows it, does not answer.
    """

    sid: UUID
    user_id: UUID
    created_at: datetime
    expires_at: datetime
    address: str | None = None
    user_agent: str | None = None
    last_used_at: datetime | None = None


class LiveSession(NamedTuple):
    """What PostgreSQL says of a live session. `needs_second_factor`: as of a `Session`."""

    sid: UUID
    user_id: UUID
    epoch: int
    needs_second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutExemption:
    """What goes on when the sessions and grants of a user end: those of one session.

    `has_offline_grants`: and every grant that outlives its session, and personal access tokens. `sid` is
    None: everything goes on, except sign-ins and codes that are pending.
    """

    sid: UUID | None = None
    has_offline_grants: bool = False


class SessionPage(NamedTuple):
    """Live sessions by `sid`. `last`: the `sid` after which the next page begins; None: there is none.

    A page may have fewer sessions than it was asked for.
    """

    rows: Sequence[SessionRow]
    last: UUID | None


class Sessions(Protocol):
    """Browser sessions: contents in Redis, and a row in PostgreSQL that says whether a session has ended."""

    async def begin(
        self,
        session: Session,
        replaced_key: bytes | None,
        detail: Json,
        *,
        mails: Sequence[NewMail] = (),
    ) -> Session | None:
        """Commit the row, its audit row, which both include *detail*, and *mails*; then store the contents.

        A replaced session of another user ends. A replaced session of the same user continues under the new
        key, with its `sid`. One that has this key already continues. None: the user was disabled, or their
        `epoch` has risen, since they were read; or the session of this key has ended, or there is another one
        to replace.
        """

    async def find(self, session_key: bytes) -> Session | None:
        """The session, if it is live. Finding it restarts its idle lifetime."""

    async def find_with_consent(
        self, session_key: bytes, client_id: str
    ) -> tuple[Session, Scope | None] | None:
        """As `find`, and as `Consents.of` for the session's user and *client_id*, by one statement."""

    async def of_user(self, user_id: UUID) -> Sequence[SessionRow]:
        """The live sessions of a user, oldest first. Listing them is no use of theirs."""

    async def list(self, after: UUID, limit: int, user_id: UUID | None = None) -> SessionPage:
        """The live sessions of the user, or of everybody, by `sid`."""

    async def get_live(self, sid: UUID) -> SessionRow | None:
        """A session for operators, if it is live."""

    async def owner(self, session_key: bytes, *, is_ended_too: bool = False) -> SessionOwner | None:
        """The owner of the session, if it is live or *is_ended_too*. Redis answers if PostgreSQL is down.

        Raises Unavailable if PostgreSQL is down and Redis does not know the session, which may be live.
        """

    async def end(self, sid: UUID, reason: str, *, of: UUID | None = None, by: Author | None = None) -> bool:
        """Commit the end, its audit row and its logout notices. *of*: the user whose session it must be.

        False: it had ended before, or is another user's.
        """

    async def clients(self, sid: UUID) -> Sequence[str]:
        """The client_ids of the clients with grants of a session, which may have ended."""

    async def note_failure(self, user_id: UUID | None, detail: Json) -> None:
        """Write the audit row of a failed sign-in."""


class Interactions(Protocol):
    """Authorization requests that wait for a user, by the digest of the handle. Redis."""

    async def add(self, interaction_hash: bytes, interaction: Json, lifetime: timedelta) -> None: ...

    async def find(self, interaction_hash: bytes) -> Json | None: ...

    async def replace(self, interaction_hash: bytes, interaction: Json) -> bool:
        """Replace the interaction and keep its lifetime. False: there is none."""

    async def end(self, interaction_hash: bytes) -> Json | None:
        """Remove and return the interaction: only one of several callers gets it."""


class PushedRequests(Protocol):
    """Pushed authorization requests, by the digest of the handle. Redis."""

    async def add(self, request_hash: bytes, pushed: Json, lifetime: timedelta) -> None: ...

    async def find(self, request_hash: bytes) -> Json | None: ...

    async def end(self, request_hash: bytes) -> bool:
        """Remove the request: only one of several callers gets True."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAccess:
    """The access of a client to a user's data: the remembered scope, and the number of live grants.

    `granted`: the scopes of these grants. `last_used_at`: the time of the latest grant or refresh.
    """

    client_id: str
    scope: Scope
    grants: int
    granted: Scope = ()
    last_used_at: datetime | None = None


class Consents(Protocol):
    """Scopes that users have allowed clients and are not asked for again. PostgreSQL."""

    async def add(self, user_id: UUID, client_id: str, scope: Scope, *, is_remembered: bool) -> None:
        """Write the audit row of a consent, and add *scope* to the remembered scope if *is_remembered*."""

    async def of(self, user_id: UUID, client_id: str) -> Scope | None:
        """The scope that the user has allowed the client. None: the user was never asked."""

    async def of_user(self, user_id: UUID) -> Sequence[ClientAccess]:
        """The clients that have access to a user's data, ordered by client_id."""

    async def revoke(self, user_id: UUID, client_id: str) -> int:
        """Revoke the access of a client to a user's data; the number of revoked grants.

        The client gets logout notices for the sessions in which it has grants.
        Codes of the user that are not yet redeemed, for any client, become invalid. Sessions continue.
        """

"""The ports: what services may ask of the stores, and the fault that every one of them may raise.

Which store decides is design, not chance. PostgreSQL holds what must never be forgotten or un-happen; Redis
holds what a user can do again. `open.py` makes the real ones; tests hold each fake against the same contract.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from shared.model import (
    AccessToken,
    Approved,
    Authorization,
    AuthorizationCode,
    Client,
    Denied,
    DeviceCode,
    Json,
    Scope,
    Session,
    User,
)


class Unavailable(Exception):
    """A store did not answer, or not in time. Never a verdict: the caller gets 503 with Retry-After."""


# Codes and grants


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFamily:
    """The refresh tokens of a grant that is about to be made."""

    family_hash: bytes
    token_hash: bytes
    idle: timedelta
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What became of a redemption. `is_mine` is false for a replay, which has just revoked `grant_id`."""

    grant_id: UUID
    is_mine: bool
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentCode:
    """What a grant remembers of the code it was made from."""

    grant_id: UUID
    client_id: str
    redirect_uri: str
    code_challenge: str | None


class AuthorizationCodes(Protocol):
    """Authorization codes in flight, by the digest of the code. Redis."""

    async def add(
        self, code_hash: bytes, code: AuthorizationCode, lifetime: timedelta, pushed: bytes | None = None
    ) -> bool:
        """Put a code into flight and, in the same round trip, end the pushed request that it answers.

        False: another answer has ended that request, and the code must not be sent.
        """

    async def find(self, code_hash: bytes) -> AuthorizationCode | None: ...

    async def count_failure(self, code_hash: bytes, limit: int) -> None:
        """Note a wrong try by the code's own authenticated client; the `limit`-th ends the code."""


@dataclass(frozen=True, slots=True)
class Polled:
    """A device code as its client finds it; `is_too_fast`: it has been polled within the interval."""

    code: DeviceCode
    is_too_fast: bool


class DeviceCodes(Protocol):
    """Device codes in flight, by the digest of the device code or by the user code. Redis."""

    async def add(self, code_hash: bytes, code: DeviceCode, lifetime: timedelta, most: int) -> bool:
        """False: its client has *most* in flight. Raises Taken when the user code is."""

    async def poll(self, code_hash: bytes, interval: timedelta) -> Polled | None:
        """None: there is none. One that has expired is remembered for a while."""

    async def find(self, user_code: str) -> tuple[bytes, DeviceCode] | None:
        """The digest and the code; None also where it has expired or been decided."""

    async def decide(self, code_hash: bytes, code: DeviceCode, state: Approved | Denied) -> bool:
        """Write down what the user decided, once. False: it was decided before."""

    async def may_guess(self, budget: int) -> bool:
        """Whether the wrong guesses of this period are within *budget*."""

    async def count_guess(self, period: timedelta) -> None:
        """Note a wrong guess at a user code: it counts for as many as are in flight."""


class Grants(Protocol):
    """Grants: one authorization each. PostgreSQL."""

    async def redeem(
        self,
        grant_id: UUID,
        code_hash: bytes,
        code: AuthorizationCode,
        expires_at: datetime,
        family: NewFamily | None,
    ) -> Redeemed | None:
        """Make the grant of a code, once: by one statement, idempotent in `grant_id`.

        A second redemption of the code revokes the grant of the first. None: the user is disabled, or the
        session has ended, since the code was made.
        """

    async def add(
        self,
        grant_id: UUID,
        authorization: Authorization,
        redirect_uri: str,
        epoch: int,
        expires_at: datetime,
    ) -> User | None:
        """Make the grant of a front-channel answer, by one statement, idempotent in `grant_id`.

        It ends with the session. None: the user is disabled, or the session has ended.
        """

    async def find_spent(self, code_hash: bytes) -> SpentCode | None: ...

    async def revoke(self, grant_id: UUID, reason: str) -> None: ...

    async def revoke_of_client(self, client_id: str) -> int:
        """Revoke every grant that a client has; how many. A code in flight may still become a new one."""

    async def revoke_access_token(self, token_id: UUID, expires_at: datetime, client_id: str) -> None: ...

    async def standing(self, token: AccessToken) -> "Standing | None":
        """Whether an access token still holds, and whose it is: one statement. None: it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An access token that holds. `user` and `authorization` are None for client_credentials."""

    user: User | None
    authorization: Authorization | None


# Refresh families


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A refresh token presented, and the successor made for it in case it is current."""

    family_hash: bytes
    presented_hash: bytes
    client_id: str
    candidate_hash: bytes
    candidate_sealed: bytes
    reuse_window: timedelta
    scope: Scope | None = None  # asked for: a grant that does not hold it all is not touched


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldToken:
    """The grant of a refresh token that holds. `expires_at` is the end that no rotation extends."""

    grant_id: UUID
    authorization: Authorization
    user: User
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """`now`: the candidate is current. `again`: an earlier successor is, sealed for the presented token.
    `spent`: the token was reused, and its grant has just been revoked."""

    verdict: Literal["now", "again", "spent"]
    sealed_successor: bytes
    held: HeldToken


class RefreshFamilies(Protocol):
    """Refresh tokens, one row a grant. PostgreSQL."""

    async def rotate(self, rotation: Rotation) -> Rotated | None:
        """Rotate by one statement. None: no such token for this client, and nothing has changed."""

    async def use(
        self, family_hash: bytes, presented_hash: bytes, client_id: str, scope: Scope | None
    ) -> HeldToken | None:
        """Use the current token, which stays; its use is noted at most once a minute. None as above."""

    async def find(
        self, family_hash: bytes, presented_hash: bytes, reuse_window: timedelta
    ) -> HeldToken | None:
        """The grant of a refresh token that holds: the current one, or its predecessor within the window."""

    async def revoke(self, family_hash: bytes, client_id: str, reason: str) -> None:
        """Revoke the grant of a family of this client, with its audit row."""


# Replay marks


class ReplayMarks(Protocol):
    """The `jti` of assertions and proofs: each counts once. Redis."""

    async def begin(self) -> None:
        """Called when a process starts: a Redis that knows nothing yet remembers from now on."""

    async def add(self, kind: str, owner: str, jti: str, issued_at: datetime, expires_at: datetime) -> bool:
        """Mark it. False: *owner* has used this `jti` for this *kind* before.

        Raises Unavailable also where it cannot be told, because it was issued before Redis lost its memory.
        """


# Sessions, interactions, consents


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

    async def owner(self, session_key: bytes) -> SessionOwner | None:
        """Whose it is, if it has not ended: by PostgreSQL, or by Redis where that is away."""

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


class Consents(Protocol):
    """What a user allows a client to be given without asking again. PostgreSQL."""

    async def add(self, user_id: UUID, client_id: str, scope: Scope, *, is_remembered: bool) -> None:
        """Write the audit row of a consent, and widen by *scope* what is remembered."""


# Users and clients


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and the hash of their password, None when they have none."""

    user: User
    password_hash: str | None


class Users(Protocol):
    """Users and their passwords. PostgreSQL. Names are compared after `shared.oauth.username.canonical`.

    User names and e-mail addresses are one namespace. A change of a user who is not there changes nothing.
    """

    async def find_credential(self, username: str) -> Credential | None:
        """By user name or e-mail address."""

    async def find(self, user_id: UUID) -> User | None: ...

    async def find_by_name(self, username: str) -> User | None: ...

    async def list(self, after: str | None, limit: int) -> Sequence[User]: ...

    async def add(self, user: User, password_hash: str | None) -> None:
        """Raises Taken when the name or the e-mail address is."""

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        """A new password ends every session and grant: `epoch` rises in the same statement."""

    async def rehash(self, user_id: UUID, old_hash: str, new_hash: str) -> None:
        """The same password under newer parameters; nothing ends."""

    async def set_claims(self, user_id: UUID, claims: Json) -> None:
        """Raises Taken when the e-mail address is."""

    async def disable(self, user_id: UUID) -> None: ...

    async def enable(self, user_id: UUID) -> None: ...

    async def end_all(self, user_id: UUID) -> None:
        """End every session and grant of the user."""

    async def delete(self, user_id: UUID) -> None: ...


class Taken(Exception):
    """The name is in use."""


class Stale(Exception):
    """The record has changed since it was read."""


class Full(Exception):
    """There are as many clients that registered themselves as there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which clients a list shall hold; None: it does not matter."""

    text: str | None = None  # part of the client_id or the client_name, in any case
    is_disabled: bool | None = None
    is_dynamically_registered: bool | None = None


EVERY_CLIENT = Wanted()

ClientEvent = Literal["client_changed", "client_secret_rotated"]


class Clients(Protocol):
    """Registered clients. PostgreSQL; `shared.client_cache` keeps those in use in memory.

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

    async def delete(self, client_id: str, *, by: str | None = None, version: int | None = None) -> bool:
        """False: there is none, or not of that *version*."""


class ClientUses(Protocol):
    """Whether clients that registered themselves were ever used. PostgreSQL."""

    async def mark(self, client_ids: Collection[str]) -> None:
        """They have been used. Once is enough; more changes nothing."""

    async def expire(self, unused_for: timedelta) -> Sequence[str]:
        """Delete those that were registered so long ago and never used, some at a time; which they were.

        What grants and consents tell counts as use. Disabled clients stay: an operator decided on them.
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


# Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A row of the key table. `private` is encrypted under the secret key; it is empty once it is gone.

    `salt`: of pairwise subject identifiers. There is one, and it never changes.
    """

    kid: str
    use: Literal["sig", "seal", "salt"]
    alg: str
    public_jwk: Json | None
    private: bytes
    published_at: datetime
    activates_at: datetime | None  # None: `next`, without a date
    retires_at: datetime | None  # when the last token it made has expired: leaves the JWKS
    is_compromised: bool = False


class Keys(Protocol):
    """Signing and sealing keys. PostgreSQL."""

    async def load(self) -> tuple[StoredKey, ...]: ...

    def change(self) -> AbstractAsyncContextManager["KeyChange"]:
        """A transaction that holds the key table for itself: read, decide, write."""


class KeyChange(Protocol):
    """The key table, locked."""

    async def load(self) -> tuple[StoredKey, ...]: ...

    async def write(self, keys: Sequence[StoredKey], event: str) -> None:
        """Insert or update each key by its kid, with an audit row; tell every process."""


# Background work


class Leases(Protocol):
    """Who does a piece of background work. PostgreSQL."""

    async def take(self, name: str, holder: UUID, period: timedelta) -> bool:
        """Take or renew the lease for *period*. False: another has it."""


# Logout notices


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotice:
    """What a client is yet to be told by the back channel: a session of one of its users has ended."""

    notice_id: UUID  # the `jti` of its logout token, at every try
    client_id: str
    sid: UUID
    user_id: UUID
    tries: int
    created_at: datetime
    due_at: datetime
    given_up_at: datetime | None


class Outbox(Protocol):
    """Logout notices that wait, written by the transactions that end sessions. PostgreSQL."""

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[LogoutNotice]:
        """Notices that are due, for this caller alone until the lease ends: then they are due again."""

    async def settle(self, notice_id: UUID) -> None:
        """The client has been told, or there is nobody to tell any more."""

    async def put_off(self, notice_id: UUID, due_at: datetime) -> None: ...

    async def give_up(self, notice_id: UUID, now: datetime, remembered: timedelta) -> None:
        """Try no more, with an audit row; what was given up longer ago than *remembered* is forgotten."""

    async def list(self, limit: int) -> Sequence[LogoutNotice]:
        """Everything that waits or was given up, the oldest first."""

    async def retry(self) -> int:
        """What was given up begins anew; how many."""


# Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many tries are free, and how the wait after each further one doubles."""

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    forgotten_after: timedelta  # without a try


class Counters(Protocol):
    """Tries that may fail, counted before they are made: many at once are as bounded as one after another.

    Redis; each process remembers its own, in case Redis forgets.
    """

    async def attempt(self, name: str, key: str, pace: Pace) -> timedelta | None:
        """Count a try. None: go ahead; else how long to wait, and nothing was counted."""

    async def take_back(self, name: str, key: str) -> None:
        """The try counted last did not fail."""

    async def forget(self, name: str, key: str, pace: Pace) -> None:
        """All that were counted no longer matter."""


# Audit


class AuditLog(Protocol):
    """The audit log, read. It is written by the statements of the changes themselves."""

    def read(self, since: datetime | None = None) -> AsyncIterator[Json]: ...

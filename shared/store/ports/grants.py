"""Ports: codes, and the grants that they become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.model import (
    Approved,
    Authentication,
    Author,
    Authorization,
    AuthorizationCode,
    Denied,
    DeviceCode,
    Json,
    Scope,
    User,
)
from shared.oauth.tokens.access_token import AccessToken

KEPT_FOR = timedelta(minutes=5)
"""The time for redeeming a code after an attempt whose outcome is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFamily:
    """The refresh tokens of a new grant. `sender_key`: the key that they are bound to."""

    family_hash: bytes
    token_hash: bytes
    idle: timedelta
    expires_at: datetime
    sender_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to redeem a code. Times are those of `time.monotonic`.

    `completed_at`: when the request was complete. None: the request proved neither a code challenge nor a
    client's identity, so it is never taken for a retry.
    """

    attempt_id: UUID
    deadline: float
    completed_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """The outcome of an attempt. `is_mine`: it has made the grant; otherwise another one has.

    `is_replay`: this attempt has just revoked the grant. Otherwise the attempts ran at the same time, or a
    later one has replaced this one.
    """

    grant_id: UUID
    is_mine: bool
    is_replay: bool
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentCode:
    """The part of a code that its grant remembers."""

    grant_id: UUID
    client_id: str
    redirect_uri: str
    code_challenge: str | None


class AuthorizationCodes(Protocol):
    """Pending authorization codes, by the digest of the code. Redis."""

    async def add(
        self, code_hash: bytes, code: AuthorizationCode, lifetime: timedelta, pushed: bytes | None = None
    ) -> bool:
        """Add a code and, in the same round trip, end the pushed request that it answers.

        False: another response has ended that request, and the code must not be sent.
        """

    async def find(self, code_hash: bytes) -> AuthorizationCode | None: ...

    async def count_failure(self, code_hash: bytes, limit: int) -> None:
        """Count a failed attempt by the code's own authenticated client. The `limit`-th ends the code."""

    async def keep_attempt(self, code_hash: bytes, attempt_id: UUID) -> None:
        """Store an attempt whose outcome is unknown with its code, which lives for KEPT_FOR from now on."""


@dataclass(frozen=True, slots=True)
class Polled:
    """A polled device code. `is_too_fast`: it was polled before within the interval."""

    code: DeviceCode
    is_too_fast: bool


class DeviceCodes(Protocol):
    """Pending device codes, by the digest of the device code or by the user code. Redis."""

    async def add(self, code_hash: bytes, code: DeviceCode, lifetime: timedelta, most: int) -> bool:
        """Add a code. False: its client has *most* pending. Raises Taken if the user code is taken."""

    async def poll(self, code_hash: bytes, interval: timedelta, growth: timedelta) -> Polled | None:
        """The code, for its client. None: it does not exist. An expired code is remembered for a while.

        Each poll that is too fast makes the interval of a pending code longer for good (RFC 8628 §3.5).
        """

    async def find(self, user_code: str) -> tuple[bytes, DeviceCode] | None:
        """The digest and the code. None also if it has expired or is decided."""

    async def decide(self, code_hash: bytes, code: DeviceCode, state: Approved | Denied) -> bool:
        """Store the user's decision, once. False: it was decided before."""

    async def may_guess(self, budget: int) -> bool:
        """Whether the wrong guesses of the period are within *budget*."""

    async def count_guess(self, period: timedelta) -> None:
        """Count a wrong guess at a user code, as many times as codes are pending."""

    async def keep_attempt(self, code_hash: bytes, attempt_id: UUID) -> None:
        """As `AuthorizationCodes.keep_attempt`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """A live grant. `sid`: the session that it was made in. Unless it `is_offline`, it ends with that."""

    grant_id: UUID
    client_id: str
    user_id: UUID
    sid: UUID
    scope: Scope
    is_offline: bool
    created_at: datetime
    expires_at: datetime


class Grants(Protocol):
    """Grants: one authorization each. PostgreSQL."""

    async def redeem(
        self,
        attempt: Attempt,
        code_hash: bytes,
        code: AuthorizationCode,
        expires_at: datetime,
        family: NewFamily | None,
        *,
        with_groups: bool = False,
    ) -> Redeemed | None:
        """Make the grant of a code, once, by one statement that is idempotent in the attempt.

        *with_groups*: the user is read with their groups.

        An attempt takes the grant over from one in `code.unknown_attempts`, and replaces its refresh family.
        Any other second redemption revokes the grant, unless its request was complete before the grant was
        made. None: since the code was made, the user was disabled or the session has ended.

        Raises Unavailable, and has done nothing, past the attempt's deadline by the server's clock.
        """

    async def add(
        self,
        grant_id: UUID,
        authorization: Authorization,
        redirect_uri: str,
        epoch: int,
        expires_at: datetime,
        *,
        with_groups: bool = False,
    ) -> User | None:
        """Make the grant of a front-channel answer, by one statement, idempotent in `grant_id`.

        *with_groups* as for `redeem`. It ends with the session. None: the user is disabled, or the session
        has ended.
        """

    async def find_spent(self, code_hash: bytes) -> SpentCode | None: ...

    async def revoke(self, grant_id: UUID, reason: str, *, by: Author | None = None) -> None: ...

    async def revoke_replayed(self, code_hash: bytes, client_id: str, attempt: Attempt) -> None:
        """Revoke the grant of a code that is over and was presented again; exceptions as for `redeem`."""

    async def list_of_user(
        self, user_id: UUID, after: UUID, limit: int, client_id: str | None = None
    ) -> Sequence[GrantRow]:
        """The live grants of a user, to every client or to one, by `grant_id`."""

    async def list_of_client(self, client_id: str, after: UUID, limit: int) -> Sequence[GrantRow]:
        """The live grants of a client, by `grant_id`."""

    async def get_live(self, grant_id: UUID) -> GrantRow | None:
        """A grant for operators, if it is live."""

    async def count_of_client(self, client_id: str) -> int:
        """The number of live grants of a client, among at most 10 000 that are read."""

    async def revoke_access_token(self, token_id: UUID, expires_at: datetime, client_id: str) -> None: ...

    async def holds(self, token: AccessToken) -> bool:
        """Whether an access token is still valid, by one statement."""

    async def find_owner(self, token: AccessToken) -> "TokenOwner | None":
        """The owner of an access token that is still valid, by one statement."""

    async def find_user(self, token: AccessToken, *, with_groups: bool = False) -> "TokenUser | None":
        """The user of an access token, by one statement.

        The groups are read if the scope or the claims requested ask for them, or *with_groups*. None: the
        token has been revoked, or it has no user, as for client_credentials.
        """


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """The user of an access token. All are None if a client has it for itself, as for client_credentials."""

    user_id: UUID | None
    username: str | None
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUser:
    """The user of an access token, their authentication, and the claims that the grant requested by name."""

    user: User
    authentication: Authentication
    requested: Mapping[str, Json | None]  # of the userinfo endpoint, by name: OpenID Connect Core 1.0 §5.5

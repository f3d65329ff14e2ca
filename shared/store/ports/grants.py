"""Codes, and the grants that they become."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.model import (
    AccessToken,
    Approved,
    Authorization,
    AuthorizationCode,
    Denied,
    DeviceCode,
    Json,
    User,
)


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

    async def holds(self, token: AccessToken) -> bool:
        """Whether an access token still holds: one statement."""

    async def standing(self, token: AccessToken) -> "Standing | None":
        """Whose an access token is, and what it may tell: one statement. None: it does not hold, or there
        is no user, as for client_credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An access token that holds."""

    user: User
    requested: Mapping[str, Json | None]  # of the userinfo endpoint, by name: OpenID Connect Core 1.0 §5.5

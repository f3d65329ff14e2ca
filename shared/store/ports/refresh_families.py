"""Ports: refresh tokens, one family for each grant."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from shared.model import (
    Authorization,
    Scope,
    User,
)

MAX_OUTAGE = timedelta(minutes=15)
"""The maximum that outages add to the reuse window."""


class GrantedResources(NamedTuple):
    """The resources of a refresh, as far as they are known before its grant (RFC 8707 §2.2).

    A grant with resources must have all of `keys` if the request named them (`are_named`). Otherwise it must
    have exactly one, among `keys`. A grant without resources is refreshed if `may_have_none`. Keys are
    canonical identifiers.
    """

    keys: tuple[str, ...] = ()
    are_named: bool = False
    may_have_none: bool = True


NO_RESOURCES = GrantedResources()
"""For a request that names no resource, if none is registered."""


class Rotation(NamedTuple):
    """A presented refresh token, and a successor in case it is current."""

    family_hash: bytes
    presented_hash: bytes
    client_id: str
    candidate_hash: bytes
    candidate_sealed: bytes
    reuse_window: timedelta
    deadline: float  # by `time.monotonic`
    scope: Scope | None = None  # requested; a grant without all of it is not changed
    resources: GrantedResources = NO_RESOURCES  # likewise
    sender_key: str | None = None  # proved by the request
    with_groups: bool = False  # read the user's groups, even if neither scope nor claims ask for them


class RefreshableGrant(NamedTuple):
    """The grant of a valid refresh token.

    `idle`: the time for which a token may stay unused. `expires_at`: the end, which no rotation extends.
    `sender_key`: the key that the family is bound to (`Sender.key`); None: it is not bound.
    """

    grant_id: UUID
    authorization: Authorization
    user: User
    idle: timedelta
    expires_at: datetime
    sender_key: str | None


class Rotated(NamedTuple):
    """`now`: the candidate is current. `again`: an earlier successor is, sealed for the presented token.
    `spent`: the token was reused, and its grant has just been revoked."""

    verdict: Literal["now", "again", "spent"]
    sealed_successor: bytes
    grant: RefreshableGrant


class RefreshFamilies(Protocol):
    """Refresh tokens, one row a grant. PostgreSQL."""

    async def rotate(self, rotation: Rotation) -> Rotated | None:
        """Rotate by one statement. None: no such token for this client and sender; nothing has changed.

        Outages of PostgreSQL (`Outages`) extend the window, by MAX_OUTAGE at most. Raises Unavailable, and
        has done nothing, past the deadline by the server's clock.
        """

    async def use(
        self,
        family_hash: bytes,
        presented_hash: bytes,
        client_id: str,
        scope: Scope | None,
        sender_key: str | None = None,
        *,
        resources: GrantedResources = NO_RESOURCES,
        with_groups: bool = False,
        may_be_unbound: bool = True,
    ) -> RefreshableGrant | None:
        """Use the current token, which stays. Its use is noted at most once a minute. None as above.

        None also, unless it *may_be_unbound*, if the family is not bound to the sender.
        """

    async def find(
        self, family_hash: bytes, presented_hash: bytes, reuse_window: timedelta
    ) -> RefreshableGrant | None:
        """The grant of a valid refresh token, for any sender.

        It is the current token, or its predecessor within the window.
        """

    async def revoke(self, family_hash: bytes, client_id: str, reason: str) -> None:
        """Revoke the grant of a family of this client, with its audit row."""

"""The records that cross services. Frozen; times are aware UTC; a scope is a tuple of scope-tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

Scope = tuple[str, ...]
Json = Mapping[str, Any]

OFFLINE_SCOPES = frozenset({"offline_access", "offline"})  # the second is what Cells' clients send


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user. `user_id` is the public `sub`; `claims` holds OpenID standard claims and Cells' own.

    `groups`: the names of the groups that the user is in, sorted by code point; `direct_groups`: of those
    that the user is in by themselves, not only through another group. `roles` and `direct_roles` likewise.
    None: they have not been read.
    """

    user_id: UUID
    username: str
    claims: Json = field(default_factory=dict)
    epoch: int = 0
    claims_version: int = 0
    disabled_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    groups: tuple[str, ...] | None = None
    direct_groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    direct_roles: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How and when a user showed who they are: OpenID Connect Core 1.0 §2, RFC 8176."""

    auth_time: datetime
    acr: str
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser's sign-in. Alive while it is in Redis, not ended, and its `epoch` is the user's.

    `needs_second_factor`: a group of the user requires one, whatever this sign-in has.
    """

    session_key: bytes  # digest of the cookie's handle
    sid: UUID
    user_id: UUID
    username: str
    epoch: int
    authentication: Authentication
    expires_at: datetime  # whatever its use
    needs_second_factor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsRequest:
    """The `claims` parameter: OpenID Connect Core 1.0 §5.5. Claim name to its request object, or None."""

    userinfo: Mapping[str, Json | None] = field(default_factory=dict)
    id_token: Mapping[str, Json | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What a user gave a client at one moment: carried by a code, kept by a grant.

    `resources`: the canonical identifiers of the APIs that it is for; none: it names no API.
    """

    client_id: str
    user_id: UUID
    sid: UUID
    scope: Scope
    authentication: Authentication
    claims: ClaimsRequest = field(default_factory=ClaimsRequest)
    nonce: str | None = None
    client_epoch: int = 0
    resources: tuple[str, ...] = ()

    @property
    def is_offline(self) -> bool:
        """Whether the grant outlives the browser session: OpenID Connect Core 1.0 §11."""
        return not OFFLINE_SCOPES.isdisjoint(self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """What an authorization code stands for.

    `unknown_attempts`: attempts to redeem it of which nobody knows the outcome.
    """

    authorization: Authorization
    redirect_uri: str
    code_challenge: str | None  # always S256
    epoch: int
    expires_at: datetime
    unknown_attempts: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """Nobody has decided yet."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The user has refused."""


@dataclass(frozen=True, slots=True)
class Approved:
    """The user has allowed it, at this `epoch`."""

    authorization: Authorization
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a device code stands for: RFC 8628 §3.2.

    `user_code` as it is shown; `resources` as of an authorization, attempts as for a code.
    """

    client_id: str
    scope: Scope
    user_code: str
    expires_at: datetime
    client_epoch: int = 0
    resources: tuple[str, ...] = ()
    state: Pending | Denied | Approved = field(default_factory=Pending)
    unknown_attempts: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a change: a client, or a word such as `itself` in the audit log.

    `user_id`: the administrator for whom the client acted. `rights`: the administration scopes of the author.
    """

    by: str
    user_id: UUID | None = None
    rights: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """A row of the audit log."""

    audit_id: int
    at: datetime
    event: str
    user_id: UUID | None
    client_id: str | None
    detail: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSegment:
    """Sealed rows of the audit log. `is_removed`: they have been removed by age, and only this is left."""

    segment_id: int
    audit_ids: tuple[int, ...]
    hash: bytes
    last_at: datetime
    checkpoint: str
    is_removed: bool = False

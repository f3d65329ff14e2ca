"""The record of a protected resource. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from shared.oauth.resource.identifier import canonical

AccessTokenFormat = Literal["opaque", "jwt"]
Texts = Mapping[str, str]
"""A text for people by its language tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedResource:
    """An API that clients may request access tokens for (RFC 8707).

    `resource`: its identifier, as in `aud`. `scopes`: its scopes, with the texts that users read. If format,
    lifetime or signing algorithm are None, the client's apply. `acr_values`: the user's authentication must
    have reached one of them; empty: any. `clients`: the clients that may request it; None: any.
    """

    resource: str
    name: str
    scopes: Mapping[str, Texts] = field(default_factory=dict)
    access_token_format: AccessTokenFormat | None = None
    access_token_lifetime: timedelta | None = None
    access_token_signing_alg: str | None = None
    introspection_clients: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    clients: tuple[str, ...] | None = None
    version: int = 1
    created_at: datetime | None = None
    is_own: bool = False  # this server's own, which is not registered

    @property
    def key(self) -> str:
        """The canonical form of the identifier, by which grants name the resource."""
        return canonical(self.resource)

    def is_available_to(self, client_id: str) -> bool:
        """Whether the client may request it."""
        return self.clients is None or client_id in self.clients

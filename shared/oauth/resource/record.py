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
    """An API for which clients may ask access tokens: RFC 8707.

    `resource`: its identifier, as `aud` spells it. `scopes`: those that it understands, with what people read
    about them. Format, lifetime and signing algorithm are the client's where they are None. `acr_values`: the
    authentication of a grant's user must have reached one of them; empty: any will do. `clients`: which may
    ask for it; None: any.
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
    is_own: bool = False  # of this server, so nobody registers it

    @property
    def key(self) -> str:
        """The canonical form of the identifier, by which grants name the resource."""
        return canonical(self.resource)

    def is_available_to(self, client_id: str) -> bool:
        """Whether the client may ask for it."""
        return self.clients is None or client_id in self.clients

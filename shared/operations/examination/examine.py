"""Examining a client that an operator has added or changed."""

from dataclasses import dataclass, replace
from typing import Self

from shared.oauth.client.record import Client
from shared.oauth.resource.own import own_resources
from shared.operations.clients import Registered
from shared.operations.examination.warnings import ClientWarning, client_warnings, configured_claims
from shared.store import ProtectedResources, Unavailable, Users
from shared.store.open import Stores


@dataclass(frozen=True, slots=True)
class Examiner:
    """The stores that say what a deployment has."""

    users: Users
    resources: ProtectedResources
    issuer: str

    @classmethod
    def of(cls, stores: Stores, issuer: str) -> Self:
        return cls(stores.users, stores.protected_resources, issuer)

    async def examined(self, registered: Registered) -> Registered:
        """*registered* with its warnings."""
        return replace(registered, warnings=await self.examine(registered.client))

    async def examine(self, client: Client) -> tuple[ClientWarning, ...]:
        """The warnings about *client*.

        The client is registered already, so this does not fail: while PostgreSQL is unavailable, every scope
        counts as known and every claim as present.
        """
        scopes, absent = frozenset(client.scope), frozenset[str]()
        try:
            resources = (*await self.resources.every(), *own_resources(self.issuer))
            absent = await self.users.absent_claims(configured_claims(client))
            scopes = frozenset(scope for resource in resources for scope in resource.scopes)
        except Unavailable:
            pass
        return tuple(client_warnings(client, scopes, absent))

"""Authorization of the administration: a client for itself, or an administrator through a marked client."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from aiohttp import web

from shared.administration.faults import faults_as_errors
from shared.config.settings import Settings
from shared.issuing.access_tokens import AccessTokens
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.live.keyring import KeyRing
from shared.model import Authentication, Author
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, methods_of, satisfied
from shared.oauth.client.record import Client
from shared.oauth.errors import InsufficientScope, InsufficientUserAuthentication, InvalidToken
from shared.oauth.resource.own import administration_resource
from shared.operations.rights import rights_in
from shared.operations.second_factors import lacks_second_factor
from shared.store import Groups, SecondFactors
from shared.store.open import Stores
from shared.web.bearer import Credentials, ResourceServer, check_scope, required_credentials
from shared.web.client import note_client

FRESH_FOR = timedelta(hours=1)
"""How long ago an administrator may have signed in."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of an endpoint.

    `rights`: the administration scopes that the caller has. `user_id`: the administrator for whom the client
    acts, and `authentication`: how they have signed in.
    """

    client: Client
    rights: frozenset[str]
    user_id: UUID | None = None
    authentication: Authentication | None = None

    def check(self, scope: str) -> None:
        """Raises InsufficientScope: a part of the request needs *scope*, too."""
        if scope not in self.rights:
            description = f"the caller lacks scope {scope}"
            raise InsufficientScope(description, scope=scope, client_id=self.client.client_id)

    def check_several_factors(self, within: timedelta, now: datetime) -> UUID:
        """The administrator, who has signed in by several factors *within* this time.

        Raises InsufficientUserAuthentication, also for a client that acts for itself (RFC 9470 §3).
        """
        signed_in = self.authentication
        has_several = signed_in and ACR_MULTIPLE_FACTORS in satisfied(methods_of(signed_in.amr))
        is_old = signed_in is None or now - signed_in.auth_time > within
        if self.user_id is None or is_old or not has_several:
            raise InsufficientUserAuthentication(
                "an administrator must sign in again, by several factors",
                acr_values=() if has_several else (ACR_MULTIPLE_FACTORS,),
                max_age=within if is_old else None,
                client_id=self.client.client_id,
            )
        return self.user_id

    @property
    def author(self) -> Author:
        """The author of what the caller changes."""
        return Author(self.client.client_id, self.user_id, self.rights)


AdminEndpoint = Callable[[web.Request, Caller], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Administrators:
    """Authorizes the access tokens of clients for themselves, and of users who are administrators."""

    guard: ResourceServer
    groups: Groups
    second_factors: SecondFactors
    has_second_factors: bool

    @classmethod
    def of(cls, settings: Settings, stores: Stores, keyring: KeyRing, clients: ClientCache) -> Self:
        """Those of a deployment."""
        issuer = settings.issuer
        audiences = frozenset((issuer, administration_resource(issuer)))
        guard = ResourceServer(audiences, AccessTokens(issuer, keyring, stores.grants), clients)
        return cls(guard, stores.groups, stores.second_factors, settings.has_second_factors)

    async def check(self, presented: Credentials, scope: str, now: datetime) -> Caller:
        """The caller. Raises InvalidToken, InsufficientScope, InsufficientUserAuthentication, Unavailable.

        A scope counts while the client is registered for it and, of a user, while one of their groups has it.
        """
        token, client = await self.guard.verify(presented, now)
        owner = None if client.disabled_at else await self.guard.access_tokens.find_owner(token)
        if owner is None:
            raise InvalidToken("the access token is not valid here", client_id=client.client_id)
        check_scope(token, scope)
        rights = rights_in(token.scope).intersection(client.scope)
        if token.grant_id is not None:
            if owner.user_id is None or owner.authentication is None or not client.allow_administration:
                description = "the client may not administer for users"
                raise InsufficientScope(description, scope=scope, client_id=client.client_id)
            rights &= await self.groups.rights_of_user(owner.user_id)
            await self._check_fresh(owner.user_id, owner.authentication, client, now)
        caller = Caller(client, rights, owner.user_id, owner.authentication)
        caller.check(scope)
        return caller

    async def _check_fresh(
        self, user_id: UUID, authentication: Authentication, client: Client, now: datetime
    ) -> None:
        """Demand a recent sign-in, and by a second factor of a user who has one (RFC 9470 §3)."""
        is_old = now - authentication.auth_time > FRESH_FOR
        lacks_factor = self.has_second_factors and await lacks_second_factor(
            self.second_factors, user_id, authentication
        )
        if is_old or lacks_factor:
            raise InsufficientUserAuthentication(
                "the administrator must sign in again",
                acr_values=(ACR_MULTIPLE_FACTORS,) if lacks_factor else (),
                max_age=FRESH_FOR if is_old else None,
                client_id=client.client_id,
            )


ADMINISTRATORS = web.AppKey("ADMINISTRATORS", Administrators)


def administering(scope: str, endpoint: AdminEndpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that calls *endpoint* for callers with *scope*, and raises every fault as an OAuthError."""

    async def handler(request: web.Request) -> web.Response:
        presented = required_credentials(request)
        caller = await request.app[ADMINISTRATORS].check(presented, scope, clock.now())
        note_client(request, caller.client)
        with faults_as_errors():
            return await endpoint(request, caller)

    return handler

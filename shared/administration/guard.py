"""Authorization of the administration: a client with an access token of its own that has the scope."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from aiohttp import web

from shared.administration.faults import faults_as_errors
from shared.issuing.access_tokens import AccessTokens
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.live.keyring import KeyRing
from shared.model import Author
from shared.oauth.client.record import Client
from shared.oauth.errors import InsufficientScope, InvalidToken
from shared.oauth.resource.own import administration_resource
from shared.store import Grants
from shared.web.bearer import Credentials, ResourceServer, check_scope, required_credentials
from shared.web.client import note_client


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of an endpoint. `rights`: the scopes of its access token that count."""

    client: Client
    rights: frozenset[str]

    def check(self, scope: str) -> None:
        """Raises InsufficientScope: a part of the request needs *scope*, too."""
        if scope not in self.rights:
            raise InsufficientScope(
                f"the access token lacks scope {scope}", scope=scope, client_id=self.client.client_id
            )

    @property
    def author(self) -> Author:
        """For the audit log."""
        return Author(self.client.client_id)


AdminEndpoint = Callable[[web.Request, Caller], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Administrators:
    """Authorizes clients by their own access tokens."""

    guard: ResourceServer

    @classmethod
    def of(cls, issuer: str, keyring: KeyRing, grants: Grants, clients: ClientCache) -> Self:
        """Those of a deployment."""
        audiences = frozenset((issuer, administration_resource(issuer)))
        return cls(ResourceServer(audiences, AccessTokens(issuer, keyring, grants), clients))

    async def check(self, presented: Credentials, scope: str, now: datetime) -> Caller:
        """The caller. Raises InvalidToken, InsufficientScope, Unavailable.

        The client acts for itself: a user's grant never covers administration. The scope counts while the
        client is registered for it.
        """
        token, client = await self.guard.verify(presented, now)
        if client.disabled_at or not await self.guard.access_tokens.holds(token):
            raise InvalidToken("the access token is not valid here", client_id=client.client_id)
        check_scope(token, scope)
        if token.grant_id is not None or scope not in client.scope:
            description = f"a client's own access token with scope {scope} is needed"
            raise InsufficientScope(description, scope=scope, client_id=client.client_id)
        return Caller(client, frozenset(token.scope).intersection(client.scope))


ADMINISTRATORS = web.AppKey("ADMINISTRATORS", Administrators)


def administering(scope: str, endpoint: AdminEndpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that calls *endpoint* for clients with *scope*, and raises every fault as an OAuthError."""

    async def handler(request: web.Request) -> web.Response:
        presented = required_credentials(request)
        caller = await request.app[ADMINISTRATORS].check(presented, scope, clock.now())
        note_client(request, caller.client)
        with faults_as_errors():
            return await endpoint(request, caller)

    return handler

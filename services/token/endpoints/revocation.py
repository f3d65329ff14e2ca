"""The revocation endpoint: RFC 7009."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from shared.issuing.access_tokens import AccessTokens
from shared.issuing.client_authentication import ClientAuthentication
from shared.live import clock
from shared.oauth.client.record import Client
from shared.oauth.tokens.refresh_token import parse_refresh_token
from shared.store import Grants, RefreshFamilies
from shared.web.client import note_client
from shared.web.form import authorization_header, form
from shared.web.forwarded import client_address
from shared.web.headers import NO_STORE, SAFE

REASON = "revoked_by_client"


@dataclass(frozen=True, slots=True)
class RevocationEndpoint:
    """Collaborators of the revocation endpoint."""

    authentication: ClientAuthentication
    access_tokens: AccessTokens
    grants: Grants
    refresh_families: RefreshFamilies

    async def revoke(self, client: Client, value: str, now: datetime) -> None:
        """Revoke a token of this client; a refresh token ends its whole grant.

        A token that is unknown, expired or another client's is ignored: RFC 7009 §2.2. Raises Unavailable.
        """
        if presented := parse_refresh_token(value):
            await self.refresh_families.revoke(presented.family_hash, client.client_id, REASON)
            return
        token = await self.access_tokens.read(value, now)
        if token and token.client_id == client.client_id:
            await self.grants.revoke_access_token(token.token_id, token.exp, client.client_id)


REVOCATION_ENDPOINT = web.AppKey("REVOCATION_ENDPOINT", RevocationEndpoint)


async def revoke(request: web.Request) -> web.Response:
    endpoint, now = request.app[REVOCATION_ENDPOINT], clock.now()
    parameters = await form(request)
    parameters.refuse_repeated(["token", "token_type_hint"])
    address = partial(client_address, request)
    client = await endpoint.authentication.client(authorization_header(request), parameters, address, now)
    note_client(request, client)
    await endpoint.revoke(client, parameters.require("token"), now)
    return web.Response(headers={**SAFE, **NO_STORE})

"""The client credentials grant, without a user and a refresh token: RFC 6749 §4.4."""

import re

from services.token.grants.answer import Answer, access_token_alone
from services.token.grants.collaborators import Collaborators
from services.token.grants.request import TokenRequest
from services.token.grants.resources import named_resources
from shared.oauth.client.record import Client
from shared.oauth.errors import UnauthorizedClient
from shared.oauth.resource.target import AccessTokenTarget, requested_scope_at
from shared.oauth.scope import machine_scope, parse_scope

_USER_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check_client(client: Client) -> None:
    """Check that the client is confidential (RFC 6749 §4.4) and its `sub` cannot be a user's (RFC 9068 §5).

    Raises UnauthorizedClient.
    """
    if client.is_public:
        raise UnauthorizedClient("a public client has no credentials")
    if _USER_ID.fullmatch(client.client_id):
        raise UnauthorizedClient("this client_id could be taken for a user's identifier")


async def client_credentials(request: TokenRequest, collaborators: Collaborators) -> Answer:
    """Issue an access token to a client for itself.

    Raises UnauthorizedClient, InvalidScope, InvalidTarget, Unavailable.
    """
    client, requested = request.client, request.parameters.one("scope")
    check_client(client)
    resources, issuer = named_resources(request), collaborators.settings.issuer
    allowed = machine_scope(parse_scope(requested) if requested else None, client.scope)
    scope = requested_scope_at(allowed, resources, is_named=requested is not None)
    access_token = collaborators.tokens.access_token(
        client,
        client.client_id,
        scope,
        None,
        request.now,
        sender=request.sender,
        target=AccessTokenTarget.of(client, issuer, resources),
    )
    return access_token_alone(access_token, scope)

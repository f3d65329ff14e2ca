"""The refresh token grant: RFC 6749 §6."""

from services.token.grants.admission import check_admission
from services.token.grants.answer import Answer, IssuedRefreshToken, UserGrant, tokens_of_user
from services.token.grants.collaborators import Collaborators
from services.token.grants.renewal import REFUSED, Renewal, renew
from services.token.grants.request import TokenRequest
from services.token.grants.resources import granted_resources, named_resources, resources_of
from shared.model import Scope
from shared.oauth.errors import InvalidGrant
from shared.oauth.parameters import Parameters
from shared.oauth.resource.target import AccessTokenTarget, scope_at
from shared.oauth.scope import parse_scope
from shared.oauth.tokens.refresh_token import RefreshToken, parse_refresh_token


async def refresh_token(request: TokenRequest, collaborators: Collaborators) -> Answer:
    """Issue new tokens of a grant.

    Raises InvalidRequest, InvalidGrant, InvalidScope, InvalidTarget, Unavailable.
    """
    client, tokens, issuer = request.client, collaborators.tokens, collaborators.settings.issuer
    presented = _presented(request.parameters)
    scope, requested = _requested_scope(request.parameters), named_resources(request)
    target = AccessTokenTarget.of(client, issuer, requested)
    tokens.check(client, scope or (), request.sender, request.now, target)
    recipient = await collaborators.encryption.of_id_token(client)

    renewal = Renewal(presented, scope, granted_resources(request, requested, issuer))
    grant, successor = await renew(request, collaborators, renewal)
    await check_admission(collaborators.grants, client, grant.grant_id, grant.user)

    resources = resources_of(request, grant.authorization, issuer)
    renewed = UserGrant(
        grant_id=grant.grant_id,
        user=grant.user,
        authorization=grant.authorization,
        target=AccessTokenTarget.of(client, issuer, resources),
        scope=scope_at(scope or grant.authorization.scope, resources),
        recipient=recipient,
        refresh_token=IssuedRefreshToken(successor.value, grant.idle, grant.expires_at),
    )
    return tokens_of_user(request, tokens, renewed)


def _presented(parameters: Parameters) -> RefreshToken:
    """Raises InvalidRequest, InvalidGrant."""
    presented = parse_refresh_token(parameters.require("refresh_token"))
    if presented is None:
        raise InvalidGrant(REFUSED, detail="not a refresh token, or truncated")
    return presented


def _requested_scope(parameters: Parameters) -> Scope | None:
    """None: the request names no scope, and gets the grant's. Raises InvalidRequest, InvalidScope."""
    scope = parse_scope(parameters.one("scope") or "")
    return scope or None

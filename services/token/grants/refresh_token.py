"""The refresh token grant: RFC 6749 §6, with rotation by RFC 9700 §4.14.2."""

import secrets
from dataclasses import dataclass

from services.token.grants.admission import check_admission
from services.token.grants.answer import Answer, IssuedRefreshToken, tokens_of_user
from services.token.grants.collaborators import Collaborators
from services.token.grants.request import TokenRequest
from services.token.grants.resources import granted_resources, named_resources, resources_of
from shared.model import Scope
from shared.oauth.claims import takes_memberships
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidGrant, InvalidScope, InvalidTarget
from shared.oauth.refusal import Reason
from shared.oauth.resource.target import AccessTokenTarget, scope_at
from shared.oauth.scope import parse_scope
from shared.oauth.tokens.refresh_token import (
    NONCE_BYTES,
    RANDOM_BYTES,
    RefreshToken,
    open_successor,
    parse_refresh_token,
    seal_successor,
)
from shared.store import GrantedResources, RefreshableGrant, Rotation

_REFUSED = "the refresh token is not valid"


async def refresh_token(request: TokenRequest, collaborators: Collaborators) -> Answer:
    """Issue new tokens of a grant.

    Raises InvalidRequest, InvalidGrant, InvalidScope, InvalidTarget, Unavailable.
    """
    client, parameters, now = request.client, request.parameters, request.now
    issuer = collaborators.settings.issuer
    presented = parse_refresh_token(parameters.require("refresh_token"))
    if presented is None:
        raise InvalidGrant(_REFUSED, detail="not a refresh token, or truncated")
    requested = (parse_scope(value) if (value := parameters.one("scope")) else ()) or None
    named = named_resources(request)
    target = AccessTokenTarget.of(client, issuer, named)
    collaborators.tokens.check(client, requested or (), request.sender, now, target)
    recipient = await collaborators.encryption.of_id_token(client)
    demand = Demand(requested, granted_resources(request, named, issuer))
    grant, successor = await _renew(request, collaborators, presented, demand)
    await check_admission(collaborators.grants, client, grant.grant_id, grant.user)
    resources = resources_of(request, grant.authorization, issuer)
    return tokens_of_user(
        collaborators.tokens,
        client,
        target=AccessTokenTarget.of(client, issuer, resources),
        grant_id=grant.grant_id,
        authorization=grant.authorization,
        user=grant.user,
        scope=scope_at(requested or grant.authorization.scope, resources),
        now=now,
        sender=request.sender,
        recipient=recipient,
        refresh=IssuedRefreshToken(successor.value, grant.idle, grant.expires_at),
    )


def _reads_groups(client: Client) -> bool:
    """Whether a refresh needs the groups of the user, whatever its scope."""
    return bool(client.allowed_groups) or takes_memberships(client)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a refresh demands of its grant. `scope`: None if the request names none."""

    scope: Scope | None
    resources: GrantedResources


async def _renew(
    request: TokenRequest, collaborators: Collaborators, presented: RefreshToken, demand: Demand
) -> tuple[RefreshableGrant, RefreshToken]:
    """The grant, and the refresh token for the next request.

    A token that is bound to its sender is not rotated: RFC 9700 §4.14.2 requires rotation or binding. Only
    the family's row tells which of the two applies, so a sender with a key first tries a bound family.
    """
    rotates = request.client.refresh_token_rotation
    if not rotates or request.sender.key is not None:
        grant = await collaborators.refresh_families.use(
            presented.family_hash,
            presented.hash,
            request.client.client_id,
            demand.scope,
            request.sender.key,
            resources=demand.resources,
            with_groups=_reads_groups(request.client),
            may_be_unbound=not rotates,
        )
        if grant is not None:
            return grant, presented
    if rotates:
        return await _rotate(request, collaborators, presented, demand)
    raise await _refusal_reason(request, collaborators, presented, demand)


async def _rotate(
    request: TokenRequest, collaborators: Collaborators, presented: RefreshToken, demand: Demand
) -> tuple[RefreshableGrant, RefreshToken]:
    client, candidate = request.client, presented.succeeded_by(secrets.token_bytes(RANDOM_BYTES))
    request.check_awaited()
    rotated = await collaborators.refresh_families.rotate(
        Rotation(
            family_hash=presented.family_hash,
            presented_hash=presented.hash,
            client_id=client.client_id,
            candidate_hash=candidate.hash,
            candidate_sealed=seal_successor(presented, candidate, secrets.token_bytes(NONCE_BYTES)),
            reuse_window=collaborators.settings.refresh_token_reuse_window,
            deadline=request.deadline,
            scope=demand.scope,
            resources=demand.resources,
            sender_key=request.sender.key,
            with_groups=_reads_groups(client),
        )
    )
    if rotated is None:
        raise await _refusal_reason(request, collaborators, presented, demand)
    match rotated.verdict:
        case "now":
            return rotated.grant, candidate
        case "again":
            return rotated.grant, open_successor(presented, rotated.sealed_successor)
        case "spent":
            raise InvalidGrant(_REFUSED, detail=Reason.REFRESH_TOKEN_REUSED)


async def _refusal_reason(
    request: TokenRequest, collaborators: Collaborators, presented: RefreshToken, demand: Demand
) -> InvalidGrant | InvalidScope | InvalidTarget:
    """The reason why nothing was changed: the requested scope, the resources, or the token itself."""
    invalid = InvalidGrant(_REFUSED, detail=Reason.REFRESH_TOKEN_UNUSABLE)
    if demand.scope is None and not demand.resources.are_named and not request.resources.has_registered:
        return invalid
    grant = await collaborators.refresh_families.find(
        presented.family_hash, presented.hash, collaborators.settings.refresh_token_reuse_window
    )
    if grant is None or grant.authorization.client_id != request.client.client_id:
        return invalid
    if grant.sender_key not in (None, request.sender.key):
        return invalid
    try:
        resources_of(request, grant.authorization, collaborators.settings.issuer)
    except InvalidTarget as refused:
        return refused
    if demand.scope is None or set(demand.scope) <= set(grant.authorization.scope):
        return invalid
    return InvalidScope("the scope is not within the scope granted")

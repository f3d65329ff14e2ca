"""Renewal: a refresh token is rotated, or used again if its sender is known (RFC 9700 §4.14.2)."""

import secrets
from dataclasses import dataclass

from services.token.grants.collaborators import Collaborators
from services.token.grants.request import TokenRequest
from services.token.grants.resources import resources_of
from shared.model import Scope
from shared.oauth.claims import takes_memberships
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidGrant, InvalidScope, InvalidTarget
from shared.oauth.refusal import Reason
from shared.oauth.tokens.refresh_token import (
    NONCE_BYTES,
    RANDOM_BYTES,
    RefreshToken,
    open_successor,
    seal_successor,
)
from shared.store import GrantedResources, RefreshableGrant, Rotation

REFUSED = "the refresh token is not valid"


@dataclass(frozen=True, slots=True)
class Renewal:
    """A refresh token, and what a request demands of its grant. `scope`: None if the request names none."""

    presented: RefreshToken
    scope: Scope | None
    resources: GrantedResources


async def renew(
    request: TokenRequest, collaborators: Collaborators, renewal: Renewal
) -> tuple[RefreshableGrant, RefreshToken]:
    """The grant, and the refresh token for the next request.

    A token that is bound to its sender is not rotated: RFC 9700 §4.14.2 requires rotation or binding. Only
    the family's row tells which of the two applies, so a sender with a key first tries a bound family.

    Raises InvalidGrant, InvalidScope, InvalidTarget, Unavailable.
    """
    rotates = request.client.refresh_token_rotation
    if not rotates or request.sender.key is not None:
        grant = await _use(request, collaborators, renewal, may_be_unbound=not rotates)
        if grant is not None:
            return grant, renewal.presented
    if rotates:
        return await _rotate(request, collaborators, renewal)
    raise await _refusal_reason(request, collaborators, renewal)


def _reads_groups(client: Client) -> bool:
    """Whether a refresh needs the groups of the user, whatever its scope."""
    return bool(client.allowed_groups) or takes_memberships(client)


async def _use(
    request: TokenRequest, collaborators: Collaborators, renewal: Renewal, *, may_be_unbound: bool
) -> RefreshableGrant | None:
    return await collaborators.refresh_families.use(
        renewal.presented.family_hash,
        renewal.presented.hash,
        request.client.client_id,
        renewal.scope,
        request.sender.key,
        resources=renewal.resources,
        with_groups=_reads_groups(request.client),
        may_be_unbound=may_be_unbound,
    )


async def _rotate(
    request: TokenRequest, collaborators: Collaborators, renewal: Renewal
) -> tuple[RefreshableGrant, RefreshToken]:
    """The grant and the successor, this request's or an earlier one's. Raises as `renew`."""
    presented = renewal.presented
    candidate = presented.succeeded_by(secrets.token_bytes(RANDOM_BYTES))
    request.check_awaited()
    rotated = await collaborators.refresh_families.rotate(
        Rotation(
            family_hash=presented.family_hash,
            presented_hash=presented.hash,
            client_id=request.client.client_id,
            candidate_hash=candidate.hash,
            candidate_sealed=seal_successor(presented, candidate, secrets.token_bytes(NONCE_BYTES)),
            reuse_window=collaborators.settings.refresh_token_reuse_window,
            deadline=request.deadline,
            scope=renewal.scope,
            resources=renewal.resources,
            sender_key=request.sender.key,
            with_groups=_reads_groups(request.client),
        )
    )
    if rotated is None:
        raise await _refusal_reason(request, collaborators, renewal)
    match rotated.verdict:
        case "now":
            return rotated.grant, candidate
        case "again":
            return rotated.grant, open_successor(presented, rotated.sealed_successor)
        case "spent":
            raise InvalidGrant(REFUSED, detail=Reason.REFRESH_TOKEN_REUSED)


async def _refusal_reason(
    request: TokenRequest, collaborators: Collaborators, renewal: Renewal
) -> InvalidGrant | InvalidScope | InvalidTarget:
    """The reason why nothing was changed: the requested scope, the resources, or the token itself."""
    invalid = InvalidGrant(REFUSED, detail=Reason.REFRESH_TOKEN_UNUSABLE)
    if renewal.scope is None and not renewal.resources.are_named and not request.resources.has_registered:
        return invalid
    grant = await collaborators.refresh_families.find(
        renewal.presented.family_hash,
        renewal.presented.hash,
        collaborators.settings.refresh_token_reuse_window,
    )
    if grant is None or grant.authorization.client_id != request.client.client_id:
        return invalid
    if grant.sender_key not in (None, request.sender.key):
        return invalid
    try:
        resources_of(request, grant.authorization, collaborators.settings.issuer)
    except InvalidTarget as refusal:
        return refusal
    if renewal.scope is None or set(renewal.scope) <= set(grant.authorization.scope):
        return invalid
    return InvalidScope("the scope is not within the scope granted")

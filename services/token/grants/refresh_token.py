"""The refresh token grant: RFC 6749 §6, with rotation by RFC 9700 §4.14.2."""

import secrets

from services.token.grants.answer import Answer, IssuedRefreshToken, tokens_of_user
from services.token.grants.collaborators import Collaborators
from services.token.grants.request import TokenRequest
from shared.model import Scope
from shared.oauth.claims import takes_groups
from shared.oauth.errors import InvalidGrant, InvalidScope
from shared.oauth.refusal import Reason
from shared.oauth.scope import parse_scope
from shared.oauth.tokens.refresh_token import (
    NONCE_BYTES,
    RANDOM_BYTES,
    RefreshToken,
    open_successor,
    parse_refresh_token,
    seal_successor,
)
from shared.store import RefreshableGrant, Rotation

_REFUSED = "the refresh token does not hold"


async def refresh_token(request: TokenRequest, collaborators: Collaborators) -> Answer:
    """Issue new tokens of a grant. Raises InvalidRequest, InvalidGrant, InvalidScope, Unavailable."""
    client, parameters, now = request.client, request.parameters, request.now
    presented = parse_refresh_token(parameters.require("refresh_token"))
    if presented is None:
        raise InvalidGrant(_REFUSED, detail="not a refresh token, or mangled")
    requested = (parse_scope(value) if (value := parameters.one("scope")) else ()) or None
    collaborators.tokens.check(client, requested or (), request.sender, now)
    recipient = await collaborators.encryption.of_id_token(client)
    grant, successor = await _renew(request, collaborators, presented, requested)
    return tokens_of_user(
        collaborators.tokens,
        client,
        grant_id=grant.grant_id,
        authorization=grant.authorization,
        user=grant.user,
        scope=requested or grant.authorization.scope,
        now=now,
        sender=request.sender,
        recipient=recipient,
        refresh=IssuedRefreshToken(successor.value, grant.idle, grant.expires_at),
    )


async def _renew(
    request: TokenRequest, collaborators: Collaborators, presented: RefreshToken, requested: Scope | None
) -> tuple[RefreshableGrant, RefreshToken]:
    """The grant, and the refresh token for the next request.

    A token that is bound to its sender stays: RFC 9700 §4.14.2 demands rotation or binding. Which of the two
    protects a family is known only from its row, so a sender with a key first asks for a bound family.
    """
    rotates = request.client.refresh_token_rotation
    if not rotates or request.sender.key is not None:
        grant = await collaborators.refresh_families.use(
            presented.family_hash,
            presented.hash,
            request.client.client_id,
            requested,
            request.sender.key,
            with_groups=takes_groups(request.client),
            may_be_unbound=not rotates,
        )
        if grant is not None:
            return grant, presented
    if rotates:
        return await _rotate(request, collaborators, presented, requested)
    raise await _refusal_reason(request, collaborators, presented, requested)


async def _rotate(
    request: TokenRequest, collaborators: Collaborators, presented: RefreshToken, requested: Scope | None
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
            scope=requested,
            sender_key=request.sender.key,
            with_groups=takes_groups(client),
        )
    )
    if rotated is None:
        raise await _refusal_reason(request, collaborators, presented, requested)
    match rotated.verdict:
        case "now":
            return rotated.grant, candidate
        case "again":
            return rotated.grant, open_successor(presented, rotated.sealed_successor)
        case "spent":
            raise InvalidGrant(_REFUSED, detail=Reason.REFRESH_TOKEN_REUSED)


async def _refusal_reason(
    request: TokenRequest, collaborators: Collaborators, presented: RefreshToken, requested: Scope | None
) -> InvalidGrant | InvalidScope:
    """The reason why nothing was changed: the requested scope, or the token itself."""
    invalid = InvalidGrant(_REFUSED, detail=Reason.REFRESH_TOKEN_UNUSABLE)
    if requested is None:
        return invalid
    grant = await collaborators.refresh_families.find(
        presented.family_hash, presented.hash, collaborators.settings.refresh_token_reuse_window
    )
    if grant is None or grant.authorization.client_id != request.client.client_id:
        return invalid
    if grant.sender_key not in (None, request.sender.key):
        return invalid
    return InvalidScope("the scope is not within the scope granted")

"""`refresh_token`: RFC 6749 §6, with rotation as RFC 9700 §4.14.2 has it."""

import secrets

from services.token.grants.answer import Answer, IssuedRefreshToken, tokens_of_user
from services.token.grants.collaborators import Collaborators
from services.token.grants.request import TokenRequest
from shared.model import Scope
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidGrant, InvalidScope
from shared.oauth.scope import parse_scope
from shared.oauth.tokens.refresh_token import (
    NONCE_BYTES,
    RANDOM_BYTES,
    RefreshToken,
    open_successor,
    parse_refresh_token,
    seal_successor,
)
from shared.store import HeldToken, Rotation

_REFUSED = "the refresh token does not hold"


async def refresh_token(with_: Collaborators, request: TokenRequest) -> Answer:
    """New tokens of a grant. Raises InvalidRequest, InvalidGrant, InvalidScope, Unavailable."""
    client, form, now = request.client, request.form, request.now
    presented = parse_refresh_token(form.require("refresh_token"))
    if presented is None:
        raise InvalidGrant(_REFUSED, detail="not a refresh token, or mangled")
    requested = (parse_scope(value) if (value := form["scope"]) else ()) or None
    with_.tokens.check(client, requested or (), now)
    recipient = await with_.encryption.of_id_token(client)
    step = _rotate if client.refresh_token_rotation else _use
    held, successor = await step(with_, request, presented, requested)
    return tokens_of_user(
        with_.tokens,
        client,
        grant_id=held.grant_id,
        authorization=held.authorization,
        user=held.user,
        scope=requested or held.authorization.scope,
        now=now,
        recipient=recipient,
        refresh=IssuedRefreshToken(successor.value, held.idle, held.expires_at),
    )


async def _rotate(
    with_: Collaborators, request: TokenRequest, presented: RefreshToken, requested: Scope | None
) -> tuple[HeldToken, RefreshToken]:
    client, candidate = request.client, presented.succeeded_by(secrets.token_bytes(RANDOM_BYTES))
    request.check_awaited()
    rotated = await with_.refresh_families.rotate(
        Rotation(
            family_hash=presented.family_hash,
            presented_hash=presented.hash,
            client_id=client.client_id,
            candidate_hash=candidate.hash,
            candidate_sealed=seal_successor(presented, candidate, secrets.token_bytes(NONCE_BYTES)),
            reuse_window=with_.settings.refresh_token_reuse_window,
            deadline=request.deadline,
            scope=requested,
        )
    )
    if rotated is None:
        raise await _reason(with_, client, presented, requested)
    match rotated.verdict:
        case "now":
            return rotated.held, candidate
        case "again":
            return rotated.held, open_successor(presented, rotated.sealed_successor)
        case "spent":
            raise InvalidGrant(_REFUSED, detail="reused: the grant has been revoked")


async def _use(
    with_: Collaborators, request: TokenRequest, presented: RefreshToken, requested: Scope | None
) -> tuple[HeldToken, RefreshToken]:
    client = request.client
    held = await with_.refresh_families.use(
        presented.family_hash, presented.hash, client.client_id, requested
    )
    if held is None:
        raise await _reason(with_, client, presented, requested)
    return held, presented


async def _reason(
    with_: Collaborators, client: Client, presented: RefreshToken, requested: Scope | None
) -> InvalidGrant | InvalidScope:
    """Why nothing was touched: the scope asked for, or the token itself."""
    refused = InvalidGrant(_REFUSED, detail="unknown, ended, expired or another client's")
    if requested is None:
        return refused
    held = await with_.refresh_families.find(
        presented.family_hash, presented.hash, with_.settings.refresh_token_reuse_window
    )
    if held is None or held.authorization.client_id != client.client_id:
        return refused
    return InvalidScope("the scope is not within the scope granted")

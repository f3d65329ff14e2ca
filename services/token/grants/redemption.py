"""Spending a code, whatever kind it is, and minting what it gives: the end of find, check, spend, mint."""

import secrets
from datetime import datetime

from services.token.grants.answer import Answer, tokens_of_user
from services.token.grants.collaborators import Collaborators
from shared.mint import new_id
from shared.model import Authorization, AuthorizationCode, Client
from shared.oauth.errors import InvalidGrant
from shared.oauth.refresh_token import FAMILY_SECRET_BYTES, RANDOM_BYTES, RefreshToken
from shared.settings import Settings
from shared.store import NewFamily

REFUSED = "the code does not hold"


def may_refresh(client: Client, authorization: Authorization) -> bool:
    """Whether a refresh token is issued: offline access was granted to a client that can refresh."""
    return authorization.is_offline and "refresh_token" in client.grant_types


def new_family(token: RefreshToken, client: Client, settings: Settings, now: datetime) -> NewFamily:
    """The family that begins with *token*."""
    lifetime = min(client.refresh_token_lifetime or settings.grant_lifetime, settings.grant_lifetime)
    return NewFamily(
        family_hash=token.family_hash,
        token_hash=token.hash,
        idle=client.refresh_token_idle_lifetime or settings.refresh_token_lifetime,
        expires_at=now + lifetime,
    )


async def spend(
    with_: Collaborators, client: Client, code_hash: bytes, code: AuthorizationCode, now: datetime
) -> Answer:
    """The tokens of a code that has passed every check. Raises InvalidGrant, InvalidScope, Unavailable."""
    authorization, grant_id, refresh_token = code.authorization, new_id(), None
    with_.tokens.check(client, authorization.scope, now)
    recipient = await with_.encryption.of_id_token(client)
    if may_refresh(client, authorization):
        refresh_token = RefreshToken.of(
            secrets.token_bytes(RANDOM_BYTES), secrets.token_bytes(FAMILY_SECRET_BYTES)
        )
    family = new_family(refresh_token, client, with_.settings, now) if refresh_token else None
    redeemed = await with_.grants.redeem(
        grant_id, code_hash, code, now + with_.settings.grant_lifetime, family
    )
    if redeemed is None:
        # The user or the session has ended since; a grant made before that may outlive the session.
        if spent := await with_.grants.find_spent(code_hash):
            await with_.grants.revoke(spent.grant_id, "code_replayed")
        raise InvalidGrant(REFUSED, detail="the user or the session has ended")
    if not redeemed.is_mine:
        raise InvalidGrant(REFUSED, detail="replayed: the grant has been revoked")
    return tokens_of_user(
        with_.tokens,
        client,
        grant_id=grant_id,
        authorization=authorization,
        user=redeemed.user,
        scope=authorization.scope,
        now=now,
        recipient=recipient,
        nonce=authorization.nonce,
        refresh_token=refresh_token.value if refresh_token else None,
    )

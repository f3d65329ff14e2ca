"""`authorization_code`: RFC 6749 §4.1.3. Find, check, spend, mint."""

import secrets
from datetime import datetime

from services.token.grants.answer import Answer, tokens_of_user
from services.token.grants.collaborators import Collaborators
from shared.mint import new_id
from shared.model import Authorization, AuthorizationCode, Client
from shared.oauth.errors import InvalidGrant
from shared.oauth.handle import Kind, digest, is_handle
from shared.oauth.parameters import Parameters
from shared.oauth.pkce import check_verifier
from shared.oauth.refresh_token import FAMILY_SECRET_BYTES, RANDOM_BYTES, RefreshToken
from shared.settings import Settings
from shared.store import NewFamily, SpentCode

MAX_FAILURES = 5

_REFUSED = "the code does not hold"


def check_redemption(code: AuthorizationCode | SpentCode, redirect_uri: str, verifier: str | None) -> None:
    """RFC 6749 §4.1.3 and RFC 7636 §4.6, for a code in flight, expired or spent. Raises InvalidGrant."""
    if code.redirect_uri != redirect_uri:
        raise InvalidGrant(_REFUSED, detail="redirect_uri is another one")
    check_verifier(code.code_challenge, verifier)


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


async def authorization_code(with_: Collaborators, client: Client, form: Parameters, now: datetime) -> Answer:
    """The tokens of an authorization code. Raises InvalidRequest, InvalidGrant, InvalidScope, Unavailable."""
    code, redirect_uri, verifier = form.require("code"), form.require("redirect_uri"), form["code_verifier"]
    if not is_handle(Kind.AUTHORIZATION_CODE, code):
        raise InvalidGrant(_REFUSED, detail="not a code")
    code_hash = digest(code)
    found = await with_.codes.find(code_hash)
    if found is None or found.expires_at <= now:
        await _end_spent(with_, client, code_hash, redirect_uri, verifier)
        raise InvalidGrant(_REFUSED, detail="unknown, expired or spent")
    if found.authorization.client_id != client.client_id:
        raise InvalidGrant(_REFUSED, detail="another client's")
    try:
        check_redemption(found, redirect_uri, verifier)
    except InvalidGrant:
        await with_.codes.count_failure(code_hash, MAX_FAILURES)
        raise
    return await _spend(with_, client, code_hash, found, now)


async def _spend(
    with_: Collaborators, client: Client, code_hash: bytes, code: AuthorizationCode, now: datetime
) -> Answer:
    authorization, grant_id, refresh_token = code.authorization, new_id(), None
    with_.tokens.check(client, authorization.scope, now)
    recipient = await with_.encryption.of_id_token(client)
    if may_refresh(client, authorization):
        refresh_token = RefreshToken(
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
        raise InvalidGrant(_REFUSED, detail="the user or the session has ended")
    if not redeemed.is_mine:
        raise InvalidGrant(_REFUSED, detail="replayed: the grant has been revoked")
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


async def _end_spent(
    with_: Collaborators, client: Client, code_hash: bytes, redirect_uri: str, verifier: str | None
) -> None:
    """A replay of a code that Redis no longer knows: what it gave ends, if the verifier holds."""
    spent = await with_.grants.find_spent(code_hash)
    if spent is None or spent.client_id != client.client_id:
        return
    check_redemption(spent, redirect_uri, verifier)
    await with_.grants.revoke(spent.grant_id, "code_replayed")

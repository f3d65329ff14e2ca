"""Redemption: a code of any kind that passed its checks is spent, and its tokens are issued."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from services.token.grants.admission import check_admission
from services.token.grants.answer import Answer, IssuedRefreshToken, UserGrant, tokens_of_user
from services.token.grants.collaborators import Collaborators
from services.token.grants.request import TokenRequest
from services.token.grants.resources import resources_of
from shared.config.settings import Settings
from shared.model import Authorization, AuthorizationCode, Scope
from shared.oauth.claims import id_token_needs_memberships
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidGrant, OAuthError
from shared.oauth.resource.target import AccessTokenTarget, scope_at
from shared.oauth.tokens.jwe import Recipient
from shared.oauth.tokens.refresh_token import FAMILY_SECRET_BYTES, RANDOM_BYTES, RefreshToken
from shared.store import Attempt, Grants, NewFamily, OutcomeUnknown, Redeemed, Unavailable

LAST_ATTEMPT = timedelta(minutes=15)
"""The time for another attempt to finish a redemption, with a margin for clock skew."""

REFUSED = "the code is not valid"

logger = structlog.get_logger()


def may_refresh(client: Client, authorization: Authorization) -> bool:
    """Whether a refresh token is issued: offline access was granted to a client that can refresh."""
    return authorization.is_offline and "refresh_token" in client.grant_types


def first_refresh_token(request: TokenRequest, settings: Settings) -> tuple[NewFamily, IssuedRefreshToken]:
    """A new family, and the refresh token that it begins with."""
    client = request.client
    token = RefreshToken.of(secrets.token_bytes(RANDOM_BYTES), secrets.token_bytes(FAMILY_SECRET_BYTES))
    lifetime = min(client.refresh_token_lifetime or settings.grant_lifetime, settings.grant_lifetime)
    family = NewFamily(
        family_hash=token.family_hash,
        token_hash=token.hash,
        idle=client.refresh_token_idle_lifetime or settings.refresh_token_lifetime,
        expires_at=request.now + lifetime,
        sender_key=request.sender.key,
    )
    return family, IssuedRefreshToken(token.value, family.idle, family.expires_at)


def grant_end(
    target: AccessTokenTarget, family: NewFamily | None, settings: Settings, now: datetime
) -> datetime:
    """The end of a grant that is made now. Without refresh tokens it ends with its last access token."""
    if family:
        return now + settings.grant_lifetime
    return now + (target.lifetime or settings.access_token_lifetime) + LAST_ATTEMPT


def proves(client: Client, code_challenge: str | None) -> bool:
    """Whether a redemption that passed its checks proved more than knowledge of the code."""
    return not client.is_public or code_challenge is not None


@dataclass(frozen=True, slots=True)
class Spendable:
    """A code that has passed every check. `keep_attempt` keeps an attempt of unknown outcome with it."""

    code_hash: bytes
    code: AuthorizationCode
    keep_attempt: Callable[[bytes, UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PlannedGrant:
    """The grant that an attempt makes of a code, and what the client gets of it.

    `family` and `refresh_token`: None if the client gets no refresh token. `recipient`: of the ID token.
    """

    attempt: Attempt
    expires_at: datetime
    family: NewFamily | None
    refresh_token: IssuedRefreshToken | None
    target: AccessTokenTarget
    scope: Scope
    recipient: Recipient | None

    def of(self, redeemed: Redeemed, authorization: Authorization) -> UserGrant:
        """The grant as it was made, or taken over."""
        return UserGrant(
            grant_id=redeemed.grant_id,
            user=redeemed.user,
            authorization=authorization,
            target=self.target,
            scope=self.scope,
            recipient=self.recipient,
            nonce=authorization.nonce,
            refresh_token=self.refresh_token,
        )


async def spend(request: TokenRequest, collaborators: Collaborators, spendable: Spendable) -> Answer:
    """Redeem a code and issue its tokens. Raises InvalidGrant, InvalidScope, InvalidTarget, Unavailable.

    A client repeats a request that was answered with 503. So an attempt that may have spent the code without
    issuing tokens is kept with the code, and the next attempt takes over its grant.
    """
    client, grants, authorization = request.client, collaborators.grants, spendable.code.authorization
    planned = await _plan(request, collaborators, spendable.code)
    redeemed = None
    try:
        redeemed = await _redeem(client, grants, spendable, planned)
        await check_admission(grants, client, redeemed.grant_id, redeemed.user)
        return tokens_of_user(request, collaborators.tokens, planned.of(redeemed, authorization))
    except OAuthError:
        raise
    except BaseException as fault:  # a cancelled request, too
        if redeemed or _may_have_redeemed(fault):
            await _keep(spendable, planned.attempt.attempt_id)
        raise


async def _plan(request: TokenRequest, collaborators: Collaborators, code: AuthorizationCode) -> PlannedGrant:
    """Check that the tokens can be issued, before the code is spent.

    Raises InvalidScope, InvalidTarget, Unavailable.
    """
    client, settings, authorization = request.client, collaborators.settings, code.authorization
    resources = resources_of(request, authorization, settings.issuer)
    target = AccessTokenTarget.of(client, settings.issuer, resources)
    scope = scope_at(authorization.scope, resources)
    collaborators.tokens.check(client, scope, request.sender, request.now, target)
    recipient = await collaborators.encryption.of_id_token(client)
    attempt = request.attempt(is_proved=proves(client, code.code_challenge))
    family, refresh_token = None, None
    if may_refresh(client, authorization):
        family, refresh_token = first_refresh_token(request, settings)
    expires_at = grant_end(target, family, settings, request.now)
    return PlannedGrant(attempt, expires_at, family, refresh_token, target, scope, recipient)


def _may_have_redeemed(fault: BaseException) -> bool:
    """Whether the statement that ended so may have been committed."""
    return isinstance(fault, OutcomeUnknown) or not isinstance(fault, Unavailable)


async def _redeem(client: Client, grants: Grants, spendable: Spendable, planned: PlannedGrant) -> Redeemed:
    """The grant, made or taken over by this attempt. Raises InvalidGrant, Unavailable."""
    code_hash, code, attempt = spendable.code_hash, spendable.code, planned.attempt
    with_groups = bool(client.allowed_groups) or id_token_needs_memberships(code.authorization, client)
    redeemed = await grants.redeem(
        attempt, code_hash, code, planned.expires_at, planned.family, with_groups=with_groups
    )
    if redeemed is None:
        # The user or the session has ended since; a grant made before that may outlive the session.
        await grants.revoke_replayed(code_hash, client.client_id, attempt)
        raise InvalidGrant(REFUSED, detail="the user or the session has ended")
    if not redeemed.is_mine:
        detail = "replayed: the grant has been revoked" if redeemed.is_replay else "redeemed at the same time"
        raise InvalidGrant(REFUSED, detail=detail)
    return redeemed


async def _keep(spendable: Spendable, attempt_id: UUID) -> None:
    """Keep the attempt, even if the request is cancelled meanwhile.

    If Redis is down as well, the repetition is refused as a replay.
    """
    keeping = asyncio.ensure_future(spendable.keep_attempt(spendable.code_hash, attempt_id))
    try:
        await asyncio.shield(keeping)
    except Unavailable as fault:
        logger.warning("attempt_not_kept", cause=str(fault))

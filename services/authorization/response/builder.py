"""Builds the parameters of a successful response: a code, and tokens for the front channel."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.authorization.request.authorization_request import AuthorizationRequest
from shared.config.settings import Settings
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.live.randomness import new_handle, new_id
from shared.model import OFFLINE_SCOPES, Authorization, AuthorizationCode, Session, User
from shared.oauth.claims import id_token_needs_memberships
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequestUri, LoginRequired
from shared.oauth.redirect_uri import is_out_of_band
from shared.oauth.resource.target import AccessTokenTarget, chosen
from shared.oauth.sender.sender import UNBOUND
from shared.oauth.tokens.handle import Kind, digest
from shared.oauth.tokens.jwe import Recipient
from shared.store import AuthorizationCodes, Grants, PushedRequests

OUT_OF_BAND_LIFETIME = timedelta(minutes=10)  # a user copies the code by hand


@dataclass(frozen=True, slots=True)
class AuthorizedRequest:
    """An authorization request that the user of a session has allowed."""

    client: Client
    request: AuthorizationRequest
    session: Session

    @property
    def authorization(self) -> Authorization:
        """The authorization that a code carries."""
        return Authorization(
            client_id=self.client.client_id,
            user_id=self.session.user_id,
            sid=self.session.sid,
            scope=self.request.scope,
            authentication=self.session.authentication,
            claims=self.request.claims,
            nonce=self.request.nonce,
            client_epoch=self.client.epoch,
            resources=tuple(each.key for each in self.request.resources),
        )

    @property
    def front_channel(self) -> Authorization:
        """The authorization of front-channel tokens: without scopes that outlive the browser session."""
        scope = tuple(token for token in self.request.scope if token not in OFFLINE_SCOPES)
        return replace(self.authorization, scope=scope)


@dataclass(frozen=True, slots=True)
class _FrontChannelGrant:
    """What the tokens of a response are made from."""

    grant_id: UUID
    authorized: AuthorizedRequest
    user: User
    target: AccessTokenTarget
    recipient: Recipient | None  # of the ID token
    now: datetime


@dataclass(frozen=True, slots=True)
class ResponseBuilder:
    """Builds the parameters of a response."""

    settings: Settings
    codes: AuthorizationCodes
    pushed_requests: PushedRequests
    grants: Grants
    tokens: TokenIssuer
    encryption: Encryption

    async def build(
        self, authorized: AuthorizedRequest, now: datetime, pushed: bytes | None
    ) -> dict[str, str]:
        """Build the parameters and end the request *pushed*. Raises InvalidRequestUri if it has ended before.

        Raises LoginRequired if the session has just ended. Raises InvalidScope, InvalidTarget, Unavailable.
        """
        if authorized.request.response_type == {"code"}:
            return await self._code(authorized, now, pushed)
        target = self._target(authorized)
        scope = authorized.front_channel.scope
        self.tokens.check(authorized.client, scope, UNBOUND, now, target)
        recipient = await self.encryption.of_id_token(authorized.client)
        if pushed and not await self.pushed_requests.end(pushed):
            raise InvalidRequestUri("request_uri was used")
        grant = await self._add_grant(authorized, target, recipient, now)
        parameters = await self._code(authorized, now) if "code" in authorized.request.response_type else {}
        if "token" in authorized.request.response_type:  # RFC 6749 §4.2.2
            parameters |= self._access_token(grant)
        if "id_token" in authorized.request.response_type:  # Core 1.0 §3.2.2.5, §3.3.2.5
            parameters |= self._id_token(grant, parameters)
        return parameters

    def _target(self, authorized: AuthorizedRequest) -> AccessTokenTarget:
        """The target of a front-channel access token. Raises InvalidTarget if several resources are named."""
        client, request = authorized.client, authorized.request
        has_token = "token" in request.response_type
        resources = chosen((), request.resources, is_default=True) if has_token else ()
        return AccessTokenTarget.of(client, self.settings.issuer, resources)

    async def _code(
        self, authorized: AuthorizedRequest, now: datetime, pushed: bytes | None = None
    ) -> dict[str, str]:
        code, lifetime = new_handle(Kind.AUTHORIZATION_CODE), self._code_lifetime(authorized)
        content = AuthorizationCode(
            authorization=authorized.authorization,
            redirect_uri=authorized.request.redirect_uri,
            code_challenge=authorized.request.code_challenge,
            epoch=authorized.session.epoch,
            expires_at=now + lifetime,
        )
        if not await self.codes.add(digest(code), content, lifetime, pushed):
            raise InvalidRequestUri("request_uri was used")
        return {"code": code}

    def _code_lifetime(self, authorized: AuthorizedRequest) -> timedelta:
        origins = self.settings.external_urls or (self.settings.origin,)
        if is_out_of_band(authorized.request.redirect_uri, origins):
            return OUT_OF_BAND_LIFETIME
        return authorized.client.authorization_code_lifetime or self.settings.authorization_code_lifetime

    async def _add_grant(
        self,
        authorized: AuthorizedRequest,
        target: AccessTokenTarget,
        recipient: Recipient | None,
        now: datetime,
    ) -> _FrontChannelGrant:
        grant_id, lifetime = new_id(), target.lifetime or self.settings.access_token_lifetime
        user = await self.grants.add(
            grant_id,
            authorized.front_channel,
            authorized.request.redirect_uri,
            authorized.session.epoch,
            max(authorized.session.expires_at, now + lifetime),
            with_groups=id_token_needs_memberships(authorized.front_channel, authorized.client),
        )
        if user is None:
            raise LoginRequired("the session has ended")
        return _FrontChannelGrant(grant_id, authorized, user, target, recipient, now)

    def _access_token(self, grant: _FrontChannelGrant) -> dict[str, str]:
        client, authorization = grant.authorized.client, grant.authorized.front_channel
        access_token = self.tokens.access_token(
            client,
            self.tokens.sub(grant.user.user_id, client),
            authorization.scope,
            grant.grant_id,
            grant.now,
            sender=UNBOUND,
            target=grant.target,
            authentication=authorization.authentication,
        )
        return {
            "access_token": access_token.value,
            "token_type": access_token.token_type,
            "expires_in": str(access_token.expires_in),
            "scope": " ".join(authorization.scope),
        }

    def _id_token(self, grant: _FrontChannelGrant, parameters: Mapping[str, str]) -> dict[str, str]:
        """The ID token, with the hashes of the code and of the access token among the *parameters*."""
        authorized = grant.authorized
        id_token = self.tokens.id_token(
            authorized.client,
            authorized.front_channel,
            grant.user,
            grant.now,
            recipient=grant.recipient,
            nonce=authorized.request.nonce,
            access_token=parameters.get("access_token"),
            code=parameters.get("code"),
            state=authorized.request.state,
        )
        return {"id_token": id_token}

"""Issues access tokens and ID tokens: those of an authorization, or of a client for itself."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from shared.config.settings import Settings
from shared.issuing.keys_in_use import access_token_signer, sealer, signer
from shared.live.keyring import KeyRing
from shared.live.randomness import new_id
from shared.model import Authentication, Authorization, Scope, User
from shared.oauth.claims import claims_by_scope, id_token_user_claims
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidScope
from shared.oauth.resource.target import AccessTokenTarget
from shared.oauth.sender.sender import Sender
from shared.oauth.subject import subject
from shared.oauth.supported import MEMBERSHIPS
from shared.oauth.tokens.access_token import JWT_TYPE, AccessToken, to_claims
from shared.oauth.tokens.id_token import authentication_event, response_hashes
from shared.oauth.tokens.jwe import Recipient, encrypt
from shared.oauth.tokens.jwt import sign
from shared.oauth.tokens.keys import KeySet, SigningKey
from shared.oauth.tokens.opaque_access_token import MAX_LENGTH, NONCE_BYTES, TooLong, seal, sealed_length
from shared.store import Unavailable

MAX_WITH_GROUPS = 4096  # size in bytes of an ID token that contains groups and roles by scope

logger = structlog.get_logger()

_ANY_ID = UUID(int=0)
_TOO_LONG = "the access token would become too long: ask for less"


class IssuedAccessToken(NamedTuple):
    """An access token for the client; `expires_in` is in seconds."""

    value: str
    token_type: str
    expires_in: int


class TokenIssuer:
    """Issues tokens with the keys of this process. Methods raise Unavailable if these are unconfirmed."""

    def __init__(self, settings: Settings, keyring: KeyRing) -> None:
        self._settings = settings
        self._issuer = settings.issuer
        self._keyring = keyring

    def check(
        self,
        client: Client,
        scope: Scope,
        sender: Sender,
        now: datetime,
        target: AccessTokenTarget | None = None,
    ) -> None:
        """Check, before anything is spent, that tokens of this scope can be issued to this client.

        Raises Unavailable. Raises InvalidScope if the access token would be too long.
        """
        keys = self._keyring.confirmed()
        signer(keys, client.id_token_signed_response_alg, now)
        sub, target = self.sub(_ANY_ID, client), target or AccessTokenTarget.of_client(client, self._issuer)
        if target.access_token_format == "jwt":
            access_token_signer(keys, target.signing_alg, now)
            return
        sealer(keys, now)
        if sealed_length(client.client_id, sub, scope, sender, target.aud) > MAX_LENGTH:
            raise InvalidScope(_TOO_LONG)

    def access_token(
        self,
        client: Client,
        sub: str,
        scope: Scope,
        grant_id: UUID | None,
        now: datetime,
        *,
        sender: Sender,
        target: AccessTokenTarget | None = None,
        authentication: Authentication | None = None,
    ) -> IssuedAccessToken:
        """An access token, bound to *sender*; *authentication* is that of its user.

        *target*: what it is for; None: what the client's tokens are for where it names no resource.
        Raises InvalidScope: it would become too long.
        """
        keys, target = self._keyring.confirmed(), target or AccessTokenTarget.of_client(client, self._issuer)
        lifetime = target.lifetime or self._settings.access_token_lifetime
        token = AccessToken(
            token_id=new_id(),
            grant_id=grant_id,
            client_id=client.client_id,
            sub=sub,
            scope=scope,
            aud=target.aud,
            iat=now,
            exp=now + lifetime,
            sender=sender,
            authentication=authentication,
            client_epoch=client.epoch if grant_id is None else None,
        )
        value = self._write(token, target, keys, now)
        return IssuedAccessToken(value, sender.token_type, int(lifetime.total_seconds()))

    def _write(self, token: AccessToken, target: AccessTokenTarget, keys: KeySet, now: datetime) -> str:
        if target.access_token_format == "jwt":
            key = access_token_signer(keys, target.signing_alg, now)
            return sign(key, to_claims(token, self._issuer), JWT_TYPE)
        try:
            return seal(token, sealer(keys, now), self._issuer, secrets.token_bytes(NONCE_BYTES))
        except TooLong:
            raise InvalidScope(_TOO_LONG) from None

    def sub(self, user_id: UUID, client: Client) -> str:
        """The subject identifier of a user for *client* (OpenID Connect Core 1.0 §8)."""
        sub = subject(user_id, client, self._keyring.known.salt)
        if sub is None:
            raise Unavailable("there is no salt for pairwise identifiers yet")
        return sub

    def id_token(
        self,
        client: Client,
        authorization: Authorization,
        user: User,
        now: datetime,
        *,
        recipient: Recipient | None,
        nonce: str | None,
        scope: Scope = (),
        access_token: str | None = None,
        code: str | None = None,
        state: str | None = None,
    ) -> str:
        """An ID token (OpenID Connect Core 1.0 §2, §3.1.3.6 and §3.3.2.11).

        *access_token*, *code* and *state* are those of the same response. Without the first two, no access
        token will follow, so the ID token contains the claims of the scope (§5.4). *scope*: the granted
        scope; only at the token endpoint, so that ID tokens in browsers stay small. *recipient*: from
        `Encryption.of_id_token`.
        """
        key = signer(self._keyring.confirmed(), client.id_token_signed_response_alg, now)
        lifetime = client.id_token_lifetime or self._settings.id_token_lifetime
        is_alone = access_token is None and code is None
        by_scope = claims_by_scope(user, scope, client)
        by_name = id_token_user_claims(user, authorization, client, is_alone=is_alone)
        sub = self.sub(user.user_id, client)
        claims = {
            **by_scope,
            **by_name,
            **authentication_event(
                client, authorization, issuer=self._issuer, sub=sub, iat=now, exp=now + lifetime
            ),
            **response_hashes(key.alg, access_token=access_token, code=code, state=state),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        large = [name for name in MEMBERSHIPS if name in by_scope and name not in by_name]
        signed = _sign_short(key, claims, large, client)
        return encrypt(recipient, signed, cty="JWT") if recipient else signed


def _sign_short(key: SigningKey, claims: Mapping[str, Any], large: Sequence[str], client: Client) -> str:
    """The signed ID token, without the claims *large* if it would be too long with them."""
    signed = sign(key, claims)
    if not large or len(signed) <= MAX_WITH_GROUPS:
        return signed
    logger.warning("id_token_claims_left_out", client_id=client.client_id, claims=large, bytes=len(signed))
    return sign(key, {name: value for name, value in claims.items() if name not in large})

"""Minting: every token of one authorization, or of a client for itself."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.keyring import KeyRing
from shared.mint import new_id
from shared.model import AccessToken, Authorization, Client, Scope, User
from shared.oauth.access_token import JWT_TYPE, NONCE_BYTES, TooLong, seal, to_claims
from shared.oauth.claims import id_token_user_claims
from shared.oauth.errors import InvalidScope
from shared.oauth.jwt import sign
from shared.oauth.keys import KeySet, NoKey, SealingKey, SigningKey, base64url
from shared.settings import Settings
from shared.store import Unavailable

ACCESS_TOKEN_ALGORITHM = "ES256"  # where the deployment has no such key, RS256, which it always has
FALLBACK_ALGORITHM = "RS256"

_ANY_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class IssuedAccessToken:
    """An access token as the client gets it; `expires_in` is in seconds."""

    value: str
    expires_in: int


def left_half_hash(value: str, alg: str) -> str:
    """`at_hash` and its like: OpenID Connect Core 1.0 §3.1.3.6, for a token signed with *alg*."""
    digest = hashlib.sha512 if alg == "EdDSA" else hashlib.sha256  # Ed25519 is over SHA-512
    hashed = digest(value.encode("ascii")).digest()
    return base64url(hashed[: len(hashed) // 2])


def _signer(keys: KeySet, alg: str, now: datetime) -> SigningKey:
    try:
        return keys.signer(alg, now)
    except NoKey:
        raise Unavailable(f"no key signs with {alg}") from None


def _access_token_signer(keys: KeySet, now: datetime) -> SigningKey:
    try:
        return keys.signer(ACCESS_TOKEN_ALGORITHM, now)
    except NoKey:
        return _signer(keys, FALLBACK_ALGORITHM, now)


def _sealer(keys: KeySet, now: datetime) -> SealingKey:
    try:
        return keys.sealer(now)
    except NoKey:
        raise Unavailable("no key seals access tokens") from None


class TokenIssuer:
    """Mints with the keys of this process. Every method raises Unavailable when they are not confirmed."""

    def __init__(self, settings: Settings, keyring: KeyRing) -> None:
        self._settings = settings
        self._issuer = settings.issuer
        self._keyring = keyring

    def check(self, client: Client, scope: Scope, now: datetime) -> None:
        """To ask before anything is spent: whether tokens of this scope can be made for this client.

        Raises Unavailable; InvalidScope: the access token would become too long.
        """
        keys = self._keyring.confirmed()
        _signer(keys, client.id_token_signed_response_alg, now)
        if client.access_token_format == "jwt":
            _access_token_signer(keys, now)  # a signature is too dear to be made for a question
        else:
            self.access_token(client, str(_ANY_ID), scope, _ANY_ID, now)

    def access_token(
        self, client: Client, sub: str, scope: Scope, grant_id: UUID | None, now: datetime
    ) -> IssuedAccessToken:
        """An access token in the client's format. Raises InvalidScope: it would become too long."""
        keys = self._keyring.confirmed()
        lifetime = client.access_token_lifetime or self._settings.access_token_lifetime
        token = AccessToken(
            token_id=new_id(),
            grant_id=grant_id,
            client_id=client.client_id,
            sub=sub,
            scope=scope,
            aud=(self._issuer, *client.audience),
            iat=now,
            exp=now + lifetime,
        )
        return IssuedAccessToken(self._write(token, client, keys, now), int(lifetime.total_seconds()))

    def _write(self, token: AccessToken, client: Client, keys: KeySet, now: datetime) -> str:
        if client.access_token_format == "jwt":
            return sign(_access_token_signer(keys, now), to_claims(token, self._issuer), JWT_TYPE)
        try:
            return seal(token, _sealer(keys, now), self._issuer, secrets.token_bytes(NONCE_BYTES))
        except TooLong:
            raise InvalidScope("the access token would become too long: ask for less") from None

    def id_token(
        self,
        client: Client,
        authorization: Authorization,
        user: User,
        now: datetime,
        *,
        access_token: str,
        nonce: str | None,
    ) -> str:
        """An ID token that comes with an access token: OpenID Connect Core 1.0 §2 and §3.1.3.6."""
        key = _signer(self._keyring.confirmed(), client.id_token_signed_response_alg, now)
        lifetime = client.id_token_lifetime or self._settings.id_token_lifetime
        authentication = authorization.authentication
        auth_time = int(authentication.auth_time.timestamp())
        claims: dict[str, Any] = {
            **id_token_user_claims(user, authorization, client),
            "iss": self._issuer,
            "sub": str(user.user_id),
            "aud": [client.client_id],
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "auth_time": auth_time,
            "acr": authentication.acr,
            "amr": authentication.amr,
            "sid": str(authorization.sid),
            "at_hash": left_half_hash(access_token, key.alg),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if "rat" in client.id_token_claims:  # Cells: when the sign-in was asked for
            claims["rat"] = auth_time
        return sign(key, claims)

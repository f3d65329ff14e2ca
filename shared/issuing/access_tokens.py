"""Reads access tokens, and checks whether they are still valid."""

from dataclasses import dataclass
from datetime import datetime

from shared.live.keyring import KeyRing
from shared.oauth.client.jwks import public_key
from shared.oauth.tokens.access_token import JWT_TYPE, AccessToken, NotAnAccessToken, from_claims
from shared.oauth.tokens.jwt import BadJwt, unverified_header, verify
from shared.oauth.tokens.opaque_access_token import PREFIX, parse_sealed, unseal
from shared.store import Grants, TokenOwner, TokenUser


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Access tokens of one issuer, opaque and JWT."""

    issuer: str
    keyring: KeyRing
    grants: Grants

    async def read(self, value: str, now: datetime) -> AccessToken | None:
        """The content of an access token of this issuer that has not expired. Raises Unavailable."""
        token = await self.open(value)
        return token if token and token.exp > now else None

    async def open(self, value: str) -> AccessToken | None:
        """The content of an access token of this issuer, expired or not. Raises Unavailable."""
        try:
            return await (self._opaque(value) if value.startswith(PREFIX) else self._jwt(value))
        except (NotAnAccessToken, BadJwt):
            return None

    async def holds(self, token: AccessToken) -> bool:
        """Whether the token has not been revoked. Raises Unavailable."""
        return await self.grants.holds(token)

    async def find_owner(self, token: AccessToken) -> TokenOwner | None:
        """The owner of a token that has not been revoked. Raises Unavailable."""
        return await self.grants.find_owner(token)

    async def find_user(self, token: AccessToken, *, with_groups: bool) -> TokenUser | None:
        """The user of a token that has not been revoked, as `Grants.find_user`. Raises Unavailable."""
        return await self.grants.find_user(token, with_groups=with_groups)

    async def _opaque(self, value: str) -> AccessToken:
        sealed = parse_sealed(value)
        kid = sealed.kid
        key = self.keyring.known.unsealer(kid) or (await self.keyring.reload()).unsealer(kid)
        if key is None:
            raise NotAnAccessToken
        return unseal(sealed, key, self.issuer)

    async def _jwt(self, value: str) -> AccessToken:
        header = unverified_header(value)
        if header.kid is None or (header.typ or "").lower().removeprefix("application/") != JWT_TYPE:
            raise NotAnAccessToken
        key = self.keyring.known.verifier(header.kid) or (await self.keyring.reload()).verifier(header.kid)
        if key is None:
            raise NotAnAccessToken
        return from_claims(verify(value, public_key(key.jwk), key.alg), self.issuer)

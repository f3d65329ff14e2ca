"""The `id_token_hint` parameter: an ID token of this server (OpenID Connect Core 1.0 §3.1.2.1). Pure.

The token may have expired and its key may have retired, but this server must have signed it, as an ID token,
for this client.
"""

from dataclasses import dataclass
from uuid import UUID

from shared.oauth.client.jwks import public_key
from shared.oauth.errors import InvalidRequest
from shared.oauth.tokens.jwt import BadJwt, unverified_header, verify
from shared.oauth.tokens.keys import KeySet


@dataclass(frozen=True, slots=True)
class Hint:
    """The claims of a valid hint."""

    sub: str
    sid: UUID | None
    aud: tuple[str, ...]


def read_hint(token: str, keys: KeySet, issuer: str) -> Hint:
    """Verify a hint. Raises BadJwt if it is not an ID token of this server."""
    header = unverified_header(token)
    if header.typ not in (None, "JWT"):  # RFC 8725 §3.11: no access token, no logout token
        raise BadJwt(f"of type {header.typ}")
    key = keys.verifier(header.kid) if header.kid else None
    if key is None:
        raise BadJwt("signed with an unknown key")
    claims = verify(token, public_key(key.jwk), key.alg)
    # A signed userinfo response has a sub, but no exp. An authorization response has no sub.
    if claims.get("iss") != issuer or "events" in claims or "exp" not in claims:
        raise BadJwt("of another issuer, or not an ID token")
    sub, aud = claims.get("sub"), claims.get("aud")
    listed = tuple(aud) if isinstance(aud, list) else (aud,)
    if not isinstance(sub, str) or not all(isinstance(name, str) for name in listed):
        raise BadJwt("a claim has the wrong type")
    return Hint(sub, _sid(claims.get("sid")), listed)


def _sid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def hinted_sub(token: str, keys: KeySet, issuer: str, client_id: str) -> str:
    """The user that the hint names. Raises InvalidRequest."""
    try:
        hint = read_hint(token, keys, issuer)
    except BadJwt as error:
        raise InvalidRequest("id_token_hint is not an ID token of this server", detail=str(error)) from None
    if client_id not in hint.aud:
        raise InvalidRequest("id_token_hint was issued to another client")
    return hint.sub

"""Client assertions: RFC 7523 §3, OpenID Connect Core 1.0 §9."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from shared.model import Json
from shared.oauth.client.authentication import refused
from shared.oauth.client.record import Client
from shared.oauth.supported import assertion_algorithms
from shared.oauth.tokens.jwt import BadJwt, SignedClaims, unverified_header, verify_with_secret
from shared.oauth.tokens.jwt_type import CLIENT_ASSERTION_TYPES, is_of_type

LEEWAY = timedelta(seconds=10)  # for a client's clock; less than the margin of the replay marks
MAX_ASSERTION_LIFETIME = timedelta(minutes=5)
MAX_JTI = 512


@dataclass(frozen=True, slots=True)
class ProvenAssertion:
    """A valid assertion, provided that its `jti` has not been used."""

    jti: str
    issued_at: datetime
    expires_at: datetime


def check_header(token: str, client: Client) -> None:
    """Check that the header's algorithm is the client's registered one, or one of its method, and that its
    type is not that of another use. Raises BadJwt.
    """
    header = unverified_header(token)
    alg, registered = header.alg, client.token_endpoint_auth_signing_alg
    if alg not in assertion_algorithms(client.token_endpoint_auth_method) or registered not in (None, alg):
        raise BadJwt(f"signed with {alg}")
    if not is_of_type(header.typ, CLIENT_ASSERTION_TYPES):  # RFC 8725 §3.11
        raise BadJwt(f"of type {header.typ}")


def verify_with_secrets(token: str, client: Client, now: datetime) -> SignedClaims:
    """Verify the signature of a `client_secret_jwt` assertion (OpenID Connect Core 1.0 §9). Raises BadJwt."""
    alg = unverified_header(token).alg
    for secret in client.secrets:
        if secret.value is None or secret.has_expired(now):
            continue
        with suppress(BadJwt):
            return verify_with_secret(token, secret.value, alg)
    raise BadJwt("no secret of the client verifies it")


def _time(claims: Json, name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(f"the assertion's {name} is missing or not a number")
    try:
        return datetime.fromtimestamp(value, tz=UTC)
    except (OverflowError, ValueError, OSError):
        raise refused(f"the assertion's {name} is out of range") from None


def check_assertion(
    claims: SignedClaims, client: Client, audiences: tuple[str, ...], now: datetime
) -> ProvenAssertion:
    """Check the claims of an assertion (RFC 7523 §3). Raises InvalidClient.

    *audiences*: the accepted values of `aud`; the issuer comes first.
    """
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise refused("the assertion's iss or sub is not the client")
    aud = claims.get("aud")
    if client.assertion_audience == "issuer" and aud != audiences[0]:  # FAPI 2.0 Security Profile §5.3.2.1
        raise refused("the assertion's aud is not the issuer alone")
    audience = cast(list[object], aud) if isinstance(aud, list) else [aud]
    # A server named as a second audience could use the assertion here.
    if not audience or any(one not in audiences for one in audience):
        raise refused("the assertion is for another audience")
    exp, iat = _time(claims, "exp"), _time(claims, "iat")
    if exp <= now or exp > now + MAX_ASSERTION_LIFETIME + LEEWAY:
        raise refused("the assertion has expired, or expires too late")
    if iat > now + LEEWAY or iat > exp:
        raise refused("the assertion is from the future")
    if iat < now - MAX_ASSERTION_LIFETIME - LEEWAY:
        raise refused("the assertion is from too long ago")
    if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY:
        raise refused("the assertion is not valid yet")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise refused("the assertion's jti is missing or too long")
    return ProvenAssertion(jti, iat, exp)

"""A request object: the parameters of an authorization request as a JWT (RFC 9101, Core 1.0 §6). Pure.

Only the parameters inside count (RFC 9101 §5). An object that is presented twice begins two transactions with
the same `state`, `nonce` and PKCE challenge, and its client accepts one of them: no `jti` is remembered.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.authorization.request.parameters.known import KNOWN
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequestObject
from shared.oauth.parameters import MAX_VALUE, Parameters
from shared.oauth.supported import REQUEST_OBJECT_ALGORITHMS, UNSIGNED
from shared.oauth.tokens.jwt import MAX_JWT, BadJwt, Header, unverified_claims, unverified_header
from shared.oauth.tokens.jwt_type import REQUEST_OBJECT_TYPES, is_of_type

LEEWAY = timedelta(seconds=10)  # of the client's clock, for `nbf` and `iat`

_JSON_VALUED = frozenset({"claims", "registration"})
_NUMBERS = frozenset({"max_age"})


def header_of(token: str, client: Client, *, is_unsigned_allowed: bool) -> Header:
    """The header of an object that this client may send. Its `alg` verifies the object, or is `none`.

    *is_unsigned_allowed*: whether the deployment accepts `none`. Raises InvalidRequestObject.
    """
    may_be_unsigned = is_unsigned_allowed and not client.require_signed_request_object
    try:
        header = unverified_header(token)
    except BadJwt as fault:
        raise _bad(str(fault)) from None
    registered = client.request_object_signing_alg
    # Registration 1.0 §2: omitted means any algorithm that the server supports, `none` included.
    allowed = (registered,) if registered else (*REQUEST_OBJECT_ALGORITHMS, UNSIGNED)
    if header.alg not in allowed or (header.alg == UNSIGNED and not may_be_unsigned):
        raise _bad(f"signed with {header.alg}")
    if not is_of_type(header.typ, REQUEST_OBJECT_TYPES):  # RFC 8725 §3.11
        raise _bad(f"of type {header.typ}")
    return header


def unsigned_claims(token: str) -> Mapping[str, Any]:
    """The claims of an unsigned object (RFC 7515 §A.5). Raises InvalidRequestObject."""
    if not token.endswith("."):
        raise _bad("alg is none, but there is a signature")
    try:
        return unverified_claims(token)
    except BadJwt as fault:
        raise _bad(str(fault)) from None


def read_object(claims: Mapping[str, Any], client: Client, issuer: str, now: datetime) -> Parameters:
    """The parameters inside. Raises InvalidRequestObject."""
    _check_claims(claims, client, issuer)
    _check_times(claims, now)
    if "request" in claims or "request_uri" in claims:  # RFC 9101 §4
        raise _bad("a request object inside a request object")
    inside = {name: _values(name, claims[name]) for name in KNOWN & claims.keys()}
    return Parameters({**inside, "client_id": (client.client_id,)})


def _check_claims(claims: Mapping[str, Any], client: Client, issuer: str) -> None:
    """RFC 9101 §4, §5. Claims may be missing, as the signature names the client; present ones must match."""
    for name in ("iss", "client_id"):
        if claims.get(name, client.client_id) != client.client_id:
            raise _bad(f"{name} is not the client")
    aud = claims.get("aud", issuer)
    if issuer not in (aud if isinstance(aud, list) else [aud]):
        raise _bad("aud is not this issuer")
    if claims.get("sub") == client.client_id:  # RFC 9101 §10.8: that would be a client assertion
        raise _bad("sub is the client: a client assertion is not a request object")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    if "exp" in claims and _time(claims, "exp") <= now:
        raise _bad("it has expired")
    for name in ("nbf", "iat"):
        if name in claims and _time(claims, name) > now + LEEWAY:
            raise _bad(f"{name} is in the future")


def _time(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(f"{name} is not a number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise _bad(f"{name} is out of range") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SHAPES: Mapping[str, Callable[[object], bool]] = {
    **{name: lambda value: isinstance(value, dict) for name in _JSON_VALUED},
    **dict.fromkeys(_NUMBERS, _is_number),
}


def _values(name: str, claim: object) -> tuple[str, ...]:
    """A claim as the parameter's values: `resource` is a string or an array of them (RFC 8707 §2)."""
    several = claim if name == "resource" and isinstance(claim, list) else [claim]
    return tuple(_value(name, each) for each in several)


def _value(name: str, value: object) -> str:
    """A claim as the parameter would have been sent (Core 1.0 §6.1)."""
    if isinstance(value, str):
        text = value
    elif name in _SHAPES and _SHAPES[name](value):
        text = json.dumps(value)
    else:
        raise _bad(f"{name} has the wrong type")
    is_text = "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
    if not is_text or len(text) > min(MAX_VALUE, MAX_JWT):
        raise _bad(f"{name} has characters that no parameter may have")
    return text


def _bad(detail: str) -> InvalidRequestObject:
    return InvalidRequestObject(f"the request object: {detail}"[:200])

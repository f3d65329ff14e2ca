"""The `claims` parameter: OpenID Connect Core 1.0 §5.5. Pure."""

from collections.abc import Mapping
from typing import Any

from shared.codec.json_text import BadJson, parse_object
from shared.model import ClaimsRequest, Json, Scope
from shared.oauth.claims import claims_of_scope
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest
from shared.oauth.supported import SCOPE_CLAIMS

MAX_CLAIMS = 4 * 1024
MAX_NAMES = 100

_NOTHING = ClaimsRequest()
_ON_PAGES = frozenset(claim for claims in SCOPE_CLAIMS.values() for claim in claims)


def parse_claims(text: str | None) -> ClaimsRequest:
    """The requested claims. Unknown members are ignored. Raises InvalidRequest."""
    if text is None:
        return _NOTHING
    if len(text) > MAX_CLAIMS:
        raise InvalidRequest("claims is too long")
    try:
        members = parse_object(text.encode())
    except BadJson as fault:
        raise InvalidRequest(f"claims: {fault}") from None
    return ClaimsRequest(userinfo=_requested(members, "userinfo"), id_token=_requested(members, "id_token"))


def _requested(members: Mapping[str, Any], member: str) -> Mapping[str, Json | None]:
    requested = members.get(member)
    if requested is None:
        return {}
    if not isinstance(requested, dict) or len(requested) > MAX_NAMES:
        raise InvalidRequest(f"claims.{member} is not an object, or has too many members")
    if not all(value is None or isinstance(value, dict) for value in requested.values()):
        raise InvalidRequest(f"claims.{member} has a member that is neither null nor an object")
    return requested


def _values(request: Json | None) -> frozenset[str]:
    """The acceptable values: `value` alone, or all of `values` (§5.5.1)."""
    if request is None:
        return frozenset()
    listed = request.get("values")
    values = [request["value"]] if "value" in request else listed if isinstance(listed, list) else []
    return frozenset(value for value in values if isinstance(value, str))


def requested_acr(claims: ClaimsRequest) -> frozenset[str]:
    """The context classes of which an essential `acr` requires one (§5.5.1.1); empty if there is none."""
    request = claims.id_token.get("acr")
    return _values(request) if request and request.get("essential") is True else frozenset()


def requested_sub(claims: ClaimsRequest) -> frozenset[str]:
    """The only acceptable user, if the client requests `sub` with a value (§5.5.1)."""
    return _values(claims.id_token.get("sub")) | _values(claims.userinfo.get("sub"))


def within_registered_scope(claims: ClaimsRequest, client: Client) -> ClaimsRequest:
    """The claims within the registered scope. Without a consent page, nobody has consented to the others."""
    unregistered = _ON_PAGES.difference(claims_of_scope(client.scope))
    userinfo, id_token = (
        {name: request for name, request in requested.items() if name not in unregistered}
        for requested in (claims.userinfo, claims.id_token)
    )
    return ClaimsRequest(userinfo=userinfo, id_token=id_token)


def beyond_scope(claims: ClaimsRequest, scope: Scope) -> tuple[str, ...]:
    """The claims about the user that no scope releases. Consent to the scope does not cover them."""
    if not claims.userinfo and not claims.id_token:
        return ()
    covered = set(claims_of_scope(scope))
    return tuple(sorted({*claims.userinfo, *claims.id_token} & _ON_PAGES - covered))

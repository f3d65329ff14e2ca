"""Claims about a user: which ones are released, and in what form (OpenID Connect Core 1.0 §5)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from shared.model import Authorization, Json, Scope, User
from shared.oauth.client.metadata.kinds import ClaimSource, Constant
from shared.oauth.client.record import Client
from shared.oauth.supported import GROUPS, MEMBERSHIP_SCOPES, MEMBERSHIPS, ROLES, SCOPE_CLAIMS

Claims = dict[str, Any]

_CELLS_SCOPE = "pydio"
_STANDARD = frozenset(
    claim for scope, claims in SCOPE_CLAIMS.items() if scope != _CELLS_SCOPE for claim in claims
)


BY_SCOPE = "scope"  # in `id_token_claims`: the claims of the granted scopes
_BY_SCOPE = frozenset({*SCOPE_CLAIMS["profile"], *SCOPE_CLAIMS["email"], *MEMBERSHIPS})


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and bool(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, cast(list[object], value)))


_SHAPES: Mapping[str, Callable[[object], bool]] = {
    "email_verified": _is_flag,
    "phone_number_verified": _is_flag,
    "updated_at": _is_number,
    "address": _is_object,
    ROLES: _is_texts,
    GROUPS: _is_texts,
}
"""OpenID Connect Core 1.0 §5.1: every other standard claim is a string."""

_KNOWN = frozenset(claim for claims in SCOPE_CLAIMS.values() for claim in claims)


def has_shape_of(name: str, source: ClaimSource) -> bool:
    """Whether the source has values of the claim's type, where known. `username` is the user name."""
    shapes = _KNOWN | {"username"}
    if name not in shapes:
        return True
    shape = _SHAPES.get(name, _is_text)
    if isinstance(source, Constant):
        return shape(source.value)
    return source not in shapes or shape is _SHAPES.get(source, _is_text)


def _deliverable(name: str, value: object, *, is_mapped: bool) -> object:
    """The value as it is released, or None if it is not released.

    A standard claim is omitted rather than released empty or with the wrong type (§5.3.2). Claims that an
    operator configured beyond the standard (a custom claim or a mapping) are released unchanged. An empty
    list of groups or roles is released too: without it, an application would keep the last ones that it saw.
    """
    if name == "address" and isinstance(value, dict):  # §5.1.1: its members are absent rather than empty
        value = {member: text for member, text in cast(Claims, value).items() if _is_text(text)}
    if name in _KNOWN and not is_mapped:
        is_empty = value == [] and name not in MEMBERSHIPS
        return value if _SHAPES.get(name, _is_text)(value) and not is_empty else None
    return None if value == "" else value


def attributes(user: User) -> Json:
    """The attributes of a user, by claim name, with `username` in addition for `claims_mapping`.

    `preferred_username`, `updated_at` and Cells' `displayName`, which is `name`, come from the record unless
    an operator has set them. `groups` and `roles` are those that the user is in and has: claims of these
    names in the record are ignored.
    """
    values: Claims = {"preferred_username": user.username, "displayName": user.claims.get("name")}
    if user.updated_at:
        values["updated_at"] = int(user.updated_at.timestamp())
    memberships = {GROUPS: user.groups, ROLES: user.roles}
    lists = {name: None if names is None else list(names) for name, names in memberships.items()}
    return {**values, **user.claims, "username": user.username, **lists}


def released(user: User, names: Iterable[str], mapping: Mapping[str, ClaimSource]) -> Claims:
    """The claims with these names that the user has, or that are the same for every user."""
    values = attributes(user)
    claims: Claims = {}
    for name in names:
        source = mapping.get(name, name)
        value = source.value if isinstance(source, Constant) else values.get(source)
        value = _deliverable(name, value, is_mapped=name in mapping)
        if value is not None:
            claims[name] = value
    return claims


def claims_by_scope(user: User, scope: Scope, client: Client) -> Claims:
    """The claims of the granted scopes for an ID token from the token endpoint.

    Core 1.0 §5.4 returns them from the userinfo endpoint, but many applications read only the ID token.
    """
    if BY_SCOPE not in client.id_token_claims:
        return {}
    names = (name for name in claims_of_scope(scope) if name in _BY_SCOPE)
    return released(user, names, client.claims_mapping)


def takes_memberships(client: Client) -> bool:
    """Whether the client's record releases groups or roles to it regardless of the granted scope."""
    sources = client.claims_mapping.values()
    return any(name in client.id_token_claims or name in sources for name in MEMBERSHIPS)


def id_token_needs_memberships(authorization: Authorization, client: Client) -> bool:
    """Whether an ID token needs the user's groups or roles."""
    return (
        any(scope in authorization.scope for scope in MEMBERSHIP_SCOPES)
        or any(name in authorization.claims.id_token for name in MEMBERSHIPS)
        or takes_memberships(client)
    )


def claims_of_scope(scope: Scope) -> list[str]:
    """The claims that the scope requests (OpenID Connect Core 1.0 §5.4)."""
    return [claim for token in scope for claim in SCOPE_CLAIMS.get(token, ())]


def may_be_released(name: str, client: Client) -> bool:
    """Whether the client's record, its registered scope or the `claims` parameter can release the claim.

    Clients with `skip_consent` get nothing by the `claims` parameter beyond their scope: nobody is asked.
    """
    by_parameter = () if client.skip_consent else _STANDARD
    return name in (*client.id_token_claims, *claims_of_scope(client.scope), *by_parameter)


def _is_wanted(value: object, request: Json | None) -> bool:
    """Whether a value matches the request's `value` or `values` (OpenID Connect Core 1.0 §5.5.1)."""
    if not request:
        return True
    if "value" in request:
        return bool(value == request["value"])
    values = request.get("values")
    return not isinstance(values, list) or value in values


def _requested(user: User, request: Mapping[str, Json | None], scope: Scope, client: Client) -> Claims:
    """The claims requested by name. Cells' claims also need their scope, because the consent page does not
    list them.
    """
    if not request:
        return {}
    allowed = _STANDARD.union(claims_of_scope(scope))
    released_claims = released(user, (name for name in request if name in allowed), client.claims_mapping)
    return {name: value for name, value in released_claims.items() if _is_wanted(value, request[name])}


def userinfo_claims(
    user: User, sub: str, scope: Scope, requested: Mapping[str, Json | None], client: Client
) -> Claims:
    """The userinfo response (§5.3.2). *sub* and *scope* are those of the access token."""
    return {
        **_requested(user, requested, scope, client),
        **released(user, claims_of_scope(scope), client.claims_mapping),
        "sub": sub,
    }


def personal_claims(user: User, scope: Scope) -> Claims:
    """The userinfo response to a personal access token of the user, which has no client."""
    return {**released(user, claims_of_scope(scope), {}), "sub": str(user.user_id)}


def id_token_user_claims(
    user: User, authorization: Authorization, client: Client, *, is_alone: bool = False
) -> Claims:
    """The user's claims in an ID token.

    They are the claims requested by name, the claims that the client's record always includes, and, if no
    access token is issued, the claims of the scope (§5.4).
    """
    scope = authorization.scope if is_alone else ()
    always = (name for name in client.id_token_claims if name != BY_SCOPE)
    names = (*claims_of_scope(scope), *always)
    return {
        **_requested(user, authorization.claims.id_token, authorization.scope, client),
        **(released(user, names, client.claims_mapping) if names else {}),
    }

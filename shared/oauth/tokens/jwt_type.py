"""The JWT types (`typ`) that each use accepts (RFC 8725 §3.11). Pure.

Each use accepts its own type and the unspecific ones, because most senders omit the type or write `JWT`.
"""

from collections.abc import Collection

_UNSPECIFIC = frozenset({"jwt", "jose"})  # RFC 7519 §5.1, RFC 7515 §4.1.9

CLIENT_ASSERTION_TYPES = _UNSPECIFIC | {"client-authentication+jwt"}  # draft-ietf-oauth-rfc7523bis
REQUEST_OBJECT_TYPES = _UNSPECIFIC | {"oauth-authz-req+jwt"}  # RFC 9101 §10.8
SOFTWARE_STATEMENT_TYPES = _UNSPECIFIC


def media_type(typ: str) -> str:
    """The type in lower case, without the optional prefix (RFC 7515 §4.1.9)."""
    return typ.lower().removeprefix("application/")


def is_of_type(typ: str | None, accepted: Collection[str]) -> bool:
    """Whether the `typ` of a header is in *accepted* or missing."""
    return typ is None or media_type(typ) in accepted

"""Scopes: RFC 6749 §3.3."""

import re
from functools import lru_cache

from shared.model import OFFLINE_SCOPES, Scope
from shared.oauth.errors import InvalidScope
from shared.oauth.refusal import Detail, Reason

_SCOPE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")  # of scope-tokens, with spaces between them
MAX_SCOPE_TOKENS = 100
_KEPT = 128  # results kept in memory: clients request the same few scopes

OPENID = "openid"


@lru_cache(_KEPT)
def parse_scope(value: str) -> Scope:
    """The scope-tokens in the order of *value*, each once. Raises InvalidScope."""
    scope = tuple(dict.fromkeys(value.split()))
    if len(scope) > MAX_SCOPE_TOKENS or not _SCOPE.fullmatch(value):
        raise InvalidScope("scope is malformed or has too many tokens")
    return scope


@lru_cache(_KEPT)
def granted_scope(requested: Scope | None, registered: Scope) -> Scope:
    """The part of the requested scope that is registered for the client.

    If none is requested, the registered scope without offline access. Raises InvalidScope if no requested
    token is registered.
    """
    if requested is None:
        return tuple(token for token in registered if token not in OFFLINE_SCOPES)
    scope = tuple(token for token in requested if token in registered)
    if not scope:
        detail = Detail.of_value(Reason.SCOPE, " ".join(requested), registered)
        raise InvalidScope("nothing of the scope is registered for this client", detail=detail)
    return scope


def machine_scope(requested: Scope | None, registered: Scope) -> Scope:
    """The scope of a client acting for itself, without a user (RFC 6749 §4.4.2). Raises InvalidScope."""
    if requested and (OPENID in requested or not OFFLINE_SCOPES.isdisjoint(requested)):
        raise InvalidScope("openid and offline access need a user")
    scope = granted_scope(requested, registered)
    return tuple(token for token in scope if token != OPENID)

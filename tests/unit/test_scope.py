"""Scopes: requested, registered and granted."""

import pytest

from shared.model import Scope
from shared.oauth.errors import InvalidScope
from shared.oauth.scope import granted_scope, machine_scope, parse_scope

REGISTERED = ("openid", "profile", "offline_access", "offline", "api")


@pytest.mark.parametrize(
    ("value", "scope"),
    [
        ("openid profile", ("openid", "profile")),
        ("profile openid profile", ("profile", "openid")),
        ("  openid  ", ("openid",)),
        ("", ()),
    ],
)
def test_a_scope_is_read_in_its_order(value: str, scope: Scope) -> None:
    """RFC 6749 §3.3: each token once."""
    assert parse_scope(value) == scope


@pytest.mark.parametrize("value", ['open"id', "open\\id", "öffne", "a\tb", " ".join(map(str, range(101)))])
def test_a_malformed_scope_is_refused(value: str) -> None:
    """RFC 6749 §3.3: scope-token."""
    with pytest.raises(InvalidScope):
        parse_scope(value)


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        (None, ("openid", "profile", "api")),
        (("openid", "unknown"), ("openid",)),
        (("offline", "openid"), ("offline", "openid")),
    ],
)
def test_what_is_registered_is_granted(requested: Scope | None, granted: Scope) -> None:
    """Unregistered scopes are dropped. Without a requested scope, nothing outlives the session."""
    assert granted_scope(requested, REGISTERED) == granted


def test_nothing_left_is_an_error() -> None:
    """RFC 6749 §4.1.2.1."""
    with pytest.raises(InvalidScope):
        granted_scope(("unknown",), REGISTERED)


@pytest.mark.parametrize(
    "requested", [("openid",), ("api", "openid"), ("offline_access",), ("offline", "api")]
)
def test_a_client_for_itself_asks_for_no_user(requested: Scope) -> None:
    """RFC 6749 §4.4: without a user, openid and offline access are not granted."""
    with pytest.raises(InvalidScope):
        machine_scope(requested, REGISTERED)


def test_a_client_for_itself_gets_the_rest() -> None:
    """Without a requested scope, a client gets the registered scopes that need no user."""
    assert machine_scope(None, REGISTERED) == ("profile", "api")
    assert machine_scope(("api",), REGISTERED) == ("api",)

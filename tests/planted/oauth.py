"""Planted defects of the protocol's rules. They patch only `shared.oauth`, which mutants change too."""

import pytest

from shared.oauth import claims
from shared.oauth.client import assertion, registered_uri
from shared.oauth.client import authentication as client_auth
from shared.oauth.client import jwks as client_jwks
from shared.oauth.client import policy as client_policy
from shared.oauth.client import rules as client_rules
from shared.oauth.client.metadata import kinds
from shared.oauth.client.uri_schemes import ACTED_ON_BY_BROWSERS, OWNED_BY_PROTOCOLS


def no_key_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse a whole JWK Set because of one unknown key."""
    check = client_jwks._check

    def checked(jwk: object) -> None:
        try:
            check(jwk)
        except client_jwks.UnknownKey as fault:
            raise client_jwks.BadKey(str(fault)) from None

    monkeypatch.setattr(client_jwks, "_check", checked)


def policy_of_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the policy of the record, whatever the client changes."""
    monkeypatch.setattr(client_rules, "with_policy", lambda changed, current: changed)


def operators_members_are_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset what operators have set when a client changes itself."""
    monkeypatch.setattr(client_rules, "_operators_values", lambda current: {})


def strangers_have_any_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client that registers itself have every private-use scheme."""
    monkeypatch.setattr(client_policy, "is_for_strangers", lambda scheme: True)


def programs_may_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deny only the schemes of browsers and of protocols."""
    denied = ACTED_ON_BY_BROWSERS | OWNED_BY_PROTOCOLS
    monkeypatch.setattr(registered_uri, "is_denied", lambda scheme: scheme in denied)


def http_is_for_any_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every host for one of a private network."""
    monkeypatch.setattr(registered_uri, "is_on_private_network", lambda host: True)


def two_names_of_an_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the former name of an audience as it is."""
    monkeypatch.setattr(kinds, "FORMER_VALUES", {})


def claims_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out every claim that is not text, unless the standard gives it another type."""

    def deliverable(name: str, value: object, *, is_mapped: bool) -> object:
        return value if claims._SHAPES.get(name, claims._is_text)(value) else None

    monkeypatch.setattr(claims, "_deliverable", deliverable)


def everything_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept claims that a client could never be given."""
    monkeypatch.setattr(client_rules, "delivery_faults", lambda client: ())


def any_type_authenticates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept a client assertion with any `typ`."""
    monkeypatch.setattr(assertion, "is_of_type", lambda typ, accepted: True)


def posts_any_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept a secret in the body from every client that has one."""
    basic_or_post = ("client_secret_basic", "client_secret_post")
    monkeypatch.setattr(client_auth.SecretPost, "methods", basic_or_post)

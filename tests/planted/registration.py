"""Mistakes in what clients may register themselves."""

import pytest

from shared.oauth.client import faults, rules
from shared.oauth.resource.registry import ResourceRegistry


def every_redirect_uri_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse a client for one redirect URI that it cannot have."""
    monkeypatch.setattr(rules, "_without_odd_redirects", lambda client: client)


def only_our_scopes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no scope of an API at registration."""
    monkeypatch.setattr(ResourceRegistry, "api_scopes", property(lambda _: frozenset()))


def profiles_refuse_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client of any profile have any value."""
    monkeypatch.setattr(faults, "refused_members", lambda _: ())

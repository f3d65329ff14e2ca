"""Mistakes in what operators are told about clients."""

import pytest

from services.token.client_uses import UsedClients
from shared.oauth.client.record import Client
from shared.operations.examination import examine, warnings, weaknesses


def warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register whatever the rules accept without a word."""
    for rule in ("_scope_warnings", "_claim_warnings", "insecure_redirects"):
        monkeypatch.setattr(warnings, rule, lambda *_: ())


def every_scope_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare a client with itself rather than with what the deployment has."""
    monkeypatch.setattr(
        examine, "client_warnings", lambda client, _, __: warnings.client_warnings(client, client.scope, ())
    )


def nothing_is_weak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call every client strong."""
    monkeypatch.setattr(weaknesses, "_RULES", ())
    monkeypatch.setattr(weaknesses, "_LIFETIMES", {})


def everything_is_weak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a weakness of every client."""
    found = weaknesses.Weakness("client_id", "is weak", "Do something.")
    monkeypatch.setattr(weaknesses, "_RULES", (lambda client: (found,),))


def noted_once_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record only the first use of a client by a process."""
    noted = set[str]()

    def note(self: UsedClients, client: Client) -> None:
        if client.client_id not in noted:
            noted.add(client.client_id)
            self._new.add(client.client_id)

    monkeypatch.setattr(UsedClients, "note", note)

"""Mistakes in what operators are told about clients."""

import pytest

from shared.operations.examination import examine, warnings


def warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register whatever the rules accept without a word."""
    for rule in ("_scope_warnings", "_claim_warnings", "insecure_redirects"):
        monkeypatch.setattr(warnings, rule, lambda *_: ())


def every_scope_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare a client with itself rather than with what the deployment has."""
    monkeypatch.setattr(
        examine, "client_warnings", lambda client, _, __: warnings.client_warnings(client, client.scope, ())
    )

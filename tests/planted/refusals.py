"""Mistakes about refusals: what the log and the operators do not see."""

import pytest

from services.authorization import app as authorization
from shared.server.log import refusal


def refusals_without_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log the error of a refusal, and not which client it concerns."""
    monkeypatch.setattr(refusal, "known_client_id", lambda request, error: None)
    monkeypatch.setattr(refusal, "claimed_client_id", lambda request, error: None)


def silent_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log no error that goes back to the client by redirect."""
    monkeypatch.setattr(authorization, "log_refusal", lambda request, error: None)


def query_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log a redirect URI as it was sent."""
    monkeypatch.setattr("shared.oauth.refusal.shown_uri", lambda uri: uri)


def details_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log whatever a request sent, as it was sent."""
    monkeypatch.setattr("shared.oauth.refusal.shown", lambda text, limit=0: text)
    monkeypatch.setattr(refusal, "shown", lambda text, limit=0: text)

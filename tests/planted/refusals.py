"""Planted defects of refusals, in the log and for operators."""

import itertools

import pytest

from services.authorization import app as authorization
from shared.oauth.refusal import Refusal
from shared.server.log import refusal
from shared.server.recent_refusals import RecentRefusals
from shared.store.redis import refusals as redis_refusals


def refusals_without_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log the error of a refusal without its client."""
    monkeypatch.setattr(refusal, "known_client_id", lambda request, error: None)
    monkeypatch.setattr(refusal, "claimed_client_id", lambda request, error: None)


def silent_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not log errors that are sent to the client by redirect."""
    monkeypatch.setattr(authorization, "log_refusal", lambda request, error: None)


def query_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log a redirect URI as it was sent."""
    monkeypatch.setattr("shared.oauth.refusal.shown_uri", lambda uri: uri)


def details_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log values of a request as they were sent."""
    monkeypatch.setattr("shared.oauth.refusal.shown", lambda text, limit=0: text)
    monkeypatch.setattr(refusal, "shown", lambda text, limit=0: text)


def refusals_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every refusal of a client."""
    monkeypatch.setattr(redis_refusals, "MOST_REFUSALS", 1_000_000)


def every_refusal_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write refusals without a limit."""
    number = itertools.count()

    def note(self: RecentRefusals, client_id: str, new: Refusal) -> None:
        self._pending.setdefault(client_id, {})["", "", str(next(number))] = new

    monkeypatch.setattr(RecentRefusals, "note", note)


def strangers_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put untrusted text into a command as it was sent."""
    monkeypatch.setattr("shared.operations.client_commands.shlex.quote", lambda text: f"'{text}'")


def refusals_as_they_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show refusals in the order in which processes wrote them."""
    monkeypatch.setattr(redis_refusals, "_newest_first", lambda refusals: refusals)

"""Planted defects of rate limits."""

from typing import Any
from uuid import UUID

import pytest

from services.authorization.authentication import known_browsers
from services.authorization.authentication.known_browsers import KnownBrowsers
from services.authorization.authentication.throttling import ADDRESS


def knows_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every browser shares the tries of a user with whoever guesses."""
    monkeypatch.setattr(KnownBrowsers, "identify", lambda *_: None)


def knows_a_browser_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser where somebody has signed in has tries of its own for every user."""
    mark = known_browsers._mark
    monkeypatch.setattr(known_browsers, "_mark", lambda key, browser, *_: mark(key, browser, UUID(int=0), 0))


def knows_a_browser_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The epoch of the user is not part of a mark."""
    mark: Any = known_browsers._mark
    monkeypatch.setattr(known_browsers, "_mark", lambda *parts: mark(*parts[:-1], 0))


def guards_addresses_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sign-ins fail, addresses wait no sooner."""
    monkeypatch.setattr("services.authorization.authentication.throttling.ADDRESS_UNDER_ATTACK", ADDRESS)

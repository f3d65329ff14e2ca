"""Mistakes in who may use a token that is bound to a key."""

import pytest

from shared.store.postgres import refresh_families
from shared.web import bearer


def refreshes_for_any_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that a refresh token is bound to is not compared."""
    for name in ("_ROTATE", "_USE"):
        sql = getattr(refresh_families, name)
        assert "f.jkt IS NULL OR" in sql
        monkeypatch.setattr(refresh_families, name, sql.replace("f.jkt IS NULL OR", "true OR"))


def opens_for_any_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resource takes a bound access token for a bearer token."""

    def always(*_: object) -> bool:
        return True

    monkeypatch.setattr(bearer, "is_confirmed", always)

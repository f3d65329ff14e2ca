"""Planted defects of tokens that are bound to a key."""

import pytest

from shared.store.postgres import refresh_families
from shared.web import bearer


def refreshes_for_any_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that a refresh token is bound to is not compared."""
    for name in ("_ROTATE", "_USE"):
        sql = getattr(refresh_families, name)
        assert "f.jkt IS NULL OR" in sql
        monkeypatch.setattr(refresh_families, name, sql.replace("f.jkt IS NULL OR", "true OR"))


def uses_unbound_families_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of an unbound family stays if the sender has proved a key."""
    condition = "($7 OR f.jkt IS NOT NULL)"
    assert condition in refresh_families._USE
    monkeypatch.setattr(refresh_families, "_USE", refresh_families._USE.replace(condition, "$7 IS NOT NULL"))


def rotates_bound_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of a bound family is rotated like any other."""

    async def use(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(refresh_families.PostgresRefreshFamilies, "use", use)


def opens_for_any_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resource accepts a bound access token as a bearer token."""

    def always(*_: object) -> bool:
        return True

    monkeypatch.setattr(bearer, "is_confirmed", always)

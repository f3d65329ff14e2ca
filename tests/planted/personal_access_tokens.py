"""Planted defects of personal access tokens."""

from dataclasses import replace
from typing import Any

import pytest

from services.token.endpoints import introspection
from services.token.endpoints import personal_access_tokens as credentials
from shared.oauth.client.record import Client
from shared.operations import personal_access_tokens as operations
from shared.store.postgres import epochs, personal_access_tokens


def _replace(monkeypatch: pytest.MonkeyPatch, name: str, condition: str, by: str) -> None:
    sql = getattr(personal_access_tokens, name)
    assert condition in sql
    monkeypatch.setattr(personal_access_tokens, name, sql.replace(condition, by))


def survives_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token works whatever has ended since."""
    _replace(monkeypatch, "_PRESENT", "t.epoch = u.epoch AND u.disabled_at IS NULL", "true")


def never_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token works after its end."""
    _replace(monkeypatch, "_PRESENT", "t.expires_at > now()", "true")


def notes_every_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each use is written."""
    _replace(monkeypatch, "_PRESENT", "t.last_used_at <= now() - $2::interval", "$2::interval IS NOT NULL")


def revokes_anybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user revokes the tokens of others."""
    _replace(monkeypatch, "_REVOKE", "user_id = $1", "$1::uuid IS NOT NULL")


def makes_tokens_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that has just ended still makes a token."""
    _replace(monkeypatch, "_ADD", "epoch = $2 AND disabled_at IS NULL", "$2::int IS NOT NULL")


def ends_with_every_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens end with any change that raises the epoch, whatever is to be kept."""
    condition = "($2::uuid IS NULL OR $3))"
    assert condition in epochs._CARRY_ON
    monkeypatch.setattr(epochs, "_CARRY_ON", epochs._CARRY_ON.replace(condition, "$3 IS NULL)"))


def tells_every_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any client introspects personal access tokens."""
    describe = introspection.IntrospectionEndpoint.describe

    async def describing(self: Any, client: Client, *arguments: Any) -> Any:
        return await describe(self, replace(client, allow_personal_access_tokens=True), *arguments)

    monkeypatch.setattr(introspection.IntrospectionEndpoint, "describe", describing)


def looks_up_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with a wrong checksum is looked up in the database."""
    monkeypatch.setattr(credentials, "is_personal_access_token", lambda _: True)


def admits_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is for some groups is told of tokens of all users."""
    monkeypatch.setattr(introspection, "is_admitted", lambda *_: True)


def takes_any_user_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user name beside a token is not compared."""
    monkeypatch.setattr(credentials, "canonical", lambda _: "")


def gives_any_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user gives a token scopes that nobody offers."""
    monkeypatch.setattr(operations, "personal_scope", lambda text: tuple(text.split()))

"""Planted defects of accounts: what people do with their own."""

import pytest

from shared.store.postgres import consents, epochs, sessions


def keeps_clients_in_the_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that a user disconnects is not told."""
    monkeypatch.setattr(consents, "TELL_CLIENT", "SELECT $1::uuid, $2::text")


def ends_anybodys_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any `sid` ends its session."""
    condition = "AND ($3::uuid IS NULL OR user_id = $3)"
    assert condition in sessions._END
    monkeypatch.setattr(sessions, "_END", sessions._END.replace(condition, "AND ($3::uuid IS NULL OR true)"))


def keeps_every_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is to be kept, every session goes on."""
    condition = "($2::uuid IS NULL OR sid = $2)"
    assert condition in epochs._CARRY_ON
    monkeypatch.setattr(
        epochs, "_CARRY_ON", epochs._CARRY_ON.replace(condition, "($2::uuid IS NULL OR true)")
    )


def keeps_every_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grants of sessions that end go on if they outlive sessions."""
    condition = "$3 AND is_offline"
    assert condition in epochs._CARRY_ON
    monkeypatch.setattr(epochs, "_CARRY_ON", epochs._CARRY_ON.replace(condition, "($3 OR is_offline)"))

"""Planted defects of passkeys."""

from datetime import timedelta
from typing import Any

import pytest

from shared.identity.passkeys import challenge, response, verification
from shared.identity.passkeys.challenge import Challenges


def trusts_old_challenges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A challenge never expires."""
    monkeypatch.setattr(challenge, "LIFETIME", timedelta(days=1000))


def forgets_the_ceremony(monkeypatch: pytest.MonkeyPatch) -> None:
    """A challenge for a sign-in also makes a passkey."""
    mac = Challenges._mac
    monkeypatch.setattr(Challenges, "_mac", lambda self, _, binding, made: mac(self, "get", binding, made))


def accepts_a_framed_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the browser says of frames is not read."""
    parse = response.parse_object

    def without_frames(data: bytes) -> dict[str, Any]:
        members = parse(data)
        return {name: value for name, value in members.items() if name not in ("crossOrigin", "topOrigin")}

    monkeypatch.setattr(response, "parse_object", without_frames)


def accepts_changed_eligibility(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backup eligibility of an assertion is not compared."""
    monkeypatch.setattr(verification, "_check_backup_eligibility", lambda *_: None)


def accepts_any_passkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credential id of an assertion is not compared."""
    monkeypatch.setattr(verification, "_check_passkey", lambda *_: None)

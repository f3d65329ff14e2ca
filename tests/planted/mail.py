"""Planted defects of mails."""

from datetime import datetime, timedelta

import pytest

from services.worker.mail import delivery, transport
from shared.store.codecs import sealed_values


def sends_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that the server has refused for good is sent again."""

    class Temporary(transport.NotSent):
        def __init__(self, cause: str, *, is_final: bool = False) -> None:
            super().__init__(cause)

    monkeypatch.setattr(transport, "NotSent", Temporary)


def tries_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail waits for its next attempt, whether or not somebody will still need it."""

    def soon(tries: int, until: datetime, now: datetime) -> datetime:
        return now + timedelta(seconds=1)

    monkeypatch.setattr(delivery, "next_try", soon)


def forgets_who_knows_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a mail says is stored as it is."""
    monkeypatch.setattr(sealed_values, "wrap", lambda secret, nonce, name, plain: plain)
    monkeypatch.setattr(sealed_values, "unwrap", lambda secrets, name, sealed: sealed.rstrip(b"\0"))

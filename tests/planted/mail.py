"""Planted defects of mails."""

import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.worker.mail import delivery, transport
from shared.store.codecs import sealed_values
from shared.store.postgres.address_codes import PostgresAddressCodes
from shared.store.postgres.credentials import PostgresUserCredentials
from shared.store.postgres.mails import queueing
from shared.store.postgres.recovery_links import PostgresRecoveryLinks
from shared.store.postgres.second_factors import PostgresSecondFactors
from shared.store.postgres.sessions import PostgresSessionRows
from shared.store.postgres.users import PostgresUsers


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


_TELLING = {
    PostgresUserCredentials: ("add", "remove", "set_password", "replace_temporary_password"),
    PostgresSecondFactors: ("add", "remove", "reset"),
    PostgresUsers: ("replace",),
    PostgresRecoveryLinks: ("add", "set_password"),
    PostgresAddressCodes: ("put",),
    PostgresSessionRows: ("begin",),
}
"""The methods that queue mails about what they do."""


def queues_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail is queued by a statement of its own, after what it tells."""
    for store, names in _TELLING.items():
        for name in names:
            monkeypatch.setattr(store, name, _then_queueing(getattr(store, name)))


def _then_queueing(act: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    signature = inspect.signature(act)

    async def acting(self: Any, *arguments: Any, **more: Any) -> object:
        bound = signature.bind(self, *arguments, **more)
        mails, bound.arguments["mails"] = bound.arguments.get("mails", ()), ()
        done = await act(*bound.args, **bound.kwargs)
        ids = (getattr(each, "user_id", each) for each in arguments)
        user_id = next(each for each in ids if isinstance(each, UUID))
        told = queueing("(SELECT $1::uuid AS user_id) told", 2)
        await self._database.row(told, user_id, *self._sealed_mails.columns(mails))
        return done

    return acting

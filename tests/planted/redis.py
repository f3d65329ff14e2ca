"""Planted defects of the stores in Redis and of their transport."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import hiredis
import pytest
from redis.asyncio.connection import AbstractConnection, UnixDomainSocketConnection

from shared.config.redis_address import HostPort
from shared.fetch.breaker import Breaker
from shared.issuing import client_authentication
from shared.issuing.client_authentication import ClientAuthentication
from shared.live.rate_limiter import RateLimiter
from shared.oauth.client.authentication import Credentials, refused
from shared.oauth.client.record import Client
from shared.oauth.refusal import Reason
from shared.store import Unavailable
from shared.store.redis.records import RecordFormat
from shared.store.redis.transport import client
from shared.store.redis.transport.limits import Limits
from shared.store.redis.transport.pipeline import Pipeline, _Batch


def records_raise_when_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreadable record raises an exception in the request."""

    def decode(self: RecordFormat[Any], data: bytes | None) -> Any:
        return None if data is None else self._adapter.validate_json(data)

    monkeypatch.setattr(RecordFormat, "decode", decode)


def records_take_any_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader does not look at the version."""
    read = RecordFormat.decode

    def decode(self: RecordFormat[Any], data: bytes | None) -> Any:
        return read(self, data and data.replace(b'"v": 2', b'"v": 1'))

    monkeypatch.setattr(RecordFormat, "decode", decode)


def protocol_errors_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """A protocol error is raised as it is, instead of as Unavailable."""

    def fail(self: _Batch, fault: Unavailable) -> None:
        if not self.done.done():
            is_protocol = "ProtocolError" in str(fault)
            self.done.set_exception(hiredis.ProtocolError(str(fault)) if is_protocol else fault)

    monkeypatch.setattr(_Batch, "fail", fail)


def empty_batches_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty batch takes the first answer of the next batch."""

    def send(self: Pipeline, commands: Sequence[bytes]) -> asyncio.Future[list[Any]]:
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.extend(commands)
        self._commands += len(commands)
        done = self._loop.create_future()
        self._waiting.append(_Batch(len(commands), self._loop.time(), done))
        if self._timer is None:
            self._timer = self._loop.call_later(self._limits.silence, self._check)
        return done

    monkeypatch.setattr(Pipeline, "send", send)


def only_silence_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request waits as long as the server answers any request."""
    monkeypatch.setattr(Pipeline, "_fail_overdue", lambda self, now: float("inf"))


def queues_without_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of waiting requests is unlimited."""
    initial = Limits.__init__

    def without_bound(self: Limits, **limits: Any) -> None:
        initial(self, **limits | {"commands": 1 << 60, "unsent": 1 << 30})

    monkeypatch.setattr(Limits, "__init__", without_bound)


def faults_of_connecting_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """A RuntimeError of the event loop while connecting is not reported as an outage."""

    async def connect(url: str, limits: Limits, place: HostPort | None = None) -> AbstractConnection:
        connection = UnixDomainSocketConnection(path=url.removeprefix("unix://"))
        await connection.connect()  # type: ignore[no-untyped-call] # redis-py's is untyped
        return connection

    monkeypatch.setattr(client, "connect", connect)


def faults_of_writing_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """A RuntimeError of the event loop while writing leaves the requests waiting."""

    def flush(self: Pipeline) -> None:
        sent = b"".join(self._outbox)
        self._outbox.clear()
        self._transport.write(sent)

    monkeypatch.setattr(Pipeline, "_flush", flush)


def rate_limits_never_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted attempts never make anyone wait."""
    monkeypatch.setattr(RateLimiter, "wait", lambda self, key, now: None)


def failures_lock_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures count for the client regardless of the address."""
    monkeypatch.setattr(
        client_authentication, "_failure_key", lambda credentials, address: credentials.client_id
    )


def an_unknown_client_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is asked only for unknown clients."""

    async def authenticated(self: ClientAuthentication, credentials: Credentials, now: datetime) -> Client:
        client_id = credentials.client_id
        client = await self.clients.cached(client_id) or await self.clients.read(client_id)
        return await self._judged(client, credentials, now)

    monkeypatch.setattr(ClientAuthentication, "_authenticated", authenticated)


def an_unknown_client_verifies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The assertion of an unknown client is refused without verifying its signature."""
    judged = ClientAuthentication._judged

    async def early(
        self: ClientAuthentication, client: Client | None, credentials: Credentials, now: datetime
    ) -> Client:
        if client is None:
            raise refused(Reason.UNKNOWN_CLIENT)
        return await judged(self, client, credentials, now)

    monkeypatch.setattr(ClientAuthentication, "_judged", early)


def a_host_not_asked_counts_as_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """The breaker forgets the failures of a host that nobody has asked."""
    leave = Breaker.leave
    monkeypatch.setattr(
        Breaker, "leave", lambda self, host, has_answered: leave(self, host, has_answered is not False)
    )

"""Attempts to redeem a code whose outcome is unknown, stored in Redis beside the code, one record a line."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from shared.model import AuthorizationCode, DeviceCode
from shared.store import KEPT_FOR
from shared.store.redis.records import RecordFormat, Seconds, Version, moment
from shared.store.redis.transport.topology import Command

REMEMBERED = timedelta(hours=1)
"""The lifetime of both, so that a code that expires meanwhile differs from one that was spent."""

Code = TypeVar("Code", AuthorizationCode, DeviceCode)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """An attempt, and the time until when it keeps its code redeemable."""

    v: Version = 1
    attempt_id: UUID
    expires_at: Seconds


FORMAT = RecordFormat(AttemptRecord)


def attempts_key(code_key: str) -> str:
    """In the slot of *code_key*."""
    return f"{code_key}:attempts"


def kept_attempt(code_key: str, attempt_id: UUID) -> tuple[Command, ...]:
    """The commands that store an attempt with its code and extend the code's life."""
    key, milliseconds = attempts_key(code_key), int(REMEMBERED.total_seconds() * 1000)
    until = datetime.now(UTC) + KEPT_FOR
    record = AttemptRecord(attempt_id=attempt_id, expires_at=until.timestamp())
    return (
        ("APPEND", key, FORMAT.encode(record) + b"\n"),
        ("PEXPIRE", key, milliseconds),
        ("PEXPIRE", code_key, milliseconds),
    )


def with_attempts(code: Code, data: bytes | None) -> Code:
    """The code with its attempts, and with the expiry that they give it."""
    if data is None:
        return code
    lines = [FORMAT.decode(line) for line in data.splitlines()]
    records: list[AttemptRecord] = [record for record in lines if record]
    return replace(
        code,
        unknown_attempts=tuple(record.attempt_id for record in records),
        expires_at=max([code.expires_at, *(moment(record.expires_at) for record in records)]),
    )

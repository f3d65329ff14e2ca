"""Defects of the stores in Redis and of the transport under them."""

from typing import Any

import pytest

from shared.store.redis.records import RecordFormat


def records_raise_when_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that cannot be read is an exception of the request that needs it."""

    def decode(self: RecordFormat[Any], data: bytes | None) -> Any:
        return None if data is None else self._adapter.validate_json(data)

    monkeypatch.setattr(RecordFormat, "decode", decode)


def records_take_any_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader does not look at the version."""
    read = RecordFormat.decode

    def decode(self: RecordFormat[Any], data: bytes | None) -> Any:
        return read(self, data and data.replace(b'"v": 2', b'"v": 1'))

    monkeypatch.setattr(RecordFormat, "decode", decode)

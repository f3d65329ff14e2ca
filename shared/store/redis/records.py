"""How records are written to Redis: JSON objects with a version.

Processes of two releases read each other's records during an upgrade and after a rollback. A new member has a
default and leaves the version as it is; a change that an older reader would misunderstand raises the version.
A reader treats a record that it cannot read as absent: the user begins the flow again, as after a loss of
Redis. Records written before there was a version are read as version 1. `tests/rules/redis_records` keeps
records as each release wrote them.

Counters, replay marks and sets are no records: their layout is part of their key's name.
"""

from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar

import structlog
from pydantic import BaseModel, Field, TypeAdapter

Record = TypeVar("Record")

Version = Literal[1]
Seconds = Annotated[float, Field(ge=0, lt=253_402_300_800)]
"""A moment as seconds since 1970, before the year 10000."""
Epoch = Annotated[int, Field(ge=0, lt=2**31)]
"""A user's `epoch`, as PostgreSQL's integer holds it."""

ClientEpoch = Annotated[int, Field(ge=0, lt=2**63)]
"""A client's `epoch`, as PostgreSQL's bigint holds it."""

logger = structlog.get_logger()


def moment(seconds: float) -> datetime:
    """An aware datetime, from what a record holds."""
    return datetime.fromtimestamp(seconds, UTC)


class JsonRecord(BaseModel, extra="allow", frozen=True):
    """A record whose members are the business of the service that writes them."""

    v: Version = 1


class RecordFormat(Generic[Record]):
    """Writes and reads one kind of record: a dataclass or model with a member `v` for its version."""

    def __init__(self, kind: type[Record]) -> None:
        self._name = kind.__name__
        self._adapter = TypeAdapter(kind)

    def encode(self, record: Record) -> bytes:
        """JSON. Raises ValueError for a string that is not Unicode."""
        return self._adapter.dump_json(record)

    def decode(self, data: bytes | None) -> Record | None:
        """None: there is no record, or none that this release can read."""
        if data is None:
            return None
        try:
            return self._adapter.validate_json(data)
        except ValueError:  # without the input in the log: it may hold secrets
            logger.warning("redis_record_unreadable", record=self._name)
            return None

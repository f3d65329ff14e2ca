"""The format of records in Redis: JSON objects with a version.

During an upgrade and after a rollback, processes of two releases read each other's records. A new member has
a default and does not change the version. A change that an older reader would misunderstand raises the
version. A record that a reader cannot read counts as absent: the user starts the flow again, as after a loss
of Redis. Records without a version are read as version 1. `tests/rules/redis_records` has records as each
release wrote them.

Counters, replay marks and sets are not records. Their layout is part of the name of their key.
"""

from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar

import structlog
from pydantic import BaseModel, Field, TypeAdapter

Record = TypeVar("Record")

Version = Literal[1]
Seconds = Annotated[float, Field(ge=0, lt=253_402_300_800)]
"""A time as seconds since 1970, before the year 10000."""
Epoch = Annotated[int, Field(ge=0, lt=2**31)]
"""A user's `epoch`, in the range of PostgreSQL's integer."""

ClientEpoch = Annotated[int, Field(ge=0, lt=2**63)]
"""A client's `epoch`, in the range of PostgreSQL's bigint."""

logger = structlog.get_logger()


def moment(seconds: float) -> datetime:
    """The aware datetime of a time in a record."""
    return datetime.fromtimestamp(seconds, UTC)


class JsonRecord(BaseModel, extra="allow", frozen=True):
    """A record whose members only the service that writes them knows."""

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
        """None: there is no record, or this release cannot read it."""
        if data is None:
            return None
        try:
            return self._adapter.validate_json(data)
        except ValueError:  # without the input in the log: it may hold secrets
            logger.warning("redis_record_unreadable", record=self._name)
            return None

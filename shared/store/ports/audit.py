"""The audit log."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from shared.model import Json


class AuditLog(Protocol):
    """The audit log, read. It is written by the statements of the changes themselves."""

    def read(self, since: datetime | None = None) -> AsyncIterator[Json]: ...

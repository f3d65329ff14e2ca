"""The record of a load: each operation, with its times and its outcome."""

import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The answer was a success."""

    body: Body


@dataclass(frozen=True, slots=True)
class Rejected:
    """The answer was a verdict: the error code of a 4xx."""

    error: str


@dataclass(frozen=True, slots=True)
class Retryable:
    """The answer was a 503: the client may repeat the request."""


@dataclass(frozen=True, slots=True)
class Lost:
    """There was no answer: the connection ended, or the client gave up waiting."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A wrong answer: a 500, or a 503 without Retry-After."""

    status: int


Outcome = Done | Rejected | Retryable | Lost | Broken


@dataclass(frozen=True, slots=True)
class Operation:
    """A request. *subject*: the code, token or session that it is about. Times are of one clock."""

    kind: str
    subject: str
    began: float
    ended: float
    outcome: Outcome


@dataclass(slots=True)
class History:
    """The operations of one run, in the order of their ends."""

    operations: list[Operation] = field(default_factory=list)

    async def log(self, kind: str, subject: str, request: Awaitable[Outcome]) -> Outcome:
        """Await the outcome of a request, and record it."""
        began = time.monotonic()
        outcome = await request
        self.operations.append(Operation(kind, subject, began, time.monotonic(), outcome))
        return outcome

    def of(self, *kinds: str) -> Iterator[Operation]:
        """The operations of some kinds."""
        return (operation for operation in self.operations if operation.kind in kinds)

    def by_subject(self, kind: str) -> dict[str, list[Operation]]:
        """The operations of one kind by subject."""
        grouped: dict[str, list[Operation]] = {}
        for operation in self.of(kind):
            grouped.setdefault(operation.subject, []).append(operation)
        return grouped

"""The last refusals of a client, each with its remedy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.oauth.refusal import Refusal
from shared.operations.clients import get
from shared.operations.refusals.remedies import remedy
from shared.process.operator_error import OperatorError
from shared.store import Clients, Refusals, Unavailable


class RefusalsUnavailable(OperatorError):
    """Redis, which stores the refusals, does not answer."""

    def __init__(self, fault: Unavailable) -> None:
        super().__init__(
            f"Redis, which keeps the last refusals, does not answer: {fault}."
            " Search the log for the event refused instead"
        )


@dataclass(frozen=True, slots=True)
class ExplainedRefusal:
    """A refusal and its remedy, as a sentence."""

    refusal: Refusal
    remedy: str

    def members(self) -> dict[str, Any]:
        """As JSON; `time` is UTC, in seconds."""
        return {
            "time": self.refusal.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endpoint": self.refusal.endpoint,
            "error": self.refusal.error,
            "detail": self.refusal.detail,
            "remedy": self.remedy,
        }


async def check_client(
    clients: Clients, refusals: Refusals, client_id: str, since: datetime | None
) -> Sequence[ExplainedRefusal]:
    """The refusals of a client since *since*, newest first.

    Raises NoSuchClient, RefusalsUnavailable, Unavailable.
    """
    client = await get(clients, client_id)
    try:
        last = await refusals.of_client(client_id)
    except Unavailable as fault:
        raise RefusalsUnavailable(fault) from None
    return [
        ExplainedRefusal(each, remedy(client, each)) for each in last if since is None or each.at >= since
    ]

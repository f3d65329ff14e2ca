"""Ports: the last refusals of each registered client."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from shared.oauth.refusal import Refusal

MOST_REFUSALS = 50
"""The number of refusals that are kept for one client."""
REFUSALS_LIFETIME = timedelta(days=7)
"""The time after a client's last refusal until all of them are dropped."""


class Refusals(Protocol):
    """The last MOST_REFUSALS of each client. Both methods raise Unavailable."""

    async def add(self, refusals: Mapping[str, Sequence[Refusal]]) -> None:
        """Add refusals, oldest first, by client_id."""

    async def of_client(self, client_id: str) -> Sequence[Refusal]:
        """The refusals of a client, newest first."""

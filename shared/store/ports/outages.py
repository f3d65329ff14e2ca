"""Outages of PostgreSQL, as it records them itself."""

from typing import Protocol


class Outages(Protocol):
    """When PostgreSQL acknowledged no write, as facts that it keeps itself. PostgreSQL."""

    async def beat(self) -> None:
        """Write, and note the time since the last acknowledged write as an outage if it was over 3 s.

        For workers: each of them, every second, without a lease. It has a connection of its own, so neither
        a full pool nor a flood of requests looks like an outage.
        """

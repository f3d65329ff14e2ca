"""Ports: outages of PostgreSQL."""

from typing import Protocol


class Outages(Protocol):
    """The times in which PostgreSQL acknowledged no write. PostgreSQL itself records them."""

    async def beat(self) -> None:
        """Write, and record the time since the last acknowledged write as an outage if it was over 3 s.

        Every worker calls it every second, without a lease. It has its own connection, so that neither a full
        pool nor a flood of requests looks like an outage.
        """

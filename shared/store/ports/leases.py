"""Ports: leases, by which one process at a time does a piece of background work."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID


class Leases(Protocol):
    """Leases of background work. PostgreSQL."""

    async def take(self, name: str, holder: UUID, period: timedelta) -> bool:
        """Take or renew the lease for *period*. False: another process has it."""

"""Checks that the database belongs to this issuer."""

from datetime import timedelta

from shared.store import DeploymentRecord

EVERY = timedelta(minutes=1)


class IssuerCheck:
    """Compares the configured issuer with the recorded one, which the first process records."""

    def __init__(self, record: DeploymentRecord, issuer: str) -> None:
        self._record = record
        self._issuer = issuer
        self._recorded: str | None = None

    async def check(self) -> None:
        """Query PostgreSQL. Raises Unavailable."""
        self._recorded = await self._record.issuer(self._issuer)

    def fault(self) -> str | None:
        """Why this process must not act for its issuer. None: nothing is known against it."""
        if self._recorded in (None, self._issuer):
            return None
        return f"the database belongs to the issuer {self._recorded}"

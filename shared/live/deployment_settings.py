"""Records the settings of the running deployment, which operators' commands read."""

from datetime import timedelta

from shared.config.settings import Settings, deployment_settings
from shared.store import DeploymentRecord

EVERY = timedelta(minutes=1)


class DeploymentSettings:
    """Records the settings of this process once. Of two that differ the last to start counts."""

    def __init__(self, record: DeploymentRecord, settings: Settings) -> None:
        self._record = record
        self._settings = settings
        self._is_noted = False

    async def note(self) -> None:
        """Ask PostgreSQL, until it has recorded them. Raises Unavailable."""
        if not self._is_noted:
            await self._record.note_settings(self._settings.issuer, deployment_settings(self._settings))
            self._is_noted = True

"""Records the settings of the running deployment for operators' commands."""

from datetime import timedelta

from shared.config.deployment import deployment_settings
from shared.config.settings import Settings
from shared.store import DeploymentRecord

EVERY = timedelta(minutes=1)


class DeploymentSettings:
    """Records the settings of this process once. The process that starts last wins."""

    def __init__(self, record: DeploymentRecord, settings: Settings) -> None:
        self._record = record
        self._settings = settings
        self._is_noted = False

    async def note(self) -> None:
        """Record the settings unless they are recorded already. Raises Unavailable."""
        if not self._is_noted:
            await self._record.note_settings(self._settings.issuer, deployment_settings(self._settings))
            self._is_noted = True

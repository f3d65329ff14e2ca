"""The operators' functions for the whole deployment: its issuer, and a restore from a backup."""

from datetime import datetime

from shared.config.settings import Settings, with_deployment
from shared.store import DeploymentRecord
from shared.store.ports.deployment import NOTHING, Ended

BATCH = 1000


class WrongIssuer(Exception):
    """The database belongs to another issuer."""

    def __init__(self, recorded: str, configured: str) -> None:
        super().__init__(
            f"The database belongs to the issuer {recorded}, but OSTIARY_ISSUER is {configured}: set"
            f" OSTIARY_ISSUER to {recorded}, or change the issuer with `ostiary issuer set {configured}`"
        )


class BadMoment(Exception):
    """The time given for a restore is impossible."""


async def check_issuer(record: DeploymentRecord, issuer: str) -> None:
    """Record the issuer at the first start, and compare it later. Raises WrongIssuer, Unavailable."""
    recorded = await record.issuer(issuer)
    if recorded != issuer:
        raise WrongIssuer(recorded, issuer)


async def settings_of_deployment(record: DeploymentRecord, settings: Settings) -> Settings:
    """*settings*, with the issuer and the clients' capabilities of the running deployment.

    If no process has started yet, *settings* are returned unchanged. Raises SettingsError, Unavailable.
    """
    recorded = await record.recorded()
    if recorded.issuer is not None:
        settings = settings.model_copy(update={"issuer": recorded.issuer})
    return settings if recorded.settings is None else with_deployment(settings, recorded.settings)


async def end_after_restore(record: DeploymentRecord, at: datetime, now: datetime) -> Ended:
    """End every session, grant and personal access token made before *at*. Raises BadMoment, Unavailable.

    The backup does not know what ended after it, so each of those in it may have ended since.
    Running this again is harmless: rows created before *at* can only come from the backup.
    """
    if at > now:
        raise BadMoment(f"{at.isoformat()} is in the future: give the time of the backup")
    await record.note_restored(at)
    ended = NOTHING
    while True:
        batch = await record.end_made_before(at, BATCH)
        if batch == NOTHING:
            return ended
        ended += batch

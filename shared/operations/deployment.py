"""The operators' functions for the whole deployment: its issuer, and a restore from a backup."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from shared.config.deployment import with_deployment
from shared.config.settings import Settings
from shared.identity.passkeys.passkey import rp_id_of
from shared.process.operator_error import OperatorError
from shared.store import DeploymentRecord, Passkeys
from shared.store.ports.deployment import NOTHING, EndedCounts

BATCH = 1000

logger = structlog.get_logger()


class WrongIssuer(OperatorError):
    """The database belongs to another issuer."""

    def __init__(self, recorded: str, configured: str) -> None:
        super().__init__(
            f"The database belongs to the issuer {recorded}, but OSTIARY_ISSUER is {configured}: set"
            f" OSTIARY_ISSUER to {recorded}, or change the issuer with `ostiary issuer set {configured}`"
        )


class PasskeysUnusable(OperatorError):
    """There are passkeys that browsers would not offer at another issuer."""

    def __init__(self, stranded: Mapping[str, int], rp_id: str) -> None:
        counts = ", ".join(f"{count} at {other}" for other, count in sorted(stranded.items()))
        super().__init__(
            f"Passkeys work at their own host only ({counts}), and their users could not sign in with them at"
            f" {rp_id}: set OSTIARY_PASSKEY_RP_ID to the old host to keep them, or add --strand-passkeys to"
            " change the issuer nonetheless"
        )


class BadMoment(OperatorError):
    """The time given for a restore is impossible."""


async def check_issuer(record: DeploymentRecord, issuer: str) -> None:
    """Record the issuer at the first start, and compare it later. Raises WrongIssuer, Unavailable."""
    recorded = await record.issuer(issuer)
    if recorded != issuer:
        raise WrongIssuer(recorded, issuer)


async def change_issuer(
    record: DeploymentRecord,
    passkeys: Passkeys,
    issuer: str,
    rp_id: str | None = None,
    *,
    strands_passkeys: bool = False,
) -> str | None:
    """Record another issuer; the previous one is returned.

    *rp_id*: the domain that passkeys will belong to, if it is not the issuer's host. Unless it
    *strands_passkeys*, raises PasskeysUnusable if there are passkeys for another host. Raises Unavailable.
    """
    if not strands_passkeys:
        new_rp_id = rp_id or rp_id_of(issuer)
        if stranded := stranded_passkeys(await passkeys.count_by_rp_id(), new_rp_id):
            raise PasskeysUnusable(stranded, new_rp_id)
    return await record.set_issuer(issuer)


def stranded_passkeys(count_by_rp_id: Mapping[str, int], rp_id: str) -> Mapping[str, int]:
    """The numbers of passkeys that browsers do not offer to pages that ask for those of *rp_id*."""
    return {other: count for other, count in count_by_rp_id.items() if other != rp_id}


def stranded_sentence(stranded: Mapping[str, int], rp_id: str) -> str:
    """Which passkeys browsers do not offer, and what an operator can do about them."""
    counts = ", ".join(f"{count} for {other}" for other, count in sorted(stranded.items()))
    return (
        f"browsers offer passkeys for {rp_id} only, and not {counts}: set OSTIARY_PASSKEY_RP_ID to the domain"
        " that has most, and let users of the others sign in with their passwords and add new ones"
    )


async def warn_of_stranded_passkeys(passkeys: Passkeys, rp_id: str) -> None:
    """Log that users have passkeys for other domains than *rp_id*, if they do. Raises Unavailable."""
    if stranded := stranded_passkeys(await passkeys.count_by_rp_id(), rp_id):
        logger.warning("passkeys_stranded", detail=stranded_sentence(stranded, rp_id))


async def settings_of_deployment(record: DeploymentRecord, settings: Settings) -> Settings:
    """*settings*, with the issuer and the clients' capabilities of the running deployment.

    If no process has started yet, *settings* are returned unchanged. Raises SettingsError, Unavailable.
    """
    recorded = await record.recorded()
    if recorded.issuer is not None:
        settings = settings.model_copy(update={"issuer": recorded.issuer})
    return settings if recorded.settings is None else with_deployment(settings, recorded.settings)


async def end_after_restore(record: DeploymentRecord, at: datetime, now: datetime) -> EndedCounts:
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

"""Planted defects of the record of the deployment."""

from datetime import datetime

import pytest

from services.cli import steps
from shared.config.settings import Settings
from shared.operations.client_import import ImportReport
from shared.operations.doctor import records
from shared.store.ports.deployment import NOTHING, EndedCounts
from shared.store.postgres import deployment, refresh_families
from shared.store.postgres.deployment import MAY_BE_NEWER_THAN_BACKUP, PostgresDeploymentRecord


def takes_any_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database accepts any issuer."""

    async def issuer(_: PostgresDeploymentRecord, issuer: str) -> str:
        return issuer

    monkeypatch.setattr(PostgresDeploymentRecord, "issuer", issuer)


def lets_a_backup_live_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore ends nothing."""

    async def end_made_before(_: PostgresDeploymentRecord, _at: datetime, _limit: int) -> EndedCounts:
        return NOTHING

    monkeypatch.setattr(PostgresDeploymentRecord, "end_made_before", end_made_before)


def takes_a_lost_rotation_for_reuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh token that the backup lacks ends its family."""
    rotate = refresh_families._ROTATE.replace(MAY_BE_NEWER_THAN_BACKUP, "false")
    assert rotate != refresh_families._ROTATE
    monkeypatch.setattr(refresh_families, "_ROTATE", rotate)


def imports_nothing_with_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import in which every client was refused exits with 0."""
    monkeypatch.setattr(ImportReport, "is_empty", False)


def asks_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line validates clients with the settings of its shell."""

    async def own(_: object, settings: Settings) -> Settings:
        return settings

    monkeypatch.setattr(steps, "settings_of_deployment", own)


def ends_a_backup_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    """No client is notified of the sessions that end after a restore."""
    monkeypatch.setattr(deployment, "TELL_OF_THESE", "SELECT $1::uuid[]")


def examines_no_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor does not compare clients with the algorithms of the deployment."""
    monkeypatch.setattr(records, "unsigned_responses", lambda client, signing_algorithms: iter(()))

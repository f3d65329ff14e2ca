"""Planted defects that only races find: they pass every test that sends requests one after another."""

from contextlib import suppress
from datetime import datetime

import asyncpg
import pytest

from shared.model import AuthorizationCode
from shared.store import Attempt, NewFamily, Redeemed, Rotated, Rotation
from shared.store import open as opening
from shared.store.postgres.grants import PostgresGrants
from shared.store.postgres.refresh_families import PostgresRefreshFamilies
from shared.store.postgres.transport.database import Database

_SPEND = "UPDATE grants SET code_hash = $2 WHERE grant_id = $1"
_ROTATE = """
UPDATE refresh_families SET previous_hash = $2, current_hash = $3, sealed_successor = $4, rotated_at = now()
 WHERE family_hash = $1"""


class FindThenSpend(PostgresGrants):
    """Checks whether the code was spent, makes the grant, and then spends the code."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._planted = database

    async def redeem(
        self,
        attempt: Attempt,
        code_hash: bytes,
        code: AuthorizationCode,
        expires_at: datetime,
        family: NewFamily | None,
        *,
        with_groups: bool = False,
    ) -> Redeemed | None:
        if await self.find_spent(code_hash):
            return None
        grant_id = attempt.attempt_id
        redeemed = await super().redeem(
            attempt, grant_id.bytes, code, expires_at, family, with_groups=with_groups
        )
        with suppress(asyncpg.UniqueViolationError):
            await self._planted.row(_SPEND, grant_id, code_hash)
        return redeemed


class FindThenRotate(PostgresRefreshFamilies):
    """Checks whether the token is current, and then writes its successor."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._planted = database

    async def rotate(self, rotation: Rotation) -> Rotated | None:
        grant = await self.find(rotation.family_hash, rotation.presented_hash, rotation.reuse_window)
        if grant is None:
            return None
        await self._planted.row(
            _ROTATE,
            rotation.family_hash,
            rotation.presented_hash,
            rotation.candidate_hash,
            rotation.candidate_sealed,
        )
        return Rotated(verdict="now", sealed_successor=rotation.candidate_sealed, grant=grant)


def finds_then_spends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is looked up and spent in two statements."""
    monkeypatch.setattr(opening, PostgresGrants.__name__, FindThenSpend)


def finds_then_rotates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh token is looked up and rotated in two statements."""
    monkeypatch.setattr(opening, PostgresRefreshFamilies.__name__, FindThenRotate)

"""A token service with mistakes that only races find: for tests that must catch them, and for nobody else.

    python -m tests.planted unix:PATH

Both pass every test that asks one thing after another.
"""

import sys
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import asyncpg

from services.token.app import mount
from shared.model import AuthorizationCode
from shared.settings import read_settings
from shared.store import NewFamily, Redeemed, Rotated, Rotation
from shared.store import open as opening
from shared.store.postgres.database import Database
from shared.store.postgres.grants import PostgresGrants
from shared.store.postgres.refresh_families import PostgresRefreshFamilies
from shared.web.app import application
from shared.web.log import configure_log
from shared.web.serve import Listen, serve

_SPEND = "UPDATE grants SET code_hash = $2 WHERE grant_id = $1"
_ROTATE = """
UPDATE refresh_families SET previous_hash = $2, current_hash = $3, sealed_successor = $4, rotated_at = now()
 WHERE family_hash = $1"""


class FindThenSpend(PostgresGrants):
    """Looks whether the code was spent, makes the grant, and then spends the code."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._planted = database

    async def redeem(
        self,
        grant_id: UUID,
        code_hash: bytes,
        code: AuthorizationCode,
        expires_at: datetime,
        family: NewFamily | None,
    ) -> Redeemed | None:
        if await self.find_spent(code_hash):
            return None
        redeemed = await super().redeem(grant_id, grant_id.bytes, code, expires_at, family)
        with suppress(asyncpg.UniqueViolationError):
            await self._planted.row(_SPEND, grant_id, code_hash)
        return redeemed


class FindThenRotate(PostgresRefreshFamilies):
    """Looks whether the token is current, and then writes its successor."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._planted = database

    async def rotate(self, rotation: Rotation) -> Rotated | None:
        held = await self.find(rotation.family_hash, rotation.presented_hash, rotation.reuse_window)
        if held is None:
            return None
        await self._planted.row(
            _ROTATE,
            rotation.family_hash,
            rotation.presented_hash,
            rotation.candidate_hash,
            rotation.candidate_sealed,
        )
        return Rotated(verdict="now", sealed_successor=rotation.candidate_sealed, held=held)


if __name__ == "__main__":
    setattr(opening, PostgresGrants.__name__, FindThenSpend)
    setattr(opening, PostgresRefreshFamilies.__name__, FindThenRotate)
    settings = read_settings()
    configure_log(settings.log_level, "planted")
    serve(lambda: application(settings, mount), Listen(sys.argv[1]).bind())

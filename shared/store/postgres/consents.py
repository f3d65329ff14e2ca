"""Consents in PostgreSQL: what a user allows a client to be given without asking again."""

from uuid import UUID

from shared.model import Scope
from shared.store.postgres.database import Database

_NOTE = """
INSERT INTO audit (event, user_id, client_id, detail)
VALUES ('consent_given', $1, $2, jsonb_build_object('scope', $3::text[]))"""
_ADD = f"""
WITH noted AS ({_NOTE})
INSERT INTO consents AS c (user_id, client_id, scope) VALUES ($1, $2, $3)
ON CONFLICT (user_id, client_id) DO UPDATE SET updated_at = now(),
   scope = ARRAY(SELECT DISTINCT unnest(c.scope || excluded.scope) ORDER BY 1)"""


class PostgresConsents:
    """`Consents` over PostgreSQL: one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user_id: UUID, client_id: str, scope: Scope, *, is_remembered: bool) -> None:
        await self._database.row(_ADD if is_remembered else _NOTE, user_id, client_id, list(scope))

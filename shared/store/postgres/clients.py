"""Clients in PostgreSQL: one row each, with the metadata as a JSON object.

The statement that changes a client also increments the change counter and writes the audit row.
"""

from collections.abc import Sequence
from typing import Any, get_args

import asyncpg

from shared.model import Author
from shared.oauth.client.metadata.members import from_metadata, to_metadata
from shared.oauth.client.record import Client
from shared.store import EVERY_CLIENT, ClientEvent, ClientFilter, Full, Stale, Taken, UsedUp
from shared.store.codecs.authors import author_detail
from shared.store.codecs.client_secrets import SecretRows
from shared.store.codecs.text import is_storable
from shared.store.postgres.changes import CLIENT
from shared.store.postgres.initial_access_tokens import SPEND
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.transaction import Transaction

_COLUMNS = """client_id, metadata, secrets, registration_access_token_hash, is_dynamically_registered,
   version, disabled_at, created_at, epoch, document_hash"""
_FIND = f"SELECT {_COLUMNS} FROM clients WHERE client_id = $1 AND deleted_at IS NULL"
_LIST = f"""
SELECT {_COLUMNS} FROM clients
 WHERE client_id > $1 AND deleted_at IS NULL AND ($3::boolean IS NULL OR (disabled_at IS NOT NULL) = $3)
   AND ($4::boolean IS NULL OR is_dynamically_registered = $4)
   AND ($5::text IS NULL
        OR strpos(lower(concat_ws(' ', client_id, metadata ->> 'client_name')), lower($5)) > 0)
   AND (document_hash IS NOT NULL) = $6
 ORDER BY client_id LIMIT $2"""


_LIST_STARTABLE = f"""
SELECT {_COLUMNS} FROM clients
 WHERE metadata ? 'initiate_login_uri' AND disabled_at IS NULL AND deleted_at IS NULL
 ORDER BY lower(metadata ->> 'client_name'), client_id LIMIT $1"""


def _change_statement(change: str, event: str, consequences: str = "") -> str:
    """A statement that changes the client $1, audits *event* with the detail $2, and notifies processes.

    *consequences*: further members of its WITH clause.
    """
    return f"""
WITH changed AS ({change} RETURNING client_id, epoch), {consequences}
bumped AS (UPDATE change_counter SET value = value + 1 WHERE EXISTS (SELECT FROM changed) RETURNING value),
noted AS (INSERT INTO changes (name, value) SELECT '{CLIENT}' || $1, value FROM bumped
          ON CONFLICT (name) DO UPDATE SET value = excluded.value),
audited AS (INSERT INTO audit (event, client_id, detail) SELECT '{event}', client_id, $2 FROM changed)
SELECT client_id FROM changed"""


# The client_id of a deleted client is free. The client that takes it is new and inherits nothing.
_ADD = _change_statement(
    """INSERT INTO clients AS c (client_id, metadata, secrets, registration_access_token_hash,
     is_dynamically_registered, disabled_at, document_hash, epoch, first_epoch)
   SELECT $1, $3, $4, $5, $6, $7, $8, epoch, epoch FROM nextval('client_epochs') AS epoch
   ON CONFLICT (client_id) DO UPDATE SET
     metadata = excluded.metadata, secrets = excluded.secrets,
     registration_access_token_hash = excluded.registration_access_token_hash,
     is_dynamically_registered = excluded.is_dynamically_registered, disabled_at = excluded.disabled_at,
     document_hash = excluded.document_hash,
     epoch = excluded.epoch, first_epoch = excluded.first_epoch, deleted_at = NULL, used_at = NULL,
     version = c.version + 1, created_at = now(), updated_at = now()
    WHERE c.deleted_at IS NOT NULL""",
    "client_added",
)
_MAPPED_ATTRIBUTES = """
SELECT DISTINCT source #>> '{}' AS attribute
  FROM clients, jsonb_each(metadata -> 'claims_mapping') AS mapping (claim, source)
 WHERE metadata @? '$.claims_mapping.*' AND deleted_at IS NULL AND jsonb_typeof(source) = 'string'"""
# One registration at a time makes the count exact. The lock is not that of the change counter: a process that
# stalls here does not stop others from changing clients and keys.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('ostiary registration'))"
_COUNT = "SELECT count(*) FROM clients WHERE is_dynamically_registered AND deleted_at IS NULL"
_REPLACE = {
    event: _change_statement(
        """UPDATE clients SET metadata = $3, secrets = $4, registration_access_token_hash = $5,
     is_dynamically_registered = $6, document_hash = $8, version = version + 1, updated_at = now()
   WHERE client_id = $1 AND version = $7 AND deleted_at IS NULL""",
        event,
    )
    for event in get_args(ClientEvent)
}
_WRAPPED = """
SELECT client_id, secrets FROM clients WHERE jsonb_path_exists(secrets, '$[*].wrapped')"""
_REWRAP = "UPDATE clients SET secrets = $3 WHERE client_id = $1 AND secrets = $2 RETURNING client_id"
_DISABLE = _change_statement(
    """UPDATE clients SET disabled_at = now(), version = version + 1, updated_at = now()
   WHERE client_id = $1 AND disabled_at IS NULL AND deleted_at IS NULL""",
    "client_disabled",
)
_ENABLE = _change_statement(
    """UPDATE clients SET disabled_at = NULL, version = version + 1, updated_at = now()
   WHERE client_id = $1 AND disabled_at IS NOT NULL AND deleted_at IS NULL""",
    "client_enabled",
)
_REVOKE_GRANTS = _change_statement(
    """UPDATE clients SET epoch = nextval('client_epochs'), updated_at = now()
   WHERE client_id = $1 AND deleted_at IS NULL""",
    "grants_revoked",
)
# Disabled as well: a process of the previous release does not read deleted_at.
_DELETE = _change_statement(
    """UPDATE clients SET deleted_at = now(), disabled_at = coalesce(disabled_at, now()), secrets = '[]',
     registration_access_token_hash = NULL, epoch = nextval('client_epochs'), version = version + 1
   WHERE client_id = $1 AND ($3::int IS NULL OR version = $3) AND deleted_at IS NULL""",
    "client_deleted",
    """removal AS (INSERT INTO client_removals (client_id, epoch) SELECT client_id, epoch FROM changed
            ON CONFLICT (client_id) DO UPDATE
            SET epoch = excluded.epoch, deleted_at = excluded.deleted_at),""",
)


def _client(row: asyncpg.Record, secrets: SecretRows) -> Client:
    return from_metadata(
        row["client_id"],
        row["metadata"],
        secrets=secrets.read(row["client_id"], row["secrets"]),
        registration_access_token_hash=row["registration_access_token_hash"],
        is_dynamically_registered=row["is_dynamically_registered"],
        version=row["version"],
        disabled_at=row["disabled_at"],
        created_at=row["created_at"],
        epoch=row["epoch"],
        document_hash=row["document_hash"],
    )


async def _spend(connection: Transaction, token_hash: bytes) -> None:
    if await connection.fetchrow(SPEND, token_hash) is None:
        raise UsedUp


async def _keep_quota(connection: Transaction, quota: int) -> None:
    await connection.execute(_LOCK)
    if await connection.fetchval(_COUNT) >= quota:
        raise Full


class PostgresClients:
    """`Clients` over PostgreSQL."""

    def __init__(self, database: Database, secrets: SecretRows) -> None:
        self._database = database
        self._secrets = secrets

    def _fields(self, client: Client, by: Author | None) -> tuple[Any, ...]:
        return (
            client.client_id,
            author_detail(by),
            to_metadata(client),
            self._secrets.write(client.client_id, client.secrets),
            client.registration_access_token_hash,
            client.is_dynamically_registered,
        )

    async def find(self, client_id: str) -> Client | None:
        row = await self._database.row(_FIND, client_id) if is_storable(client_id) else None
        return _client(row, self._secrets) if row else None

    async def list(
        self, after: str | None, limit: int, matching: ClientFilter = EVERY_CLIENT
    ) -> Sequence[Client]:
        if not is_storable(after or "") or not is_storable(matching.text or ""):
            return []
        rows = await self._database.rows(
            _LIST,
            after or "",
            limit,
            matching.is_disabled,
            matching.is_dynamically_registered,
            matching.text,
            matching.is_document,
        )
        return [_client(row, self._secrets) for row in rows]

    async def list_startable(self, limit: int) -> Sequence[Client]:
        rows = await self._database.rows(_LIST_STARTABLE, limit)
        return [_client(row, self._secrets) for row in rows]

    async def mapped_attributes(self) -> frozenset[str]:
        return frozenset(row["attribute"] for row in await self._database.rows(_MAPPED_ATTRIBUTES))

    async def add(
        self,
        client: Client,
        *,
        by: Author | None = None,
        quota: int | None = None,
        initial_access_token: bytes | None = None,
    ) -> None:
        fields = (*self._fields(client, by), client.disabled_at, client.document_hash)
        if quota is None and initial_access_token is None:
            if await self._database.row(_ADD, *fields) is None:
                raise Taken(client.client_id)
            return
        async with self._database.transaction() as connection:
            if initial_access_token is not None:
                await _spend(connection, initial_access_token)
            if quota is not None:
                await _keep_quota(connection, quota)
            if await connection.fetchrow(_ADD, *fields) is None:
                raise Taken(client.client_id)

    async def replace(
        self, client: Client, *, by: Author | None = None, event: ClientEvent = "client_changed"
    ) -> None:
        fields = (*self._fields(client, by), client.version, client.document_hash)
        if await self._database.row(_REPLACE[event], *fields) is None:
            raise Stale(client.client_id)

    async def disable(self, client_id: str) -> bool:
        return await self._ended(_DISABLE, client_id, {})

    async def enable(self, client_id: str) -> bool:
        return await self._database.row(_ENABLE, client_id, {}) is not None

    async def delete(self, client_id: str, *, by: Author | None = None, version: int | None = None) -> bool:
        return await self._ended(_DELETE, client_id, author_detail(by), version)

    async def revoke_grants(self, client_id: str) -> bool:
        return await self._database.row(_REVOKE_GRANTS, client_id, {}) is not None

    async def _ended(self, sql: str, *arguments: Any) -> bool:
        """Whether the statement has ended something; if not, it may have ended before."""
        if await self._database.row(sql, *arguments) is not None:
            return True
        await self._database.confirm()
        return False

    async def rewrap(self) -> int:
        rewrapped = 0
        for row in await self._database.rows(_WRAPPED):
            client_id, secrets = row["client_id"], row["secrets"]
            if (new := self._secrets.rewrapped(client_id, secrets)) is not None:
                # A row that has changed in the meantime was written under the first secret key.
                rewrapped += await self._database.row(_REWRAP, client_id, secrets, new) is not None
        return rewrapped

"""Mails that wait, in PostgreSQL: one statement each."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from shared.store.codecs.sealed_values import SealedValues
from shared.store.ports.mails import Mail, MailContents, MailKind
from shared.store.postgres.queue import put_off, settle, take_due
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database

_ADD = """
INSERT INTO mails (mail_id, user_id, kind, contents, expires_at)
VALUES ($1, $2, $3, $4, now() + $5::interval) ON CONFLICT DO NOTHING"""

_COLUMNS = "mail_id, user_id, kind, contents, tries, created_at, expires_at"

_TAKE = take_due("mails", "mail_id", _COLUMNS, "expires_at > $1")

_SETTLE = settle("mails", "mail_id")

_PUT_OFF = put_off("mails", "mail_id")

_GIVE_UP = """
WITH given_up AS (DELETE FROM mails WHERE mail_id = $1 RETURNING user_id, kind)
INSERT INTO audit (event, user_id, detail)
SELECT 'mail_given_up', user_id, jsonb_build_object('kind', kind) FROM given_up"""


class PostgresMails:
    """`Mails` over PostgreSQL."""

    def __init__(self, database: Database, sealed: SealedValues[MailContents]) -> None:
        self._database = database
        self._sealed = sealed

    async def add(self, user_id: UUID, kind: MailKind, contents: MailContents, lifetime: timedelta) -> None:
        mail_id = uuid4()
        sealed = self._sealed.write(mail_id, contents)
        await self._database.row_idempotent(_ADD, mail_id, user_id, kind, sealed, lifetime)

    async def take(self, limit: int, lease: timedelta, now: datetime) -> Sequence[Mail]:
        return list(self._readable(await self._database.rows(_TAKE, now, now + lease, limit)))

    def _readable(self, rows: Sequence[Row]) -> Iterator[Mail]:
        for row in rows:
            if contents := self._sealed.read(row["mail_id"], row["contents"]):
                yield Mail(**{**dict(row), "contents": contents})

    async def settle(self, mail_id: UUID) -> None:
        await self._database.row_idempotent(_SETTLE, mail_id)

    async def put_off(self, mail_id: UUID, due_at: datetime) -> None:
        await self._database.row_idempotent(_PUT_OFF, mail_id, due_at)

    async def give_up(self, mail_id: UUID) -> None:
        await self._database.row_idempotent(_GIVE_UP, mail_id)

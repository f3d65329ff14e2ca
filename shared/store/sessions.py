"""Browser sessions over both stores: alive while Redis knows them and PostgreSQL has not ended them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from shared.model import Json, Scope, Session
from shared.store import SessionOwner, Unavailable
from shared.store.postgres.sessions import PostgresSessionRows
from shared.store.redis.sessions import RedisSessionContents, restored


class KeptSessions:
    """`Sessions` over a row in PostgreSQL and contents in Redis."""

    def __init__(self, rows: PostgresSessionRows, contents: RedisSessionContents) -> None:
        self._rows = rows
        self._contents = contents

    async def begin(self, session: Session, replaced_key: bytes | None, detail: Json) -> Session | None:
        begun = await self._rows.begin(session, replaced_key, detail)
        if begun is not None:
            await self._contents.put(begun, replaced_key)
        return begun

    async def find(self, session_key: bytes, client_id: str) -> tuple[Session, Scope | None] | None:
        contents = asyncio.create_task(self._contents.use(session_key))
        try:
            row = await self._rows.find(session_key, client_id)
        finally:  # both are asked at once, and both are waited for
            kept = await contents
        if kept is None or row is None:
            return None
        sid, user_id, epoch, consented = row
        session = restored(session_key, sid, user_id, epoch, kept)
        return (session, consented) if session else None

    async def owner(self, session_key: bytes, *, is_ended_too: bool = False) -> SessionOwner | None:
        try:
            return await self._rows.owner(session_key, is_ended_too=is_ended_too)
        except Unavailable:
            kept = await self._contents.use(session_key)
            if kept is None:  # that says nothing about the row
                raise
        return SessionOwner(sid=kept.sid, user_id=kept.user_id, username=kept.username)

    async def end(self, sid: UUID, reason: str) -> bool:
        session_key = await self._rows.end(sid, reason)
        if session_key is None:
            return False
        with suppress(Unavailable):  # cleaning: the row has ended it
            await self._contents.drop(session_key)
        return True

    async def clients(self, sid: UUID) -> Sequence[str]:
        return await self._rows.clients(sid)

    async def note_failure(self, user_id: UUID | None, detail: Json) -> None:
        await self._rows.note_failure(user_id, detail)

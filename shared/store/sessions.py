"""Browser sessions over both stores: live while Redis knows them and PostgreSQL has not ended them."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from shared.model import Author, Json, Scope, Session
from shared.store import NewMail, SessionOwner, SessionPage, SessionRow, Unavailable
from shared.store.postgres.sessions import PostgresSessionRows
from shared.store.redis.sessions import RedisSessionContents, SessionRecord, restored

Row = TypeVar("Row")


class KeptSessions:
    """`Sessions` over a row in PostgreSQL and contents in Redis."""

    def __init__(self, rows: PostgresSessionRows, contents: RedisSessionContents) -> None:
        self._rows = rows
        self._contents = contents

    async def begin(
        self, session: Session, replaced_key: bytes | None, detail: Json, *, mails: Sequence[NewMail] = ()
    ) -> Session | None:
        stored = await self._rows.begin(session, replaced_key, detail, mails=mails)
        if stored is not None:
            await self._contents.put(stored, replaced_key)
        return stored

    async def find(self, session_key: bytes) -> Session | None:
        row, contents = await self._both(session_key, self._rows.find(session_key))
        return restored(session_key, row, contents) if row and contents else None

    async def find_with_consent(
        self, session_key: bytes, client_id: str
    ) -> tuple[Session, Scope | None] | None:
        row, contents = await self._both(session_key, self._rows.find_with_consent(session_key, client_id))
        if row is None or contents is None:
            return None
        standing, consented = row
        session = restored(session_key, standing, contents)
        return (session, consented) if session else None

    async def of_user(self, user_id: UUID) -> Sequence[SessionRow]:
        return await self._live(await self._rows.of_user(user_id))

    async def list(self, after: UUID, limit: int, user_id: UUID | None = None) -> SessionPage:
        rows = await self._rows.list(after, limit + 1, user_id)
        on_page = dict(islice(rows.items(), limit))
        last = list(on_page.values())[-1].sid if len(rows) > limit else None
        return SessionPage(await self._live(on_page), last)

    async def get_live(self, sid: UUID) -> SessionRow | None:
        return next(iter(await self._live(await self._rows.of_sid(sid))), None)

    async def _live(self, rows: Mapping[bytes, SessionRow]) -> Sequence[SessionRow]:
        """Those of *rows* whose contents exist, with the time of their last use."""
        try:
            unused = await self._contents.unused_for(list(rows))
        except Unavailable:  # the list is for people: without the time of the last use it still helps
            return list(rows.values())
        now = datetime.now(UTC)
        return [replace(row, last_used_at=now - unused[key]) for key, row in rows.items() if key in unused]

    async def owner(self, session_key: bytes, *, is_ended_too: bool = False) -> SessionOwner | None:
        try:
            return await self._rows.owner(session_key, is_ended_too=is_ended_too)
        except Unavailable:
            contents = await self._contents.use(session_key)
            if contents is None:  # which says nothing about the row
                raise
        return SessionOwner(sid=contents.sid, user_id=contents.user_id, username=contents.username)

    async def end(self, sid: UUID, reason: str, *, of: UUID | None = None, by: Author | None = None) -> bool:
        session_key = await self._rows.end(sid, reason, of, by)
        if session_key is None:
            return False
        with suppress(Unavailable):  # clean-up only: the row has ended the session
            await self._contents.drop(session_key)
        return True

    async def clients(self, sid: UUID) -> Sequence[str]:
        return await self._rows.clients(sid)

    async def note_failure(self, user_id: UUID | None, detail: Json) -> None:
        await self._rows.note_failure(user_id, detail)

    async def _both(
        self, session_key: bytes, row: Coroutine[object, object, Row]
    ) -> tuple[Row, SessionRecord | None]:
        """The row and the contents, read at the same time; both are awaited even if one fails."""
        contents = asyncio.create_task(self._contents.use(session_key))
        try:
            session_row = await row
        finally:
            record = await contents
        return session_row, record

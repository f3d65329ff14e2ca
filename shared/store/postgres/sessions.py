"""The rows of sessions in PostgreSQL: the user, and whether the session has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from shared.model import Author, Json, Scope, Session
from shared.store import NewMail, OutcomeUnknown, SessionOwner, SessionRow, Unavailable
from shared.store.codecs.authors import author_detail
from shared.store.ports.sessions import LiveSession
from shared.store.postgres.groups import NEEDS_SECOND_FACTOR
from shared.store.postgres.mails import SealedMails, queueing
from shared.store.postgres.outbox import TELL_OF_ENDED
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.transport.database import Database

_CONTINUES = "s.user_id = $3 AND s.epoch = $4 AND s.ended_at IS NULL AND s.expires_at > now()"
"""A live session of the same user."""

# A row with the new key is there when the statement or the form is sent again. Its session goes on, as it
# is. Nothing happens if it is over, or if the browser has another live one, which cannot get the same key.
_BEGIN = f"""
WITH standing AS (
  SELECT user_id FROM users WHERE user_id = $3 AND epoch = $4 AND disabled_at IS NULL
     AND NOT EXISTS (SELECT FROM sessions s WHERE s.session_key = $1 AND NOT ({_CONTINUES}
           AND NOT EXISTS (SELECT FROM sessions WHERE session_key = $6 AND $6 <> $1 AND ended_at IS NULL)))),
continued AS (
  UPDATE sessions s SET session_key = $1, expires_at = $5, origin = $7
    FROM standing WHERE s.session_key IN ($1, $6) AND {_CONTINUES}
  RETURNING s.sid),
replaced AS (
  UPDATE sessions s SET ended_at = now()
    FROM standing WHERE s.session_key IN ($1, $6) AND s.ended_at IS NULL AND NOT ({_CONTINUES})
  RETURNING s.sid, s.user_id),
begun AS (
  INSERT INTO sessions (session_key, sid, user_id, epoch, expires_at, origin)
  SELECT $1, $2, user_id, $4, $5, $7 FROM standing WHERE NOT EXISTS (SELECT FROM continued)
  ON CONFLICT (session_key) DO UPDATE SET expires_at = excluded.expires_at
  RETURNING sid),
present AS (SELECT sid FROM begun UNION ALL SELECT sid FROM continued),
mailed AS ({queueing("(SELECT $3::uuid AS user_id FROM present) present", 8)}),
noted AS (
  INSERT INTO audit (event, user_id, detail)
  SELECT 'signed_in', $3, jsonb_build_object('sid', sid) || $7 FROM present
   WHERE NOT EXISTS (SELECT FROM sessions WHERE session_key = $1)
  UNION ALL
  SELECT 'session_ended', user_id, jsonb_build_object('sid', sid, 'reason', 'replaced') FROM replaced)
SELECT sid, (SELECT sid FROM replaced WHERE user_id <> $3) AS replaced FROM present"""
"""$1 key, $2 sid, $3 user, $4 epoch, $5 expires_at, $6 the browser's previous key, $7 origin, $8 to $11
mails."""

_LIVE = """
       s.ended_at IS NULL AND s.expires_at > now() AND s.epoch = u.epoch AND u.disabled_at IS NULL"""

_STANDING = f"s.sid, s.user_id, s.epoch, {NEEDS_SECOND_FACTOR} AS needs_second_factor"

_FIND = f"""
SELECT {_STANDING}
  FROM sessions s JOIN users u USING (user_id)
 WHERE s.session_key = $1 AND {_LIVE}"""

_FIND_WITH_CONSENT = f"""
SELECT {_STANDING}, c.scope AS consented
  FROM sessions s JOIN users u USING (user_id)
  LEFT JOIN consents c ON c.user_id = s.user_id AND c.client_id = $2
        AND c.client_epoch >= (SELECT first_epoch FROM clients WHERE client_id = $2)
 WHERE s.session_key = $1 AND {_LIVE}"""

_ROW = f"""s.session_key, s.sid, s.user_id, s.created_at, s.expires_at, s.origin
  FROM sessions s JOIN users u USING (user_id)
 WHERE {_LIVE}"""
_OF_USER = f"SELECT {_ROW} AND s.user_id = $1 ORDER BY s.created_at, s.sid"
_OF_SID = f"SELECT {_ROW} AND s.sid = $1"
_LIST = f"SELECT {_ROW} AND s.sid > $1 ORDER BY s.sid LIMIT $2"
_LIST_OF_USER = f"SELECT {_ROW} AND s.sid > $1 AND s.user_id = $3 ORDER BY s.sid LIMIT $2"

_OWNER = """
SELECT s.sid, s.user_id, u.username FROM sessions s JOIN users u USING (user_id)
 WHERE s.session_key = $1 AND ($2 OR s.ended_at IS NULL AND s.expires_at > now())"""

_END = """
WITH ended AS (
  UPDATE sessions SET ended_at = now()
   WHERE sid = $1 AND ended_at IS NULL AND ($3::uuid IS NULL OR user_id = $3)
  RETURNING session_key, sid, user_id),
noted AS (
  INSERT INTO audit (event, user_id, detail)
  SELECT 'session_ended', user_id, jsonb_build_object('sid', sid, 'reason', $2::text) || $4::jsonb FROM ended)
SELECT session_key FROM ended"""

_CLIENTS = "SELECT DISTINCT client_id FROM grants WHERE sid = $1"

_NOTE_FAILURE = "INSERT INTO audit (event, user_id, detail) VALUES ('sign_in_failed', $1, $2)"


def _live_session(row: Row) -> LiveSession:
    return LiveSession(row["sid"], row["user_id"], row["epoch"], row["needs_second_factor"])


def _session_row(row: Row) -> SessionRow:
    origin = row["origin"]
    return SessionRow(
        sid=row["sid"],
        user_id=row["user_id"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        address=origin.get("address"),
        user_agent=origin.get("user_agent"),
    )


def _by_key(rows: Sequence[Row]) -> Mapping[bytes, SessionRow]:
    return {row["session_key"]: _session_row(row) for row in rows}


class PostgresSessionRows:
    """The rows, by one statement for each method."""

    def __init__(self, database: Database, sealed_mails: SealedMails) -> None:
        self._database = database
        self._sealed_mails = sealed_mails

    async def begin(
        self, session: Session, replaced_key: bytes | None, detail: Json, *, mails: Sequence[NewMail] = ()
    ) -> Session | None:
        """Insert a row, or continue the row of the same user's session.

        None: the user has changed, or the key stands for a session that cannot continue.

        A statement whose answer is lost is sent again. Otherwise the browser would return with its old key,
        and a session would stay that nobody could sign out of.
        """
        arguments = (
            session.session_key,
            session.sid,
            session.user_id,
            session.epoch,
            session.expires_at,
            replaced_key,
            detail,
            *self._sealed_mails.columns(mails),
        )
        try:
            row = await self._begin(replaced_key, arguments)
        except OutcomeUnknown:
            row = await self._begin(replaced_key, arguments)
        return replace(session, sid=row["sid"]) if row else None

    async def _begin(self, replaced_key: bytes | None, arguments: Sequence[object]) -> Row | None:
        """Begin, and notify the clients of another user's session that this one replaces."""
        if replaced_key is None:
            return await self._database.row(_BEGIN, *arguments)
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_BEGIN, *arguments)
            if row is not None and row["replaced"] is not None:
                await connection.execute(TELL_OF_ENDED, row["replaced"])
            return row

    async def find(self, session_key: bytes) -> LiveSession | None:
        """What the row says, if the session is live."""
        row = await self._database.row(_FIND, session_key)
        return _live_session(row) if row else None

    async def find_with_consent(
        self, session_key: bytes, client_id: str
    ) -> tuple[LiveSession, Scope | None] | None:
        """As `find`, and the scope that the user has allowed the client."""
        row = await self._database.row(_FIND_WITH_CONSENT, session_key, client_id)
        if row is None:
            return None
        consented = row["consented"]
        return _live_session(row), tuple(consented) if consented is not None else None

    async def of_user(self, user_id: UUID) -> Mapping[bytes, SessionRow]:
        """The rows that have not ended, by their keys, oldest first."""
        return _by_key(await self._database.rows(_OF_USER, user_id))

    async def of_sid(self, sid: UUID) -> Mapping[bytes, SessionRow]:
        """The row of one session by its key, if it has not ended."""
        return _by_key(await self._database.rows(_OF_SID, sid))

    async def list(self, after: UUID, limit: int, user_id: UUID | None) -> Mapping[bytes, SessionRow]:
        """As `of_user`, by `sid`; *user_id* is optional."""
        if user_id is None:
            return _by_key(await self._database.rows(_LIST, after, limit))
        return _by_key(await self._database.rows(_LIST_OF_USER, after, limit, user_id))

    async def owner(self, session_key: bytes, *, is_ended_too: bool) -> SessionOwner | None:
        row = await self._database.row(_OWNER, session_key, is_ended_too)
        return SessionOwner(**dict(row)) if row else None

    async def end(self, sid: UUID, reason: str, of: UUID | None, by: Author | None) -> bytes | None:
        """End the session and notify its clients. Returns its key; None: as `Sessions.end`."""
        try:
            return await self._end(sid, reason, of, by)
        except Unavailable:  # perhaps only the answer was lost
            return await self._end(sid, reason, of, by)

    async def _end(self, sid: UUID, reason: str, of: UUID | None, by: Author | None) -> bytes | None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_END, sid, reason, of, author_detail(by))
            if row is None:
                await connection.confirm()
            else:
                await connection.execute(TELL_OF_ENDED, sid)
        return row["session_key"] if row else None

    async def clients(self, sid: UUID) -> Sequence[str]:
        return [row["client_id"] for row in await self._database.rows(_CLIENTS, sid)]

    async def note_failure(self, user_id: UUID | None, detail: Json) -> None:
        await self._database.row(_NOTE_FAILURE, user_id, detail)

"""The contents of browser sessions in Redis. A user restores them by signing in again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.model import Authentication, Session
from shared.store.ports.sessions import LiveSession
from shared.store.redis.records import RecordFormat, Seconds, Version, moment
from shared.store.redis.transport.client import RedisClient


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """The contents of a session as they are stored."""

    v: Version = 1
    sid: UUID
    user_id: UUID
    username: str
    auth_time: Seconds
    acr: str
    amr: tuple[str, ...]
    expires_at: Seconds


FORMAT = RecordFormat(SessionRecord)


def _key(session_key: bytes) -> str:
    return f"{{session:{session_key.hex()}}}"


def encode(session: Session) -> bytes:
    """The record of a session's contents."""
    record = SessionRecord(
        sid=session.sid,
        user_id=session.user_id,
        username=session.username,
        auth_time=session.authentication.auth_time.timestamp(),
        acr=session.authentication.acr,
        amr=session.authentication.amr,
        expires_at=session.expires_at.timestamp(),
    )
    return FORMAT.encode(record)


def restored(session_key: bytes, row: LiveSession, record: SessionRecord) -> Session | None:
    """The session of a row. None: *record* is another session's.

    The epoch is the row's: it has risen if a consent was revoked since the session began.
    """
    if record.sid != row.sid or record.user_id != row.user_id:
        return None
    return Session(
        session_key=session_key,
        sid=row.sid,
        user_id=row.user_id,
        username=record.username,
        epoch=row.epoch,
        authentication=Authentication(auth_time=moment(record.auth_time), acr=record.acr, amr=record.amr),
        expires_at=moment(record.expires_at),
        needs_second_factor=row.needs_second_factor,
    )


class RedisSessionContents:
    """One round trip each. Contents that are not used for the idle lifetime expire."""

    def __init__(self, redis: RedisClient, idle_lifetime: timedelta) -> None:
        self._redis = redis
        self._idle = int(idle_lifetime.total_seconds() * 1000)

    async def put(self, session: Session, replaced_key: bytes | None) -> None:
        """Store the contents, and delete those of the replaced session."""
        is_other = replaced_key and replaced_key != session.session_key  # a form may be sent again
        dropped = [("DEL", _key(replaced_key))] if replaced_key and is_other else []
        data = encode(session)
        await self._redis.batch(("SET", _key(session.session_key), data, "PX", self._idle), *dropped)

    async def use(self, session_key: bytes) -> SessionRecord | None:
        """The contents. Their idle lifetime restarts."""
        return FORMAT.decode(await self._redis.execute("GETEX", _key(session_key), "PX", self._idle))

    async def unused_for(self, session_keys: Sequence[bytes]) -> Mapping[bytes, timedelta]:
        """For how long each of these sessions has not been used. Those that are over are left out."""
        if not session_keys:
            return {}
        remaining = await self._redis.batch(*(("PTTL", _key(key)) for key in session_keys))
        return {
            key: timedelta(milliseconds=max(0, self._idle - left))
            for key, left in zip(session_keys, remaining, strict=True)
            if left > 0
        }

    async def drop(self, session_key: bytes) -> None:
        await self._redis.execute("DEL", _key(session_key))

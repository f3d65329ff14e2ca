"""The contents of browser sessions in Redis: what a user can do again, by signing in."""

from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import orjson

from shared.model import Authentication, Json, Session
from shared.store.redis.transport.client import RedisClient


def _key(session_key: bytes) -> str:
    return f"{{session:{session_key.hex()}}}"


def _write(session: Session) -> bytes:
    return orjson.dumps(
        {
            "sid": str(session.sid),  # of asyncpg: a subclass of UUID, which orjson refuses
            "user_id": str(session.user_id),
            "username": session.username,
            "auth_time": session.authentication.auth_time.timestamp(),
            "acr": session.authentication.acr,
            "amr": session.authentication.amr,
            "expires_at": session.expires_at.timestamp(),
        }
    )


def restored(session_key: bytes, sid: UUID, user_id: UUID, epoch: int, kept: Json) -> Session | None:
    """The session whose row has *sid*, *user_id* and *epoch*. None: *kept* are the contents of another.

    The epoch is the row's: it has risen where a consent was revoked since the session began.
    """
    if kept["sid"] != str(sid) or kept["user_id"] != str(user_id):
        return None
    return Session(
        session_key=session_key,
        sid=sid,
        user_id=user_id,
        username=kept["username"],
        epoch=epoch,
        authentication=Authentication(
            auth_time=datetime.fromtimestamp(kept["auth_time"], UTC),
            acr=kept["acr"],
            amr=tuple(kept["amr"]),
        ),
        expires_at=datetime.fromtimestamp(kept["expires_at"], UTC),
    )


class RedisSessionContents:
    """One round trip each. What is not used for the idle lifetime goes by itself."""

    def __init__(self, redis: RedisClient, idle_lifetime: timedelta) -> None:
        self._redis = redis
        self._idle = int(idle_lifetime.total_seconds() * 1000)

    async def put(self, session: Session, replaced_key: bytes | None) -> None:
        """Store the contents, and drop those of the session that it takes the place of."""
        dropped = [("DEL", _key(replaced_key))] if replaced_key else []
        await self._redis.batch(
            ("SET", _key(session.session_key), _write(session), "PX", self._idle), *dropped
        )

    async def use(self, session_key: bytes) -> Json | None:
        """The contents, whose idle lifetime begins anew."""
        data: bytes | None = await self._redis.execute("GETEX", _key(session_key), "PX", self._idle)
        return cast(Json, orjson.loads(data)) if data else None

    async def drop(self, session_key: bytes) -> None:
        await self._redis.execute("DEL", _key(session_key))

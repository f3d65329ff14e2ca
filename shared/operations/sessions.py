"""What operators, and users in their account, do with browser sessions, over ports."""

from typing import Any
from uuid import UUID

from shared.model import Author
from shared.process.operator_error import OperatorError
from shared.store import SessionRow, Sessions, SignOutExemption, Users

NO_SESSION = UUID(int=0)
"""The `sid` of no session: random ones have the bits of their version."""


ENDED_BY_OPERATOR = "ended by an operator"
"""The reason in the audit log."""


class NoSuchSession(OperatorError):
    """There is no live session of that `sid`, or it is another user's."""

    template = "The user has no session {}"


def shown(row: SessionRow) -> dict[str, Any]:
    """A session as operators see it."""
    return {
        "sid": str(row.sid),
        "sub": str(row.user_id),
        "created_at": row.created_at.isoformat(),
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        "expires_at": row.expires_at.isoformat(),
        "address": row.address,
        "user_agent": row.user_agent,
    }


async def get(sessions: Sessions, sid: UUID) -> SessionRow:
    """A live session. Raises NoSuchSession."""
    if session := await sessions.get_live(sid):
        return session
    raise NoSuchSession(str(sid))


async def end_session(
    sessions: Sessions, user_id: UUID, sid: UUID, reason: str, *, by: Author | None = None
) -> None:
    """End one session of the user and notify its clients. Raises NoSuchSession."""
    if not await sessions.end(sid, reason, of=user_id, by=by):
        raise NoSuchSession(str(sid))


async def end_other_sessions(
    users: Users, user_id: UUID, sid: UUID | None = None, *, by: Author | None = None
) -> None:
    """End every session of the user but *sid*. Grants that outlive their sessions go on."""
    await users.end_all(user_id, SignOutExemption(sid=sid or NO_SESSION, has_offline_grants=True), by=by)

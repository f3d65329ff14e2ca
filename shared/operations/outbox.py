"""The operators' view of logout notices."""

from typing import Any

from shared.store import LogoutNotice

MOST_SHOWN = 1000


def shown(notice: LogoutNotice) -> dict[str, Any]:
    """A notice as operators see it."""
    return {
        "jti": str(notice.notice_id),
        "client_id": notice.client_id,
        "sid": str(notice.sid),
        "sub": str(notice.user_id),
        "state": "given up" if notice.given_up_at else "waiting",
        "tries": notice.tries,
        "created_at": notice.created_at.isoformat(timespec="seconds"),
        "due_at": None if notice.given_up_at else notice.due_at.isoformat(timespec="seconds"),
    }

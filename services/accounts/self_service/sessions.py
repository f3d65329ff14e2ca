"""The page of the user's sessions: end one, or all others."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_of, done_uri
from shared.browser.device_name import device_name
from shared.browser.language import language
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import DeviceSession, DeviceSessionsView
from shared.browser.pages.ago import Ago
from shared.live import clock
from shared.oauth.errors import InvalidRequest
from shared.operations.sessions import NoSuchSession, end_other_sessions, end_session
from shared.paths import ACCOUNT_SESSIONS, LOGOUT
from shared.store import SessionRow, Sessions, Users
from shared.web.answers import see_other
from shared.web.form import query

SID, OTHERS = "sid", "others"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """The collaborators of the page."""

    access: AccountAccess
    sessions: Sessions
    users: Users
    pages: AccountPages

    async def get(self, request: web.Request) -> web.Response:
        """Show the sessions, this browser's first."""
        visit = await self.access.open(request, ACCOUNT_SESSIONS)
        rows = await self.sessions.of_user(visit.user_id)
        shown = sorted((_shown(row, visit) for row in rows), key=lambda each: not each.is_current)
        view = DeviceSessionsView(ACCOUNT_SESSIONS.path, tuple(shown), done_of(query(request)), visit.fields)
        return self.pages.sessions(view, language(request, self.pages.pages))

    async def post(self, request: web.Request) -> web.Response:
        """End one session of the user, or all others. Connected applications go on."""
        visit, fields = await self.access.submitted(request, ACCOUNT_SESSIONS)
        if fields.unique(OTHERS):
            await end_other_sessions(self.users, visit.user_id, visit.session.sid)
            logger.info("account_changed", change="sessions_ended", user_id=str(visit.user_id))
            return see_other(done_uri(ACCOUNT_SESSIONS, "sessions"))
        sid = _sid(fields.unique(SID) or "")
        if sid == visit.session.sid:
            return see_other(LOGOUT.path)
        with suppress(NoSuchSession):  # it has ended by itself
            await end_session(self.sessions, visit.user_id, sid, "ended by its user")
            logger.info("account_changed", change="session_ended", user_id=str(visit.user_id))
        return see_other(done_uri(ACCOUNT_SESSIONS, "session"))


def _sid(text: str) -> UUID:
    """Raises InvalidRequest."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidRequest("sid is malformed") from None


def _shown(row: SessionRow, visit: Visit) -> DeviceSession:
    browser, system = device_name(row.user_agent)
    now = clock.now()
    return DeviceSession(
        str(row.sid),
        browser,
        system,
        row.address,
        Ago.of(row.created_at, now),
        Ago.of(row.last_used_at, now) if row.last_used_at else None,
        row.sid == visit.session.sid,
    )

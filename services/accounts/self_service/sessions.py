"""The page of the user's sessions: end one, or all others."""

from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from services.accounts.visit.done import done_uri
from services.accounts.visit.identifier import identifier_of
from services.accounts.visit.visit import Visit
from shared.browser.device_name import device_name
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.sessions import DeviceSession, DeviceSessionsView
from shared.live import clock
from shared.oauth.parameters import Parameters
from shared.operations.sessions import NoSuchSession, end_other_sessions, end_session
from shared.paths import LOGOUT
from shared.store import SessionRow, Sessions, Users
from shared.web.answers import see_other

SID, OTHERS = "sid", "others"


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """The collaborators of the page."""

    sessions: Sessions
    users: Users
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the sessions, this browser's first."""
        rows = await self.sessions.of_user(visit.user_id)
        shown = sorted((_shown(row, visit) for row in rows), key=lambda each: not each.is_current)
        view = DeviceSessionsView(visit.page.path, tuple(shown), visit.done, visit.fields)
        return self.pages.sessions(view, visit.locale)

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """End one session of the user, or all others. Connected applications go on."""
        if fields.unique(OTHERS):
            await end_other_sessions(self.users, visit.user_id, visit.session.sid)
            visit.log_change("sessions_ended")
            return see_other(done_uri(visit.page, "sessions"))
        sid = identifier_of(fields, SID)
        if sid == visit.session.sid:
            return see_other(LOGOUT.path)
        with suppress(NoSuchSession):  # it has ended by itself
            await end_session(self.sessions, visit.user_id, sid, "ended by its user")
            visit.log_change("session_ended")
        return see_other(done_uri(visit.page, "session"))


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

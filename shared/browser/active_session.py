"""The active session of a browser."""

from dataclasses import dataclass

from aiohttp import web

from shared.browser.cookies import Cookies
from shared.live import clock
from shared.model import Scope, Session
from shared.oauth.tokens.handle import digest
from shared.store import Sessions


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A live session, and the scope to which its user has consented for one client."""

    session: Session
    consented: Scope | None


@dataclass(frozen=True, slots=True)
class ActiveSessions:
    """Finds sessions by the cookie of a request."""

    cookies: Cookies
    sessions: Sessions

    async def find(self, request: web.Request) -> Session | None:
        """The live session that the browser presents; None unless there is exactly one.

        With an http issuer another path of the host can add a session cookie, but not replace the browser's
        own. Raises InvalidRequest, Unavailable.
        """
        handles = self.cookies.session_handles(request)
        sessions = [await self.sessions.find(digest(handle)) for handle in handles]
        live = [session for session in sessions if session and session.expires_at > clock.now()]
        return live[0] if len(live) == 1 else None

    async def find_with_consent(self, request: web.Request, client_id: str) -> ActiveSession | None:
        """As `find`, with the user's consent for the client, read by the same statement."""
        handles = self.cookies.session_handles(request)
        pairs = [await self.sessions.find_with_consent(digest(handle), client_id) for handle in handles]
        live = [ActiveSession(*pair) for pair in pairs if pair and pair[0].expires_at > clock.now()]
        return live[0] if len(live) == 1 else None

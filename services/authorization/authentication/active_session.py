"""The session that is active in a browser."""

from dataclasses import dataclass

from aiohttp import web

from shared.browser.cookies import Cookies
from shared.live import clock
from shared.model import Scope, Session
from shared.oauth.tokens.handle import digest
from shared.store import Sessions


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A session that is alive, and what its user allows the client that was asked about."""

    session: Session
    consented: Scope | None


async def active_session(
    request: web.Request, cookies: Cookies, sessions: Sessions, client_id: str = ""
) -> ActiveSession | None:
    """The only one of the presented sessions that is alive; None where none is, or more than one.

    Another path of an http issuer's host can add a session to the browser's own, but not take its place.
    Raises InvalidRequest, Unavailable.
    """
    handles = cookies.session_handles(request)
    presented = [await sessions.find(digest(handle), client_id) for handle in handles]
    alive = [ActiveSession(*found) for found in presented if found and found[0].expires_at > clock.now()]
    return alive[0] if len(alive) == 1 else None

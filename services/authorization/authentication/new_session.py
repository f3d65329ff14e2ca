"""Beginning a session in a browser, and the other sessions that the browser has."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import structlog
from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.known_browsers import KnownBrowsers
from services.authorization.authentication.new_browser import NewBrowserNotices
from shared.browser.cookies import Cookies
from shared.live import clock
from shared.live.randomness import new_handle, new_id
from shared.model import Json, Session, User
from shared.oauth.tokens.handle import Kind, derived_handle, digest
from shared.server.metrics import count_event
from shared.store import Sessions
from shared.web.forwarded import client_address
from shared.web.request import user_agent

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignInForm:
    """What a browser sends again when it repeats a sign-in.

    `browser`: the handle to which the form is bound. `purpose`: the handle of an interaction, or a user code.
    """

    browser: str
    purpose: str

    @property
    def binding(self) -> tuple[str, ...]:
        """The handles that only this browser has."""
        return self.browser, self.purpose

    def session_handle(self, secret_key: str, user_id: UUID, epoch: int) -> str:
        """The handle of the session that this form begins for a user of that epoch: always the same."""
        return derived_handle(Kind.SESSION, secret_key, self.browser, self.purpose, str(user_id), str(epoch))


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun, and its handle.

    `others`: the handles of the sessions that the browser keeps beside it; None leaves that cookie alone.
    `known`: the value of the cookie by which the browser is known from now on.
    """

    session: Session
    handle: str
    known: str
    others: tuple[str, ...] | None = None

    @property
    def browser(self) -> str:
        """The identifier of the browser."""
        return self.known.partition(".")[0]


@dataclass(frozen=True, slots=True)
class NewSessions:
    """Begins sessions that last for *lifetime* at most."""

    sessions: Sessions
    cookies: Cookies
    known_browsers: KnownBrowsers
    new_browsers: NewBrowserNotices
    secret_key: str = field(repr=False)
    lifetime: timedelta

    async def begin(
        self,
        request: web.Request,
        authenticated: Authenticated,
        sent: SignInForm,
        *,
        keeps_others: bool = False,
    ) -> NewSession | None:
        """Begin a session under a new handle, whatever cookies the browser has sent.

        It replaces the browser's active session, or, if it *keeps_others*, only one of the same user. A form
        that is *sent* again gets the same handle, and so the session that it may have begun without an
        answer; once that has ended, a random one.
        None: the user was disabled after they had authenticated. Raises InvalidRequest, Unavailable.
        """
        user, others = authenticated.user, None
        if keeps_others:
            replaced, others = await self._replaced_among_all(request, user)
        else:
            replaced = await self._replaced(request, user)
        session = Session(
            session_key=b"",
            sid=new_id(),
            user_id=user.user_id,
            username=user.username,
            epoch=user.epoch,
            authentication=authenticated.authentication,
            expires_at=clock.now() + self.lifetime,
            needs_second_factor=authenticated.proven.needs_second_factor,
        )
        known = self.known_browsers.remember(request, user.user_id, user.epoch)
        origin: Json = {"address": client_address(request), "user_agent": user_agent(request)}
        mails = await self.new_browsers.about(request, user)
        repeated = sent.session_handle(self.secret_key, user.user_id, user.epoch)
        for handle in (repeated, new_handle(Kind.SESSION)):
            under_handle = replace(session, session_key=digest(handle))
            if stored := await self.sessions.begin(under_handle, replaced, origin, mails=mails):
                count_event("sign_in")
                logger.info("signed_in", user_id=str(user.user_id), sid=str(stored.sid))
                return NewSession(stored, handle, known, others)
        return None

    def set_cookies(self, response: web.Response, new: NewSession) -> None:
        """Make the session the active one of the browser that gets *response*."""
        self.cookies.set_session(response, new.handle)
        self.cookies.set_known_browser(response, new.known)
        if new.others is not None:
            self.cookies.set_accounts(response, new.others)

    async def _replaced(self, request: web.Request, user: User) -> bytes | None:
        """The key of the active session, which the new one replaces.

        If the browser presents several, none of them was active. Every session except the user's own ends
        here, so that the new session is the only live one.
        """
        keys = [digest(handle) for handle in self.cookies.session_handles(request)]
        if len(keys) <= 1:
            return keys[0] if keys else None
        owners = {key: await self.sessions.owner(key) for key in keys}
        own = next((key for key, owner in owners.items() if owner and owner.user_id == user.user_id), None)
        for key, owner in owners.items():
            if owner and key != own:
                await self.sessions.end(owner.sid, "replaced")
        return own

    async def _replaced_among_all(
        self, request: web.Request, user: User
    ) -> tuple[bytes | None, tuple[str, ...]]:
        """The key of the user's own session, which the new one replaces, and the handles of all others."""
        presented = (*self.cookies.session_handles(request), *self.cookies.account_handles(request))
        handles = tuple(dict.fromkeys(presented))
        owners = {handle: await self.sessions.owner(digest(handle)) for handle in handles}
        own = next((h for h, owner in owners.items() if owner and owner.user_id == user.user_id), None)
        others = tuple(h for h, owner in owners.items() if owner and owner.user_id != user.user_id)
        return digest(own) if own else None, others

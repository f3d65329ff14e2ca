"""RP-initiated logout: OpenID Connect RP-Initiated Logout 1.0.

The end of every session is committed in PostgreSQL before anything is told or forgotten. Until then the
browser keeps its cookies, so the request can be repeated; a repetition never finds a session that lives on
without its cookie. Redis is not needed.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from aiohttp import web

from services.authorization.logout.front_channel import FrontChannel
from services.authorization.logout.logout_request import (
    KNOWN,
    Hinted,
    carried,
    client_id_of,
    hinted,
    is_of_session,
    must_ask_first,
    return_uri,
)
from services.authorization.request.id_token_hint import Hint
from services.authorization.request.posted import POSTED, PostedRequests
from services.authorization.response.callback import see_other
from shared.browser.cookies import Cookies
from shared.browser.errors import StaleForm
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.language import UI_LOCALES, language, note_ui_locales
from shared.browser.pages import ClientView, LogoutView, Pages, SignedOutView
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.live.client_cache import ClientCache
from shared.live.keyring import KeyRing
from shared.oauth.client.record import Client
from shared.oauth.parameters import Parameters
from shared.oauth.subject import subject
from shared.oauth.tokens.handle import digest
from shared.paths import END_SESSION, LOGOUT, LOGOUT_DONE
from shared.server.metrics import count_event
from shared.store import SessionOwner, Sessions, Unavailable
from shared.web.form import form, query
from shared.web.forwarded import client_address

PURPOSE = "logout"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EndSession:
    """The endpoint's collaborators."""

    settings: Settings
    clients: ClientCache
    keyring: KeyRing
    sessions: Sessions
    posted: PostedRequests
    front_channel: FrontChannel
    pages: Pages
    cookies: Cookies

    async def get(self, request: web.Request) -> web.Response:
        """A client's request, or one that was posted."""
        parameters = query(request)
        if POSTED in parameters:
            parameters = await self.posted.find(parameters.unique(POSTED), again=LOGOUT.path)
        return await self._requested(request, parameters)

    async def post(self, request: web.Request) -> web.Response:
        """The same by form; one that brings no cookie comes back by GET."""
        parameters = await form(request)
        if self.cookies.every_handle(request):
            return await self._requested(request, parameters)
        parameters.refuse_repeated(KNOWN)
        return see_other(await self.posted.keep(END_SESSION, parameters, KNOWN, client_address(request)))

    async def ask(self, request: web.Request) -> web.Response:
        """The question without a client: somebody came here by themselves."""
        return await self._requested(request, Parameters.of({}))

    async def confirm(self, request: web.Request) -> web.Response:
        """The user agrees. Raises StaleForm: the form was made for another session, or for none."""
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        note_ui_locales(request, fields.unique(UI_LOCALES))
        if not self._is_ours(request, fields.unique(FORM_TOKEN)):
            raise StaleForm("the form was made for another session", again=LOGOUT.path)
        try:
            return await self._end(request, fields, await self._client(fields.unique("client_id")))
        except Unavailable as fault:
            return self._incomplete(request, fields, fields.unique("client_id"), fault)

    async def done(self, request: web.Request) -> web.Response:
        """You are signed out."""
        return self.pages.signed_out(SignedOutView(None), language(request, self.pages))

    async def _requested(self, request: web.Request, parameters: Parameters) -> web.Response:
        note_ui_locales(request, parameters.unique(UI_LOCALES))
        parameters.refuse_repeated(KNOWN)
        hint = hinted(parameters, self.keyring.known, self.settings.issuer)
        try:
            return await self._answer(request, parameters, hint)
        except Unavailable as fault:
            if not self.cookies.every_handle(request):
                raise
            return self._incomplete(request, parameters, client_id_of(parameters, hint), fault)

    async def _answer(self, request: web.Request, parameters: Parameters, hint: Hinted) -> web.Response:
        """End the sessions if the hint was issued in one of them; in every other case ask.

        One is a request that names a URI to go to which is not the client's.
        """
        client = await self._client(client_id_of(parameters, hint))
        active = await self._owners(self.cookies.session_handles(request))
        target = return_uri(parameters, client)
        is_lost = target is None and parameters.unique("post_logout_redirect_uri") is not None
        if not is_lost and any(is_of_session(hint, one.sid, self._sub(one, client)) for one in active):
            return await self._end(request, parameters, client)
        if target and isinstance(hint, Hint) and not must_ask_first(target, client):
            is_over = not await self._owners(self.cookies.every_handle(request))
            if is_over:
                return self._gone(target)
        return self._ask(request, parameters, client, active)

    async def _end(self, request: web.Request, parameters: Parameters, client: Client | None) -> web.Response:
        """End every session of this browser, and lead on; where clients are to be framed, by a page."""
        handles = self.cookies.every_handle(request)
        frames = [uri for handle in handles for uri in await self._end_one(digest(handle))]
        target, done = return_uri(parameters, client), _done(parameters)
        if not frames:
            return self._gone(target or done)
        view = SignedOutView(ClientView.of(client) if client else None, target, tuple(frames), done)
        return self._forgotten(self.pages.signed_out(view, language(request, self.pages)))

    async def _end_one(self, session_key: bytes) -> tuple[str, ...]:
        """End a session, and find the URIs to frame.

        Those of a session that has ended before are framed again: this may repeat a request that was not
        completed.
        """
        owner = await self.sessions.owner(session_key, is_ended_too=True)
        if owner is None:
            return ()
        if await self.sessions.end(owner.sid, "logout"):
            count_event("sign_out")
            logger.info("signed_out", user_id=str(owner.user_id), sid=str(owner.sid))
        return await self.front_channel.frames(owner.sid)

    def _forgotten(self, response: web.Response) -> web.Response:
        self.cookies.clear_session(response)
        return response

    def _gone(self, uri: str) -> web.Response:
        return self._forgotten(see_other(uri))

    def _incomplete(
        self, request: web.Request, parameters: Parameters, client_id: str | None, fault: Unavailable
    ) -> web.Response:
        """503: the cookies stay, and the same form tries again."""
        logger.warning("sign_out_incomplete", cause=str(fault))
        token, browser = self._form_token(request)
        fields = carried(parameters, client_id)
        uri = fields.get("post_logout_redirect_uri")
        view = LogoutView(None, None, LOGOUT.path, {FORM_TOKEN: token, **fields}, (uri,) if uri else ())
        response = self.pages.sign_out_incomplete(view, language(request, self.pages))
        return self._bound(response, browser)

    def _ask(
        self,
        request: web.Request,
        parameters: Parameters,
        client: Client | None,
        active: list[SessionOwner],
    ) -> web.Response:
        token, browser = self._form_token(request)
        fields = carried(parameters, client.client_id if client else None)
        target = return_uri(parameters, client)
        view = LogoutView(
            ClientView.of(client) if client else None,
            active[0].username if active else None,
            LOGOUT.path,
            {FORM_TOKEN: token, **fields},
            (target,) if target else (),
        )
        return self._bound(self.pages.confirm_logout(view, language(request, self.pages)), browser)

    def _bound(self, response: web.Response, browser: str | None) -> web.Response:
        if browser:
            self.cookies.set_browser(response, browser)
        return response

    def _form_token(self, request: web.Request) -> tuple[str, str | None]:
        """The token of the form, and the browser's handle to which it is bound where there is no session."""
        if handles := self.cookies.session_handles(request):
            return form_token(handles[0], PURPOSE), None
        browser = self.cookies.newest_browser_handle(request)
        return form_token(browser, PURPOSE), browser

    def _is_ours(self, request: web.Request, token: str | None) -> bool:
        """Whether the form was made for this session; for this browser, where there is none."""
        if self.cookies.session_handles(request):
            return self.cookies.session_of_form(request, token, PURPOSE) is not None
        return self.cookies.browser_of_form(request, token, PURPOSE) is not None

    def _sub(self, owner: SessionOwner, client: Client | None) -> str | None:
        """What the client of a hint knows the user by; where the client is not found, the public one."""
        return subject(owner.user_id, client, self.keyring.known.salt) if client else str(owner.user_id)

    async def _client(self, client_id: str | None) -> Client | None:
        return await self.clients.find(client_id) if client_id else None

    async def _owners(self, handles: tuple[str, ...]) -> list[SessionOwner]:
        """The owners of those sessions that are alive."""
        found = [await self.sessions.owner(digest(handle)) for handle in handles]
        return [owner for owner in found if owner]


def _done(parameters: Parameters) -> str:
    """The page that ends a logout, in the language of its request."""
    ui_locales = parameters.unique(UI_LOCALES)
    return f"{LOGOUT_DONE}?{urlencode({UI_LOCALES: ui_locales})}" if ui_locales else LOGOUT_DONE.path

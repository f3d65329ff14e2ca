"""RP-initiated logout: OpenID Connect RP-Initiated Logout 1.0.

The end is committed in PostgreSQL before it is told. It works while Redis is away; while PostgreSQL is away
the browser at least forgets its session, and is told that this is not all.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from aiohttp import web

from services.authorization.front_channel import FrontChannel
from services.authorization.logout_request import (
    KNOWN,
    Hinted,
    NoHint,
    client_id_of,
    hinted,
    is_of_session,
    return_uri,
)
from services.authorization.pages import ClientView, LogoutView, Pages, SignedOutView
from services.authorization.refusals import Strange
from services.authorization.response import see_other
from services.authorization.same_origin import check_same_origin
from services.authorization.session import FORM_TOKEN, Cookies, form_token, is_form_token
from shared.live.client_cache import ClientCache
from shared.live.keyring import KeyRing
from shared.model import Client
from shared.oauth.handle import digest
from shared.oauth.parameters import Parameters
from shared.oauth.subject import subject
from shared.paths import END_SESSION, LOGOUT, LOGOUT_DONE
from shared.settings import Settings
from shared.store import SessionOwner, Sessions, Unavailable
from shared.web.form import form, query
from shared.web.headers import RETRY_AFTER
from shared.web.metrics import count_event

PURPOSE = "logout"
_CARRIED = ("client_id", "post_logout_redirect_uri", "state", "ui_locales")

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EndSession:
    """The endpoint's collaborators."""

    settings: Settings
    clients: ClientCache
    keyring: KeyRing
    sessions: Sessions
    front_channel: FrontChannel
    pages: Pages
    cookies: Cookies

    async def get(self, request: web.Request) -> web.Response:
        """End the session that the hint was issued in; in every other case ask.

        One is a request that names a URI to go to which is not the client's.
        """
        parameters = query(request)
        parameters.refuse_repeated(KNOWN)
        hint = hinted(parameters, self.keyring.known, self.settings.issuer)
        client = await self._client(client_id_of(parameters, hint))
        owner = await self._owner(self.cookies.session_key(request))
        target = return_uri(parameters, client)
        is_lost = target is None and parameters["post_logout_redirect_uri"] is not None
        if owner and is_of_session(hint, owner.sid, self._sub(owner, client)) and not is_lost:
            return await self._end(request, parameters, client)
        if owner is None and target and not isinstance(hint, NoHint):
            return self._gone(target)
        return self._ask(request, parameters, hint, client, owner)

    async def post(self, request: web.Request) -> web.Response:
        """Come back by GET: a form of another site brings no session cookie."""
        parameters = await form(request)
        parameters.refuse_repeated(KNOWN)
        known = {name: value for name in sorted(KNOWN) if (value := parameters[name])}
        return see_other(f"{END_SESSION}?{urlencode(known)}" if known else END_SESSION.path)

    async def ask(self, request: web.Request) -> web.Response:
        """The question without a client: somebody came here by themselves."""
        return self._ask(
            request, Parameters({}), NoHint(), None, await self._owner(self.cookies.session_key(request))
        )

    async def confirm(self, request: web.Request) -> web.Response:
        """The user agrees. Raises Strange for a form that was not made for this session."""
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        if not is_form_token(fields[FORM_TOKEN], self.cookies.session_handle(request), PURPOSE):
            raise Strange("the form was made for another session")
        client = await self._client(fields["client_id"])
        return await self._end(request, fields, client)

    async def done(self, request: web.Request) -> web.Response:
        """You are signed out."""
        locale = self.pages.locale(None, request.headers.get("Accept-Language"))
        return self.pages.signed_out(SignedOutView(None, is_complete=True), locale)

    async def _end(self, request: web.Request, parameters: Parameters, client: Client | None) -> web.Response:
        """End every session of this browser, and lead on; where clients are to be framed, by a page."""
        locale = self.pages.locale(parameters["ui_locales"], request.headers.get("Accept-Language"))
        try:
            frames = [uri for owner in await self._owners(request) for uri in await self._end_one(owner)]
        except Unavailable as fault:
            logger.warning("sign_out_incomplete", cause=str(fault))
            return self._incomplete(locale)
        target = return_uri(parameters, client)
        if not frames:
            return self._gone(target or LOGOUT_DONE.path)
        view = SignedOutView(ClientView.of(client) if client else None, True, target, tuple(frames))
        return self._forgotten(self.pages.signed_out(view, locale))

    async def _end_one(self, owner: SessionOwner) -> tuple[str, ...]:
        """End a session; what to frame."""
        if await self.sessions.end(owner.sid, "logout"):
            count_event("sign_out")
            logger.info("signed_out", user_id=str(owner.user_id), sid=str(owner.sid))
        return await self.front_channel.frames(owner.sid)

    def _forgotten(self, response: web.Response) -> web.Response:
        self.cookies.clear_session(response)
        return response

    def _gone(self, uri: str) -> web.Response:
        return self._forgotten(see_other(uri))

    def _incomplete(self, locale: str) -> web.Response:
        response = self.pages.signed_out(SignedOutView(None, is_complete=False), locale)
        response.set_status(503)
        response.headers.update(RETRY_AFTER)
        return self._forgotten(response)

    def _ask(
        self,
        request: web.Request,
        parameters: Parameters,
        hint: Hinted,
        client: Client | None,
        owner: SessionOwner | None,
    ) -> web.Response:
        token = form_token(self.cookies.session_handle(request), PURPOSE)
        carried = {name: value for name in _CARRIED if (value := parameters[name])} if client else {}
        target = return_uri(parameters, client)
        view = LogoutView(
            ClientView.of(client) if client else None,
            owner.username if owner else None,
            LOGOUT.path,
            {FORM_TOKEN: token, **carried, **({"client_id": client.client_id} if client else {})},
            (target,) if target else (),
        )
        locale = self.pages.locale(parameters["ui_locales"], request.headers.get("Accept-Language"))
        return self.pages.confirm_logout(view, locale)

    def _sub(self, owner: SessionOwner, client: Client | None) -> str | None:
        """What the client of a hint knows the user by; where the client is not found, the public one."""
        return subject(owner.user_id, client, self.keyring.known.salt) if client else str(owner.user_id)

    async def _client(self, client_id: str | None) -> Client | None:
        """The client, for its name and its URIs. Fails open, to None: logging out needs no client, and goes
        on while PostgreSQL is away; without the client nobody is redirected anywhere."""
        if client_id is None:
            return None
        try:
            return await self.clients.find(client_id)
        except Unavailable:
            return None

    async def _owner(self, key: bytes | None) -> SessionOwner | None:
        return await self.sessions.owner(key) if key else None

    async def _owners(self, request: web.Request) -> list[SessionOwner]:
        """Everybody who is signed in with this browser."""
        keys = [self.cookies.session_key(request), *map(digest, self.cookies.account_handles(request))]
        return [owner for key in keys if (owner := await self._owner(key))]

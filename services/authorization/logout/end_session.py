"""The end-session endpoint: OpenID Connect RP-Initiated Logout 1.0.

A logout parses its request, decides, ends the sessions, notifies the clients and answers, in this order. The
end of every session is committed in PostgreSQL before the response deletes any cookie, so that an incomplete
logout can be repeated. Redis is not needed.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog
from aiohttp import web

from services.authorization.logout.decision import AskUser, Decision, EndSessions, SignedIn, decide
from services.authorization.logout.front_channel import FrontChannel
from services.authorization.logout.logout_request import (
    KNOWN,
    LogoutRequest,
    read_confirmation,
    read_logout_request,
)
from services.authorization.logout.responses import LogoutResponses
from services.authorization.request.posted import POSTED, PostedRequests
from shared.browser.cookies import Cookies
from shared.browser.errors import StaleForm
from shared.browser.form_token import FORM_TOKEN
from shared.browser.language import UI_LOCALES, note_ui_locales
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.live.client_cache import ClientCache
from shared.live.keyring import KeyRing
from shared.oauth.client.record import Client
from shared.oauth.parameters import Parameters
from shared.oauth.subject import subject
from shared.oauth.tokens.handle import digest
from shared.paths import END_SESSION, LOGOUT
from shared.server.log.refusal import log_refusal
from shared.server.metrics import count_event
from shared.store import SessionOwner, Sessions, Unavailable
from shared.web.answers import see_other
from shared.web.client import note_client
from shared.web.form import form, query
from shared.web.forwarded import client_address

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EndSession:
    """The collaborators of the endpoint."""

    settings: Settings
    clients: ClientCache
    keyring: KeyRing
    sessions: Sessions
    posted: PostedRequests
    front_channel: FrontChannel
    cookies: Cookies
    responses: LogoutResponses

    async def get(self, request: web.Request) -> web.Response:
        """A client's request, or one that was posted."""
        parameters = query(request)
        if POSTED in parameters:
            parameters = await self.posted.find(parameters.unique(POSTED), again=LOGOUT.path)
        return await self._requested(request, parameters)

    async def post(self, request: web.Request) -> web.Response:
        """A client's request by form. Without cookies, it is redirected to GET, which has them."""
        parameters = await form(request)
        if self.cookies.every_handle(request):
            return await self._requested(request, parameters)
        parameters.refuse_repeated(KNOWN)
        return see_other(await self.posted.keep(END_SESSION, parameters, KNOWN, client_address(request)))

    async def ask(self, request: web.Request) -> web.Response:
        """The logout page of this provider, opened by the user without a client."""
        return await self._requested(request, Parameters.of({}))

    async def confirm(self, request: web.Request) -> web.Response:
        """The form of the confirmation page. Raises StaleForm if it was made for another session."""
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        note_ui_locales(request, fields.unique(UI_LOCALES))
        if not self.responses.is_own_form(request, fields.unique(FORM_TOKEN)):
            raise StaleForm("the form was made for another session", again=LOGOUT.path)
        return await self._log_out(request, read_confirmation(fields), is_confirmed=True)

    async def done(self, request: web.Request) -> web.Response:
        """The last page of a logout."""
        return self.responses.done(request)

    async def _requested(self, request: web.Request, parameters: Parameters) -> web.Response:
        note_ui_locales(request, parameters.unique(UI_LOCALES))
        logout = read_logout_request(parameters, self.keyring.known, self.settings.issuer)
        return await self._log_out(request, logout, is_confirmed=False)

    async def _log_out(
        self, request: web.Request, logout: LogoutRequest, *, is_confirmed: bool
    ) -> web.Response:
        """Decide, end the sessions, notify the clients, and answer."""
        handles = self.cookies.every_handle(request)
        try:
            client = await self.clients.find(logout.client_id) if logout.client_id else None
            if client:
                note_client(request, client)
            return_uri = logout.return_uri(client)
            if not is_confirmed and (fault := logout.fault(client, return_uri)):
                log_refusal(request, fault)
            decision = (
                EndSessions() if is_confirmed else await self._decide(request, logout, client, return_uri)
            )
            # Sessions that had ended before are included: their end may not be confirmed yet.
            ended = () if isinstance(decision, AskUser) else await self._end(handles)
            frames = [uri for sid in ended for uri in await self.front_channel.frames(sid)]
        except Unavailable as fault:
            if not handles and not is_confirmed:
                raise
            return self.responses.incomplete(request, logout, fault)
        if isinstance(decision, AskUser):
            return self.responses.confirmation(request, logout, client, return_uri, decision.username)
        return self.responses.signed_out(request, logout, client, return_uri, frames)

    async def _decide(
        self, request: web.Request, logout: LogoutRequest, client: Client | None, return_uri: str | None
    ) -> Decision:
        owners = await self._owners(self.cookies.session_handles(request))
        is_signed_in = bool(owners or await self._owners(self.cookies.every_handle(request)))
        active = [SignedIn(owner.sid, self._sub(owner, client), owner.username) for owner in owners]
        return decide(logout, client, return_uri, active, is_signed_in=is_signed_in)

    async def _end(self, handles: tuple[str, ...]) -> list[UUID]:
        """End the sessions of *handles* and return their `sid`s.

        Sessions that had ended before are included, because this may repeat an incomplete logout: their
        clients are notified again.
        """
        ended = []
        for handle in handles:
            owner = await self.sessions.owner(digest(handle), is_ended_too=True)
            if owner is None:
                continue
            if await self.sessions.end(owner.sid, "logout"):
                count_event("sign_out")
                logger.info("signed_out", user_id=str(owner.user_id), sid=str(owner.sid))
            ended.append(owner.sid)
        return ended

    async def _owners(self, handles: tuple[str, ...]) -> list[SessionOwner]:
        """The owners of the live sessions among *handles*."""
        owners = [await self.sessions.owner(digest(handle)) for handle in handles]
        return [owner for owner in owners if owner]

    def _sub(self, owner: SessionOwner, client: Client | None) -> str | None:
        """The user's `sub` for this client, or the public one if the client is unknown."""
        return subject(owner.user_id, client, self.keyring.known.salt) if client else str(owner.user_id)

"""What all steps of an authorization share: reading a request, seeing who is there, and answering."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.active_session import active_session
from services.authorization.interaction.asked import CLIENT, INTERACTION, Asked, Refused, Waiting
from services.authorization.interaction.interaction import Interaction
from services.authorization.interaction.next_step import Present, Step, next_step
from services.authorization.logout.session_management import session_state
from services.authorization.request.authorization_request import Deployment, read_request
from services.authorization.request.parameter_source import Effective, Intake
from services.authorization.response.builder import Allowed, Answers
from services.authorization.response.callback import Callback
from shared.browser.cookies import Cookies, browser_state
from shared.browser.errors import CookieMissing, Expired
from shared.browser.language import UI_LOCALES, language, note_ui_locales
from shared.browser.pages import Pages
from shared.config.settings import Settings
from shared.issuing.tokens import TokenIssuer
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.live.keyring import KeyRing
from shared.live.randomness import new_salt
from shared.model import Session
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest, OAuthError
from shared.oauth.parameters import Parameters
from shared.oauth.scope import OPENID
from shared.oauth.tokens.handle import Kind, digest, is_handle
from shared.store import Interactions, PushedRequests, Sessions


@dataclass(frozen=True, slots=True)
class Desk:
    """The stores, the pages, and the phases that every step goes through."""

    settings: Settings
    deployment: Deployment
    clients: ClientCache
    keyring: KeyRing
    tokens: TokenIssuer
    sessions: Sessions
    interactions: Interactions
    pushed_requests: PushedRequests
    intake: Intake
    answers: Answers
    pages: Pages
    cookies: Cookies

    def locale(self, request: web.Request) -> str:
        return language(request, self.pages)

    async def read(self, request: web.Request, parameters: Parameters) -> Asked:
        """Check a request. Raises OAuthError, for a page, before its callback holds, and Refused after."""
        note_ui_locales(request, parameters[UI_LOCALES])
        client = await self.client(parameters)
        try:
            effective = await self.intake.at_authorization(parameters, client)
        except OAuthError as error:
            callback = self._callback(parameters, client, error)
            raise Refused(callback, error, self.locale(request)) from None
        note_ui_locales(request, effective.parameters[UI_LOCALES])
        return self.check(client, effective, self.locale(request))

    def check(self, client: Client, effective: Effective, locale: str) -> Asked:
        """Check the parameters that count. Raises as `read`."""
        callback = self._callback(effective.parameters, client)
        try:
            asked = read_request(effective.parameters, client, self.deployment, self.keyring.known)
        except OAuthError as error:
            raise Refused(callback, error, locale) from None
        return Asked(client, callback, asked, locale, effective)

    async def client(self, parameters: Parameters) -> Client:
        """The client that *parameters* name. Raises InvalidRequest, Unavailable."""
        client = await self.clients.find(parameters.require("client_id"))
        if client is None or client.disabled_at:
            raise InvalidRequest("client_id is not registered here")
        return client

    def _callback(self, parameters: Parameters, client: Client, fault: OAuthError | None = None) -> Callback:
        """The client's callback. Where there is none a page tells of *fault*, or of what is missing."""

        def sign(answer: Mapping[str, str]) -> str:
            return self.tokens.authorization_response(client, answer, clock.now())

        try:
            return Callback.of(parameters, client, self.settings.issuer, sign)
        except InvalidRequest as error:
            raise fault or error from None

    async def open(self, request: web.Request, parameters: Parameters) -> Waiting:
        """The interaction that *parameters* name, brought back by the browser to which it is bound.

        Raises Expired, CookieMissing, InvalidRequest, Unavailable, and as `read`.
        """
        note_ui_locales(request, parameters[UI_LOCALES])
        handle, members = parameters[INTERACTION], None
        if handle and is_handle(Kind.INTERACTION, handle):
            members = await self.interactions.find(digest(handle))
        interaction = Interaction.from_json(members) if members else None
        if handle is None or interaction is None:
            client_id = parameters[CLIENT]
            client = await self.clients.find(client_id) if client_id else None
            raise Expired("there is no such interaction any more", client=client)
        effective = Effective(Parameters(interaction.parameters), interaction.pushed_key)
        note_ui_locales(request, effective.parameters[UI_LOCALES])
        client = await self.client(effective.parameters)
        browser = next(filter(interaction.is_of, self.cookies.browser_handles(request)), None)
        if browser is None:
            raise CookieMissing("the cookie of this interaction was not sent", client=client)
        if interaction.client_epoch != client.epoch:
            raise Expired("the client's grants have been revoked since", client=client)
        asked = self.check(client, effective, self.locale(request))
        if interaction.signed_in or interaction.chosen:
            asked = asked.after_a_page()
        return Waiting(handle, browser, interaction, asked)

    async def present(
        self, request: web.Request, asked: Asked, interaction: Interaction | None = None
    ) -> Present | None:
        """Who is there, by the cookie of the session."""
        active = await active_session(request, self.cookies, self.sessions, asked.client.client_id)
        if active is None:
            return None
        session = active.session
        sub = self.tokens.sub(session.user_id, asked.client)
        if interaction is None:
            return Present(session, active.consented, sub)
        mark = session.session_key.hex()
        is_fresh, is_chosen = interaction.signed_in == mark, interaction.chosen == mark
        if interaction.wants_another and not is_fresh:
            return None
        return Present(session, active.consented, sub, is_fresh, is_chosen)

    async def step(self, request: web.Request, waiting: Waiting) -> Step:
        """What comes next for an interaction."""
        present = await self.present(request, waiting.asked, waiting.interaction)
        return self.next_step(waiting.asked, present)

    def next_step(self, asked: Asked, present: Present | None) -> Step:
        return next_step(asked.request, present, asked.client, clock.now())

    async def update(self, waiting: Waiting, interaction: Interaction) -> None:
        """Write down how far it has come. Raises Expired."""
        if not await self.interactions.replace(waiting.key, interaction.to_json()):
            raise Expired("the interaction is over", client=waiting.asked.client)

    async def finish(self, waiting: Waiting) -> None:
        """Take it out, and what was pushed with it: of many who complete it one goes on. Raises Expired."""
        if await self.interactions.end(waiting.key) is None:
            raise Expired("the interaction is over", client=waiting.asked.client)
        await self.end_pushed(waiting.asked)

    async def end_pushed(self, asked: Asked) -> None:
        """What was pushed is answered now. Raises Expired: it has been answered before."""
        pushed = asked.effective.pushed
        if pushed is not None and not await self.pushed_requests.end(pushed):
            raise Expired("the pushed request has been answered", client=asked.client)

    async def respond(self, asked: Asked, session: Session, pushed: bytes | None = None) -> web.Response:
        """Mint what was asked for and send it. *pushed*: the pushed request that this ends."""
        allowed = Allowed(asked.client, asked.request, session)
        try:
            answer = await self.answers.give(allowed, clock.now(), pushed)
            return self.send(asked, {**answer, **self._session_state(asked, session)})
        except OAuthError as error:
            return self.refuse(asked, error)

    def _session_state(self, asked: Asked, session: Session) -> dict[str, str]:
        if not self.settings.session_management or OPENID not in asked.request.scope:
            return {}
        client_id, uri = asked.client.client_id, asked.request.redirect_uri
        state = session_state(client_id, uri, browser_state(session.session_key), new_salt())
        return {"session_state": state} if state else {}

    def send(self, asked: Asked, parameters: Mapping[str, str]) -> web.Response:
        return asked.callback.send(parameters, self.pages, asked.locale)

    def refuse(self, asked: Asked, error: OAuthError) -> web.Response:
        return asked.callback.refuse(error, self.pages, asked.locale)

"""What all steps of an authorization share: reading a request, seeing who is there, and answering."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from aiohttp import web

from services.authorization.interaction import Interaction, Present, Step, next_step
from services.authorization.pages import ClientView, Pages
from services.authorization.refusals import Expired, Strange
from services.authorization.request import AuthorizationRequest, Deployment, read_request
from services.authorization.response import Callback
from services.authorization.session import Cookies
from shared import clock
from shared.client_cache import ClientCache
from shared.keyring import KeyRing
from shared.mint import new_handle
from shared.model import Authorization, AuthorizationCode, Client, Session
from shared.oauth.errors import InvalidRequest, OAuthError
from shared.oauth.handle import Kind, digest, is_handle
from shared.oauth.parameters import Parameters
from shared.oauth.redirect_uri import is_out_of_band
from shared.paths import Path
from shared.settings import Settings
from shared.store import AuthorizationCodes, Interactions, Sessions

INTERACTION = "interaction"
OUT_OF_BAND_LIFETIME = timedelta(minutes=10)  # a person carries the code


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that holds, and where its answer goes."""

    client: Client
    callback: Callback
    request: AuthorizationRequest
    locale: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a person, as this browser brings it back."""

    handle: str
    interaction: Interaction
    asked: Asked

    @property
    def key(self) -> bytes:
        return digest(self.handle)

    def at(self, path: Path) -> str:
        """The URI of a step of this interaction."""
        return f"{path}?{urlencode({INTERACTION: self.handle})}"


class Refused(Exception):
    """A fault of a request whose callback holds."""

    def __init__(self, callback: Callback, error: OAuthError, locale: str) -> None:
        super().__init__(error.error)
        self.callback = callback
        self.error = error
        self.locale = locale


def client_view(client: Client) -> ClientView:
    """What the pages show of a client."""
    return ClientView(
        client.client_id,
        client.client_name,
        client.logo_uri,
        client.client_uri,
        client.policy_uri,
        client.tos_uri,
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """The stores, the pages, and the phases that every step goes through."""

    settings: Settings
    clients: ClientCache
    keyring: KeyRing
    sessions: Sessions
    interactions: Interactions
    codes: AuthorizationCodes
    pages: Pages
    cookies: Cookies

    def locale(self, request: web.Request, ui_locales: str | None) -> str:
        return self.pages.locale(ui_locales, request.headers.get("Accept-Language"))

    async def read(self, request: web.Request, parameters: Parameters) -> Asked:
        """Check a request. Raises OAuthError, for a page, before its callback holds, and Refused after."""
        client = await self.clients.find(parameters.require("client_id"))
        if client is None or client.disabled_at:
            raise InvalidRequest("client_id is not registered here")
        callback = Callback.of(parameters, client, self.settings.issuer)
        locale = self.locale(request, parameters["ui_locales"])
        deployment = Deployment(self.settings.issuer, self.settings.response_types, self.keyring.known)
        try:
            return Asked(client, callback, read_request(parameters, client, deployment), locale)
        except OAuthError as error:
            raise Refused(callback, error, locale) from None

    async def open(self, request: web.Request, handle: str | None) -> Waiting:
        """The interaction that this browser brings back. Raises Expired, Strange, and as `read`."""
        if not handle or not is_handle(Kind.INTERACTION, handle):
            raise Expired("there is no such interaction")
        members = await self.interactions.find(digest(handle))
        if members is None:
            raise Expired("the interaction is over")
        interaction = Interaction.from_json(members)
        browser = self.cookies.browser_key(request)
        if interaction.browser and interaction.browser != (browser.hex() if browser else None):
            raise Strange("the interaction began in another browser")
        return Waiting(handle, interaction, await self.read(request, Parameters(interaction.parameters)))

    async def present(
        self, request: web.Request, asked: Asked, interaction: Interaction | None = None
    ) -> Present | None:
        """Who is there, by the cookie of the session."""
        key = self.cookies.session_key(request)
        found = await self.sessions.find(key, asked.client.client_id) if key else None
        if found is None:
            return None
        session, consented = found
        if session.expires_at <= clock.now():
            return None
        is_fresh = interaction is not None and interaction.signed_in == session.session_key.hex()
        return Present(session, consented, is_fresh)

    async def step(self, request: web.Request, waiting: Waiting) -> Step:
        """What comes next for an interaction."""
        present = await self.present(request, waiting.asked, waiting.interaction)
        return self.next_step(waiting.asked, present)

    def next_step(self, asked: Asked, present: Present | None) -> Step:
        return next_step(asked.request, present, asked.client, clock.now())

    async def update(self, waiting: Waiting, interaction: Interaction) -> None:
        """Write down how far it has come. Raises Expired."""
        if not await self.interactions.replace(waiting.key, interaction.to_json()):
            raise Expired("the interaction is over")

    async def finish(self, waiting: Waiting) -> None:
        """Take the interaction out: of many who complete it one goes on. Raises Expired."""
        if await self.interactions.end(waiting.key) is None:
            raise Expired("the interaction is over")

    async def respond(self, asked: Asked, session: Session) -> web.Response:
        """Mint a code and send it."""
        code = new_handle(Kind.AUTHORIZATION_CODE)
        lifetime = self._code_lifetime(asked)
        authorization = Authorization(
            client_id=asked.client.client_id,
            user_id=session.user_id,
            sid=session.sid,
            scope=asked.request.scope,
            authentication=session.authentication,
            claims=asked.request.claims,
            nonce=asked.request.nonce,
        )
        content = AuthorizationCode(
            authorization=authorization,
            redirect_uri=asked.request.redirect_uri,
            code_challenge=asked.request.code_challenge,
            epoch=session.epoch,
            expires_at=clock.now() + lifetime,
        )
        await self.codes.add(digest(code), content, lifetime)
        return self.send(asked, {"code": code})

    def _code_lifetime(self, asked: Asked) -> timedelta:
        origins = self.settings.external_urls or (self.settings.origin,)
        if is_out_of_band(asked.request.redirect_uri, origins):
            return OUT_OF_BAND_LIFETIME
        return asked.client.authorization_code_lifetime or self.settings.authorization_code_lifetime

    def send(self, asked: Asked, parameters: Mapping[str, str]) -> web.Response:
        return asked.callback.send(parameters, self.pages, asked.locale)

    def refuse(self, asked: Asked, error: OAuthError) -> web.Response:
        return asked.callback.refuse(error, self.pages, asked.locale)

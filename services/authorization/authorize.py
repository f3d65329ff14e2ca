"""The authorization endpoint: `/oauth2/auth`. A request begins here, and every step comes back here."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from services.authorization.interaction.asked import INTERACTION, Asked, Waiting
from services.authorization.interaction.context import Desk
from services.authorization.interaction.interaction import Interaction
from services.authorization.interaction.next_step import (
    Consent,
    Create,
    Login,
    Refuse,
    Respond,
    SelectAccount,
    Step,
)
from services.authorization.request.authorization_request import KNOWN
from services.authorization.request.posted import POSTED, PostedRequests
from services.authorization.request.storage_limits import StorageLimits
from services.authorization.response.callback import see_other
from shared.browser.errors import TooMany
from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.tokens.handle import Kind, digest
from shared.paths import AUTHORIZATION, CONSENT, LOGIN, SELECT_ACCOUNT, SIGN_UP, Path
from shared.web.form import form, query
from shared.web.forwarded import client_address

_PAGES: Mapping[type[Step], Path] = {
    Login: LOGIN,
    Create: SIGN_UP,
    SelectAccount: SELECT_ACCOUNT,
    Consent: CONSENT,
}


@dataclass(frozen=True, slots=True)
class Authorize:
    """The endpoint's steps."""

    desk: Desk
    posted: PostedRequests
    limits: StorageLimits

    async def get(self, request: web.Request) -> web.Response:
        """A client's request, one that was posted, or an interaction that goes on."""
        parameters = query(request)
        if "client_id" not in parameters:
            if INTERACTION in parameters:
                return await self._go_on(request, await self.desk.open(request, parameters))
            if POSTED in parameters:
                parameters = await self.posted.find(parameters[POSTED])
        return await self._begin(request, await self.desk.read(request, parameters))

    async def post(self, request: web.Request) -> web.Response:
        """Come back by GET with a request that holds, as far as can be said without looking it up."""
        parameters = await form(request)
        if "request_uri" in parameters:
            await self.desk.client(parameters)
        else:
            await self.desk.read(request, parameters)
        return see_other(await self.posted.keep(AUTHORIZATION, parameters, KNOWN, client_address(request)))

    async def _begin(self, request: web.Request, asked: Asked) -> web.Response:
        step = self.desk.next_step(asked, await self.desk.present(request, asked))
        match step:
            case Respond(session):
                return await self.desk.respond(asked, session, asked.effective.pushed)
            case Refuse(error):
                await self.desk.end_pushed(asked)
                return self.desk.refuse(asked, error)
            case Login() | Create() | SelectAccount() | Consent():
                return await self._bind(request, asked, step)

    async def _bind(self, request: web.Request, asked: Asked, step: Step) -> web.Response:
        """Keep the request as an interaction of this browser, and show the step's page."""
        browser, handle = self.desk.cookies.newest_browser_handle(request), new_handle(Kind.INTERACTION)
        effective = asked.effective
        if self.limits.interaction(effective.parameters.values, client_address(request), clock.now()):
            raise TooMany("too many requests from this address wait for a person")
        interaction = Interaction(
            parameters=dict(effective.parameters.values),
            browser=digest(browser).hex(),
            pushed=effective.pushed.hex() if effective.pushed else None,
            client_epoch=asked.client.epoch,
        )
        lifetime = self.desk.settings.interaction_lifetime
        await self.desk.interactions.add(digest(handle), interaction.to_json(), lifetime)
        response = self._show(Waiting(handle, browser, interaction, asked), step)
        self.desk.cookies.set_browser(response, browser)
        return response

    async def _go_on(self, request: web.Request, waiting: Waiting) -> web.Response:
        step = await self.desk.step(request, waiting)
        match step:
            case Respond(session):
                await self.desk.finish(waiting)
                return await self.desk.respond(waiting.asked, session)
            case Refuse(error):
                await self.desk.finish(waiting)
                return self.desk.refuse(waiting.asked, error)
            case Login() | Create() | SelectAccount() | Consent():
                return self._show(waiting, step)

    def _show(self, waiting: Waiting, step: Step) -> web.Response:
        return see_other(waiting.at(_PAGES[type(step)]))

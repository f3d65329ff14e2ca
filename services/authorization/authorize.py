"""The authorization endpoint: `/oauth2/auth`. A request begins here, and every step comes back here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from services.authorization.asked import INTERACTION, Asked, Waiting
from services.authorization.desk import Desk
from services.authorization.interaction import (
    Consent,
    Create,
    Interaction,
    Login,
    Refuse,
    Respond,
    SelectAccount,
    Step,
)
from services.authorization.response import see_other
from shared.mint import new_handle
from shared.oauth.handle import Kind, digest
from shared.paths import AUTHORIZATION, CONSENT, LOGIN, SELECT_ACCOUNT, SIGN_UP, Path
from shared.web.form import form, query

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

    async def get(self, request: web.Request) -> web.Response:
        """A client's request, or an interaction that goes on."""
        parameters = query(request)
        if INTERACTION in parameters and "client_id" not in parameters:
            return await self._go_on(request, await self.desk.open(request, parameters[INTERACTION]))
        return await self._begin(request, await self.desk.read(request, parameters))

    async def post(self, request: web.Request) -> web.Response:
        """Keep the request and come back for it by GET: a form of another site brings no session cookie."""
        asked = await self.desk.read(request, await form(request))
        waiting = await self._keep(asked, browser=None)
        return see_other(waiting.at(AUTHORIZATION))

    async def _begin(self, request: web.Request, asked: Asked) -> web.Response:
        step = self.desk.next_step(asked, await self.desk.present(request, asked))
        match step:
            case Respond(session):
                return await self.desk.respond(asked, session, asked.effective.pushed)
            case Refuse(error):
                await self.desk.end_pushed(asked)
                return self.desk.refuse(asked, error)
            case Login() | Create() | SelectAccount() | Consent():
                browser, fresh_handle = self._browser(request)
                return self._show(await self._keep(asked, browser), step, fresh_handle)

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
                return await self._bind(request, waiting, step)

    async def _bind(self, request: web.Request, waiting: Waiting, step: Step) -> web.Response:
        """From here on the interaction is this browser's."""
        if waiting.interaction.browser:
            return self._show(waiting, step, None)
        browser, fresh_handle = self._browser(request)
        bound = replace(waiting.interaction, browser=browser)
        await self.desk.update(waiting, bound)
        return self._show(waiting, step, fresh_handle)

    async def _keep(self, asked: Asked, browser: str | None) -> Waiting:
        handle = new_handle(Kind.INTERACTION)
        effective = asked.effective
        interaction = Interaction(
            parameters=dict(effective.parameters.values),
            pushed=effective.pushed.hex() if effective.pushed else None,
            browser=browser,
        )
        lifetime = self.desk.settings.interaction_lifetime
        await self.desk.interactions.add(digest(handle), interaction.to_json(), lifetime)
        return Waiting(handle, interaction, asked)

    def _browser(self, request: web.Request) -> tuple[str, str | None]:
        """The digest of the browser's handle, and the handle if the browser has none yet."""
        if key := self.desk.cookies.browser_key(request):
            return key.hex(), None
        handle = new_handle(Kind.BROWSER)
        return digest(handle).hex(), handle

    def _show(self, waiting: Waiting, step: Step, fresh_handle: str | None) -> web.Response:
        response = see_other(waiting.at(_PAGES[type(step)]))
        if fresh_handle:
            self.desk.cookies.set_browser(response, fresh_handle)
        return response

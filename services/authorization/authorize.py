"""The authorization endpoint, `/oauth2/auth`: requests begin here, and every step returns here."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from services.authorization.interaction.context import INTERACTION, InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.step import (
    AddSecondFactor,
    Consent,
    Create,
    Login,
    Refuse,
    ReplacePassword,
    Respond,
    SelectAccount,
    ShowSecondFactor,
    Step,
)
from services.authorization.request.parameters.known import KNOWN
from services.authorization.request.posted import POSTED, PostedRequests
from services.authorization.request.reader import RequestReader
from services.authorization.request.validated_request import ValidatedRequest
from services.authorization.response.responder import Responder
from shared.browser.cookies import Cookies
from shared.paths import (
    ADD_SECOND_FACTOR,
    AUTHORIZATION,
    CONSENT,
    LOGIN,
    REPLACE_PASSWORD,
    SECOND_FACTOR,
    SELECT_ACCOUNT,
    SIGN_UP,
    Path,
)
from shared.web.answers import see_other
from shared.web.form import form, query
from shared.web.forwarded import client_address

_PAGES: Mapping[type[Step], Path] = {
    Login: LOGIN,
    ShowSecondFactor: SECOND_FACTOR,
    AddSecondFactor: ADD_SECOND_FACTOR,
    ReplacePassword: REPLACE_PASSWORD,
    Create: SIGN_UP,
    SelectAccount: SELECT_ACCOUNT,
    Consent: CONSENT,
}


@dataclass(frozen=True, slots=True)
class Authorize:
    """The endpoint's collaborators."""

    reader: RequestReader
    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    responder: Responder
    posted: PostedRequests
    cookies: Cookies

    async def get(self, request: web.Request) -> web.Response:
        """A client's request, one that was posted, or an interaction that continues."""
        parameters = query(request)
        if "client_id" not in parameters:
            if INTERACTION in parameters:
                return await self._continue(request, await self.lifecycle.open(request, parameters))
            if POSTED in parameters:
                parameters = await self.posted.find(parameters.unique(POSTED))
        return await self._begin(request, await self.reader.read(request, parameters))

    async def post(self, request: web.Request) -> web.Response:
        """Redirect to the same request by GET, if its own parameters are valid."""
        parameters = await form(request)
        if "request_uri" in parameters:
            await self.reader.client(parameters)
        else:
            await self.reader.read(request, parameters)
        return see_other(await self.posted.keep(AUTHORIZATION, parameters, KNOWN, client_address(request)))

    async def _begin(self, request: web.Request, validated: ValidatedRequest) -> web.Response:
        user = await self.dispatcher.current_user(request, validated)
        step = self.dispatcher.decide(validated, user)
        match step:
            case Respond(session, withheld):
                pushed = validated.effective.pushed
                return await self.responder.respond(validated.without(withheld), session, pushed)
            case Refuse(error):
                await self.lifecycle.end_pushed(validated)
                raise validated.refused(error)
            case _:
                context = await self.lifecycle.begin(request, validated)
                response = self._show(context, step)
                self.cookies.set_browser(response, context.browser)
                return response

    async def _continue(self, request: web.Request, context: InteractionContext) -> web.Response:
        step = await self.dispatcher.next_step(request, context)
        match step:
            case Respond(session, withheld):
                await self.lifecycle.finish(context)
                return await self.responder.respond(context.validated.without(withheld), session)
            case Refuse(error):
                await self.lifecycle.finish(context)
                raise context.validated.refused(error)
            case _:
                return self._show(context, step)

    def _show(self, context: InteractionContext, step: Step) -> web.Response:
        return see_other(context.at(_PAGES[type(step)]))

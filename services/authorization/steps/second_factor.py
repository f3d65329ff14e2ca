"""The second factor step: a user who has one shows it. No session begins before, so no link leads past it."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.password import Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import RECOVERY_CODE, SecondFactorAuthentication
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.next_step import ShowSecondFactor
from services.authorization.interaction.sign_in import InteractionSignIn
from shared.browser.pages import Pages, SecondFactorFault, SecondFactorView
from shared.oauth.parameters import Parameters
from shared.paths import SECOND_FACTOR
from shared.web.forwarded import client_address


@dataclass(frozen=True, slots=True)
class SecondFactorStep:
    """The collaborators of the second factor step."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    authentication: SecondFactorAuthentication
    sign_in: InteractionSignIn
    pages: Pages

    async def get(self, request: web.Request) -> web.Response:
        """Ask for a code, if the user still has to show one."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case ShowSecondFactor(proven):
                return self._page(context, proven)
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Begin a session if the code is right. It is spent then."""
        context, fields = await self.lifecycle.open_form(request)
        match await self.dispatcher.next_step(request, context):
            case ShowSecondFactor(proven):
                return await self._authenticate(request, context, proven, fields)
        return context.resume()

    async def _authenticate(
        self, request: web.Request, context: InteractionContext, proven: Proven, fields: Parameters
    ) -> web.Response:
        match await self.authentication.authenticate(proven, fields, client_address(request)):
            case Throttled() as throttled:
                return self._page(context, proven, "throttled", throttled.seconds)
            case None:
                return self._page(context, proven, "recovery" if fields.unique(RECOVERY_CODE) else "code")
            case authenticated:
                response = await self.sign_in.complete(request, context, authenticated)
                return response or await self.sign_in.start_again(context)

    def _page(
        self,
        context: InteractionContext,
        proven: Proven,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        form = context.form(SECOND_FACTOR, denial="the user did not sign in")
        view = SecondFactorView(form, proven.username, fault, retry_after)
        return self.pages.second_factor(view, context.validated.locale)

"""The step that adds a second factor, for a user who needs one and has none. No session begins before."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.password import Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import Added, SecondFactorAuthentication
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.interaction.step import AddSecondFactor
from shared.browser.pages import AddSecondFactorView, ClientView, Pages, RecoveryCodesView, SecondFactorFault
from shared.identity.totp import otpauth_uri, shown_secret
from shared.oauth.parameters import Parameters
from shared.paths import ADD_SECOND_FACTOR, AUTHORIZATION
from shared.store import Taken


@dataclass(frozen=True, slots=True)
class AddSecondFactorStep:
    """The collaborators of the step. `host`: the issuer's, which authenticator apps show."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    authentication: SecondFactorAuthentication
    sign_in: InteractionSignIn
    pages: Pages
    host: str

    async def get(self, request: web.Request) -> web.Response:
        """Show the secret to add, if the user still has to add one."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case AddSecondFactor(proven):
                return self._page(context, proven)
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Add the secret if the code is one of its codes, begin a session, and show the recovery codes."""
        context, fields = await self.lifecycle.open_form(request)
        match await self.dispatcher.next_step(request, context):
            case AddSecondFactor(proven):
                return await self._add(request, context, proven, fields)
        return context.resume()

    async def _add(
        self, request: web.Request, context: InteractionContext, proven: Proven, fields: Parameters
    ) -> web.Response:
        try:
            added = await self.authentication.add(request, proven, context.handle, fields)
        except Taken:
            return await self.sign_in.start_again(context)
        match added:
            case Throttled() as throttled:
                return self._page(context, proven, "throttled", throttled.seconds)
            case None:
                return self._page(context, proven, "code")
            case Added():
                return await self._sign_in(request, context, added)

    async def _sign_in(self, request: web.Request, context: InteractionContext, added: Added) -> web.Response:
        """The recovery codes, with the cookies of the new session."""
        response = await self.sign_in.complete(request, context, added.authenticated)
        if response is None:
            return await self.sign_in.start_again(context)
        client = ClientView.of(context.validated.client)
        view = RecoveryCodesView(client, added.recovery_codes, context.at(AUTHORIZATION))
        page = self.pages.recovery_codes(view, context.validated.locale)
        for name, cookie in response.cookies.items():
            page.cookies[name] = cookie
        return page

    def _page(
        self,
        context: InteractionContext,
        proven: Proven,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        secret = self.authentication.new_secret(proven, context.handle)
        view = AddSecondFactorView(
            context.form(ADD_SECOND_FACTOR, denial="the user did not sign in"),
            proven.username,
            otpauth_uri(secret, self.host, proven.username),
            shown_secret(secret),
            fault,
            retry_after,
        )
        return self.pages.add_second_factor(view, context.validated.locale)

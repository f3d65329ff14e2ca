"""The second factor steps: a user shows the second factor, or adds the first one that they have.

Neither begins a session before the factor is there, so no link leads past it.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aiohttp import web

from services.authorization.authentication.password import Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import (
    RECOVERY_CODE,
    Added,
    SecondFactorAuthentication,
)
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.next_step import AddSecondFactor, ShowSecondFactor
from services.authorization.interaction.sign_in import InteractionSignIn
from shared.browser.pages import (
    AddSecondFactorView,
    ClientView,
    Pages,
    RecoveryCodesView,
    SecondFactorFault,
    SecondFactorView,
)
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.identity.totp import otpauth_uri, shown_secret
from shared.oauth.parameters import Parameters
from shared.paths import ADD_SECOND_FACTOR, AUTHORIZATION, SECOND_FACTOR
from shared.store import Taken
from shared.web.answers import see_other
from shared.web.form import form, query
from shared.web.forwarded import client_address

NOT_SIGNED_IN = "the user did not sign in"


@dataclass(frozen=True, slots=True)
class SecondFactorStep:
    """The collaborators of both steps."""

    settings: Settings
    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    authentication: SecondFactorAuthentication
    sign_in: InteractionSignIn
    pages: Pages

    async def get(self, request: web.Request) -> web.Response:
        """Ask for a code, if the user still has to show one."""
        context = await self.lifecycle.open(request, query(request))
        match await self.dispatcher.next_step(request, context):
            case ShowSecondFactor(proven):
                return self._page(context, proven)
            case _:
                return see_other(context.at(AUTHORIZATION))

    async def post(self, request: web.Request) -> web.Response:
        """Begin a session if the code is right. It is spent then."""
        fields, context = await self._sent(request)
        match await self.dispatcher.next_step(request, context):
            case ShowSecondFactor(proven):
                pass
            case _:
                return see_other(context.at(AUTHORIZATION))
        match await self.authentication.authenticate(proven, fields, client_address(request)):
            case Throttled() as throttled:
                return self._page(context, proven, "throttled", throttled.seconds)
            case None:
                return self._page(context, proven, "recovery" if fields.unique(RECOVERY_CODE) else "code")
            case authenticated:
                response = await self.sign_in.complete(request, context, authenticated)
                return response or await self._start_again(context)

    async def get_addition(self, request: web.Request) -> web.Response:
        """Show the secret to add, if the user still has to add one."""
        context = await self.lifecycle.open(request, query(request))
        match await self.dispatcher.next_step(request, context):
            case AddSecondFactor(proven):
                return self._addition(context, proven)
            case _:
                return see_other(context.at(AUTHORIZATION))

    async def post_addition(self, request: web.Request) -> web.Response:
        """Add the secret if the code is one of its codes, begin a session, and show the recovery codes."""
        fields, context = await self._sent(request)
        match await self.dispatcher.next_step(request, context):
            case AddSecondFactor(proven):
                pass
            case _:
                return see_other(context.at(AUTHORIZATION))
        try:
            added = await self.authentication.add(proven, context.handle, fields)
        except Taken:
            return await self._start_again(context)
        match added:
            case Throttled() as throttled:
                return self._addition(context, proven, "throttled", throttled.seconds)
            case None:
                return self._addition(context, proven, "code")
            case Added(authenticated, codes):
                response = await self.sign_in.complete(request, context, authenticated)
                if response is None:
                    return await self._start_again(context)
                view = RecoveryCodesView(
                    ClientView.of(context.validated.client), codes, context.at(AUTHORIZATION)
                )
                page = self.pages.recovery_codes(view, context.validated.locale)
                for name, cookie in response.cookies.items():
                    page.cookies[name] = cookie
                return page

    async def _sent(self, request: web.Request) -> tuple[Parameters, InteractionContext]:
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        return fields, await self.lifecycle.open(request, fields)

    async def _start_again(self, context: InteractionContext) -> web.Response:
        """The user was disabled, or their password or second factor changed, in the meantime."""
        await self.lifecycle.update(context, replace(context.interaction, proven=None))
        return see_other(context.at(AUTHORIZATION))

    def _page(
        self,
        context: InteractionContext,
        proven: Proven,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        form = context.form(SECOND_FACTOR, denial=NOT_SIGNED_IN)
        view = SecondFactorView(form, proven.username, fault, retry_after)
        return self.pages.second_factor(view, context.validated.locale)

    def _addition(
        self,
        context: InteractionContext,
        proven: Proven,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        secret = self.authentication.new_secret(proven, context.handle)
        issuer = urlsplit(self.settings.issuer).hostname or ""
        view = AddSecondFactorView(
            context.form(ADD_SECOND_FACTOR, denial=NOT_SIGNED_IN),
            proven.username,
            otpauth_uri(secret, issuer, proven.username),
            shown_secret(secret),
            fault,
            retry_after,
        )
        return self.pages.add_second_factor(view, context.validated.locale)

"""The second factor step: the user shows one of theirs. No session begins before, so no link skips it."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import SignInForm
from services.authorization.authentication.passkey import PasskeyAuthentication
from services.authorization.authentication.password import Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.second_factor import SecondFactorAuthentication
from services.authorization.authentication.second_factor_form import SecondFactorForm, shown_factor
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.interaction.step import ShowSecondFactor
from shared.browser.pages import Pages, SecondFactorFault, SecondFactorView
from shared.oauth.authentication_methods import SecondFactor
from shared.oauth.parameters import Parameters
from shared.paths import SECOND_FACTOR

REMEMBER = "remember"


@dataclass(frozen=True, slots=True)
class SecondFactorStep:
    """The collaborators of the second factor step. `may_remember`: users may choose to be asked less."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    authentication: SecondFactorAuthentication
    passkeys: PasskeyAuthentication
    sign_in: InteractionSignIn
    pages: Pages
    may_remember: bool

    async def get(self, request: web.Request) -> web.Response:
        """Ask for a second factor, if the user still has to show one."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case ShowSecondFactor() as step:
                return await self._page(context, step)
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Begin a session if the passkey or the code is right. It is spent then."""
        context, fields = await self.lifecycle.open_form(request)
        match await self.dispatcher.next_step(request, context):
            case ShowSecondFactor() as step if shown_factor(fields) in step.second_factors:
                return await self._authenticate(request, context, step, fields)
        return context.resume()

    async def _authenticate(
        self, request: web.Request, context: InteractionContext, step: ShowSecondFactor, fields: Parameters
    ) -> web.Response:
        form = SecondFactorForm(self.passkeys, self.authentication)
        sent = SignInForm(context.browser, context.handle)
        match await form.authenticate(request, step.proven, fields, sent):
            case Authenticated() as authenticated:
                remembers = self._may_remember(step.proven) and fields.unique(REMEMBER) is not None
                response = await self.sign_in.complete(request, context, authenticated, remembers=remembers)
                return response or await self.sign_in.start_again(context)
            case Throttled() as throttled:
                return await self._page(context, step, "throttled", throttled.seconds)
            case fault:
                return await self._page(context, step, fault)

    def _may_remember(self, proven: Proven) -> bool:
        return self.may_remember and not proven.needs_second_factor

    async def _page(
        self,
        context: InteractionContext,
        step: ShowSecondFactor,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        passkey = None
        if SecondFactor.PASSKEY in step.second_factors:
            passkey = await self.passkeys.second_options(step.proven, context.binding)
        view = SecondFactorView(
            context.form(SECOND_FACTOR, denial="the user did not sign in"),
            step.proven.username,
            fault,
            retry_after,
            has_app=SecondFactor.APP in step.second_factors,
            passkey=passkey,
            has_recovery_codes=SecondFactor.RECOVERY_CODE in step.second_factors,
            may_remember=self._may_remember(step.proven),
        )
        return self.pages.second_factor(view, context.validated.locale)

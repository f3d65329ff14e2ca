"""The step that adds a second factor, for a user who needs one and has none. No session begins before."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.new_passkey import PasskeyEnrolment
from services.authorization.authentication.password import Throttled
from services.authorization.authentication.second_factor import Added, SecondFactorAuthentication
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.interaction.step import AddSecondFactor
from shared.browser.pages import (
    AddSecondFactorView,
    ClientView,
    HeldView,
    Pages,
    RecoveryCodesView,
    SecondFactorFault,
)
from shared.identity.totp import otpauth_uri, shown_secret
from shared.oauth.authentication_methods import SecondFactor
from shared.oauth.parameters import Parameters
from shared.paths import ADD_SECOND_FACTOR, AUTHORIZATION
from shared.store import PASSKEY, RecoveryLinks, Stale, Taken


@dataclass(frozen=True, slots=True)
class AddSecondFactorStep:
    """The collaborators of the step. `host`: the issuer's, which authenticator apps show."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    authentication: SecondFactorAuthentication
    passkeys: PasskeyEnrolment
    links: RecoveryLinks
    sign_in: InteractionSignIn
    pages: Pages
    host: str

    async def get(self, request: web.Request) -> web.Response:
        """Show what can be added, if the user still has to add something."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case AddSecondFactor() as step:
                return await self._held(context, step) or self._page(context, step)
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Add the passkey, or the app whose code was typed; begin a session, and show the recovery codes."""
        context, fields = await self.lifecycle.open_form(request)
        match await self.dispatcher.next_step(request, context):
            case AddSecondFactor() as step if _sent(fields) in step.kinds:
                return await self._held(context, step) or await self._add(request, context, step, fields)
        return context.resume()

    async def _held(self, context: InteractionContext, step: AddSecondFactor) -> web.Response | None:
        """Says that an administrator who was recovered just now adds nothing. None: the user is not held."""
        if (until := await self.links.held_until(step.proven.user_id)) is None:
            return None
        form = context.form(ADD_SECOND_FACTOR, denial="the user did not sign in")
        return self.pages.held(
            HeldView(until, form.cancel_href, is_signed_in=False), context.validated.locale
        )

    async def _add(
        self, request: web.Request, context: InteractionContext, step: AddSecondFactor, fields: Parameters
    ) -> web.Response:
        try:
            added = await self._added(request, context, step, fields)
        except (Taken, Stale):
            return await self.sign_in.start_again(context)
        match added:
            case Throttled() as throttled:
                return self._page(context, step, "throttled", throttled.seconds)
            case None:
                return self._page(
                    context, step, "passkey" if _sent(fields) is SecondFactor.PASSKEY else "code"
                )
            case Added():
                return await self._sign_in(request, context, added)

    async def _added(
        self, request: web.Request, context: InteractionContext, step: AddSecondFactor, fields: Parameters
    ) -> Added | Throttled | None:
        if _sent(fields) is SecondFactor.PASSKEY:
            return await self.passkeys.add(request, step.proven, fields, context.binding)
        return await self.authentication.add(request, step.proven, context.handle, fields)

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
        step: AddSecondFactor,
        fault: SecondFactorFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        proven, has_app = step.proven, SecondFactor.APP in step.kinds
        secret = self.authentication.new_secret(proven, context.handle)
        has_passkey = SecondFactor.PASSKEY in step.kinds
        view = AddSecondFactorView(
            context.form(ADD_SECOND_FACTOR, denial="the user did not sign in"),
            proven.username,
            otpauth_uri(secret, self.host, proven.username) if has_app else None,
            shown_secret(secret),
            self.passkeys.options(proven, context.binding) if has_passkey else None,
            fault,
            retry_after,
        )
        return self.pages.add_second_factor(view, context.validated.locale)


def _sent(fields: Parameters) -> SecondFactor:
    """Which second factor the form adds."""
    return SecondFactor.APP if fields.unique(PASSKEY) is None else SecondFactor.PASSKEY

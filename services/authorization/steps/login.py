"""The login step: a user name and a password, or a passkey."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.passkey import NotAccepted, PasskeyAuthentication
from services.authorization.authentication.password import PasswordAuthentication, Throttled
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.interaction.step import Create, Login
from shared.browser.pages import LoginFault, LoginView, Pages
from shared.oauth.parameters import Parameters
from shared.paths import ACCOUNT_FORGOTTEN, LOGIN, SIGN_UP
from shared.store import PASSKEY
from shared.web.forwarded import client_address


@dataclass(frozen=True, slots=True)
class LoginStep:
    """The collaborators of the login step."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    authentication: PasswordAuthentication
    passkeys: PasskeyAuthentication
    sign_in: InteractionSignIn
    pages: Pages
    may_sign_up: bool
    has_mail: bool

    async def get(self, request: web.Request) -> web.Response:
        """Show the form, unless the user no longer has to log in."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case Login() | Create():
                return self._page(context, context.validated.request.login_hint or "")
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Begin a session if the password or the passkey is right. The page does not say why it is not."""
        context, fields = await self.lifecycle.open_form(request)
        if fields.unique(PASSKEY) is not None:
            return await self._sign_in_by_passkey(request, fields, context)
        username = fields.unique("username") or ""
        match await self.authentication.authenticate(request, fields):
            case Throttled() as throttled:
                return self._page(context, username, "throttled", throttled.seconds)
            case None:
                return self._page(context, username, "credentials")
            case authenticated:
                response = await self.sign_in.complete(request, context, authenticated)
                return response or self._page(context, authenticated.user.username, "credentials")

    async def _sign_in_by_passkey(
        self, request: web.Request, fields: Parameters, context: InteractionContext
    ) -> web.Response:
        authenticated = await self.passkeys.authenticate(fields, context.binding, client_address(request))
        if isinstance(authenticated, Throttled):
            return self._page(context, "", "throttled", authenticated.seconds)
        if isinstance(authenticated, NotAccepted):
            return self._page(context, "", "passkey", unknown_passkey=authenticated.unknown_id)
        if self.sign_in.is_incomplete(context, authenticated):
            return self._page(context, authenticated.user.username, "unverified")
        response = await self.sign_in.complete(request, context, authenticated)
        return response or self._page(context, "", "passkey")

    def _page(
        self,
        context: InteractionContext,
        username: str,
        fault: LoginFault | None = None,
        retry_after: int | None = None,
        unknown_passkey: str | None = None,
    ) -> web.Response:
        validated = context.validated
        may_sign_up = self.may_sign_up and not validated.request.subs
        view = LoginView(
            context.form(LOGIN, denial="the user did not sign in"),
            username,
            fault,
            retry_after,
            context.at(SIGN_UP) if may_sign_up else None,
            self.passkeys.options(context.binding),
            unknown_passkey,
            ACCOUNT_FORGOTTEN.path if self.has_mail else None,
        )
        return self.pages.login(view, validated.locale)

"""The step that replaces a temporary password, which somebody else knows. No session begins before."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.proven import Proven
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.interaction.step import ReplacePassword
from shared.browser.notices import Notices
from shared.browser.pages import Pages, PasswordChangeFault, ReplacePasswordView
from shared.identity.passwords import Passwords
from shared.oauth.parameters import Parameters
from shared.operations.new_password import NEW_PASSWORD, PasswordHash, new_password
from shared.paths import REPLACE_PASSWORD
from shared.store import Stale, UserCredentials


@dataclass(frozen=True, slots=True)
class ReplacePasswordStep:
    """The collaborators of the step."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    credentials: UserCredentials
    passwords: Passwords
    least_password: int  # characters
    notices: Notices
    sign_in: InteractionSignIn
    pages: Pages

    async def get(self, request: web.Request) -> web.Response:
        """Ask for a new password, if the user still has to choose one."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case ReplacePassword(proven):
                return self._page(context, proven)
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Set the password, and go on with the sign-in. Raises TemporarilyUnavailable, Unavailable."""
        context, fields = await self.lifecycle.open_form(request)
        match await self.dispatcher.next_step(request, context):
            case ReplacePassword(proven):
                return await self._replace(request, context, proven, fields)
        return context.resume()

    async def _replace(
        self, request: web.Request, context: InteractionContext, proven: Proven, fields: Parameters
    ) -> web.Response:
        account = await self.credentials.find_user_and_password(proven.username)
        if account is None or account.user.user_id != proven.user_id:  # renamed or deleted meanwhile
            return await self.sign_in.start_again(context)
        user, typed = account.user, fields.unique(NEW_PASSWORD) or ""
        password = await new_password(self.passwords, typed, self.least_password, user, account.password_hash)
        if not isinstance(password, PasswordHash):
            return self._page(context, proven, password)
        mails = self.notices.about(request, user, "password_changed")
        try:
            epoch = await self.credentials.replace_temporary_password(
                user.user_id, proven.epoch, password.text, mails=mails
            )
        except Stale:
            return await self.sign_in.start_again(context)
        authenticated = Authenticated.completing(proven.with_password_replaced(epoch), user)
        remembers = context.interaction.remembers
        response = await self.sign_in.complete(request, context, authenticated, remembers=remembers)
        return response or await self.sign_in.start_again(context)

    def _page(
        self, context: InteractionContext, proven: Proven, fault: PasswordChangeFault | None = None
    ) -> web.Response:
        form = context.form(REPLACE_PASSWORD, denial="the user did not sign in")
        view = ReplacePasswordView(form, proven.username, self.least_password, fault)
        return self.pages.replace_password(view, context.validated.locale)

"""The password page: a new password, and whether the other sessions end."""

from dataclasses import dataclass

from aiohttp import web

from services.accounts.visit.done import done_uri
from services.accounts.visit.visit import Visit, user_of
from shared.browser.notices import Notices
from shared.browser.pages import PasswordChangeFault
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.views.account.password import PasswordChangeView
from shared.identity.passwords import Passwords
from shared.model import User
from shared.oauth.parameters import Parameters
from shared.operations.new_password import NEW_PASSWORD, OTHERS, PasswordHash, new_password
from shared.paths import ACCOUNT
from shared.store import SignOutExemption, UserCredentials, Users
from shared.web.answers import see_other


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """The collaborators of the page."""

    users: Users
    credentials: UserCredentials
    passwords: Passwords
    least_password: int  # characters
    notices: Notices
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the form."""
        return self._page(visit)

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Set the password. The other sessions and all connected applications end if the user wants that."""
        user = await user_of(visit, self.users)
        typed, replaced = fields.unique(NEW_PASSWORD) or "", await self._temporary_password(user)
        password = await new_password(self.passwords, typed, self.least_password, user, replaced)
        if not isinstance(password, PasswordHash):
            return self._page(visit, password)
        exempt = SignOutExemption(sid=visit.session.sid) if fields.unique(OTHERS) else SignOutExemption()
        mails = self.notices.about(visit.request, user, "password_changed")
        await self.credentials.set_password(user.user_id, password.text, exempt, mails=mails)
        visit.log_change("password")
        return see_other(done_uri(ACCOUNT, "password"))

    async def _temporary_password(self, user: User) -> str | None:
        """The hash of their temporary password, if they have one: whoever set it may not keep knowing it."""
        account = await self.credentials.find_user_and_password(user.username)
        return account.password_hash if account and account.is_temporary else None

    def _page(self, visit: Visit, fault: PasswordChangeFault | None = None) -> web.Response:
        view = PasswordChangeView(visit.page.path, visit.username, self.least_password, fault, visit.fields)
        return self.pages.password(view, visit.locale)

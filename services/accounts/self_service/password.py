"""The password page: a new password, and whether the other sessions end."""

from dataclasses import dataclass

import structlog
from aiohttp import web

from services.accounts.new_password import NEW_PASSWORD, OTHERS, PasswordHash, new_password
from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_uri
from shared.browser.language import language
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import PasswordChangeFault, PasswordChangeView
from shared.identity.password_rules import MIN_PASSWORD
from shared.identity.passwords import Passwords
from shared.paths import ACCOUNT, ACCOUNT_PASSWORD
from shared.store import Kept, UserCredentials, Users
from shared.web.answers import see_other

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """The collaborators of the page."""

    access: AccountAccess
    users: Users
    credentials: UserCredentials
    passwords: Passwords
    notices: Notices
    pages: AccountPages

    async def get(self, request: web.Request) -> web.Response:
        """Show the form to a user who has just signed in."""
        visit = await self.access.open(request, ACCOUNT_PASSWORD, is_sensitive=True)
        return self._page(request, visit)

    async def post(self, request: web.Request) -> web.Response:
        """Set the password. The other sessions and all connected applications end if the user wants that."""
        visit, fields = await self.access.submitted(request, ACCOUNT_PASSWORD, is_sensitive=True)
        user = await self.users.find(visit.user_id)
        if user is None:
            raise self.access.gone(request, ACCOUNT_PASSWORD)
        password = await new_password(self.passwords, fields.unique(NEW_PASSWORD) or "", user)
        if not isinstance(password, PasswordHash):
            return self._page(request, visit, password)
        kept = Kept(sid=visit.session.sid) if fields.unique(OTHERS) else Kept()
        mails = self.notices.about(request, user, "password_changed")
        await self.credentials.set_password(user.user_id, password.text, kept, mails=mails)
        logger.info("account_changed", change="password", user_id=str(user.user_id))
        return see_other(done_uri(ACCOUNT, "password"))

    def _page(
        self, request: web.Request, visit: Visit, fault: PasswordChangeFault | None = None
    ) -> web.Response:
        view = PasswordChangeView(
            ACCOUNT_PASSWORD.path, visit.session.username, MIN_PASSWORD, fault, visit.fields
        )
        return self.pages.password(view, language(request, self.pages.pages))

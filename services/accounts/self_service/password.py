"""The password page: a new password, and whether the other sessions end."""

from dataclasses import dataclass

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_uri
from shared.browser.language import language
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import PasswordChangeFault, PasswordChangeView
from shared.identity.password_rules import MIN_PASSWORD, PasswordFault, password_fault
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.oauth.errors import TemporarilyUnavailable
from shared.operations.users import names_of
from shared.paths import ACCOUNT, ACCOUNT_PASSWORD
from shared.store import PASSWORD, Kept, UserCredentials, Users
from shared.web.answers import see_other

NEW_PASSWORD, OTHERS = "new_password", "sign_out_others"

_FAULTS: dict[PasswordFault, PasswordChangeFault] = {
    "length": "password",
    "characters": "password_characters",
    "common": "password_common",
    "name": "password_name",
}

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """The collaborators of the page."""

    access: AccountAccess
    users: Users
    credentials: UserCredentials
    passwords: Passwords
    pages: AccountPages

    async def get(self, request: web.Request) -> web.Response:
        """Show the form to a user who has just signed in."""
        visit = await self.access.open(request, ACCOUNT_PASSWORD, is_sensitive=True)
        return await self._page(request, visit)

    async def post(self, request: web.Request) -> web.Response:
        """Set the password. The other sessions and all connected applications end if the user wants that."""
        visit, fields = await self.access.submitted(request, ACCOUNT_PASSWORD, is_sensitive=True)
        user = await self.users.find(visit.user_id)
        if user is None:
            raise self.access.gone(request, ACCOUNT_PASSWORD)
        password = fields.unique(NEW_PASSWORD) or ""
        if fault := password_fault(password, names_of(user.username, user.claims)):
            return await self._page(request, visit, _FAULTS[fault])
        try:
            password_hash = await self.passwords.hash(password)
        except PasswordQueueFull as full:
            raise TemporarilyUnavailable("too many users are signing in", detail=str(full)) from None
        kept = Kept(sid=visit.session.sid) if fields.unique(OTHERS) else Kept()
        await self.credentials.set_password(user.user_id, password_hash, kept)
        logger.info("account_changed", change="password", user_id=str(user.user_id))
        return see_other(done_uri(ACCOUNT, "password"))

    async def _page(
        self, request: web.Request, visit: Visit, fault: PasswordChangeFault | None = None
    ) -> web.Response:
        kinds = {each.kind for each in await self.credentials.of_user(visit.user_id)}
        view = PasswordChangeView(
            ACCOUNT_PASSWORD.path,
            visit.session.username,
            MIN_PASSWORD,
            PASSWORD in kinds,
            fault,
            visit.fields,
        )
        return self.pages.password(view, language(request, self.pages.pages))

"""The page of the user's e-mail address: another one, confirmed by a code that is mailed there.

Nothing changes before the code is typed into a page of the same user, so nobody confirms an address for
somebody else by opening a mail.
"""

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_uri
from shared.browser.language import language
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import EmailFault, EmailView
from shared.identity.mail_address import mailable
from shared.identity.totp import typed_code
from shared.identity.username import canonical
from shared.live.randomness import new_mail_code
from shared.model import User
from shared.oauth.parameters import Parameters
from shared.operations.users import NoSuchUser, set_verified_address
from shared.paths import ACCOUNT, ACCOUNT_EMAIL
from shared.store import AddressCodes, Counters, Pace, Taken, Users
from shared.web.answers import see_other

EMAIL, CODE = "email", "code"

LIFETIME = timedelta(minutes=30)

PACE = Pace(
    free=5,
    first_wait=timedelta(minutes=5),
    longest_wait=timedelta(hours=6),
    forgotten_after=timedelta(days=1),
)
"""About a dozen codes a day from one user, and to one address."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConfirmationThrottle:
    """Counts the codes that are mailed, by user and by address."""

    counters: Counters
    is_on: bool

    async def admit(self, user_id: UUID, address: str) -> bool:
        """Count a code that is about to be mailed. False: there were too many."""
        if not self.is_on:
            return True
        if await self.counters.attempt("confirmation_user", str(user_id), PACE):
            return False
        return await self.counters.attempt("confirmation_address", canonical(address), PACE) is None


@dataclass(frozen=True, slots=True)
class EmailPage:
    """The collaborators of the page."""

    access: AccountAccess
    users: Users
    codes: AddressCodes
    throttle: ConfirmationThrottle
    notices: Notices
    pages: AccountPages
    secret_key: str = field(repr=False)

    async def get(self, request: web.Request) -> web.Response:
        """Show the address, or ask for the code that was mailed to another one."""
        self._check_offered()
        visit = await self.access.open(request, ACCOUNT_EMAIL, is_sensitive=True)
        return await self._page(request, visit, await self._user(request, visit))

    async def post(self, request: web.Request) -> web.Response:
        """Mail a code to `email`, or change the address if `code` is the one that was mailed."""
        self._check_offered()
        visit, fields = await self.access.submitted(request, ACCOUNT_EMAIL, is_sensitive=True)
        user = await self._user(request, visit)
        if fields.unique(CODE) is None:
            return await self._ask(request, visit, user, (fields.unique(EMAIL) or "").strip())
        return await self._confirm(request, visit, user, fields)

    async def _ask(self, request: web.Request, visit: Visit, user: User, email: str) -> web.Response:
        address = mailable(email)
        if address is None:
            return await self._page(request, visit, user, "email", email)
        if user.claims.get("email") == address and user.claims.get("email_verified") is True:
            return see_other(ACCOUNT.path)
        if not await self.throttle.admit(user.user_id, address):
            return await self._page(request, visit, user, "throttled", email)
        code = new_mail_code()
        mails = self.notices.with_code(request, user, address, code, LIFETIME)
        await self.codes.put(user.user_id, address, self._hash(user, code), LIFETIME, mails=mails)
        return see_other(ACCOUNT_EMAIL.path)

    async def _confirm(
        self, request: web.Request, visit: Visit, user: User, fields: Parameters
    ) -> web.Response:
        code_hash = self._hash(user, typed_code(fields.unique(CODE) or ""))
        address = await self.codes.spend(user.user_id, code_hash)
        if address is None:
            return await self._page(request, visit, user, "code")
        mails = self.notices.about(request, user, "address_changed", address=address)
        is_new = user.claims.get("email") != address
        try:
            await set_verified_address(self.users, user.user_id, address, mails if is_new else ())
        except Taken:
            return await self._page(request, visit, user, "taken")
        except NoSuchUser:
            raise self.access.gone(request, ACCOUNT_EMAIL) from None
        logger.info("account_changed", change="email", user_id=str(user.user_id))
        return see_other(done_uri(ACCOUNT, "email"))

    async def _user(self, request: web.Request, visit: Visit) -> User:
        if user := await self.users.find(visit.user_id):
            return user
        raise self.access.gone(request, ACCOUNT_EMAIL)

    def _hash(self, user: User, code: str) -> bytes:
        parts = ("ostiary: code for an address, version 1", str(user.user_id), code)
        return hmac.digest(self.secret_key.encode(), "\0".join(parts).encode(), "sha256")

    async def _page(
        self,
        request: web.Request,
        visit: Visit,
        user: User,
        fault: EmailFault | None = None,
        typed: str = "",
    ) -> web.Response:
        email = user.claims.get("email")
        view = EmailView(
            ACCOUNT_EMAIL.path,
            email if isinstance(email, str) else None,
            user.claims.get("email_verified") is True,
            await self.codes.wanted(user.user_id),
            typed,
            fault,
            visit.fields,
        )
        return self.pages.email(view, language(request, self.pages.pages))

    def _check_offered(self) -> None:
        if not self.notices.is_on:
            raise web.HTTPNotFound

"""The page of the user's e-mail address: another one, confirmed by a code that is mailed there.

Nothing changes before the code is typed into a page of the same user, so nobody confirms an address for
somebody else by opening a mail.
"""

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self
from uuid import UUID

from aiohttp import web

from services.accounts.visit.done import done_uri
from services.accounts.visit.visit import AccountGone, Visit, user_of
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.views.account.email import EmailFault, EmailView
from shared.identity.mail_address import mailable
from shared.identity.totp import typed_code
from shared.identity.username import canonical
from shared.live.randomness import new_mail_code
from shared.live.throttle import Throttle
from shared.model import User
from shared.oauth.parameters import Parameters
from shared.operations.users import NoSuchUser, set_verified_address
from shared.paths import ACCOUNT
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


@dataclass(frozen=True, slots=True)
class ConfirmationThrottle:
    """Counts the codes that are mailed, by user and by address."""

    by_user: Throttle
    by_address: Throttle

    @classmethod
    def of(cls, counters: Counters, *, is_on: bool) -> Self:
        return cls(
            Throttle(counters, "confirmation_user", PACE, is_on),
            Throttle(counters, "confirmation_address", PACE, is_on),
        )

    async def admit(self, user_id: UUID, address: str) -> bool:
        """Count a code that is about to be mailed. False: there were too many."""
        wait = await self.by_user.admit(str(user_id)) or await self.by_address.admit(canonical(address))
        return wait is None


@dataclass(frozen=True, slots=True)
class EmailPage:
    """The collaborators of the page."""

    users: Users
    codes: AddressCodes
    throttle: ConfirmationThrottle
    notices: Notices
    pages: AccountPages
    secret_key: str = field(repr=False)

    async def get(self, visit: Visit) -> web.Response:
        """Show the address, or ask for the code that was mailed to another one."""
        return await self._page(visit, await user_of(visit, self.users))

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Mail a code to `email`, or change the address if `code` is the one that was mailed."""
        user = await user_of(visit, self.users)
        if (code := fields.unique(CODE)) is not None:
            return await self._confirm(visit, user, code)
        return await self._mail_code(visit, user, (fields.unique(EMAIL) or "").strip())

    async def _mail_code(self, visit: Visit, user: User, email: str) -> web.Response:
        address = mailable(email)
        if address is None:
            return await self._page(visit, user, "email", email)
        if user.claims.get("email") == address and user.claims.get("email_verified") is True:
            return see_other(ACCOUNT.path)
        if not await self.throttle.admit(user.user_id, address):
            return await self._page(visit, user, "throttled", email)
        code = new_mail_code()
        mails = self.notices.with_code(visit.request, user, address, code, LIFETIME)
        await self.codes.put(user.user_id, address, self._hash(user, code), LIFETIME, mails=mails)
        return see_other(visit.page.path)

    async def _confirm(self, visit: Visit, user: User, code: str) -> web.Response:
        code_hash = self._hash(user, typed_code(code))
        address = await self.codes.check(user.user_id, code_hash)
        if address is None:
            return await self._page(visit, user, "code")
        is_new = user.claims.get("email") != address
        mails = self.notices.about(visit.request, user, "address_changed", address=address) if is_new else ()
        try:
            await set_verified_address(self.users, user.user_id, address, mails)
        except Taken:
            await self.codes.forget(user.user_id, code_hash)
            return await self._page(visit, user, "taken")
        except NoSuchUser:
            raise AccountGone from None
        await self.codes.forget(user.user_id, code_hash)  # last: whoever is told 503 may send it again
        visit.log_change("email")
        return see_other(done_uri(ACCOUNT, "email"))

    def _hash(self, user: User, code: str) -> bytes:
        parts = ("ostiary: code for an address, version 1", str(user.user_id), code)
        return hmac.digest(self.secret_key.encode(), "\0".join(parts).encode(), "sha256")

    async def _page(
        self, visit: Visit, user: User, fault: EmailFault | None = None, typed: str = ""
    ) -> web.Response:
        email = user.claims.get("email")
        view = EmailView(
            visit.page.path,
            email if isinstance(email, str) else None,
            user.claims.get("email_verified") is True,
            await self.codes.pending_address(user.user_id),
            typed,
            fault,
            visit.fields,
        )
        return self.pages.email(view, visit.locale)

"""The page to which a recovery link leads: a new password for somebody who cannot sign in."""

from dataclasses import dataclass

import structlog
from aiohttp import web

from services.accounts.recovery.browser_forms import BrowserForms
from services.accounts.visit.sign_in import sign_in_uri
from shared.browser.cookies import Cookies
from shared.browser.errors import LinkExpired
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.language import language
from shared.browser.notices import Notices
from shared.browser.pages import PasswordChangeFault
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.views.account.password import RecoveryView
from shared.identity.passwords import Passwords
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import Kind, digest, is_handle
from shared.operations.new_password import NEW_PASSWORD, OTHERS, PasswordHash, new_password
from shared.operations.recovery import LINK, recovery_path
from shared.paths import ACCOUNT, ACCOUNT_RECOVERY
from shared.server.metrics import count_event
from shared.store import LiveLink, RecoveryLinks, SignOutExemption
from shared.web.form import query

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecoveryPage:
    """The collaborators of the page."""

    issuer: str
    cookies: Cookies
    forms: BrowserForms
    links: RecoveryLinks
    passwords: Passwords
    least_password: int  # characters
    notices: Notices
    pages: AccountPages
    again: str  # where the owner of a link that is dead can go

    async def get(self, request: web.Request) -> web.Response:
        """Show the form, and spend nothing. Raises LinkExpired, InvalidRequest, Unavailable."""
        handle, link = await self._opened(query(request))
        browser = self.cookies.newest_browser_handle(request)
        response = self._page(request, handle, link, browser)
        self.cookies.set_browser(response, browser)
        return response

    async def post(self, request: web.Request) -> web.Response:
        """Spend the link and set the password; the user signs in with it next.

        Sessions and connected applications end if the user wants that. Raises LinkExpired, CookieMissing,
        StaleForm, UnverifiedRequest, InvalidRequest, TemporarilyUnavailable, Unavailable.
        """
        fields = await self.forms.read(request)
        handle, link = await self._opened(fields)
        browser = self.forms.sender(request, fields, _purpose(handle), again=recovery_path(handle))
        user = link.user
        typed = fields.unique(NEW_PASSWORD) or ""
        password = await new_password(self.passwords, typed, self.least_password, user, link.password_hash)
        if not isinstance(password, PasswordHash):
            return self._page(request, handle, link, browser, password)
        exempt = None if fields.unique(OTHERS) else SignOutExemption()
        mails = self.notices.about(request, user, "account_recovered")
        if not await self.links.set_password(
            digest(handle), user.user_id, password.text, exempt, mails=mails
        ):
            raise LinkExpired("the link was used in the meantime", again=self.again)
        count_event("recovery")
        logger.info("account_recovered", user_id=str(user.user_id))
        onward = sign_in_uri(self.issuer, ACCOUNT, username=user.username)  # which nobody types again
        return self.pages.recovered(onward, language(request, self.pages))

    async def _opened(self, parameters: Parameters) -> tuple[str, LiveLink]:
        """The handle of the link, and the link. Raises LinkExpired."""
        handle = parameters.unique(LINK) or ""
        link = await self.links.find(digest(handle)) if is_handle(Kind.RECOVERY_LINK, handle) else None
        if link is None:
            raise LinkExpired("there is no such link, or it does not work any more", again=self.again)
        return handle, link

    def _page(
        self,
        request: web.Request,
        handle: str,
        link: LiveLink,
        browser: str,
        fault: PasswordChangeFault | None = None,
    ) -> web.Response:
        hidden = {LINK: handle, FORM_TOKEN: form_token(browser, _purpose(handle))}
        presented = {digest(each) for each in self.cookies.browser_handles(request)}
        is_elsewhere = link.browser_hash is not None and link.browser_hash not in presented
        view = RecoveryView(
            ACCOUNT_RECOVERY.path,
            link.user.username,
            self.least_password,
            fault,
            hidden,
            is_elsewhere,
            link.issued_by,
        )
        return self.pages.recovery(view, language(request, self.pages))


def _purpose(handle: str) -> str:
    return f"recovery {handle}"

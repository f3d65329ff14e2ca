"""The page for people who have forgotten their password: it asks who they are, and says that a mail may come.

Its answer, and the work for it, are the same whether or not there is such a user.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiohttp import web

from services.accounts.recovery.browser_forms import BrowserForms
from services.accounts.recovery.throttle import RecoveryThrottle
from shared.browser.cookies import Cookies
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.language import language
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.views.account.password import ForgottenView
from shared.identity.mail_address import MAX_ADDRESS
from shared.oauth.tokens.handle import digest
from shared.operations.recovery import MAILED_LIFETIME
from shared.paths import ACCOUNT_FORGOTTEN
from shared.server.metrics import count_event
from shared.store import RecoveryContents, RecoveryRequests
from shared.web.forwarded import client_address

USERNAME = "username"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ForgottenPage:
    """The collaborators of the page. `is_offered`: this deployment sends mails."""

    cookies: Cookies
    forms: BrowserForms
    requests: RecoveryRequests
    throttle: RecoveryThrottle
    pages: AccountPages
    is_offered: bool

    async def get(self, request: web.Request) -> web.Response:
        """Show the form."""
        self._check_offered()
        browser = self.cookies.newest_browser_handle(request)
        response = self._page(request, browser)
        self.cookies.set_browser(response, browser)
        return response

    async def post(self, request: web.Request) -> web.Response:
        """Note the request, and say what happens next.

        Raises CookieMissing, StaleForm, UnverifiedRequest, InvalidRequest, Unavailable.
        """
        self._check_offered()
        fields, path = await self.forms.read(request), ACCOUNT_FORGOTTEN.path
        browser = self.forms.sender(request, fields, purpose=path, again=path)
        name = (fields.unique(USERNAME) or "").strip()
        if not name or len(name) > MAX_ADDRESS:
            return self._page(request, browser)
        if wait := await self._wait(request):
            return self._page(request, browser, name, retry_after=wait)
        locale = language(request, self.pages)
        if await self.throttle.admit_name(name):
            contents = RecoveryContents(name=name, browser_hash=digest(browser).hex(), locale=locale)
            await self.requests.add(contents)
        return self.pages.forgotten_sent(_in_minutes(MAILED_LIFETIME), locale)

    async def _wait(self, request: web.Request) -> timedelta | None:
        """Count the request. None: it is admitted; otherwise the time to wait."""
        address = client_address(request)
        if wait := await self.throttle.admit_address(address):
            count_event("recovery_request", "throttled")
            logger.info("recovery_throttled", address=address, seconds=wait.total_seconds())
        return wait

    def _page(
        self,
        request: web.Request,
        browser: str,
        name: str = "",
        *,
        retry_after: timedelta | None = None,
    ) -> web.Response:
        hidden = {FORM_TOKEN: form_token(browser, ACCOUNT_FORGOTTEN.path)}
        seconds = None if retry_after is None else int(retry_after.total_seconds()) + 1
        view = ForgottenView(ACCOUNT_FORGOTTEN.path, name, seconds, hidden)
        return self.pages.forgotten(view, language(request, self.pages))

    def _check_offered(self) -> None:
        if not self.is_offered:
            raise web.HTTPNotFound


def _in_minutes(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds() // 60)

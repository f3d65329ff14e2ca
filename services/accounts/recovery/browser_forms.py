"""Forms for people who are not signed in: each is bound to the browser that was shown it."""

from dataclasses import dataclass

from aiohttp import web

from shared.browser.cookies import Cookies
from shared.browser.errors import CookieMissing, StaleForm
from shared.browser.form_token import FORM_TOKEN
from shared.browser.same_origin import check_same_origin
from shared.oauth.parameters import Parameters
from shared.web.form import form


@dataclass(frozen=True, slots=True)
class BrowserForms:
    """Reads the forms of a deployment with this *origin*."""

    origin: str
    cookies: Cookies

    async def read(self, request: web.Request) -> Parameters:
        """The fields of a form from one of our own pages. Raises UnverifiedRequest, InvalidRequest."""
        check_same_origin(request, self.origin)
        return await form(request)

    def sender(self, request: web.Request, fields: Parameters, purpose: str, again: str) -> str:
        """The handle of the browser that was shown the form. Raises CookieMissing, StaleForm.

        *purpose*: that of the form's token. *again*: the path of the page with the form.
        """
        if not self.cookies.browser_handles(request):
            raise CookieMissing("the cookie of the page was not sent", again=again)
        browser = self.cookies.browser_of_form(request, fields.unique(FORM_TOKEN), purpose)
        if browser is None:
            raise StaleForm("the form was made for another browser", again=again)
        return browser

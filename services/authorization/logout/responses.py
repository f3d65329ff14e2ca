"""The responses of the end-session endpoint: a confirmation page, a signed-out page, or a redirect.

Forms are bound to the session that they would end, or to the browser if there is no session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from aiohttp import web

from services.authorization.logout.logout_request import LogoutRequest
from shared.browser.cookies import Cookies
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.language import UI_LOCALES, language
from shared.browser.pages import ClientView, FormView, LogoutView, Pages, SignedOutView
from shared.oauth.client.record import Client
from shared.paths import LOGOUT, LOGOUT_DONE
from shared.store import Unavailable
from shared.web.answers import see_other

PURPOSE = "logout"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LogoutResponses:
    """Builds the responses."""

    pages: Pages
    cookies: Cookies

    def confirmation(
        self,
        request: web.Request,
        logout: LogoutRequest,
        client: Client | None,
        return_uri: str | None,
        username: str | None,
    ) -> web.Response:
        """Ask the user whether to sign out."""
        token, browser = self._form_token(request)
        form = FormView(
            ClientView.of(client) if client else None,
            LOGOUT.path,
            hidden={FORM_TOKEN: token, **logout.fields},
            form_action=(return_uri,) if return_uri else (),
        )
        page = self.pages.confirm_logout(LogoutView(form, username), language(request, self.pages))
        return self._bound(page, browser)

    def incomplete(self, request: web.Request, logout: LogoutRequest, fault: Unavailable) -> web.Response:
        """503: the browser keeps its cookies, and the form of the page repeats the request."""
        logger.warning("sign_out_incomplete", cause=str(fault))
        token, browser = self._form_token(request)
        uri = logout.fields.get("post_logout_redirect_uri")
        form = FormView(
            None,
            LOGOUT.path,
            hidden={FORM_TOKEN: token, **logout.fields},
            form_action=(uri,) if uri else (),
        )
        response = self.pages.sign_out_incomplete(LogoutView(form), language(request, self.pages))
        return self._bound(response, browser)

    def signed_out(
        self,
        request: web.Request,
        logout: LogoutRequest,
        client: Client | None,
        return_uri: str | None,
        frames: Sequence[str],
    ) -> web.Response:
        """Delete the session cookies and return to the client, through a page if there are *frames*."""
        done = _done(logout.ui_locales)
        if frames:
            view = SignedOutView(ClientView.of(client) if client else None, return_uri, tuple(frames), done)
            response: web.Response = self.pages.signed_out(view, language(request, self.pages))
        else:
            response = see_other(return_uri or done)
        self.cookies.clear_session(response)
        return response

    def done(self, request: web.Request) -> web.Response:
        """The page that says that the user is signed out."""
        return self.pages.signed_out(SignedOutView(None), language(request, self.pages))

    def is_own_form(self, request: web.Request, token: str | None) -> bool:
        """Whether the form was made for the browser's session, or for the browser if there is no session."""
        if self.cookies.session_handles(request):
            return self.cookies.session_of_form(request, token, PURPOSE) is not None
        return self.cookies.browser_of_form(request, token, PURPOSE) is not None

    def _form_token(self, request: web.Request) -> tuple[str, str | None]:
        """The token of a form, and the browser's handle if the form is bound to that."""
        if handles := self.cookies.session_handles(request):
            return form_token(handles[0], PURPOSE), None
        browser = self.cookies.newest_browser_handle(request)
        return form_token(browser, PURPOSE), browser

    def _bound(self, response: web.Response, browser: str | None) -> web.Response:
        if browser:
            self.cookies.set_browser(response, browser)
        return response


def _done(ui_locales: str | None) -> str:
    """The URI of the last page of a logout, in the language of its request."""
    return f"{LOGOUT_DONE}?{urlencode({UI_LOCALES: ui_locales})}" if ui_locales else LOGOUT_DONE.path

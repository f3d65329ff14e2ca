"""The pages of a process, and the error page for errors that cannot be sent to a client."""

from dataclasses import replace

from aiohttp import web

from shared.browser.errors import Expired, UnverifiedRequest
from shared.browser.language import language
from shared.browser.pages import ClientView, ErrorView, Pages
from shared.browser.pages.assets import ASSETS
from shared.browser.restart_uri import restart_uri
from shared.oauth.client.account import is_account_client
from shared.oauth.errors import InvalidRequest, OAuthError
from shared.paths import ACCOUNT
from shared.server.app import ERROR_PAGE, SETTINGS
from shared.server.log.configuration import REQUEST_ID

PAGES = web.AppKey("PAGES", Pages)

_HTTP_ERRORS = {404: "not_found", 405: "method_not_allowed"}


def show_pages(app: web.Application) -> None:
    """PAGES and ASSETS, loaded once however many services run in the process; errors become pages."""
    if PAGES not in app:
        app[PAGES] = pages = Pages.load(app[SETTINGS], app)
        app[ASSETS] = pages.renderer.assets
        app[ERROR_PAGE] = error_page


def error_page(request: web.Request, error: OAuthError | web.HTTPException) -> web.StreamResponse:
    """The page of *error*, in the language of the request, with a link to start again."""
    pages = request.app[PAGES]
    locale, request_id = language(request, pages), REQUEST_ID.get(None)
    if isinstance(error, OAuthError):
        view = ErrorView(error.error, error.description, request_id)
        if isinstance(error, Expired | UnverifiedRequest):
            view = _with_restart(view, error, request.app[SETTINGS].issuer)
        return pages.error(view, locale, error.status)
    name = _HTTP_ERRORS.get(error.status, InvalidRequest.error)
    response = pages.error(ErrorView(name, None, request_id), locale, error.status)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _with_restart(view: ErrorView, error: Expired | UnverifiedRequest, issuer: str) -> ErrorView:
    if error.again:
        return replace(view, back_href=error.again)
    if error.client and is_account_client(error.client):
        return replace(view, back_href=ACCOUNT.path)
    if error.client and (uri := restart_uri(error.client, issuer)):
        return replace(view, back_href=uri, client=ClientView.of(error.client))
    return view

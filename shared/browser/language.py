"""The language of a response: from `ui_locales`, else from the browser.

A request's `ui_locales` are recorded as soon as they are known, so that a later error page, which no longer
has the parameters, uses the same language.
"""

from aiohttp import web

from shared.browser.pages import Pages
from shared.browser.pages.account_pages import AccountPages
from shared.oauth.errors import InvalidRequest
from shared.web.form import query

UI_LOCALES = "ui_locales"

_NOTED = web.RequestKey("_NOTED", str)


def note_ui_locales(request: web.Request, ui_locales: str | None) -> None:
    """Use *ui_locales*, if there are any, for the response to *request*."""
    if ui_locales:
        request[_NOTED] = ui_locales


def language(request: web.Request, pages: Pages | AccountPages) -> str:
    """The locale of the response to *request*, from the recorded value, the query, or `Accept-Language`."""
    return pages.renderer.locale(_requested_locales(request), request.headers.get("Accept-Language"))


def ui_locales_fields(request: web.Request) -> dict[str, str]:
    """The hidden field that keeps the language of *request* in a form without an interaction."""
    ui_locales = _requested_locales(request)
    return {UI_LOCALES: ui_locales} if ui_locales else {}


def _requested_locales(request: web.Request) -> str | None:
    return request.get(_NOTED) or _in_query(request)


def _in_query(request: web.Request) -> str | None:
    try:
        return query(request).unique(UI_LOCALES)
    except InvalidRequest:
        return None

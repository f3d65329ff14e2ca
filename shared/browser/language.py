"""The language of an answer: what `ui_locales` asks for, then what the browser asks for.

A request notes its `ui_locales` as soon as they are known. A page that is shown for an error later on, when
the parameters are out of reach, is in the same language.
"""

from aiohttp import web

from shared.browser.pages import Pages
from shared.oauth.errors import InvalidRequest
from shared.web.form import query

UI_LOCALES = "ui_locales"

_NOTED = web.RequestKey("_NOTED", str)


def note_ui_locales(request: web.Request, ui_locales: str | None) -> None:
    """Let the answer to *request* follow *ui_locales*, if there are any."""
    if ui_locales:
        request[_NOTED] = ui_locales


def language(request: web.Request, pages: Pages) -> str:
    """The locale of the answer to *request*: by what was noted, the query, or `Accept-Language`."""
    return pages.locale(_wanted(request), request.headers.get("Accept-Language"))


def ui_locales_fields(request: web.Request) -> dict[str, str]:
    """The field by which a form without an interaction keeps the language of *request*."""
    ui_locales = _wanted(request)
    return {UI_LOCALES: ui_locales} if ui_locales else {}


def _wanted(request: web.Request) -> str | None:
    return request.get(_NOTED) or _in_query(request)


def _in_query(request: web.Request) -> str | None:
    try:
        return query(request).unique(UI_LOCALES)
    except InvalidRequest:
        return None

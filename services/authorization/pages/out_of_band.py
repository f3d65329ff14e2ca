"""The out-of-band page: shows a code that the user copies to a program without a browser."""

import re

from aiohttp import web

from shared.browser.language import language
from shared.browser.pages import OutOfBandView
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import Kind
from shared.server.pages import PAGES
from shared.web.form import query

_CODE = re.compile(rf"{Kind.AUTHORIZATION_CODE}_[A-Za-z0-9_-]{{43}}")
_ERROR = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,3}")


async def out_of_band(request: web.Request) -> web.Response:
    """Show the response that the authorization endpoint added to this redirect URI. Raises InvalidRequest.

    Anyone can link to this page. It shows nothing but codes and errors, because users would take any other
    text for the provider's own.
    """
    pages = request.app[PAGES]
    return pages.out_of_band(_view(query(request)), language(request, pages))


def _view(parameters: Parameters) -> OutOfBandView:
    code, error = parameters.unique("code"), parameters.unique("error")
    if code and _CODE.fullmatch(code) and not error:
        return OutOfBandView(code=code)
    if error and _ERROR.fullmatch(error):
        return OutOfBandView(error=error)
    return OutOfBandView(error=InvalidRequest.error)

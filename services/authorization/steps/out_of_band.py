"""The out-of-band page: shows a code to a person who carries it to a program without a browser."""

import re

from aiohttp import web

from shared.browser.language import language
from shared.browser.pages import OutOfBandView, Pages
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import Kind
from shared.web.form import query

_CODE = re.compile(rf"{Kind.AUTHORIZATION_CODE}_[A-Za-z0-9_-]{{43}}")
_ERROR = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,3}")


async def out_of_band(request: web.Request, pages: Pages) -> web.Response:
    """The answer that the authorization endpoint has added to this redirect URI. Raises InvalidRequest.

    Anybody can link here. A text that is neither a code nor an error is not shown: a person would take it for
    the provider's.
    """
    return pages.out_of_band(_view(query(request)), language(request, pages))


def _view(parameters: Parameters) -> OutOfBandView:
    code, error = parameters.unique("code"), parameters.unique("error")
    if code and _CODE.fullmatch(code) and not error:
        return OutOfBandView(code=code)
    if error and _ERROR.fullmatch(error):
        return OutOfBandView(error=error)
    return OutOfBandView(error=InvalidRequest.error)

"""The out-of-band page: shows a code to a person who carries it to a program without a browser."""

from aiohttp import web

from services.authorization.language import language
from services.authorization.pages import OutOfBandView, Pages
from shared.web.form import query


async def out_of_band(request: web.Request, pages: Pages) -> web.Response:
    """What the authorization endpoint has added to this redirect URI of ours. Raises InvalidRequest."""
    parameters = query(request)
    view = OutOfBandView(parameters["code"], parameters["error"], parameters["state"])
    return pages.out_of_band(view, language(request, pages))

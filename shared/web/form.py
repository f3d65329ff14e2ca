"""Reading what a request carries, within limits of size and time."""

import asyncio

from aiohttp import web

from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters, parse
from shared.web.app import MAX_BODY

BODY_TIMEOUT = 10.0  # seconds for a whole body
FORM = "application/x-www-form-urlencoded"


def query(request: web.Request) -> Parameters:
    """The query. Raises InvalidRequest."""
    return parse(request.rel_url.raw_query_string.encode("utf-8", "surrogateescape"))


def authorization_header(request: web.Request) -> str | None:
    """The Authorization header. Raises InvalidRequest: there are two."""
    values = request.headers.getall("Authorization", [])
    if len(values) > 1:
        raise InvalidRequest("there is more than one Authorization header")
    return values[0] if values else None


async def body(request: web.Request) -> bytes:
    """The body. Raises InvalidRequest when it takes too long; the limit of size is the application's."""
    content = request.content
    if content.is_eof() and content.total_bytes <= MAX_BODY:  # it has arrived: there is nothing to wait for
        return content.read_nowait()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await request.read()
    except TimeoutError:
        raise InvalidRequest("the body did not arrive in time") from None


async def form(request: web.Request) -> Parameters:
    """The form in the body; parameters in the query of such a request are refused (RFC 6749 §3.2).

    The charset of the content type changes nothing: forms are UTF-8. Raises InvalidRequest.
    """
    if request.headers.get("Content-Type") != FORM and request.content_type != FORM:
        raise InvalidRequest(f"the content type must be {FORM}")
    if request.rel_url.raw_query_string:
        raise InvalidRequest("parameters belong in the body, not in the query")
    return parse(await body(request))

"""Reads the query, form and body of a request, with limits on size and time."""

import asyncio
from typing import cast

from aiohttp import web

from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters, parse
from shared.web.request import MAX_BODY, Request

BODY_TIMEOUT = 10.0  # seconds for a whole body
CHUNK_TIMEOUT = 2.0  # seconds between two pieces of a chunked body
FORM = "application/x-www-form-urlencoded"
IDENTITY = "identity"  # RFC 9110 §12.5.3: no encoding


def query(request: web.Request) -> Parameters:
    """The query. Raises InvalidRequest."""
    parameters = parse(request.rel_url.raw_query_string.encode("utf-8", "surrogateescape"))
    cast(Request, request).parameters = parameters
    return parameters


def authorization_header(request: web.Request) -> str | None:
    """The Authorization header. Raises InvalidRequest if there are two."""
    values = request.headers.getall("Authorization", [])
    if len(values) > 1:
        raise InvalidRequest("there is more than one Authorization header")
    return values[0] if values else None


async def body(request: web.Request) -> bytes:
    """The body as it was sent.

    Raises InvalidRequest if it is encoded, malformed or truncated, or takes too long. Raises
    HTTPRequestEntityTooLarge if it is longer than MAX_BODY.
    """
    if request.headers.get("Content-Encoding", IDENTITY) != IDENTITY:
        raise InvalidRequest("an encoded body is not read")
    content = request.content
    try:
        if content.is_eof() and content.total_bytes <= MAX_BODY:  # it has arrived completely
            received = content.read_nowait()
        else:
            async with asyncio.timeout(BODY_TIMEOUT):
                received = await _read(request)
    except TimeoutError:
        fault = "the body is malformed, or did not arrive in time"
        content.set_exception(web.RequestPayloadError(fault))  # nobody waits for the rest
        raise InvalidRequest(fault) from None
    except (web.RequestPayloadError, ConnectionError):
        raise InvalidRequest("the body is malformed, or was cut short") from None
    cast(Request, request).complete()
    return received


async def _read(request: web.Request) -> bytes:
    # aiohttp's parser detects a malformed chunk immediately, but tells neither the handler nor the stream:
    # the body just stops. A client that sends chunks has all of the body ready, and pauses only if a packet
    # is lost.
    pause = CHUNK_TIMEOUT if "Transfer-Encoding" in request.headers else BODY_TIMEOUT
    received = bytearray()
    while not request.content.at_eof():
        async with asyncio.timeout(pause):
            received += await request.content.readany()
        if len(received) > MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY, len(received))
    return bytes(received)


async def form(request: web.Request) -> Parameters:
    """The form in the body. A query with parameters is rejected (RFC 6749 §3.2).

    The charset of the content type is ignored: forms are UTF-8. Raises InvalidRequest.
    """
    if request.headers.get("Content-Type") != FORM and request.content_type != FORM:
        raise InvalidRequest(f"the content type must be {FORM}")
    if request.rel_url.raw_query_string:
        raise InvalidRequest("parameters belong in the body, not in the query")
    parameters = parse(await body(request))
    cast(Request, request).parameters = parameters
    return parameters

"""Errors of the registration and client configuration endpoints: RFC 7591 §3.2.2, RFC 6750 §3."""

from aiohttp import web

from shared.oauth.errors import InvalidClientMetadata, InvalidRequest
from shared.server.app import Handler


def registering(endpoint: Handler) -> Handler:
    """A handler that reports an unreadable request as invalid metadata."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await endpoint(request)
        except InvalidRequest as error:
            raise InvalidClientMetadata(error.description) from None

    return handler

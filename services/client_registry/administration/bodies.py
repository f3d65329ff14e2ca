"""The bodies of the administration's requests."""

from typing import Any

from aiohttp import web

from services.client_registry.registration.request import read_body
from shared.oauth.errors import InvalidClientMetadata, InvalidRequest
from shared.web.form import body


async def members(request: web.Request) -> dict[str, Any]:
    """The members of a body of JSON. Raises InvalidRequest."""
    try:
        return read_body(request.content_type, await body(request))
    except InvalidClientMetadata as fault:
        raise InvalidRequest(fault.description) from None

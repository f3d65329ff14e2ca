"""What a request to this service carries in its headers."""

from aiohttp import web

from shared.oauth.errors import InvalidRequest


def authorization_header(request: web.Request) -> str | None:
    """The Authorization header. Raises InvalidRequest: there are two."""
    values = request.headers.getall("Authorization", [])
    if len(values) > 1:
        raise InvalidRequest("there is more than one Authorization header")
    return values[0] if values else None

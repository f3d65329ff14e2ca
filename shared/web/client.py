"""The client of a request."""

from typing import cast

from aiohttp import web

from shared.oauth.client.record import Client
from shared.oauth.errors import OAuthError
from shared.web.request import Request


def note_client(request: web.Request, client: Client) -> None:
    """Record the client of a request as soon as it is known.

    Refusals name the client, and pages of its origins may read them.
    """
    noted = cast(Request, request)
    noted.client_id = client.client_id
    noted.allowed_origins = client.allowed_cors_origins


def claimed_client_id(request: web.Request, error: OAuthError) -> str | None:
    """The unverified client_id that a refused request claims."""
    if error.client_id:
        return error.client_id
    parameters = cast(Request, request).parameters
    return parameters.unique("client_id") if parameters else None

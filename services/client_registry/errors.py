"""Errors of the registration and client configuration endpoints: RFC 7591 §3.2.2, RFC 6750 §3."""

from aiohttp import web

from shared.oauth.errors import InvalidClientMetadata, InvalidRequest, OAuthError
from shared.web.answers import error_answer
from shared.web.bearer import bearer_error


def registration_error(request: web.Request, error: OAuthError) -> web.Response:
    """An error as JSON, with a challenge where the token is at fault."""
    if isinstance(error, InvalidRequest):  # an unreadable body counts as invalid metadata
        return error_answer(InvalidClientMetadata(error.description))
    return bearer_error(request, error)

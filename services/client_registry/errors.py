"""How this service refuses: RFC 7591 §3.2.2, RFC 6750 §3."""

from aiohttp import web

from services.client_registry.registration.credentials import NoToken
from shared.oauth.errors import InvalidClientMetadata, InvalidRequest, InvalidToken, OAuthError
from shared.web.answers import error_answer

REALM = 'realm="ostiary"'


def refusal(error: OAuthError) -> web.Response:
    """An error as JSON, with its challenge where a token is at fault."""
    match error:
        case NoToken():
            return error_answer(error, headers={"WWW-Authenticate": f"Bearer {REALM}"})
        case InvalidToken():
            challenge = f'Bearer {REALM}, error="{error.error}"'
            return error_answer(error, headers={"WWW-Authenticate": challenge})
        case InvalidRequest():  # what cannot be read is bad metadata here, too
            return error_answer(InvalidClientMetadata(error.description))
    return error_answer(error)

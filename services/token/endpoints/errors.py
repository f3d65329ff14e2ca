"""How this service's endpoints refuse: RFC 6749 §5.2, RFC 6750 §3."""

from aiohttp import web

from shared.oauth.errors import (
    InsufficientScope,
    InvalidClient,
    InvalidToken,
    OAuthError,
)
from shared.web.answers import error_answer

REALM = 'realm="ostiary"'


def to_client(error: OAuthError) -> web.Response:
    """For endpoints that authenticate a client. Cells' command line sees an error by `status_code` alone."""
    challenge = {"WWW-Authenticate": f"Basic {REALM}"} if isinstance(error, InvalidClient) else None
    return error_answer(error, headers=challenge, members={"status_code": error.status})


def to_bearer(error: OAuthError) -> web.Response:
    """For the userinfo endpoint."""
    if not isinstance(error, InvalidToken | InsufficientScope):
        return error_answer(error)
    members = "".join(f', {name}="{value}"' for name, value in error.parameters().items())
    scope = ', scope="openid"' if isinstance(error, InsufficientScope) else ""
    return error_answer(error, headers={"WWW-Authenticate": f"Bearer {REALM}{members}{scope}"})

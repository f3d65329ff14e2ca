"""How this service's endpoints refuse: RFC 6749 §5.2, RFC 6750 §3."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from shared.oauth.errors import (
    InsufficientScope,
    InvalidClient,
    InvalidToken,
    OAuthError,
    SlowDown,
    TemporarilyUnavailable,
)
from shared.store import Unavailable
from shared.web.answers import error_answer

REALM = 'realm="ostiary"'

Endpoint = Callable[[web.Request], Awaitable[web.Response]]
Refusal = Callable[[OAuthError], web.Response]

logger = structlog.get_logger()


class TooMany(SlowDown):
    """RFC 6585 §4."""

    status = 429


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


def refusing(endpoint: Endpoint, refusal: Refusal) -> Endpoint:
    """*endpoint*, with the protocol's errors answered by *refusal*."""

    async def handler(request: web.Request) -> web.Response:
        error: OAuthError
        try:
            return await endpoint(request)
        except OAuthError as refused:
            logger.info("refused", error=refused.error, detail=refused.detail or refused.description)
            error = refused
        except Unavailable as fault:
            logger.warning("unavailable", cause=str(fault))
            error = TemporarilyUnavailable("try again in a moment")
        return refusal(error)

    return handler

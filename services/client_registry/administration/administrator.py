"""Who may administer clients: a client of this server, with an access token of its own that says so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web

from services.client_registry.errors import REALM
from services.client_registry.registration.credentials import NoToken
from shared.issuing.access_tokens import AccessTokens
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.oauth.errors import (
    InsufficientScope,
    InvalidClientMetadata,
    InvalidToken,
    OAuthError,
)
from shared.operations.clients import NoSecret, NoSuchClient
from shared.store import Stale, Taken
from shared.web.answers import error_answer
from shared.web.form import authorization_header

READ = "ostiary.clients:read"
WRITE = "ostiary.clients:write"

AdminEndpoint = Callable[[web.Request, str], Awaitable[web.Response]]
"""Gets who calls, for the audit log."""

logger = structlog.get_logger()


class NotFound(OAuthError):
    error = "not_found"
    status = 404


class Conflict(OAuthError):
    """It cannot be so, because of what is there."""

    error = "conflict"
    status = 409


class Changed(OAuthError):
    """Another's change came first."""

    error = "precondition_failed"
    status = 412


@dataclass(frozen=True, slots=True)
class Administrators:
    """Checks access tokens of this server."""

    issuer: str
    access_tokens: AccessTokens
    clients: ClientCache

    async def check(self, authorization: str | None, scope: str, now: datetime) -> str:
        """Who calls. Raises InvalidToken, InsufficientScope, Unavailable.

        A client for itself: what a user allows a client is never administration. The scope counts while the
        client is registered for it.
        """
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise NoToken("an access token is needed")
        token = await self.access_tokens.read(value.strip(), now)
        if token is None or self.issuer not in token.aud:
            raise InvalidToken("the access token does not hold here")
        client = await self.clients.find(token.client_id)
        if client is None or client.disabled_at or not await self.access_tokens.holds(token):
            raise InvalidToken("the access token does not hold here")
        if token.grant_id is not None or scope not in token.scope or scope not in client.scope:
            raise InsufficientScope(f"this needs a client's own access token with scope {scope}")
        return client.client_id


ADMINISTRATORS = web.AppKey("ADMINISTRATORS", Administrators)


def administering(scope: str, endpoint: AdminEndpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
    """*endpoint* for those who hold *scope*, with every refusal answered."""

    async def handler(request: web.Request) -> web.Response:
        error: OAuthError
        try:
            caller = await request.app[ADMINISTRATORS].check(
                authorization_header(request), scope, clock.now()
            )
            return await endpoint(request, caller)
        except OAuthError as refused:
            error = refused
        except NoSuchClient:
            error = NotFound("there is no such client")
        except NoSecret:
            error = Conflict("the client authenticates without a client secret")
        except Taken:
            error = Conflict("the client_id is taken")
        except Stale:
            error = Changed("the client has changed since it was read")
        logger.info("refused", error=error.error, detail=error.detail or error.description)
        return refusal(error, scope)

    return handler


def refusal(error: OAuthError, scope: str) -> web.Response:
    """RFC 6750 §3; faults of metadata one by one, each with its path."""
    match error:
        case NoToken():
            return error_answer(error, headers={"WWW-Authenticate": f"Bearer {REALM}"})
        case InvalidToken():
            return error_answer(error, headers={"WWW-Authenticate": f'Bearer {REALM}, error="{error.error}"'})
        case InsufficientScope():
            challenge = f'Bearer {REALM}, error="{error.error}", scope="{scope}"'
            return error_answer(error, headers={"WWW-Authenticate": challenge})
        case InvalidClientMetadata():
            faults = [{"path": path, "fault": fault} for path, fault in error.faults]
            return error_answer(error, members={"faults": faults})
    return error_answer(error)

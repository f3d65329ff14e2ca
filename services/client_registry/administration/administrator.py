"""Authorization of the administration: a client with an access token of its own that has the scope."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from shared.live import clock
from shared.oauth.client.record import Client
from shared.oauth.errors import (
    InsufficientScope,
    InvalidClientMetadata,
    InvalidToken,
    OAuthError,
)
from shared.operations.clients import NoSecret, NoSuchClient
from shared.operations.protected_resources import NoSuchResource
from shared.store import Full, Stale, Taken
from shared.web.answers import error_answer
from shared.web.bearer import Credentials, ResourceServer, bearer_error, check_scope, required_credentials
from shared.web.client import note_client
from shared.web.preconditions import CHANGED, PreconditionFailed

AdminEndpoint = Callable[[web.Request, str], Awaitable[web.Response]]
"""An endpoint of the administration; it gets the caller's client_id, for the audit log."""


class NotFound(OAuthError):
    error = "not_found"
    status = 404


class Conflict(OAuthError):
    """The request conflicts with the current state."""

    error = "conflict"
    status = 409


@dataclass(frozen=True, slots=True)
class Administrators:
    """Authorizes clients by their own access tokens."""

    guard: ResourceServer

    async def check(self, presented: Credentials, scope: str, now: datetime) -> Client:
        """The caller. Raises InvalidToken, InsufficientScope, Unavailable.

        The client acts for itself: a user's grant never covers administration. The scope counts while the
        client is registered for it.
        """
        token, client = await self.guard.verify(presented, now)
        if client.disabled_at or not await self.guard.access_tokens.holds(token):
            raise InvalidToken("the access token is not valid here", client_id=client.client_id)
        check_scope(token, scope)
        if token.grant_id is not None or scope not in client.scope:
            description = f"a client's own access token with scope {scope} is needed"
            raise InsufficientScope(description, scope=scope, client_id=client.client_id)
        return client


ADMINISTRATORS = web.AppKey("ADMINISTRATORS", Administrators)


def administering(scope: str, endpoint: AdminEndpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that calls *endpoint* for clients with *scope*, and raises every fault as an OAuthError."""

    async def handler(request: web.Request) -> web.Response:
        presented = required_credentials(request)
        caller = await request.app[ADMINISTRATORS].check(presented, scope, clock.now())
        note_client(request, caller)
        try:
            return await endpoint(request, caller.client_id)
        except NoSuchClient:
            raise NotFound("there is no such client") from None
        except NoSuchResource:
            raise NotFound("there is no such resource") from None
        except NoSecret:
            raise Conflict("the client authenticates without a client secret") from None
        except Taken:
            raise Conflict("the identifier or the name is taken") from None
        except Full:
            raise Conflict("there are as many as there can be") from None
        except Stale:
            raise PreconditionFailed(CHANGED) from None

    return handler


def administration_error(
    request: web.Request, error: OAuthError, resource_metadata: str | None = None
) -> web.Response:
    """RFC 6750 §3; invalid metadata are listed one by one, each with its path."""
    if isinstance(error, InvalidClientMetadata):
        faults = [{"path": path, "fault": fault} for path, fault in error.faults]
        return error_answer(error, members={"faults": faults})
    return bearer_error(request, error, resource_metadata)

"""Logs refusals: one event for each protocol error, where the response is decided."""

from typing import cast

import structlog
from aiohttp import web

from shared.live import clock
from shared.oauth.errors import AuthorizationPending, OAuthError
from shared.oauth.refusal import Detail, Refusal, shown
from shared.server.log.line import redact
from shared.server.recent_refusals import RECENT_REFUSALS
from shared.server.resources import CLIENTS
from shared.web.client import claimed_client_id
from shared.web.request import Request

MAX_DETAIL = 1000
MAX_CLIENT_ID = 100

logger = structlog.get_logger()


def log_refusal(request: web.Request, error: OAuthError) -> None:
    """Log why a request is refused, and for which client. Refusals of registered clients are also stored.

    `is_claimed`: the request names a client that this process does not know.
    """
    detail, route = detail_of(error), route_of(request)
    members: dict[str, object] = {}
    if client_id := known_client_id(request, error):
        members = {"client_id": client_id}
        if (recent := request.app.get(RECENT_REFUSALS)) and not isinstance(error, AuthorizationPending):
            recent.note(client_id, _refusal(route, detail, error))
    elif claimed := claimed_client_id(request, error):
        members = {"client_id": shown(claimed, MAX_CLIENT_ID), "is_claimed": True}
    logger.info("refused", error=error.error, detail=detail, route=route, **members)


def _refusal(route: str, detail: str, error: OAuthError) -> Refusal:
    sent = redact(error.detail.sent) if isinstance(error.detail, Detail) and error.detail.sent else None
    return Refusal(
        at=clock.now(), endpoint=route, error=error.error, detail=detail, reason=error.reason, sent=sent
    )


def known_client_id(request: web.Request, error: OAuthError) -> str | None:
    """The client_id of the registered client that the request names, authenticated or not."""
    if client_id := cast(Request, request).client_id:
        return client_id
    claimed, clients = claimed_client_id(request, error), request.app.get(CLIENTS)
    return claimed if claimed and clients and clients.knows(claimed) else None


def detail_of(error: OAuthError) -> str:
    """The detail for operators, without secrets and at most MAX_DETAIL long."""
    return shown(redact(str(error.detail or error.description or "")), MAX_DETAIL)


def route_of(request: web.Request) -> str:
    """The pattern of the path, never the requested path itself."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"

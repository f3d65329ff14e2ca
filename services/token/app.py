"""The token service: its routes."""

from functools import partial

from aiohttp import web

from services.token.client_uses import used_clients
from services.token.cors import CROSS_ORIGIN
from services.token.endpoints import endpoints
from services.token.endpoints.device_authorization import device_authorization
from services.token.endpoints.errors import client_error
from services.token.endpoints.introspection import introspect
from services.token.endpoints.revocation import revoke
from services.token.endpoints.token import token
from services.token.endpoints.unknown_tokens import unknown_tokens
from services.token.endpoints.userinfo import userinfo, userinfo_metadata
from shared.paths import DEVICE_AUTHORIZATION, INTROSPECTION, REVOCATION, TOKEN, USERINFO
from shared.server.app import SETTINGS, refuse_with
from shared.server.recent_refusals import recent_refusals
from shared.server.resources import client_keys, failed_authentications, fetcher, need, replay_marks, stores
from shared.web.bearer import bearer_error
from shared.web.cors import cross_origin


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, recent_refusals, fetcher, client_keys, used_clients, unknown_tokens)
    need(app, failed_authentications, replay_marks, endpoints)
    cross_origin(app, CROSS_ORIGIN)
    refuse_with(app, client_error, [TOKEN, DEVICE_AUTHORIZATION, REVOCATION, INTROSPECTION])
    refuse_with(app, partial(bearer_error, resource_metadata=userinfo_metadata(app[SETTINGS])), [USERINFO])
    app.router.add_post(TOKEN.path, token)
    app.router.add_post(DEVICE_AUTHORIZATION.path, device_authorization)
    app.router.add_post(REVOCATION.path, revoke)
    app.router.add_post(INTROSPECTION.path, introspect)
    app.router.add_get(USERINFO.path, userinfo, allow_head=False)
    app.router.add_post(USERINFO.path, userinfo)

"""The token service: its routes and their collaborators."""

from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

from aiohttp import web

from services.token.client_uses import USED_CLIENTS, used_clients
from services.token.cors import CROSS_ORIGIN
from services.token.endpoints.device_authorization import (
    DEVICE_AUTHORIZATION_ENDPOINT,
    DeviceAuthorizationEndpoint,
    device_authorization,
)
from services.token.endpoints.errors import client_error
from services.token.endpoints.introspection import INTROSPECTION_ENDPOINT, IntrospectionEndpoint, introspect
from services.token.endpoints.jwt_responses import JwtResponses
from services.token.endpoints.revocation import REVOCATION_ENDPOINT, RevocationEndpoint, revoke
from services.token.endpoints.token import TOKEN_ENDPOINT, TokenEndpoint, token
from services.token.endpoints.unknown_tokens import UNKNOWN_TOKENS, unknown_tokens
from services.token.endpoints.userinfo import USERINFO_ENDPOINT, UserinfoEndpoint, userinfo
from services.token.grants.collaborators import Collaborators
from shared.config.settings import Settings
from shared.issuing.access_tokens import AccessTokens
from shared.issuing.client_authentication import ClientAuthentication, assertion_audiences
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.oauth.resource.demand import AuthenticationDemand
from shared.oauth.resource.own import userinfo_resource
from shared.paths import DEVICE_AUTHORIZATION, INTROSPECTION, REVOCATION, TOKEN, USERINFO, Path
from shared.server.app import SETTINGS, refuse_with
from shared.server.recent_refusals import recent_refusals
from shared.server.resources import (
    CLIENT_KEYS,
    CLIENTS,
    FAILED_AUTHENTICATIONS,
    KEYRING,
    PROTECTED_RESOURCES,
    STORES,
    client_keys,
    failed_authentications,
    fetcher,
    need,
    stores,
)
from shared.store import Unavailable
from shared.web.bearer import ResourceServer, bearer_error, described_at
from shared.web.cors import cross_origin


def _userinfo_metadata(settings: Settings) -> str | None:
    return described_at(settings, userinfo_resource(settings.issuer))


async def _endpoints(app: web.Application) -> AsyncIterator[None]:
    settings, opened, clients, keyring = app[SETTINGS], app[STORES], app[CLIENTS], app[KEYRING]

    def authentication(endpoint: Path) -> ClientAuthentication:
        return ClientAuthentication(
            clients,
            app[CLIENT_KEYS],
            opened.replay_marks,
            assertion_audiences(settings.issuer, endpoint),
            app[FAILED_AUTHENTICATIONS],
        )

    access_tokens = AccessTokens(settings.issuer, keyring, opened.grants)
    issuer = TokenIssuer(settings, keyring)
    encryption = Encryption(app[CLIENT_KEYS])
    jwt_responses = JwtResponses(settings.issuer, keyring, encryption)
    app[TOKEN_ENDPOINT] = TokenEndpoint(
        authentication(TOKEN),
        Collaborators(
            opened.codes,
            opened.device_codes,
            opened.grants,
            opened.refresh_families,
            issuer,
            encryption,
            settings,
        ),
        app[USED_CLIENTS],
        app[PROTECTED_RESOURCES],
    )
    app[DEVICE_AUTHORIZATION_ENDPOINT] = DeviceAuthorizationEndpoint(
        authentication(DEVICE_AUTHORIZATION),
        opened.device_codes,
        opened.counters,
        app[PROTECTED_RESOURCES],
        settings,
    )
    app[INTROSPECTION_ENDPOINT] = IntrospectionEndpoint(
        authentication(INTROSPECTION),
        access_tokens,
        opened.refresh_families,
        jwt_responses,
        settings,
        issuer,
        app[UNKNOWN_TOKENS],
        app[PROTECTED_RESOURCES],
    )
    app[REVOCATION_ENDPOINT] = RevocationEndpoint(
        authentication(REVOCATION), access_tokens, opened.grants, opened.refresh_families
    )
    app[USERINFO_ENDPOINT] = UserinfoEndpoint(
        ResourceServer(
            frozenset((settings.issuer, userinfo_resource(settings.issuer))), access_tokens, clients
        ),
        _userinfo_demand(settings),
        jwt_responses,
        _userinfo_metadata(settings),
    )
    with suppress(Unavailable):  # then the first assertion starts them
        await opened.replay_marks.begin()
    yield


def _userinfo_demand(settings: Settings) -> AuthenticationDemand:
    """Where everybody needs a second factor, older sign-ins without one give access to no claims."""
    return AuthenticationDemand((ACR_MULTIPLE_FACTORS,) if settings.second_factor == "required" else ())


def mount(app: web.Application) -> None:
    """Add this service's routes."""
    need(app, stores, recent_refusals, fetcher, client_keys, used_clients, unknown_tokens)
    need(app, failed_authentications, _endpoints)
    cross_origin(app, CROSS_ORIGIN)
    refuse_with(app, client_error, [TOKEN, DEVICE_AUTHORIZATION, REVOCATION, INTROSPECTION])
    refuse_with(app, partial(bearer_error, resource_metadata=_userinfo_metadata(app[SETTINGS])), [USERINFO])
    app.router.add_post(TOKEN.path, token)
    app.router.add_post(DEVICE_AUTHORIZATION.path, device_authorization)
    app.router.add_post(REVOCATION.path, revoke)
    app.router.add_post(INTROSPECTION.path, introspect)
    app.router.add_get(USERINFO.path, userinfo, allow_head=False)
    app.router.add_post(USERINFO.path, userinfo)

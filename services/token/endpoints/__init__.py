"""The endpoints of the token service, made when a process starts."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.token.client_uses import USED_CLIENTS
from services.token.endpoints.device_authorization import (
    DEVICE_AUTHORIZATION_ENDPOINT,
    DeviceAuthorizationEndpoint,
)
from services.token.endpoints.introspection import INTROSPECTION_ENDPOINT, IntrospectionEndpoint
from services.token.endpoints.jwt_responses import JwtResponses
from services.token.endpoints.revocation import REVOCATION_ENDPOINT, RevocationEndpoint
from services.token.endpoints.token import TOKEN_ENDPOINT, TokenEndpoint
from services.token.endpoints.unknown_tokens import UNKNOWN_TOKENS
from services.token.endpoints.userinfo import (
    USERINFO_ENDPOINT,
    UserinfoEndpoint,
    userinfo_demand,
    userinfo_metadata,
)
from services.token.grants.collaborators import Collaborators
from shared.issuing.access_tokens import AccessTokens
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.oauth.resource.own import userinfo_resource
from shared.paths import DEVICE_AUTHORIZATION, INTROSPECTION, REVOCATION, TOKEN
from shared.server.app import SETTINGS
from shared.server.resources import (
    CLIENT_KEYS,
    CLIENTS,
    KEYRING,
    PROTECTED_RESOURCES,
    STORES,
    client_authentication,
)
from shared.web.bearer import ResourceServer


async def endpoints(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: every endpoint under its key. Needs the resources that `mount` names."""
    settings, stores, clients, keyring = app[SETTINGS], app[STORES], app[CLIENTS], app[KEYRING]
    tokens, encryption = TokenIssuer(settings, keyring), Encryption(app[CLIENT_KEYS])
    access_tokens = AccessTokens(settings.issuer, keyring, stores.grants)
    jwt_responses = JwtResponses(settings.issuer, keyring, encryption)

    app[TOKEN_ENDPOINT] = TokenEndpoint(
        authentication=client_authentication(app, clients, TOKEN),
        collaborators=Collaborators(
            codes=stores.codes,
            device_codes=stores.device_codes,
            grants=stores.grants,
            refresh_families=stores.refresh_families,
            tokens=tokens,
            encryption=encryption,
            settings=settings,
        ),
        uses=app[USED_CLIENTS],
        resources=app[PROTECTED_RESOURCES],
    )
    app[DEVICE_AUTHORIZATION_ENDPOINT] = DeviceAuthorizationEndpoint(
        authentication=client_authentication(app, clients, DEVICE_AUTHORIZATION),
        device_codes=stores.device_codes,
        counters=stores.counters,
        resources=app[PROTECTED_RESOURCES],
        settings=settings,
    )
    app[INTROSPECTION_ENDPOINT] = IntrospectionEndpoint(
        authentication=client_authentication(app, clients, INTROSPECTION),
        access_tokens=access_tokens,
        refresh_families=stores.refresh_families,
        personal_access_tokens=stores.personal_access_tokens,
        jwt_responses=jwt_responses,
        settings=settings,
        tokens=tokens,
        unknown_tokens=app[UNKNOWN_TOKENS],
        resources=app[PROTECTED_RESOURCES],
    )
    app[REVOCATION_ENDPOINT] = RevocationEndpoint(
        authentication=client_authentication(app, clients, REVOCATION),
        access_tokens=access_tokens,
        grants=stores.grants,
        refresh_families=stores.refresh_families,
    )
    audiences = frozenset((settings.issuer, userinfo_resource(settings.issuer)))
    app[USERINFO_ENDPOINT] = UserinfoEndpoint(
        guard=ResourceServer(audiences, access_tokens, clients),
        demand=userinfo_demand(settings),
        jwt_responses=jwt_responses,
        personal_access_tokens=stores.personal_access_tokens,
        resource_metadata=userinfo_metadata(settings),
    )
    yield

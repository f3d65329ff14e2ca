"""The metadata of this server's own protected resources, and challenges with their URL (RFC 9728)."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient

from services.client_registry.app import mount as mount_client_registry
from services.discovery.app import mount as mount_discovery
from services.token.app import mount as mount_token
from shared.config.settings import Settings
from shared.oauth.resource.metadata import metadata_uri
from shared.oauth.resource.own import READ_CLIENTS, administration_resource, userinfo_resource
from shared.paths import ADMIN_CLIENTS, TOKEN, USERINFO
from shared.server.app import application
from tests.builders import World
from tests.deployment import ISSUER, TokenService, basic, bearer, settings_for
from tests.planted import planted
from tests.planted.resources import challenges_name_no_metadata, metadata_name_the_issuer
from tests.served import Served

RESOURCES = {USERINFO.path: userinfo_resource(ISSUER), ADMIN_CLIENTS.path: administration_resource(ISSUER)}
ORIGIN = ISSUER.removesuffix("/oidc")


@pytest.fixture
async def service(settings: Settings, world: World) -> AsyncIterator[TokenService]:
    """Discovery, tokens and administration of one deployment."""
    app = application(settings, mount_discovery, mount_token, mount_client_registry)
    async with TestClient(Served(app)) as http:
        yield TokenService(http, world)


@planted(challenges_name_no_metadata, metadata_name_the_issuer)
@pytest.mark.point("PR1", "PR3")
async def test_a_challenge_leads_to_the_metadata_of_its_resource(service: TokenService) -> None:
    """RFC 9728 §5.1, §3.3: the document is where the path is inserted, and names the resource."""
    for path, resource in RESOURCES.items():
        for headers in ({}, bearer("at_unknown")):
            refused = await service.http.get(path, headers=headers)
            assert refused.status == 401
            assert f'resource_metadata="{metadata_uri(resource)}"' in refused.headers["WWW-Authenticate"]
        found = await service.http.get(metadata_uri(resource).removeprefix(ORIGIN))
        assert (found.status, found.content_type) == (200, "application/json")
        document = await found.json()
        assert document["resource"] == resource
        assert document["authorization_servers"] == [ISSUER]
        assert document["bearer_methods_supported"] == ["header"]


@planted(challenges_name_no_metadata)
@pytest.mark.point("PR3", "SU1")
async def test_a_token_that_lacks_a_scope_is_told_which_one(service: TokenService) -> None:
    """RFC 6750 §3.1: `insufficient_scope`, with the scope to ask for and where the metadata are."""
    client = await service.world.client(scope=("api:read",), grant_types=("client_credentials",))
    form = {"grant_type": "client_credentials"}
    answer = await (await service.http.post(TOKEN.path, data=form, headers=basic(client.client_id))).json()
    for path, scope in ((USERINFO.path, "openid"), (ADMIN_CLIENTS.path, READ_CLIENTS)):
        refused = await service.http.get(path, headers=bearer(answer["access_token"]))
        assert refused.status == 403
        challenge = refused.headers["WWW-Authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert f'scope="{scope}"' in challenge
        assert f'resource_metadata="{metadata_uri(RESOURCES[path])}"' in challenge


async def test_without_the_root_nothing_is_promised(settings: Settings, world: World) -> None:
    """Without root aliases, challenges do not name a document there."""
    assert settings.database_url
    assert settings.redis_url
    without_root = settings_for(
        settings.database_url.get_secret_value(), settings.redis_url.get_secret_value(), root_aliases="off"
    )
    app = application(without_root, mount_discovery, mount_token, mount_client_registry)
    async with TestClient(Served(app)) as http:
        for path, resource in RESOURCES.items():
            refused = await http.get(path)
            assert refused.headers["WWW-Authenticate"] == 'Bearer realm="ostiary"'
            assert (await http.get(metadata_uri(resource).removeprefix(ORIGIN))).status == 404

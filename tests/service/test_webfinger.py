"""WebFinger and the metadata of RFC 8414, as a client finds its way to the issuer."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from services.discovery.app import mount
from services.discovery.webfinger import ISSUER_RELATION
from shared.config.settings import Settings
from shared.paths import (
    OAUTH_AUTHORIZATION_SERVER,
    OAUTH_AUTHORIZATION_SERVER_BELOW,
    OPENID_CONFIGURATION,
    WEBFINGER,
)
from shared.server.app import application
from tests.builders import World
from tests.deployment import ISSUER, settings_for
from tests.served import Served

Client = TestClient[web.Request, web.Application]

ORIGIN = "https://id.example.org"


@pytest.fixture(scope="module")
def settings(module_database_url: str, module_redis_url: str) -> Settings:
    """With the paths outside the prefix."""
    return settings_for(module_database_url, module_redis_url, root_aliases="on")


@pytest.fixture
async def discovery(settings: Settings, world: World) -> AsyncIterator[Client]:
    """The service, with keys."""
    async with TestClient(Served(application(settings, mount))) as client:
        yield client


@pytest.mark.parametrize(
    "resource",
    [
        "acct:ada@id.example.org",
        "acct:nobody@id.example.org",
        "acct:ada%40x@example.org",
        "ACCT:ada@example.org",
        f"{ORIGIN}/",
        f"{ORIGIN}/ada?x=1#y",
        ORIGIN,
        "https://ID.example.org",
        ISSUER,
    ],
)
async def test_the_issuer_of_a_resource(discovery: Client, resource: str) -> None:
    """RFC 7033 §4: a JRD, for any account alike, and for any origin to read."""
    response = await discovery.get(WEBFINGER.path, params={"resource": resource, "rel": ISSUER_RELATION})
    assert (response.status, response.content_type) == (200, "application/jrd+json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert await response.json() == {
        "subject": resource,
        "links": [{"rel": ISSUER_RELATION, "href": ISSUER}],
    }


@pytest.mark.parametrize(
    ("relations", "count"),
    [([], 1), ([ISSUER_RELATION], 1), (["http://x/avatar"], 0), (["http://x/avatar", ISSUER_RELATION], 1)],
)
async def test_only_what_was_asked_for_is_told(discovery: Client, relations: list[str], count: int) -> None:
    """§4.3: `rel` may be repeated; none means all."""
    pairs = [("resource", "acct:ada@id.example.org"), *(("rel", relation) for relation in relations)]
    response = await discovery.get(WEBFINGER.path, params=pairs)
    assert len((await response.json())["links"]) == count


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("https://evil.test/", 404),
        (f"{ORIGIN}.evil.test/", 404),
        ("https://id.example.org:8443/", 404),
        ("http://id.example.org/", 404),
        ("https://ada@id.example.org/", 404),
        ("mailto:ada@id.example.org", 404),
        ("acct:", 404),
        ("acct:ada", 404),
        ("acct:@id.example.org", 404),
        ("acct:ada@", 404),
        ("https://[", 404),
        ("", 400),
        ("ada", 400),
        ("acct:a b@x", 400),
        ("acct:\n@x", 400),
        ("x:" + "y" * 3000, 400),
    ],
)
async def test_what_is_not_ours_or_no_uri(discovery: Client, resource: str, status: int) -> None:
    """§4.2: 404 for what is unknown, 400 for what is malformed; readable by any origin."""
    response = await discovery.get(WEBFINGER.path, params={"resource": resource})
    assert response.status == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert ORIGIN not in await response.text()


@pytest.mark.parametrize(
    "query", ["", "resource=acct:a@x&resource=acct:b@x", "resource=%ff", "resource=%00:"]
)
async def test_a_resource_is_named_once(discovery: Client, query: str) -> None:
    """400, never 5xx."""
    assert (await discovery.get(f"{WEBFINGER}?{query}")).status == 400


async def test_a_foreign_host_changes_nothing(discovery: Client) -> None:
    """The issuer comes only from the settings."""
    response = await discovery.get(
        WEBFINGER.path, params={"resource": "acct:ada@evil.test"}, headers={"Host": "evil.test"}
    )
    assert (await response.json())["links"][0]["href"] == ISSUER


@pytest.mark.point(1)
@pytest.mark.parametrize("path", [OAUTH_AUTHORIZATION_SERVER, OAUTH_AUTHORIZATION_SERVER_BELOW])
async def test_rfc_8414_metadata_are_the_same_document(discovery: Client, path: str) -> None:
    """At the path that the RFC inserts, and where clients append it."""
    wanted = await (await discovery.get(OPENID_CONFIGURATION.path)).read()
    response = await discovery.get(str(path))
    assert (response.status, await response.read()) == (200, wanted)


@pytest.mark.point(4)
async def test_logout_is_announced(discovery: Client) -> None:
    """All four kinds, and that each can tell the session."""
    metadata = await (await discovery.get(OPENID_CONFIGURATION.path)).json()
    assert metadata["end_session_endpoint"] == f"{ISSUER}/oauth2/sessions/logout"
    assert metadata["check_session_iframe"] == f"{ISSUER}/oauth2/sessions/check"
    for channel in ("frontchannel", "backchannel"):
        assert metadata[f"{channel}_logout_supported"] is True
        assert metadata[f"{channel}_logout_session_supported"] is True


@pytest.mark.point(1)
async def test_what_is_off_is_not_announced(
    module_database_url: str, module_redis_url: str, world: World
) -> None:
    """No session management, no iframe; no root aliases, no WebFinger."""
    settings = settings_for(
        module_database_url, module_redis_url, session_management="off", root_aliases="off"
    )
    async with TestClient(Served(application(settings, mount))) as client:
        assert "check_session_iframe" not in await (await client.get(OPENID_CONFIGURATION.path)).json()
        assert (await client.get(WEBFINGER.path, params={"resource": "acct:a@b"})).status == 404
        assert (await client.get(OAUTH_AUTHORIZATION_SERVER_BELOW.path)).status == 200

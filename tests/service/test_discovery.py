"""The discovery service over HTTP, with real keys in a real database."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from services.discovery.app import mount
from shared.config.environment import read_settings
from shared.config.settings import Settings
from shared.live import clock
from shared.operations.keys import ensure_keys
from shared.paths import (
    ACCOUNT_PASSWORD,
    CHANGE_PASSWORD,
    JWKS,
    OAUTH_AUTHORIZATION_SERVER,
    OPENID_CONFIGURATION,
    OPENID_CONFIGURATION_INSERTED,
    PASSKEY_ENDPOINTS,
    PATHS,
    RELATED_ORIGINS,
    Group,
    Service,
)
from shared.server.app import application
from shared.server.resources import WATCH
from shared.store.open import open_stores
from tests.served import Served

ISSUER = "https://id.example.org/oidc"
SECRET_KEY = "s" * 32
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """A deployment's settings."""
    return read_settings(
        {
            "OSTIARY_ISSUER": ISSUER,
            "OSTIARY_DATABASE_URL": database_url,
            "OSTIARY_REDIS_URL": redis_url,
            "OSTIARY_SECRET_KEY": SECRET_KEY,
        }
    )


async def _make_keys(settings: Settings) -> None:
    async with open_stores(settings) as stores:
        await ensure_keys(stores.keys, settings.signing_algorithms, SECRET_KEY, clock.now())


@pytest.fixture
async def discovery(settings: Settings) -> AsyncIterator[Client]:
    """The service, with keys."""
    await _make_keys(settings)
    async with TestClient(Served(application(settings, mount))) as client:
        yield client


@pytest.mark.point(1)
async def test_the_metadata_is_the_issuers_own(discovery: Client) -> None:
    """OpenID Connect Discovery 1.0 §4.3: the issuer equals the URL less the suffix."""
    response = await discovery.get(OPENID_CONFIGURATION.path)
    metadata = await response.json()
    assert (response.status, response.content_type) == (200, "application/json")
    assert metadata["issuer"] == ISSUER
    assert metadata["token_endpoint"] == f"{ISSUER}/oauth2/token"
    assert metadata["id_token_signing_alg_values_supported"] == ["ES256", "EdDSA", "RS256"]
    assert metadata["response_types_supported"] == ["code"]


CLIENTS_OWN = (
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "request_object",
)  # they sign
ROOT_PATHS = [OAUTH_AUTHORIZATION_SERVER.path, OPENID_CONFIGURATION_INSERTED.path]


@pytest.mark.parametrize("path", ROOT_PATHS)
async def test_the_same_document_is_where_clients_insert_the_well_known_part(
    discovery: Client, path: str
) -> None:
    """RFC 8414 §3.1, and its form for OpenID: byte for byte the same, and open to any origin."""
    usual = await discovery.get(OPENID_CONFIGURATION.path)
    inserted = await discovery.get(path, headers={"Origin": "https://app.example"})
    assert inserted.status == 200
    assert inserted.headers["Access-Control-Allow-Origin"] == "*"
    assert await inserted.read() == await usual.read()


async def test_password_managers_find_the_pages_of_passkeys_and_of_the_password(discovery: Client) -> None:
    """The passkey endpoints come without a redirect; the page of the password by one that is not stored."""
    endpoints = await discovery.get(PASSKEY_ENDPOINTS.path, allow_redirects=False)
    page = f"{ISSUER}/account/passkeys"
    assert (endpoints.status, endpoints.headers["Content-Type"]) == (200, "application/json")
    assert await endpoints.json() == {"enroll": page, "manage": page}
    change = await discovery.get(CHANGE_PASSWORD.path, allow_redirects=False)
    assert (change.status, change.headers["Location"]) == (302, ACCOUNT_PASSWORD.path)
    assert change.headers["Cache-Control"] == "no-store"


async def test_browsers_find_the_origins_that_use_the_passkeys(settings: Settings) -> None:
    """WebAuthn Level 3 §5.11.1: those outside the domain of the passkeys, and no document without any."""
    await _make_keys(settings)
    own = urlsplit(ISSUER).hostname
    others = ("https://login.example.com", f"https://more.{own}")
    for more, origins in (
        ({}, None),
        ({"passkey_origins": others}, [others[0]]),
        ({"passkey_rp_id": "old.example.net"}, [settings.origin]),
        ({"passkey_rp_id": "old.example.net", "passkey_origins": others}, [settings.origin, *others]),
    ):
        related = settings.model_copy(update=more)
        async with TestClient(Served(application(related, mount))) as client:
            answer = await client.get(RELATED_ORIGINS.path, allow_redirects=False)
            assert answer.status == (404 if origins is None else 200)
            if origins is not None:
                assert answer.headers["Content-Type"] == "application/json"
                assert await answer.json() == {"origins": origins}


async def test_root_paths_can_be_left_to_another_application(settings: Settings) -> None:
    """Without root aliases, only the issuer's own paths are served."""
    await _make_keys(settings)
    without = settings.model_copy(update={"root_aliases": False})
    root_paths = [
        path for path in PATHS if path.service is Service.DISCOVERY and path.group is Group.ROOT_ALIAS
    ]
    async with TestClient(Served(application(without, mount))) as client:
        assert {(await client.get(path.path)).status for path in root_paths} == {404}
        assert (await client.get(OPENID_CONFIGURATION.path)).status == 200


FORGED = [
    {"Host": "evil.test"},
    {"X-Forwarded-Host": "evil.test"},
    {"X-Forwarded-Proto": "http"},
    {"X-Forwarded-Prefix": "/evil"},
    {"Forwarded": "host=evil.test;proto=http"},
    {"X-Original-URL": "/evil"},
    {"X-Rewrite-URL": "/evil"},
]


@pytest.mark.point(1)
@pytest.mark.parametrize("headers", FORGED, ids=lambda headers: next(iter(headers)))
async def test_no_header_reaches_the_document(discovery: Client, headers: dict[str, str]) -> None:
    """The issuer comes only from the settings."""
    clean = await (await discovery.get(OPENID_CONFIGURATION.path)).read()
    forged = await discovery.get(OPENID_CONFIGURATION.path, headers=headers)
    assert (forged.status, await forged.read()) == (200, clean)


@pytest.mark.point(3)
async def test_the_jwk_set_has_public_halves_alone(discovery: Client) -> None:
    """Each algorithm has an active and a next key, without private members or duplicates."""
    keys = (await (await discovery.get(JWKS.path)).json())["keys"]
    assert sorted(key["alg"] for key in keys) == ["ES256", "ES256", "EdDSA", "EdDSA", "RS256", "RS256"]
    assert all(key["use"] == "sig" and "=" not in str(key) for key in keys)
    assert len({key["kid"] for key in keys}) == len(keys)
    assert not any(set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"} for key in keys)


@pytest.mark.parametrize("path", [OPENID_CONFIGURATION.path, JWKS.path])
async def test_a_document_is_cacheable_and_open_to_any_origin(discovery: Client, path: str) -> None:
    """ETag, max-age, 304, CORS with its preflight."""
    response = await discovery.get(path, headers={"Origin": "https://app.example"})
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    known = await discovery.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert (known.status, await known.read()) == (304, b"")
    preflight = await discovery.options(path, headers={"Origin": "https://app.example"})
    assert preflight.status == 204
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", [JWKS.path, "/oidc/none"])
async def test_no_answer_tells_a_version(discovery: Client, path: str) -> None:
    """No response has a version, neither of Ostiary nor of its libraries."""
    assert (await discovery.get(path)).headers["Server"] == "Ostiary"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_refused(discovery: Client, method: str) -> None:
    """405, as JSON for programs."""
    response = await discovery.request(method, JWKS.path)
    assert (response.status, (await response.json())["error"]) == (405, "method_not_allowed")


async def test_without_keys_it_says_try_again_and_recovers_by_itself(settings: Settings) -> None:
    """A process that starts before the first key exists is not ready, and recovers."""
    app = application(settings, mount)
    async with TestClient(Served(app)) as client:
        response = await client.get(JWKS.path)
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        await _make_keys(settings)
        await app[WATCH].poll()
        assert (await client.get(JWKS.path)).status == 200


async def test_an_algorithm_that_is_taken_out_is_no_longer_announced(settings: Settings) -> None:
    """Its key is still in the JWK Set, since tokens that it signed are still valid."""
    await _make_keys(settings)
    without = settings.model_copy(update={"signing_algorithms": ("RS256", "ES256")})
    async with TestClient(Served(application(without, mount))) as client:
        metadata = await (await client.get(OPENID_CONFIGURATION.path)).json()
        keys = (await (await client.get(JWKS.path)).json())["keys"]
    announced = {
        alg
        for member, values in metadata.items()
        if member.endswith("_signing_alg_values_supported") and not member.startswith(CLIENTS_OWN)
        for alg in values
    }
    assert announced == {"RS256", "ES256"}
    assert "EdDSA" in {key["alg"] for key in keys}

"""Clients that may use both client_secret_basic and client_secret_post, at every authenticated endpoint."""

from uuid import uuid4

import pytest
from aiohttp import ClientResponse

from shared.oauth.client.record import Client
from shared.oauth.supported import DEVICE_CODE
from shared.paths import DEVICE_AUTHORIZATION, INTROSPECTION, PUSHED_AUTHORIZATION_REQUEST, REVOCATION, TOKEN
from tests.authorization import a_request
from tests.builders import SECRET
from tests.deployment import basic
from tests.front_channel import Services
from tests.planted import planted
from tests.planted.oauth import posts_any_secret

ENDPOINTS = (TOKEN, INTROSPECTION, REVOCATION, DEVICE_AUTHORIZATION, PUSHED_AUTHORIZATION_REQUEST)
GRANTS = ("authorization_code", "client_credentials", DEVICE_CODE)


async def _client(provider: Services, **fields: object) -> Client:
    return await provider.world.client(client_id=f"c-{uuid4().hex}", grant_types=GRANTS, **fields)


async def _ask(
    provider: Services, path: str, client: Client, secret: str, *, is_posted: bool
) -> ClientResponse:
    form = {
        TOKEN.path: {"grant_type": "client_credentials", "scope": "api:read"},
        INTROSPECTION.path: {"token": "x"},
        REVOCATION.path: {"token": "x"},
        DEVICE_AUTHORIZATION.path: {"scope": "openid"},
        PUSHED_AUTHORIZATION_REQUEST.path: a_request(client),
    }[path]
    headers = {} if is_posted else basic(client.client_id, secret)
    posted = {"client_id": client.client_id, "client_secret": secret} if is_posted else {}
    is_pushed = path == PUSHED_AUTHORIZATION_REQUEST.path
    http = provider.op.browser(has_jar=False).http if is_pushed else provider.tokens.http
    return await http.post(path, data={**form, **posted}, headers=headers)


@pytest.mark.parametrize("path", [endpoint.path for endpoint in ENDPOINTS])
async def test_a_client_that_may_do_both_does_either(provider: Services, path: str) -> None:
    """Such a client can use either method, with the same secret."""
    client = await _client(provider, allow_client_secret_post=True)
    for is_posted in (False, True):
        answer = await _ask(provider, path, client, SECRET, is_posted=is_posted)
        assert answer.status in (200, 201), await answer.text()
        assert (await _ask(provider, path, client, "wrong", is_posted=is_posted)).status == 401


@planted(posts_any_secret)
@pytest.mark.parametrize("path", [endpoint.path for endpoint in ENDPOINTS])
async def test_a_client_that_may_not_post_its_secret_is_refused(provider: Services, path: str) -> None:
    """Other clients can use only the registered method."""
    client = await _client(provider)
    answer = await _ask(provider, path, client, SECRET, is_posted=True)
    assert (answer.status, (await answer.json())["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("path", [endpoint.path for endpoint in ENDPOINTS])
async def test_a_client_that_posts_its_secret_does_nothing_else(provider: Services, path: str) -> None:
    """client_secret_post alone does not allow client_secret_basic."""
    client = await _client(provider, token_endpoint_auth_method="client_secret_post")
    assert (await _ask(provider, path, client, SECRET, is_posted=False)).status == 401

"""Access to the administration: every wrong credential on every route."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.config.settings import Settings
from shared.issuing.tokens import TokenIssuer
from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.client.record import Client
from shared.oauth.resource.metadata import metadata_uri
from shared.oauth.resource.own import (
    ADMINISTRATION_SCOPES,
    READ_CLIENTS,
    administration_resource,
)
from shared.oauth.sender.sender import UNBOUND
from shared.oauth.tokens.access_token import AccessToken
from shared.oauth.tokens.handle import Kind
from shared.oauth.tokens.opaque_access_token import parse_sealed, seal, unseal
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENTS,
    ADMIN_OPENAPI,
    REVOCATION,
    TOKEN,
    USERINFO,
)
from shared.server.resources import KEYRING
from shared.web.bearer import NoCredentials, challenge
from tests.administration import AdministrationApi
from tests.builders import REDIRECT_URI, VERIFIER
from tests.deployment import ISSUER, basic, bearer, settings_for

SCOPES = ADMINISTRATION_SCOPES
BODY = {"redirect_uris": ["https://evil.test/cb"]}
NONCE = b"n" * 12


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """The deployment's."""
    return settings_for(database_url, redis_url)


@pytest.fixture
async def victim(admin: AdministrationApi) -> AsyncIterator[Client]:
    """A client that must not change."""
    client = await admin.world.client()
    yield client
    kept = await admin.world.stores.clients.find(client.client_id)
    assert kept
    assert replace(kept, created_at=None) == client
    assert await admin.world.audited("initial_access_token_added") == 0


async def _user_tokens(admin: AdministrationApi, client: Client) -> Mapping[str, str]:
    """The tokens of a client for a user, with every scope."""
    sign_in = await admin.world.sign_in()
    code = sign_in.code(client.client_id, scope=("openid", "offline_access", *SCOPES))
    form = {
        "grant_type": "authorization_code",
        "code": await admin.world.add_code(code),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    response = await admin.http.post(TOKEN.path, data=form, headers=basic(client.client_id))
    assert response.status == 200, await response.text()
    members: Mapping[str, str] = await response.json()
    return members


def _altered(admin: AdministrationApi, settings: Settings, **changes: Any) -> str:
    """The administrator's token with other content, sealed with our own key: no caller can have it made."""
    assert admin.http.app is not None
    keys = admin.http.app[KEYRING].confirmed()
    sealed = parse_sealed(admin.access_token)
    key = keys.unsealer(sealed.kid)
    assert key
    token: AccessToken = unseal(sealed, key, settings.issuer)
    return seal(replace(token, **changes), key, settings.issuer, NONCE)


async def _until_known(admin: AdministrationApi, token: str) -> None:
    """Wait until the process knows that the token's client has lost its scope."""
    async with asyncio.timeout(30):
        while (await admin.ask_with(bearer(token), "GET", ADMIN_CLIENTS.path)).status != 403:
            await asyncio.sleep(0.05)


async def _bad_tokens(admin: AdministrationApi, settings: Settings) -> dict[str, tuple[str, int]]:
    """Bad tokens with the expected status."""
    assert admin.http.app is not None
    client = await admin.world.client(scope=("openid", "offline_access", *SCOPES))
    users = await _user_tokens(admin, client)
    opaque, jwt = [
        TokenIssuer(settings, admin.http.app[KEYRING]).access_token(
            replace(client, access_token_format=form), client.client_id, SCOPES, None,
            clock.now() - timedelta(hours=1), sender=UNBOUND,
        ).value
        for form in ("opaque", "jwt")
    ]  # fmt: skip
    revoked = await admin.token_of(client)
    await admin.http.post(REVOCATION.path, data={"token": revoked}, headers=basic(client.client_id))
    disabled, deleted, narrowed = [await admin.world.client(scope=SCOPES) for _ in range(3)]
    of_gone = [await admin.token_of(each) for each in (disabled, deleted, narrowed)]
    await admin.world.stores.clients.disable(disabled.client_id)
    await admin.world.stores.clients.delete(deleted.client_id)
    await admin.world.stores.clients.replace(replace(narrowed, scope=("api:read",)))
    await _until_known(admin, of_gone[2])
    return {
        "a word": ("x", 401),
        "a handle": (new_handle(Kind.ACCESS_TOKEN), 401),
        "a registration access token": (new_handle(Kind.REGISTRATION_ACCESS_TOKEN), 401),
        "an initial access token": (new_handle(Kind.INITIAL_ACCESS_TOKEN), 401),
        "a refresh token": (users["refresh_token"], 401),
        "an ID token": (users["id_token"], 401),
        "a user's": (users["access_token"], 403),
        "a machine's": (await admin.token_of(await admin.world.client(), "api:read"), 403),
        "for another audience": (_altered(admin, settings, aud=("https://api.test",)), 401),
        "of a user's grant that is none": (_altered(admin, settings, grant_id=uuid4()), 401),
        "expired": (opaque, 401),
        "expired, JWT": (jwt, 401),
        "revoked": (revoked, 401),
        "of a disabled client": (of_gone[0], 401),
        "of a deleted client": (of_gone[1], 401),
        "of a client that lost the scope": (of_gone[2], 403),
        "altered": (admin.access_token[:-4] + "AAAA", 401),
    }


def _requests(admin: AdministrationApi, client: Client) -> list[tuple[str, str]]:
    name, some = client.client_id, str(uuid4())
    names = dict.fromkeys(("client_id", "resource", "group", "member", "role"), name)
    values = {**names, **dict.fromkeys(("sub", "sid", "grant_id"), some)}
    return sorted((method, path.format(**values)) for method, path in admin.inventory())


def _scope_of(method: str, path: str) -> str:
    """The scope that a route needs."""
    room = path.removeprefix("/oidc/admin/").split("/")[0]
    room = {"invitations": "clients", "roles": "groups"}.get(
        room, "sessions" if path.endswith("/logout") else room
    )
    return f"ostiary.{room}:{'read' if method == 'GET' else 'write'}"


async def test_only_a_clients_own_token_with_the_scope_opens_a_route(
    admin: AdministrationApi, settings: Settings, victim: Client
) -> None:
    """Every other token gets 401 or 403 on every route, even if it is valid elsewhere."""
    tokens = await _bad_tokens(admin, settings)
    for name, (token, status) in tokens.items():
        for method, path in _requests(admin, victim):
            answer = await admin.ask_with({**bearer(token), "If-Match": "*"}, method, path, BODY)
            assert (name, method, path, answer.status) == (name, method, path, status)
            error = "insufficient_scope" if status == 403 else "invalid_token"
            assert f'error="{error}"' in answer.headers["WWW-Authenticate"]
            assert set(answer.body) == {"error", "error_description"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer "}, 401),
        (basic("administrator"), 401),
        ({"Cookie": "access_token=x"}, 401),
    ],
)
async def test_without_a_token_there_is_a_bare_challenge(
    admin: AdministrationApi, victim: Client, headers: dict[str, str], status: int
) -> None:
    """RFC 6750 §3.1: client secrets and cookies are not tokens."""
    metadata = metadata_uri(administration_resource(ISSUER))
    for method, path in _requests(admin, victim):
        answer = await admin.ask_with({**headers, "If-Match": "*"}, method, path, BODY)
        assert (method, path, answer.status) == (method, path, status)
        assert answer.headers["WWW-Authenticate"] == challenge(NoCredentials(), metadata)


async def test_a_token_counts_in_its_header_alone(admin: AdministrationApi, victim: Client) -> None:
    """Not in the query, not in a form."""
    query = f"?access_token={admin.access_token}"
    for method, path in _requests(admin, victim):
        answer = await admin.ask_with({"If-Match": "*"}, method, path + query, BODY)
        assert answer.status == 401
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        sent = query[1:].encode()
        assert (await admin.ask_with(form, method, path, sent)).status == 401


async def test_who_may_read_may_not_write_and_the_other_way_round(
    admin: AdministrationApi, victim: Client
) -> None:
    """Each scope opens its own routes, and a token with all the others does not."""
    operator = await admin.world.client(scope=SCOPES)
    tokens = {
        scope: await admin.token_of(operator, " ".join(each for each in SCOPES if each != scope))
        for scope in SCOPES
    }
    for method, path in _requests(admin, victim):
        scope = _scope_of(method, path)
        answer = await admin.ask_with({**bearer(tokens[scope]), "If-Match": "*"}, method, path, BODY)
        assert (method, path, answer.status) == (method, path, 403)
        assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "name",
    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"],
)
async def test_the_method_and_the_path_are_what_they_are(
    admin: AdministrationApi, victim: Client, name: str
) -> None:
    """No header makes another request of one."""
    path = ADMIN_CLIENT.for_client(victim.client_id)
    token = await admin.token_of(await admin.world.client(scope=SCOPES), READ_CLIENTS)
    for value in ("DELETE", path):
        answer = await admin.ask_with({**bearer(token), name: value}, "GET", path)
        assert (answer.status, answer.body["client_id"]) == (200, victim.client_id)


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "TRACE", "OPTIONS"])
async def test_other_methods_are_not_there(admin: AdministrationApi, victim: Client, method: str) -> None:
    """405, also with a valid token. HEAD works for the description, which is public."""
    paths = [ADMIN_CLIENTS.path, ADMIN_CLIENT.for_client(victim.client_id), ADMIN_OPENAPI.path]
    for path in paths[: 2 if method == "HEAD" else 3]:
        answer = await admin.http.request(method, path, headers=bearer(admin.access_token))
        assert answer.status == 405


async def test_the_administrators_token_tells_nothing_of_a_user(admin: AdministrationApi) -> None:
    """The administrator's token neither works at userinfo nor registers a client."""
    answer = await admin.http.get(USERINFO.path, headers=bearer(admin.access_token))
    assert answer.status == 403
    assert await admin.register(admin.access_token) == 401

"""Refusals in the log: one event each, with the client, the error and the detail."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from services.accounts import app as accounts
from services.authorization import app as authorization
from services.client_registry import app as client_registry
from services.token import app as token
from shared.live.randomness import new_handle
from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import Kind
from shared.oauth.tokens.keys import public_jwk
from shared.paths import (
    CLIENT_CONFIGURATION,
    DEVICE_AUTHORIZATION,
    END_SESSION,
    INTROSPECTION,
    PUSHED_AUTHORIZATION_REQUEST,
    REVOCATION,
    TOKEN,
    USERINFO,
)
from shared.paths import (
    Path as Endpoint,
)
from shared.server.app import application
from shared.server.log.refusal import MAX_CLIENT_ID, MAX_DETAIL
from tests.authorization import LOCAL_ISSUER, AuthorizationService
from tests.builders import SECRET
from tests.deployment import TokenService, basic, open_world, settings_for
from tests.planted import planted
from tests.planted.refusals import (
    details_of_any_length,
    query_in_the_log,
    refusals_without_client,
    silent_redirects,
)
from tests.refusals import PUBLISHER, STATEMENT_KEY, AllServices, Event, every_error, refusals
from tests.refused_requests import NAMELESS, REFUSED, RefusedRequest
from tests.registry import Registry
from tests.served import Served

AUTHENTICATING = (TOKEN, INTROSPECTION, REVOCATION, DEVICE_AUTHORIZATION, PUSHED_AUTHORIZATION_REQUEST)


@pytest.fixture
async def provider(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AllServices]:
    """A deployment of the test's own."""
    issuers = tmp_path / "issuers.json"
    issuers.write_text(json.dumps({PUBLISHER: {"keys": [public_jwk(STATEMENT_KEY.public_key())]}}))
    settings = settings_for(
        database_url,
        redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        software_statement_issuers=str(issuers),
    )
    app = application(settings, authorization.mount, token.mount, client_registry.mount, accounts.mount)
    async with open_world(settings) as world, TestClient(Served(app)) as http:
        op = AuthorizationService(app, http.server, world, settings)
        yield AllServices(op, TokenService(http, world), Registry(http, world), monkeypatch)
        for each in op.browsers:
            await each.close()


async def _logged(provider: AllServices, error: str, refused: RefusedRequest) -> tuple[Event, str | None]:
    """The event of a refused request, and the expected client."""
    with refusals() as events:
        client_id = await refused.request(provider)
    (event,) = (event for event in events if event["error"] == error)
    assert event["route"] == refused.path.path
    assert refused.detail in event["detail"]
    return event, client_id


def test_every_error_in_the_tree_has_a_refused_request() -> None:
    """Every error has a refused request in one of the tables."""
    assert sorted({*REFUSED, *NAMELESS}) == sorted(every_error())


@planted(refusals_without_client)
@pytest.mark.parametrize("error", REFUSED)
async def test_a_refusal_names_its_client(provider: AllServices, error: str) -> None:
    """Every refusal is one event: responses, pages and redirects."""
    event, client_id = await _logged(provider, error, REFUSED[error])
    assert (event["client_id"], event.get("is_claimed")) == (client_id, None)


@pytest.mark.parametrize("error", NAMELESS)
async def test_a_refusal_without_a_client_is_logged(provider: AllServices, error: str) -> None:
    """One event for a request that names none."""
    event, _ = await _logged(provider, error, NAMELESS[error])
    assert "client_id" not in event


@planted(silent_redirects)
@pytest.mark.parametrize("error", ["invalid_scope", "login_required", "access_denied"])
async def test_an_error_sent_by_redirect_is_logged(provider: AllServices, error: str) -> None:
    """Errors sent by redirect are logged, too."""
    await _logged(provider, error, REFUSED[error])


@pytest.mark.parametrize("endpoint", AUTHENTICATING, ids=str)
async def test_the_method_of_authentication_is_named(provider: AllServices, endpoint: Endpoint) -> None:
    """The one that the client has used and the one that it is registered for, at every such endpoint."""
    client = await provider.client()
    form = {"client_id": client.client_id, "client_secret": SECRET}
    with refusals() as events:
        await provider.tokens.post(endpoint.path, form)
    (event,) = events
    assert (
        event
        | {
            "error": "invalid_client",
            "route": endpoint.path,
            "client_id": client.client_id,
            "detail": "another token_endpoint_auth_method is registered"
            "; sent: client_secret_post; registered: client_secret_basic",
        }
        == event
    )


@planted(query_in_the_log)
async def test_a_redirect_uri_is_named_without_what_may_be_secret(provider: AllServices) -> None:
    """The sent and registered URIs are named without user information, query and fragment."""
    client = await provider.client(redirect_uris=("https://rp1.test/cb?tenant=1", "https://rp1.test/b"))
    sent = "https://user:pass@rp1.test/other?code=abc"
    with refusals() as events:
        await provider.op.browser().authorize(client, redirect_uri=sent)
    (event,) = events
    assert event["client_id"] == client.client_id
    assert event["detail"] == (
        "redirect_uri is not registered; sent: https://rp1.test/other?…"
        "; registered: https://rp1.test/cb?…, https://rp1.test/b"
    )


async def test_the_redirect_uri_of_a_code_is_named(provider: AllServices) -> None:
    """The redirect URI at the token endpoint is named, too."""
    client = await provider.client()
    page = await provider.op.browser().sign_in(client, await provider.op.user())
    with refusals() as events:
        await provider.tokens.redeem(client, page.answer["code"], redirect_uri="https://rp1.test/b")
    (event,) = events
    assert event["detail"] == (
        "redirect_uri is not that of the authorization request"
        "; sent: https://rp1.test/b; registered: https://rp1.test/cb"
    )


async def test_a_logout_that_cannot_return_is_logged(provider: AllServices) -> None:
    """A logout that cannot return to the client is logged."""
    client = await provider.client(post_logout_redirect_uris=("https://rp1.test/bye",))
    asked = {"client_id": client.client_id, "post_logout_redirect_uri": "https://rp1.test/"}
    with refusals() as events:
        page = await provider.op.browser().get(END_SESSION.path, asked)
    (event,) = events
    assert (page.status, event["client_id"], event["route"]) == (200, client.client_id, END_SESSION.path)
    assert event["detail"] == (
        "post_logout_redirect_uri is not registered; sent: https://rp1.test/; registered: https://rp1.test/bye"
    )


@planted(details_of_any_length)
@pytest.mark.parametrize("endpoint", AUTHENTICATING, ids=str)
async def test_an_unknown_client_is_as_claimed(provider: AllServices, endpoint: Endpoint) -> None:
    """An unknown client_id is marked as claimed, truncated, and without control characters."""
    claimed = "nobody\n\x1b[31m" + "x" * 1000
    with refusals() as events:
        await provider.tokens.post(endpoint.path, {"client_id": claimed})
    (event,) = events
    assert (event["is_claimed"], event["client_id"]) == (
        True,
        f"nobody??[31m{'x' * 1000}"[:MAX_CLIENT_ID] + "…",
    )
    assert event["detail"] == "the client is unknown"


async def test_a_disabled_client_is_named(provider: AllServices) -> None:
    """A disabled client is named without that mark."""
    client = await provider.client()
    await provider.op.world.stores.clients.disable(client.client_id)
    with refusals() as events:
        await provider.op.browser().authorize(client)
    (event,) = events
    assert event["client_id"] == client.client_id
    assert (event["detail"], "is_claimed" in event) == ("the client is disabled", False)


async def test_requests_that_no_endpoint_could_read_are_logged(provider: AllServices) -> None:
    """No token, a body that is too large, and a registration access token of another client."""
    client_path = CLIENT_CONFIGURATION.for_client("somebody")
    with refusals() as events:
        await provider.tokens.http.get(USERINFO.path)
        await provider.tokens.http.post(TOKEN.path, data={"x": "y" * 100_000})
        await provider.registry.ask("GET", "somebody", new_handle(Kind.REGISTRATION_ACCESS_TOKEN))
        await provider.tokens.http.get(client_path)
    assert [(event["error"], event["route"], event.get("client_id")) for event in events] == [
        ("invalid_token", USERINFO.path, None),
        ("invalid_request", TOKEN.path, None),
        ("invalid_token", CLIENT_CONFIGURATION.path, "somebody"),
        ("invalid_token", CLIENT_CONFIGURATION.path, None),
    ]


@planted(details_of_any_length)
async def test_a_detail_is_bounded(provider: AllServices) -> None:
    """The detail is limited, whatever is sent or registered."""
    client = await provider.client(redirect_uris=tuple(f"https://rp1.test/{n:03}" for n in range(100)))
    scope = " ".join("s" * 20 + str(number) for number in range(90))
    with refusals() as events:
        await provider.op.browser().authorize(client, redirect_uri=f"https://rp1.test/{'x' * 9000}")
        await provider.tokens.token(client, {"grant_type": "\u202e" + "g" * 9000})
        await provider.op.browser().authorize(client, scope=scope)
    assert len(events) == 3
    assert all(len(event["detail"]) <= MAX_DETAIL + 1 and event["detail"].isprintable() for event in events)
    assert "registered: https://rp1.test/000, " in events[0]["detail"]


async def _refused_with_canaries(provider: AllServices, client: Client, canary: str) -> None:
    """Requests that are refused, with a canary in every parameter that may hold a secret or a user's data."""
    names = ("state", "nonce", "login_hint", "id_token_hint", "code_challenge", "request", "access_token")
    for name in names:
        await provider.op.browser().authorize(client, **{name: canary, "prompt": "none", "scope": "x"})
    secrets = (
        "code",
        "code_verifier",
        "refresh_token",
        "device_code",
        "token",
        "client_assertion",
        "password",
    )
    for grant_type in (*client.grant_types, "password"):
        for method in (basic(client.client_id, canary), basic(client.client_id)):
            form = dict.fromkeys(secrets, canary) | {
                "username": canary,
                "redirect_uri": "https://x.test/",
            }
            for endpoint in AUTHENTICATING:
                await provider.tokens.post(endpoint.path, {"grant_type": grant_type} | form, headers=method)
    await provider.tokens.post(TOKEN.path, {"client_id": client.client_id, "client_secret": canary})
    assertion = {"client_assertion": canary, "client_assertion_type": canary}
    await provider.tokens.post(TOKEN.path, {"client_id": client.client_id, **assertion})
    await provider.tokens.userinfo(canary)
    await provider.registry.post({"redirect_uris": [], "client_secret": canary}, canary)
    logout = {"id_token_hint": canary, "state": canary, "logout_hint": canary, "client_id": client.client_id}
    await provider.op.browser().get(END_SESSION.path, logout)


async def test_no_secret_is_in_a_refusal(provider: AllServices) -> None:
    """Codes, verifiers, tokens, secrets, assertions and identifying claims are never logged."""
    client = await provider.client()
    for canary in ("canary-of-43-characters-that-nobody-may-see", new_handle(Kind.AUTHORIZATION_CODE)):
        with refusals() as events:
            await _refused_with_canaries(provider, client, canary)
        assert len(events) > 30
        assert [event for event in events if canary in str(event)] == []

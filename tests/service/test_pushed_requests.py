"""Pushed authorization requests: RFC 9126, and the life of a handle (cases 73, 77, 79)."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from aiohttp import ClientResponse

from services.authorization.request import parameter_source as intake
from services.authorization.request.pushed_request import LIFETIME
from shared.live import clock
from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, PUSHED_AUTHORIZATION_REQUEST, TOKEN
from tests.authorization import (
    LOCAL_ISSUER,
    STATE,
    Page,
    a_request,
    is_consent,
    is_error_page,
    is_login,
)
from tests.builders import REDIRECT_URI, SECRET
from tests.deployment import basic, settings_for
from tests.front_channel import Services, serve_provider
from tests.planted import planted
from tests.planted.protocol import claims_without_limits, depth_without_limit
from tests.service.test_request_objects import JWKS, members, signed

EVIL = "https://evil.test/cb"
PAR = PUSHED_AUTHORIZATION_REQUEST.path


async def push(provider: Services, client: Client, fields: dict[str, str], **more: Any) -> ClientResponse:
    """The endpoint's answer to a client that authenticates."""
    headers = {} if client.is_public else basic(client.client_id)
    http = provider.op.browser(has_jar=False).http
    return await http.post(PAR, data=fields, headers={**headers, **more})


async def pushed_uri(provider: Services, client: Client, **parameters: str) -> str:
    """The `request_uri` of a request that holds."""
    response = await push(provider, client, a_request(client, **parameters))
    assert response.status == 201, await response.text()
    request_uri: str = (await response.json())["request_uri"]
    return request_uri


def named(client: Client, request_uri: str, **more: str) -> dict[str, str]:
    """An authorization request that names what was pushed."""
    return {"client_id": client.client_id, "request_uri": request_uri, **more}


async def opened(provider: Services, client: Client, request_uri: str, **more: str) -> Page:
    """What a new browser gets."""
    return await provider.op.browser().get(AUTHORIZATION.path, named(client, request_uri, **more))


async def test_an_unknown_parameter_may_be_repeated(provider: Services) -> None:
    """It is ignored; a known one is refused (RFC 6749 §3.1), unless it is `resource`."""
    client = await provider.client()
    headers = {**basic(client.client_id), "Content-Type": "application/x-www-form-urlencoded"}
    http, form = provider.op.browser(has_jar=False).http, urlencode(a_request(client))
    issuer = quote(LOCAL_ISSUER, safe="")
    several = f"resource={issuer}&resource={issuer}%2Fuserinfo&x=1&x=2"  # RFC 8707 §2
    for twice, status in ((several, 201), ("scope=openid&state=a&state=b", 400)):
        response = await http.post(PAR, data=f"{form}&{twice}", headers=headers)
        assert response.status == status, await response.text()


async def test_the_language_that_was_pushed(provider: Services) -> None:
    """The login page, and an error of the request, speak the pushed `ui_locales`."""
    client = await provider.client()
    page = await opened(provider, client, await pushed_uri(provider, client, ui_locales="fr"))
    assert is_login(page)
    assert page.headers["Content-Language"] == "fr"


async def test_from_a_push_to_a_code(provider: Services) -> None:
    """RFC 9126 §2.2 and §4: 201, a handle of 256 bits for 90 seconds, and the answer to what was pushed."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    response = await push(provider, client, a_request(client, state="pushed"))
    answer = await response.json()
    assert response.status == 201
    assert response.headers["Cache-Control"] == "no-store"
    assert answer.keys() == {"request_uri", "expires_in"}
    assert answer["request_uri"].startswith("urn:ietf:params:oauth:request_uri:pr_")
    assert len(answer["request_uri"].partition(":pr_")[2]) == 43
    assert 60 <= answer["expires_in"] <= 90
    page = await browser.get(AUTHORIZATION.path, named(client, answer["request_uri"], state="outside"))
    page = await browser.decide(await browser.log_in(page, user))
    assert page.answer["state"] == "pushed"
    assert (await provider.tokens.redeem(client, page.answer["code"])).status == 200


@planted(claims_without_limits, depth_without_limit)
async def test_pushed_claims_nested_too_deeply_are_refused(provider: Services) -> None:
    """RFC 9126 §2.3: 400, as the authorization endpoint would refuse them."""
    claims = '{"id_token":' + '{"x":' * 254 + "null" + "}" * 255
    client = await provider.client()
    response = await push(provider, client, a_request(client, claims=claims))
    assert (response.status, (await response.json())["error"]) == (400, "invalid_request")


async def test_a_link_works_until_it_is_answered(provider: Services) -> None:
    """Case 73: reloading before completion works; using it afterwards does not, in any browser."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    request_uri = await pushed_uri(provider, client)
    assert is_login(await opened(provider, client, request_uri))
    assert is_login(await browser.get(AUTHORIZATION.path, named(client, request_uri)))
    page = await browser.get(AUTHORIZATION.path, named(client, request_uri))
    consent = await browser.log_in(page, user)
    assert is_consent(consent)
    assert is_consent(await browser.get(AUTHORIZATION.path, named(client, request_uri)))
    assert "code" in (await browser.decide(consent)).answer
    for page in (
        await browser.get(AUTHORIZATION.path, named(client, request_uri)),
        await opened(provider, client, request_uri),
    ):
        assert is_error_page(page)
        assert "invalid_request_uri" in page.text


async def test_of_many_interactions_of_one_handle_one_is_answered(provider: Services) -> None:
    """If two tabs open the link and both sign in, there is one code."""
    client = await provider.client(skip_consent=True)
    request_uri = await pushed_uri(provider, client)
    one, two = provider.op.browser(), provider.op.browser()
    pages = [await browser.get(AUTHORIZATION.path, named(client, request_uri)) for browser in (one, two)]
    users = [await provider.op.user(), await provider.op.user()]
    answers = await asyncio.gather(one.log_in(pages[0], users[0]), two.log_in(pages[1], users[1]))
    assert [page.is_at_client for page in answers].count(True) == 1
    assert [is_error_page(page) for page in answers].count(True) == 1


@pytest.mark.parametrize("response_type", ["code", "id_token token", "code id_token"])
async def test_a_session_answers_a_handle_once(provider: Services, response_type: str) -> None:
    """Of ten concurrent requests with a session, one is answered."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    await browser.sign_in(client, user)
    request_uri = await pushed_uri(provider, client, response_type=response_type)
    pages = await asyncio.gather(
        *(browser.request("GET", AUTHORIZATION.path, params=named(client, request_uri)) for _ in range(10))
    )
    given = [page for page in pages if page.is_at_client and "error" not in page.answer]
    assert len(given) == 1
    assert all("invalid_request_uri" in page.location + page.text for page in pages if page is not given[0])


async def test_a_refusal_answers_it_too(provider: Services) -> None:
    """An error response ends the request, too."""
    client = await provider.client()
    request_uri = await pushed_uri(provider, client, prompt="none")
    assert (await opened(provider, client, request_uri)).answer["error"] == "login_required"
    assert is_error_page(await opened(provider, client, request_uri))


async def test_a_denial_answers_it_too(provider: Services) -> None:
    """A denial ends the request, too."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    request_uri = await pushed_uri(provider, client)
    page = await browser.get(AUTHORIZATION.path, named(client, request_uri))
    page = await browser.decide(await browser.log_in(page, user), "deny")
    assert page.answer["error"] == "access_denied"
    assert is_error_page(await opened(provider, client, request_uri))


async def test_a_handle_expires(provider: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 73: a handle expires, although Redis still has it; a login that began in time continues."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    request_uri = await pushed_uri(provider, client)
    page = await browser.get(AUTHORIZATION.path, named(client, request_uri))
    key = digest(request_uri.rpartition(":")[2])
    assert await provider.world.stores.pushed_requests.find(key) is not None

    class Later:
        @staticmethod
        def now() -> Any:
            return clock.now() + LIFETIME + timedelta(seconds=1)

    with monkeypatch.context() as patch:
        patch.setattr(intake, "clock", Later)
        assert is_error_page(await opened(provider, client, request_uri))
    page = await browser.decide(await browser.log_in(page, user))
    assert "code" in page.answer


async def test_a_handle_is_its_clients(provider: Services) -> None:
    """RFC 9126 §2.2: bound to the client that pushed it."""
    client, other = await provider.client(), await provider.client()
    request_uri = await pushed_uri(provider, client)
    page = await opened(provider, other, request_uri, redirect_uri=REDIRECT_URI, state=STATE)
    assert page.answer["error"] == "invalid_request_uri"
    assert is_login(await opened(provider, client, request_uri))


@pytest.mark.parametrize(
    "request_uri",
    [
        "urn:ietf:params:oauth:request_uri:",
        "urn:ietf:params:oauth:request_uri:x",
        "urn:ietf:params:oauth:request_uri:pr_" + "A" * 43,
        "urn:ietf:params:oauth:request_uri:in_" + "A" * 43,
        "URN:ietf:params:oauth:request_uri:pr_" + "A" * 43,
        "urn:ietf:params:oauth:request_uri:pr_" + "A" * 43 + "\0",
    ],
)
async def test_handles_that_are_none(provider: Services, request_uri: str) -> None:
    """Unknown, malformed and foreign handles give an error page."""
    assert is_error_page(await opened(provider, await provider.client(), request_uri))


async def test_kinds_of_handles_do_not_mix(provider: Services) -> None:
    """An interaction is no pushed request, nor the other way round."""
    client, browser = await provider.client(), provider.op.browser()
    request_uri = await pushed_uri(provider, client)
    handle = request_uri.rpartition(":")[2]
    assert is_error_page(await browser.get(AUTHORIZATION.path, {"interaction": handle}))
    page = await browser.authorize(client)
    interaction = page.hidden["interaction"]
    assert is_error_page(await opened(provider, client, f"urn:ietf:params:oauth:request_uri:{interaction}"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": EVIL}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"response_type": "bogus"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "id_token", "nonce": ""}, "invalid_request"),
        ({"scope": "bogus"}, "invalid_scope"),
        ({"prompt": "bogus"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_mode": "bogus"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"id_token_hint": "bogus"}, "invalid_request"),
        ({"request": "bogus"}, "invalid_request_object"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request_uri": "https://rp1.test/object"}, "invalid_request"),
        ({"state": "x\0"}, "invalid_request"),
    ],
    ids=repr,
)
async def test_what_would_be_refused_is_refused_at_once(
    provider: Services, changes: dict[str, str], error: str
) -> None:
    """RFC 9126 §2.1, §2.3: invalid requests get JSON errors, and are not stored."""
    client = await provider.client()
    response = await push(provider, client, a_request(client, **changes))
    assert response.status == 400
    assert (await response.json())["error"] == error
    assert response.headers["Cache-Control"] == "no-store"
    assert "Location" not in response.headers


async def test_only_the_client_itself_pushes(provider: Services) -> None:
    """RFC 9126 §2: clients authenticate as at the token endpoint, with one identity."""
    client, other = await provider.client(), await provider.client()
    browser = provider.op.browser()
    fields = a_request(client)
    for headers, form, status in (
        ({}, fields, 401),
        (basic(client.client_id, "wrong"), fields, 401),
        (basic(other.client_id), fields, 400),
        (basic("nobody"), {**fields, "client_id": "nobody"}, 401),
        (basic(client.client_id), {**fields, "client_secret": SECRET}, 400),
        ({"Accept": "text/html"}, fields, 401),
    ):
        response = await browser.http.post(PAR, data=form, headers=headers)
        assert response.status == status, form
        assert "error" in await response.json()
        assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert (await browser.http.get(PAR)).status == 405
    assert (await browser.http.post(PAR, json=fields, headers=basic(client.client_id))).status == 400
    assert (
        await browser.http.post(f"{PAR}?state=x", data=fields, headers=basic(client.client_id))
    ).status == 400


@pytest.mark.parametrize("audience", [LOCAL_ISSUER, TOKEN.at(LOCAL_ISSUER), f"{LOCAL_ISSUER}/oauth2/par"])
async def test_an_assertion_may_address_this_endpoint(provider: Services, audience: str) -> None:
    """RFC 9126 §2: the issuer, the token endpoint or this one; and it counts once."""
    client = await provider.client(token_endpoint_auth_method="private_key_jwt", jwks=JWKS)
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": audience,
        "iat": int(clock.now().timestamp()),
        "exp": int(clock.now().timestamp()) + 60,
        "jti": audience,
    }
    fields = {
        **a_request(client),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed(claims, typ="JWT"),
    }
    http = provider.op.browser().http
    assert (await http.post(PAR, data=fields)).status == 201
    assert (await http.post(PAR, data=fields)).status == 401


async def test_a_public_client_pushes_by_its_name(provider: Services) -> None:
    """A public client pushes by its name, and must send a challenge."""
    client = await provider.world.public_client(require_pkce=True)
    assert is_login(await opened(provider, client, await pushed_uri(provider, client)))
    refused = await push(provider, client, a_request(client, code_challenge="", code_challenge_method=""))
    assert (await refused.json())["error"] == "invalid_request"


@pytest.mark.parametrize("more", [{}, {"request": "bogus"}, {"request_uri": "https://rp1.test/object"}])
async def test_a_client_that_must_push(provider: Services, more: dict[str, str]) -> None:
    """Case 77: neither a plain request nor an object gets past `require_pushed_authorization_requests`."""
    client = await provider.client(
        jwks=JWKS,
        require_pushed_authorization_requests=True,
        request_uris=("https://rp1.test/object",),
    )
    more = {**more, "request": signed(members(client))} if "request" in more else more
    for method in ("GET", "POST"):
        browser, whole = provider.op.browser(), a_request(client, **more)
        page = await (
            browser.get(AUTHORIZATION.path, whole)
            if method == "GET"
            else browser.post(AUTHORIZATION.path, whole)
        )
        assert page.answer["error"] == "invalid_request"
    assert is_login(await opened(provider, client, await pushed_uri(provider, client)))


async def test_a_deployment_where_all_must_push(module_database_url: str, module_redis_url: str) -> None:
    """Case 77, by `OSTIARY_REQUIRE_PUSHED_AUTHORIZATION_REQUESTS`."""
    settings = {"require_pushed_authorization_requests": "on"}
    assert settings_for(module_database_url, module_redis_url, **settings)
    async with serve_provider(module_database_url, module_redis_url, **settings) as strict:
        client = await strict.client()
        page = await strict.op.browser().authorize(client)
        assert page.answer["error"] == "invalid_request"
        assert is_login(await opened(strict, client, await pushed_uri(strict, client)))


async def test_an_object_may_be_pushed(provider: Services) -> None:
    """RFC 9126 §3: only parameters inside a request object count."""
    client = await provider.client(jwks=JWKS, require_signed_request_object=True)
    refused = await push(provider, client, a_request(client))
    assert (await refused.json())["error"] == "invalid_request"
    inside = signed(members(client, prompt="none", state="inside"))
    request_uri = await pushed_uri(provider, client, request=inside, redirect_uri=EVIL, state="outside")
    page = await opened(provider, client, request_uri)
    assert page.location.startswith(REDIRECT_URI)
    assert page.answer["state"] == "inside"


async def test_what_was_pushed_stays_with_us(provider: Services) -> None:
    """Case 79: pushed parameters appear in no URI and no cookie."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    canary = "canary-4711"
    request_uri = await pushed_uri(provider, client, login_hint=canary)
    first = await browser.request("GET", AUTHORIZATION.path, params=named(client, request_uri))
    assert canary not in first.location + str(first.cookies)
    page = await browser.follow(first)
    assert page.text.count(canary) == 1
    assert f'value="{canary}"' in page.text
    page = await browser.log_in(page, user)
    assert canary not in page.text
    page = await browser.decide(page)
    assert canary not in page.location + str(page.cookies)


async def test_nothing_of_the_clients_credentials_is_kept(provider: Services) -> None:
    """Credentials of the client are not stored."""
    client = await provider.client(token_endpoint_auth_method="client_secret_post")
    http = provider.op.browser().http
    response = await http.post(PAR, data={**a_request(client), "client_secret": SECRET, "unknown": "x"})
    handle = (await response.json())["request_uri"].rpartition(":")[2]
    kept = await provider.world.stores.pushed_requests.find(digest(handle))
    assert kept is not None
    assert SECRET not in str(kept)
    assert "unknown" not in kept["parameters"]
    assert handle not in str(kept)


async def test_pages_of_other_origins_may_push(provider: Services) -> None:
    """Any origin without credentials, or those that the client's record names; refusals too."""
    client = await provider.client()
    named_origins = await provider.client(allowed_cors_origins=("https://app.test",))
    response = await push(provider, client, a_request(client), Origin="https://any.test")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    for origin, allowed in (("https://app.test", "https://app.test"), ("https://evil.test", None)):
        response = await push(provider, named_origins, a_request(named_origins), Origin=origin)
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
    http = provider.op.browser().http
    preflight = await http.options(PAR, headers={"Origin": "https://any.test"})
    assert preflight.status == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    refused = await http.post(PAR, data={}, headers={"Origin": "https://any.test"})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in refused.headers
    authorized = await http.get(AUTHORIZATION.path, headers={"Origin": "https://any.test"})
    assert "Access-Control-Allow-Origin" not in authorized.headers

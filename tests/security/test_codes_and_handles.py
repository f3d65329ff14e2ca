"""Codes, tokens and handles: their owners, their lifetimes, and their contents."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from shared.codec.base64url import from_base64url
from shared.oauth.pkce import challenge_of
from shared.oauth.supported import DEVICE_CODE
from shared.paths import AUTHORIZATION, DEVICE_AUTHORIZATION, PUSHED_AUTHORIZATION_REQUEST
from tests.authorization import a_request, is_login
from tests.builders import SignIn
from tests.deployment import basic, unverified
from tests.front_channel import Services

MANY = 100
NONCE = 10  # characters before it: `at_`, and the version and the key, which all of them name
_HANDLE = re.compile(r"((?:urn:[a-z:_]+:)?[a-z]{2}_)([A-Za-z0-9_-]+)")


async def test_a_code_put_into_another_flow_is_refused(provider: Services) -> None:
    """RFC 9700 §4.5: the victim's verifier does not fit the attacker's code, and both flows go on."""
    client = await provider.client()
    theirs, mine = "v" * 43, "a" * 43
    victim = await provider.op.browser().sign_in(
        client, await provider.op.user(), code_challenge=challenge_of(theirs)
    )
    attacker = await provider.op.browser().sign_in(
        client, await provider.op.user(), code_challenge=challenge_of(mine)
    )
    injected = await provider.tokens.redeem(client, attacker.answer["code"], code_verifier=theirs)
    assert (injected.status, (await injected.json())["error"]) == (400, "invalid_grant")
    for page, verifier in ((victim, theirs), (attacker, mine)):
        answer = await provider.tokens.redeem(client, page.answer["code"], code_verifier=verifier)
        assert answer.status == 200


@pytest.mark.point(12)
async def test_the_challenge_is_no_verifier(provider: Services) -> None:
    """RFC 7636 §4.6: the challenge, which the browser sees, does not redeem the code."""
    client = await provider.client()
    for verifier in ("v" * 43, "w" * 128):
        page = await provider.op.browser().sign_in(
            client, await provider.op.user(), code_challenge=challenge_of(verifier)
        )
        seen = await provider.tokens.redeem(client, page.answer["code"], code_verifier=challenge_of(verifier))
        assert (seen.status, (await seen.json())["error"]) == (400, "invalid_grant")
        answer = await provider.tokens.redeem(client, page.answer["code"], code_verifier=verifier)
        assert answer.status == 200


async def _codes(provider: Services) -> list[str]:
    client, browser = await provider.client(), provider.op.browser()
    await browser.sign_in(client, await provider.op.user())
    pages = [await browser.authorize(client, prompt="none") for _ in range(MANY)]
    return [page.answer["code"] for page in pages]


async def _pushed(provider: Services) -> list[str]:
    client, browser = await provider.client(), provider.op.browser()
    handles = []
    for _ in range(MANY):
        async with browser.http.post(
            PUSHED_AUTHORIZATION_REQUEST.path, data=a_request(client), headers=basic(client.client_id)
        ) as response:
            handles.append((await response.json())["request_uri"])
    return handles


async def _browsers(provider: Services) -> list[str]:
    client, cookies = await provider.client(), []
    for _ in range(MANY):
        page = await provider.op.browser().request("GET", AUTHORIZATION.path, params=a_request(client))
        cookies.append(page.cookies[0].partition(";")[0].partition("=")[2])
    return cookies


async def _interactions(provider: Services) -> list[str]:
    client = await provider.client()
    pages = [
        await provider.op.browser().request("GET", AUTHORIZATION.path, params=a_request(client))
        for _ in range(MANY)
    ]
    return [page.location.partition("interaction=")[2] for page in pages]


async def _refresh_tokens(provider: Services) -> list[str]:
    client = await provider.client()
    return [(await provider.tokens.tokens(client))["refresh_token"] for _ in range(MANY)]


async def _access_tokens(provider: Services) -> list[str]:
    client = await provider.client(grant_types=("client_credentials",))
    form = {"grant_type": "client_credentials"}
    answers = [await (await provider.tokens.token(client, form)).json() for _ in range(MANY)]
    return [f"at_{answer['access_token'][NONCE:]}" for answer in answers]


async def _device_codes(provider: Services) -> list[str]:
    client = await provider.client(grant_types=(DEVICE_CODE,))
    form = {"scope": "openid"}
    answers = [await provider.tokens.post(DEVICE_AUTHORIZATION.path, form, client) for _ in range(MANY)]
    return [(await answer.json())["device_code"] for answer in answers]


async def _sessions(provider: Services) -> list[str]:
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    await browser.sign_in(client, user)
    cookies = []
    for _ in range(MANY):
        await browser.log_in(await browser.authorize(client, prompt="login"), user)
        cookies.append(browser.cookie("session") or "")
    return cookies


@pytest.mark.point(12)
@pytest.mark.parametrize(
    "collect",
    [
        _codes,
        _pushed,
        _browsers,
        _interactions,
        _refresh_tokens,
        _access_tokens,
        _device_codes,
        _sessions,
    ],
)
async def test_what_is_handed_out_cannot_be_guessed(
    provider: Services, collect: Callable[[Services], Awaitable[list[str]]]
) -> None:
    """RFC 6749 §10.10: at least 128 random bits that never repeat, after a prefix for the kind."""
    values = await collect(provider)
    assert len(set(values)) == MANY
    matches = [_HANDLE.fullmatch(value) for value in values]
    assert len({match[1] for match in matches if match}) == 1
    random = [match[2] for match in matches if match]
    assert len(random) == MANY
    assert min(len(value) for value in random) * 6 >= 128
    assert all(len(set(column)) > 1 for column in zip(*random, strict=True))
    assert not any(one[:8] == other[:8] for one, other in pairwise(sorted(random)))


async def test_an_access_token_shows_nothing(provider: Services) -> None:
    """A token contains neither the client nor the user, as text or as base64url."""
    client, sign_in = await provider.client(), await provider.world.sign_in()
    token = (await provider.tokens.tokens(client, sign_in.code(client.client_id)))["access_token"]
    content = token[3:]
    raw = b"".join(
        from_base64url(content[offset : offset + (len(content) - offset) // 4 * 4]) for offset in range(4)
    )
    secrets = (client.client_id, str(sign_in.user.user_id), sign_in.user.username, "openid")
    assert not any(secret.encode() in raw or secret in token for secret in secrets)


async def test_no_rotation_outlives_the_end(provider: Services) -> None:
    """After the end of a grant, no rotated refresh token is valid."""
    client = await provider.client(refresh_token_lifetime=timedelta(seconds=1))
    token = (await provider.tokens.tokens(client))["refresh_token"]
    rotations = 0
    async with asyncio.timeout(20):
        while (answer := await provider.tokens.refresh(client, token)).status == 200:
            token = (await answer.json())["refresh_token"]
            rotations += 1
    assert rotations > 0
    assert (await answer.json())["error"] == "invalid_grant"


@pytest.mark.parametrize("end", ["client disabled", "grant revoked", "everything ended"])
async def test_a_refresh_asks_again_whether_all_still_stands(provider: Services, end: str) -> None:
    """A token does not outlive the end of what it depends on."""
    client, sign_in = await provider.client(), await provider.world.sign_in()
    tokens = await provider.tokens.tokens(client, sign_in.code(client.client_id))
    expected = (400, "invalid_grant")
    match end:
        case "client disabled":
            await provider.world.stores.clients.disable(client.client_id)
            expected = (401, "invalid_client")
        case "grant revoked":
            assert (await provider.tokens.revoke(client, tokens["refresh_token"])).status == 200
        case "everything ended":
            await provider.world.stores.users.end_all(sign_in.user.user_id)
    async with asyncio.timeout(20):  # a client is cached for a second
        while (answer := await provider.tokens.refresh(client, tokens["refresh_token"])).status == 200:
            assert end == "client disabled"
            tokens = await answer.json()
    assert (answer.status, (await answer.json())["error"]) == expected


PROFILE = {name: name for name in ("name", "given_name", "family_name", "nickname", "locale", "zoneinfo")}
EVERYTHING = {
    **PROFILE,
    "email_verified": True,
    "phone_number": "+1 555 0100",
    "phone_number_verified": True,
    "address": {"locality": "London"},
    "groupPath": "/",
    "secret": "x",
}


@pytest.mark.point(10)
@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ((), set()),
        (("email",), {"email", "email_verified"}),
        (("phone",), {"phone_number", "phone_number_verified"}),
        (("address",), {"address"}),
        (("profile",), set(PROFILE)),
        (("offline_access",), set()),
        (("api:read",), set()),
    ],
)
async def test_a_scope_gives_its_claims_and_no_others(
    provider: Services, scope: tuple[str, ...], claims: set[str]
) -> None:
    """OpenID Connect Core 1.0 §5.4: roles, groups and claims without a scope are not released."""
    client = await provider.client(scope=("openid", *scope))
    own = {**EVERYTHING, "email": f"{uuid4().hex}@example.org"}
    user = await provider.world.user(claims=own, groups=("Staff",), roles=("ADMIN",))
    sign_in = SignIn(user, await provider.world.session(user))
    code = sign_in.code(client.client_id, scope=("openid", *scope))
    tokens = await provider.tokens.tokens(client, code)
    answer = await (await provider.tokens.userinfo(tokens["access_token"])).json()
    assert set(answer) - {"preferred_username", "updated_at"} == {"sub", *claims}
    assert EVERYTHING.keys().isdisjoint(unverified(tokens["id_token"]))


async def test_of_a_deleted_user_nothing_is_told(provider: Services) -> None:
    """Userinfo answers 401 and introspection `inactive`."""
    client, sign_in = await provider.client(), await provider.world.sign_in()
    tokens = await provider.tokens.tokens(client, sign_in.code(client.client_id))
    await provider.world.stores.users.delete(sign_in.user.user_id)
    assert (await provider.tokens.userinfo(tokens["access_token"])).status == 401
    assert await provider.tokens.introspect(client, tokens["access_token"]) == {"active": False}


async def test_guessing_tokens_tells_nothing(provider: Services) -> None:
    """A genuine token with any character changed always gets the same response."""
    client = await provider.client()
    tokens = await provider.tokens.tokens(client)
    answers = set()
    for genuine in (tokens["access_token"], tokens["refresh_token"], tokens["id_token"]):
        for position in range(0, len(genuine), 3):
            other = "A" if genuine[position] != "A" else "B"
            guess = f"{genuine[:position]}{other}{genuine[position + 1 :]}"
            answers.add(str(await provider.tokens.introspect(client, guess)))
    assert answers == {"{'active': False}"}


async def test_an_internationalised_host_is_what_was_registered(provider: Services) -> None:
    """Redirect URIs are compared as ASCII: a Unicode form or another case is another URI."""
    client = await provider.client(redirect_uris=("https://xn--bcher-kva.test/cb",))
    assert is_login(await provider.op.browser().authorize(client))
    for other in (
        "https://bücher.test/cb",
        "https://bu\u0308cher.test/cb",
        "https://xn--bu-cher-cta.test/cb",
        "https://XN--BCHER-KVA.test/cb",
        "https://b%C3%BCcher.test/cb",
    ):
        page = await provider.op.browser().authorize(client, redirect_uri=other)
        assert (page.status, page.location) == (400, "")


@pytest.mark.point(11)
async def test_only_a_public_reference_is_fetched(provider: Services) -> None:
    """A `request_uri` with an internal address is never fetched, even if it got past registration."""
    heard = 0

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard += 1
        writer.close()

    canary = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = canary.sockets[0].getsockname()[1]
    uris = tuple(
        uri.format(port)
        for uri in ("https://127.0.0.1:{}/r", "https://localhost:{}/r", "http://127.0.0.1:{}/r")
    )
    client = await provider.client(request_uris=uris)
    for uri in uris:
        page = await provider.op.browser().authorize(client, request_uri=uri)
        assert page.answer["error"] == "invalid_request_uri"
    canary.close()
    await canary.wait_closed()
    assert heard == 0

"""The device authorization grant, from the request to the tokens, and attacks on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse
from redis.asyncio import Redis

from services.authorization.device.user_codes import BUDGET
from services.token.endpoints.device_authorization import LIFETIME
from shared.browser.form_token import form_token
from shared.live import clock
from shared.model import User
from shared.oauth.client.record import Client
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import digest
from shared.paths import DEVICE, DEVICE_AUTHORIZATION
from shared.server.resources import WATCH
from tests.authorization import (
    LOCAL_ISSUER,
    PASSWORD,
    AuthorizationService,
    Browser,
    Page,
    is_consent,
    is_login,
    serve_authorization,
)
from tests.builders import World
from tests.deployment import TokenService, open_world, serve_tokens, settings_for, unverified
from tests.passkeys import without_challenge

SCOPE = "openid profile offline_access"


@dataclass(frozen=True, slots=True)
class DeviceProvider:
    """Both services, a device's client, and its user."""

    op: AuthorizationService
    tokens: TokenService
    world: World

    async def client(self, **fields: Any) -> Client:
        return await self.world.public_client(
            **{
                "grant_types": (DEVICE_CODE, "refresh_token"),
                "redirect_uris": (),
                "response_types": (),
                **fields,
            }
        )

    async def begin(self, client: Client, **form: str) -> Any:
        """The device authorization response."""
        response = await self.ask(client, **form)
        assert response.status == 200, await response.text()
        return await response.json()

    async def ask(self, client: Client, **form: str) -> ClientResponse:
        return await self.tokens.post(DEVICE_AUTHORIZATION.path, {"scope": SCOPE, **form}, client)

    async def poll(self, client: Client, device_code: str) -> tuple[int, Any]:
        """The token endpoint's answer."""
        form = {"grant_type": DEVICE_CODE, "device_code": device_code}
        response = await self.tokens.token(client, form)
        return response.status, await response.json()

    async def error(self, client: Client, device_code: str) -> str:
        status, answer = await self.poll(client, device_code)
        assert status == 400, answer
        assert "access_token" not in answer
        return str(answer["error"])

    async def confirm(self, browser: Browser, user: User, user_code: str) -> Page:
        """From the page that asks for the code to the one that asks for the decision."""
        page = await type_code(browser, user_code)
        if is_login(page):
            page = await log_in(browser, page, user)
        return page

    async def approve(self, user_code: str, decision: str = "allow") -> tuple[Browser, User]:
        browser, user = self.op.browser(), await self.op.user()
        page = await self.confirm(browser, user, user_code)
        assert is_consent(page), page.text
        done = await decide(browser, page, decision)
        assert done.status == 200
        return browser, user


async def type_code(browser: Browser, user_code: str) -> Page:
    """Fill in the code."""
    page = await browser.get(DEVICE.path)
    assert page.status == 200
    return await browser.post(DEVICE.path, {**page.hidden, "user_code": user_code})


async def log_in(browser: Browser, page: Page, user: User, password: str = PASSWORD, **more: Any) -> Page:
    """Fill in the login form of the device page."""
    fields = {**page.hidden, "username": user.username, "password": password}
    return await browser.post(DEVICE.path, fields, **more)


async def decide(browser: Browser, page: Page, decision: str = "allow", **more: Any) -> Page:
    """Press a button."""
    return await browser.post(DEVICE.path, {**page.hidden, "decision": decision}, **more)


@asynccontextmanager
async def serve_devices(database_url: str, redis_url: str, **others: str) -> AsyncIterator[DeviceProvider]:
    """Both services of a deployment."""
    settings = settings_for(database_url, redis_url, issuer=LOCAL_ISSUER, **others)
    async with (
        open_world(settings) as world,
        serve_authorization(settings, world) as op,
        serve_tokens(settings, world) as tokens,
    ):
        yield DeviceProvider(op, tokens, world)


@pytest.fixture
async def provider(module_database_url: str, module_redis_url: str) -> AsyncIterator[DeviceProvider]:
    """Without rate limits."""
    async with serve_devices(module_database_url, module_redis_url, rate_limits="off") as served:
        yield served


@pytest.fixture
async def limited(database_url: str, redis_url: str) -> AsyncIterator[DeviceProvider]:
    """With them, and nothing counted yet."""
    async with serve_devices(database_url, redis_url) as served:
        yield served


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Tests may poll without waiting, unless they test the pace."""
    if "slow_down" not in request.node.name:
        grant = import_module("services.token.grants.device_code")  # its function hides it
        monkeypatch.setattr(grant, "INTERVAL", timedelta(milliseconds=501))


async def test_a_device_gets_its_tokens_once_its_user_has_allowed_it(provider: DeviceProvider) -> None:
    """RFC 8628 §3: the codes, pending, the page, the tokens."""
    client = await provider.client()
    begun = await provider.begin(client)
    assert begun["verification_uri"] == f"{LOCAL_ISSUER}/device"
    complete = urlsplit(begun["verification_uri_complete"])
    assert parse_qs(complete.query) == {"user_code": [begun["user_code"]]}
    assert (begun["expires_in"], begun["interval"]) == (600, 5)
    assert await provider.error(client, begun["device_code"]) == "authorization_pending"

    browser, user = provider.op.browser(), await provider.op.user()
    page = await provider.confirm(browser, user, begun["user_code"].lower().replace("-", " "))
    assert is_consent(page)
    assert begun["user_code"] in page.text
    assert client.client_id in page.text
    assert user.username in page.text
    assert "name and profile" in page.text
    done = await decide(browser, page)
    assert "Device connected" in done.text

    status, tokens = await provider.poll(client, begun["device_code"])
    assert status == 200
    assert tokens["scope"] == SCOPE
    assert unverified(tokens["id_token"])["sub"] == str(user.user_id)
    assert (await provider.tokens.userinfo(tokens["access_token"])).status == 200
    refreshed = await provider.tokens.refresh(client, tokens["refresh_token"])
    assert refreshed.status == 200
    assert await provider.world.audited("grant_made")


async def test_the_users_refusal_is_access_denied(provider: DeviceProvider) -> None:
    """A denial is access_denied, also for later polls."""
    client = await provider.client()
    begun = await provider.begin(client)
    browser, user = await provider.approve(begun["user_code"], "deny")
    for _ in range(2):
        assert await provider.error(client, begun["device_code"]) == "access_denied"
    page = await provider.confirm(browser, user, begun["user_code"])
    assert (page.status, is_consent(page)) == (400, False)


async def test_polling_too_fast_is_slow_down(provider: DeviceProvider) -> None:
    """RFC 8628 §3.5: fast polls get slow_down, but an approved code is redeemed."""
    client = await provider.client()
    begun = await provider.begin(client)
    errors = [await provider.error(client, begun["device_code"]) for _ in range(3)]
    assert errors == ["authorization_pending", "slow_down", "slow_down"]
    await provider.approve(begun["user_code"])
    assert (await provider.poll(client, begun["device_code"]))[0] == 200


async def test_an_expired_code_is_expired_token(
    provider: DeviceProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expired code is expired_token, approved or not."""
    client = await provider.client()
    pending, approved = await provider.begin(client), await provider.begin(client)
    await provider.approve(approved["user_code"])
    later = clock.now() + LIFETIME
    monkeypatch.setattr("services.token.endpoints.token.clock.now", lambda: later)
    for begun in (pending, approved):
        assert await provider.error(client, begun["device_code"]) == "expired_token"


async def test_a_code_gives_tokens_once_of_many_polls(provider: DeviceProvider) -> None:
    """V06: of fifty at once one succeeds; a replay ends what was given, as a code's does."""
    client = await provider.client()
    begun = await provider.begin(client)
    await provider.approve(begun["user_code"])
    answers = await asyncio.gather(*(provider.poll(client, begun["device_code"]) for _ in range(50)))
    given = [answer for status, answer in answers if status == 200]
    assert len(given) == 1
    assert {answer["error"] for status, answer in answers if status == 400} == {"invalid_grant"}
    assert await provider.error(client, begun["device_code"]) == "invalid_grant"
    assert (await provider.tokens.userinfo(given[0]["access_token"])).status == 401


async def test_another_clients_code_is_invalid_grant(provider: DeviceProvider) -> None:
    """Another client gets invalid_grant, and the right one still gets its tokens."""
    client, other = await provider.client(), await provider.client()
    begun = await provider.begin(client)
    await provider.approve(begun["user_code"])
    for value in (begun["device_code"], "dc_" + "x" * 43, "x", begun["user_code"]):
        assert await provider.error(other, value) == "invalid_grant"
    assert (await provider.poll(client, begun["device_code"]))[0] == 200


async def test_a_client_that_is_not_registered_for_it_is_refused(provider: DeviceProvider) -> None:
    """An unregistered client is refused at both endpoints."""
    client = await provider.client(
        grant_types=("authorization_code",), redirect_uris=("https://rp1.test/cb",)
    )
    response = await provider.ask(client)
    assert (response.status, (await response.json())["error"]) == (400, "unauthorized_client")
    assert await provider.error(client, "dc_" + "x" * 43) == "unauthorized_client"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("", "openid profile email pydio api:read api:write"),
        ("openid unheard-of", "openid"),
        ("nothing", None),
    ],
)
async def test_the_scope_is_what_is_registered(
    provider: DeviceProvider, scope: str, expected: str | None
) -> None:
    """The scope is limited as at the authorization endpoint, without implicit offline access."""
    client = await provider.client()
    response = await provider.tokens.post(
        DEVICE_AUTHORIZATION.path, {"scope": scope} if scope else {"x": "y"}, client
    )
    answer = await response.json()
    if expected is None:
        assert answer["error"] == "invalid_scope"
        return
    await provider.approve(answer["user_code"])
    assert (await provider.poll(client, answer["device_code"]))[1]["scope"] == expected


@pytest.mark.parametrize("what", ["user disabled", "sessions ended", "signed out", "client disabled"])
async def test_what_ended_since_the_approval_gives_nothing(provider: DeviceProvider, what: str) -> None:
    """L197: state is compared at use."""
    client = await provider.client()
    begun = await provider.begin(client)
    _, user = await provider.approve(begun["user_code"])
    users, expected = provider.world.stores.users, 400
    match what:
        case "user disabled":
            await users.disable(user.user_id)
        case "sessions ended":
            await users.end_all(user.user_id)
        case "signed out":
            await provider.world.database.row(
                "UPDATE sessions SET ended_at = now() WHERE user_id = $1", user.user_id
            )
        case "client disabled":
            await provider.world.stores.clients.disable(client.client_id)
            expected = 401
            assert provider.tokens.http.app
            await provider.tokens.http.app[WATCH].poll()  # or wait for a second
    status, answer = await provider.poll(client, begun["device_code"])
    assert status == expected
    assert answer["error"] in ("invalid_grant", "invalid_client")


async def test_opening_the_page_decides_nothing(provider: DeviceProvider) -> None:
    """V04: neither the complete URI with a session nor a GET with a decision decides."""
    client = await provider.client()
    browser, user = provider.op.browser(), await provider.op.user()
    first = await provider.begin(client)
    await provider.confirm(browser, user, first["user_code"])
    begun = await provider.begin(client)
    for query in ({}, {"decision": "allow"}, {"decision": "allow", "step": "decide"}):
        page = await browser.get(DEVICE.path, {"user_code": begun["user_code"], **query})
        assert page.status == 200
        assert not is_consent(page)
        assert f'value="{begun["user_code"]}"' in page.text
        assert "<svg" in page.text
    assert await provider.error(client, begun["device_code"]) == "authorization_pending"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test"}],
)
async def test_another_site_decides_nothing(provider: DeviceProvider, headers: dict[str, str]) -> None:
    """Forms of another site neither enter a code, sign in, nor decide."""
    client = await provider.client()
    begun = await provider.begin(client)
    browser, user = provider.op.browser(), await provider.op.user()
    page = await type_code(browser, begun["user_code"])
    assert (await log_in(browser, page, user, headers=headers)).status == 403
    page = await log_in(browser, page, user)
    assert (await decide(browser, page, headers=headers)).status == 403
    typed = await browser.post(DEVICE.path, {"user_code": begun["user_code"]}, headers=headers)
    assert typed.status == 403
    assert await provider.error(client, begun["device_code"]) == "authorization_pending"


async def test_a_decision_counts_for_the_session_and_code_that_were_asked(provider: DeviceProvider) -> None:
    """A form of another user or code, or without its token, is asked again."""
    client = await provider.client()
    one, other = await provider.begin(client), await provider.begin(client)
    mine, user = provider.op.browser(), await provider.op.user()
    page = await provider.confirm(mine, user, one["user_code"])
    theirs, another = provider.op.browser(), await provider.op.user()
    stolen = await provider.confirm(theirs, another, one["user_code"])
    for hidden in (
        stolen.hidden,
        {**page.hidden, "user_code": other["user_code"]},
        {name: value for name, value in page.hidden.items() if name != "form_token"},
    ):
        answer = await decide(mine, replace(page, text=_form(hidden)))
        assert is_consent(answer)
    stranger = provider.op.browser()
    assert is_login(await decide(stranger, page))
    for begun in (one, other):
        assert await provider.error(client, begun["device_code"]) == "authorization_pending"


def _form(hidden: dict[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in hidden.items())


async def test_a_login_form_of_another_browser_signs_nobody_in(provider: DeviceProvider) -> None:
    """Login CSRF: the form is bound to the browser that it was shown to."""
    begun = await provider.begin(await provider.client())
    attacker, victim = provider.op.browser(), provider.op.browser()
    page = await type_code(attacker, begun["user_code"])
    answer = await log_in(victim, page, await provider.op.user())
    assert is_login(answer)
    assert victim.cookie("session") is None


async def test_before_login_a_good_code_looks_like_any_other(provider: DeviceProvider) -> None:
    """L192: without a sign-in, all codes look the same."""
    begun = await provider.begin(await provider.client())
    pages = [await type_code(provider.op.browser(), code) for code in (begun["user_code"], "BBBB-BBBB")]
    texts = {_without_secrets(without_challenge(page), page.hidden) for page in pages}
    assert all(is_login(page) for page in pages)
    assert len(texts) == 1


def _without_secrets(text: str, hidden: dict[str, str]) -> str:
    for value in hidden.values():
        text = text.replace(value, "")
    return text


@pytest.mark.parametrize(
    "user_code",
    ["", "x", "<script>alert(1)</script>", "\0" * 9, "B" * 10_240, "ＷＤＪＢＭＪＨＴ", "WDJB-MJHA"],
)
async def test_what_cannot_be_a_code_is_a_page_that_asks_again(
    provider: DeviceProvider, user_code: str
) -> None:
    """L198: malformed codes cause no server error, and are escaped."""
    browser = provider.op.browser()
    page = await browser.post(DEVICE.path, {"step": "code", "user_code": user_code})
    assert page.status == 400
    assert "<script>alert" not in page.text
    shown = await browser.get(DEVICE.path, {"user_code": user_code[:2000]})
    assert shown.status in (200, 400)
    assert "<script>alert" not in shown.text


async def test_a_wrong_password_and_a_wrong_decision_are_asked_again(provider: DeviceProvider) -> None:
    """Wrong passwords and decisions do not end the code."""
    client = await provider.client()
    begun = await provider.begin(client)
    browser, user = provider.op.browser(), await provider.op.user()
    page = await log_in(browser, await type_code(browser, begun["user_code"]), user, "wrong")
    assert page.status == 400
    assert "do not match" in page.text
    page = await log_in(browser, page, user)
    assert is_consent(page)
    assert (await decide(browser, page, "perhaps")).status == 400
    assert "Device connected" in (await decide(browser, page)).text
    again = await decide(browser, page)
    assert "Device connected" not in again.text


async def test_the_device_page_does_not_tell_who_exists(provider: DeviceProvider) -> None:
    """H141: wrong passwords, unknown, disabled and passwordless users get the same response."""
    begun = await provider.begin(await provider.client())
    disabled, bare = await provider.op.user(), await provider.world.user()
    await provider.world.stores.users.disable(disabled.user_id)
    texts = set()
    for user, password in (
        (await provider.op.user(), "wrong"),
        (replace(bare, username="nobody-at-all"), PASSWORD),
        (disabled, PASSWORD),
        (bare, PASSWORD),
    ):
        browser = provider.op.browser()
        page = await log_in(browser, await type_code(browser, begun["user_code"]), user, password)
        assert (page.status, page.cookies) == (400, ())
        texts.add(_without_secrets(without_challenge(page), page.hidden))
    assert len(texts) == 1


async def test_five_codes_in_vain_are_all_that_a_user_has(limited: DeviceProvider) -> None:
    """L192: after five wrong codes, also concurrent ones, the user must wait; other users need not."""
    client = await limited.client()
    begun = await limited.begin(client)
    browser, user = limited.op.browser(), await limited.op.user()
    page = await limited.confirm(browser, user, "BBBB-BBBB")
    assert (page.status, "That code is wrong" in page.text) == (400, True)
    letters = "CDFGHJKLMNPQ"
    pages = await asyncio.gather(
        *(browser.post(DEVICE.path, {"step": "code", "user_code": letter * 8}) for letter in letters)
    )
    assert sorted(page.status for page in pages) == [400] * 4 + [429] * 8
    good = await browser.post(DEVICE.path, {"step": "code", "user_code": begun["user_code"]})
    assert (good.status, is_consent(good)) == (429, False)
    await limited.approve(begun["user_code"])
    assert (await limited.poll(client, begun["device_code"]))[0] == 200


async def test_a_form_that_decides_is_no_way_around_the_limit(limited: DeviceProvider) -> None:
    """A user can compute the form token for any code, but the limit still applies."""
    browser, user = limited.op.browser(), await limited.op.user()
    await limited.confirm(browser, user, "BBBB-BBBB")
    handle = browser.cookie("session") or ""
    statuses = []
    for letter in "CDFGHJ":
        user_code = f"{letter * 4}-{letter * 4}"
        fields = {
            "step": "decide",
            "user_code": user_code,
            "decision": "allow",
            "form_token": form_token(handle, f"device {user_code}"),
        }
        statuses.append((await browser.post(DEVICE.path, fields)).status)
    assert statuses == [400] * 4 + [429] * 2


async def test_all_users_together_have_a_budget(limited: DeviceProvider) -> None:
    """L192: the chance of a hit is at most 2 to the -20 a day."""
    begun = await limited.begin(await limited.client())
    link = limited.world.stores.device_codes
    await link.count_guess(LIFETIME)
    assert await link.may_guess(BUDGET)
    assert limited.op.settings.redis_url
    redis = Redis.from_url(limited.op.settings.redis_url.get_secret_value())
    await redis.incrby("{devices}:guesses", BUDGET)
    await redis.aclose()
    page = await limited.confirm(limited.op.browser(), await limited.op.user(), begun["user_code"])
    assert (page.status, is_consent(page)) == (429, False)
    assert 20**8 / 2**21 < BUDGET <= 20**8 / 2**20


async def test_a_flood_of_codes_is_stemmed(limited: DeviceProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """L199: device codes are limited by address and by pending codes of a client."""
    client, other = await limited.client(), await limited.client()
    statuses = [(await limited.ask(client)).status for _ in range(60)]
    assert statuses == [200] * 50 + [429] * 10
    monkeypatch.setattr("services.token.endpoints.device_authorization.MOST_PENDING", 3)
    statuses = [(await limited.ask(other)).status for _ in range(5)]
    assert statuses == [200] * 3 + [429] * 2
    assert (await limited.ask(await limited.client())).status == 200


async def test_the_device_code_is_kept_as_its_digest(provider: DeviceProvider) -> None:
    """Stored handles are hashed; the grant keeps the same digest."""
    client = await provider.client()
    begun = await provider.begin(client)
    await provider.approve(begun["user_code"])
    await provider.poll(client, begun["device_code"])
    spent = await provider.world.stores.grants.find_spent(digest(begun["device_code"]))
    assert spent
    assert spent.client_id == client.client_id

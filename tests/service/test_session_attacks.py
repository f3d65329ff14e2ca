"""Attacks on sessions, consent and forms, and requests that need more than a live session."""

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from shared.live.randomness import new_handle
from shared.oauth.client.record import Client
from shared.oauth.tokens.handle import Kind
from shared.paths import AUTHORIZATION, CONSENT, END_SESSION, LOGIN
from tests.authorization import (
    LOCAL_ISSUER,
    AuthorizationService,
    Browser,
    Page,
    a_request,
    is_consent,
    is_error_page,
    is_login,
    serve_authorization,
)
from tests.builders import REDIRECT_URI
from tests.deployment import settings_for


async def none(browser: Browser, client: Client, **parameters: str) -> Page:
    """The error for a request with `prompt=none`."""
    return await browser.authorize(client, prompt="none", **parameters)


@pytest.mark.point(8)
async def test_prompt_none_shows_no_page(op: AuthorizationService) -> None:
    """Core 1.0 §3.1.2.6: login_required, then consent_required, and no cookie."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    page = await none(browser, client)
    assert (page.answer["error"], page.cookies) == ("login_required", ())
    await browser.sign_in(await op.client(skip_consent=True), user)
    page = await none(browser, client)
    assert (page.answer["error"], page.cookies) == ("consent_required", ())


@pytest.mark.point(8)
async def test_prompt_login_asks_again(op: AuthorizationService) -> None:
    """Core 1.0 §3.1.2.1: a later `auth_time`, another cookie, and the same session goes on."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    first = await op.code(await browser.sign_in(client, user))
    cookie = browser.cookie("session")
    page = await browser.authorize(client, prompt="login")
    assert is_login(page)
    second = await op.code(await browser.log_in(page, user))
    assert second.authorization.authentication.auth_time >= first.authorization.authentication.auth_time
    assert second.authorization.sid == first.authorization.sid
    assert browser.cookie("session") != cookie


@pytest.mark.point(8)
async def test_max_age(op: AuthorizationService) -> None:
    """A session that is young enough is used, one that is not is renewed."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    first = await op.code(await browser.sign_in(client, user, max_age="15000"))
    second = await op.code(await none(browser, client, max_age="10000"))
    assert second.authorization.authentication == first.authorization.authentication
    page = await browser.authorize(client, max_age="0")
    assert is_login(page)
    assert "code" in (await browser.log_in(page, user)).answer
    assert (await none(browser, client, max_age="0")).answer["error"] == "login_required"


@pytest.mark.point(8)
async def test_prompt_consent_asks_again(op: AuthorizationService) -> None:
    """`prompt=consent` asks again, although the consent is remembered."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    assert is_consent(await browser.authorize(client, prompt="consent"))


async def test_an_abandoned_login_changes_nothing(op: AuthorizationService) -> None:
    """The first session keeps its user and its time."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    first = await op.code(await browser.sign_in(client, user))
    page = await browser.authorize(client, prompt="login")
    await browser.log_in(page, await op.user(), "wrong")
    after = await op.code(await none(browser, client))
    assert after.authorization.user_id == user.user_id
    assert after.authorization.authentication == first.authorization.authentication


@pytest.mark.point(9)
async def test_an_expired_hint_names_the_user(op: AuthorizationService) -> None:
    """Core 1.0 §3.1.2.1: the user of the hint goes on, another one signs in."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    hint = await op.id_token(browser, client)
    assert "code" in (await none(browser, client, id_token_hint=hint)).answer
    other = op.browser()
    await other.sign_in(client, await op.user())
    assert (await none(other, client, id_token_hint=hint)).answer["error"] == "login_required"
    page = await other.authorize(client, id_token_hint=hint)
    assert is_login(page)
    assert (await other.log_in(page, await op.user())).answer["error"] == "login_required"


@pytest.mark.point(9)
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.test/oidc"},
        {"iss": LOCAL_ISSUER + "/"},
        {"aud": ["another-client"]},
        {"aud": []},
        {"sub": 1},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"events": {}},
    ],
    ids=str,
)
async def test_a_hint_that_is_none(op: AuthorizationService, claims: dict[str, Any]) -> None:
    """Other signed tokens are not hints for this client."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    hint = await op.id_token(browser, client, **claims)
    assert (await none(browser, client, id_token_hint=hint)).answer["error"] == "invalid_request"


@pytest.mark.point(9)
async def test_a_tampered_hint(op: AuthorizationService) -> None:
    """Every part of it is covered by the signature."""
    client, browser = await op.client(), op.browser()
    await browser.sign_in(client, await op.user())
    head, payload, signature = (await op.id_token(browser, client)).split(".")
    for hint in (f"{head}.{payload[:-2]}AA.{signature}", f"{head}.{payload}.", f"{head}.{payload}.AAAA"):
        assert (await none(browser, client, id_token_hint=hint)).answer["error"] == "invalid_request"


@pytest.mark.point(10)
async def test_a_claim_asked_for_by_name_needs_consent(op: AuthorizationService) -> None:
    """A consent to a scope does not cover what no scope asked for; once given it is remembered."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user, scope="openid")
    claims = '{"userinfo":{"phone_number":{"essential":true},"sub":null},"id_token":{"auth_time":null}}'
    page = await browser.authorize(client, scope="openid", claims=claims)
    assert is_consent(page)
    code = await op.code(await browser.decide(page))
    assert code.authorization.claims.userinfo["phone_number"] == {"essential": True}
    assert "code" in (await none(browser, client, scope="openid", claims=claims)).answer


@pytest.mark.point(9)
async def test_a_sub_asked_for_by_value(op: AuthorizationService) -> None:
    """Core 1.0 §5.5.1: only the session of that user is accepted."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    mine = f'{{"id_token":{{"sub":{{"value":"{user.user_id}"}}}}}}'
    assert "code" in (await none(browser, client, claims=mine)).answer
    other = '{"id_token":{"sub":{"value":"248289761001"}}}'
    assert (await none(browser, client, claims=other)).answer["error"] == "login_required"


@pytest.mark.point(2, 9)
async def test_an_essential_acr_that_is_reached(op: AuthorizationService) -> None:
    """One of several is enough."""
    client, browser = await op.client(), op.browser()
    claims = '{"id_token":{"acr":{"essential":true,"values":["bogus","urn:ostiary:acr:pwd"]}}}'
    code = await op.code(await browser.sign_in(client, await op.user(), claims=claims))
    assert code.authorization.authentication.acr == "urn:ostiary:acr:pwd"


async def test_more_scope_asks_again(op: AuthorizationService) -> None:
    """More scope needs consent, and the previous consent stays."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user, scope="openid")
    page = await browser.authorize(client, scope="openid email")
    assert is_consent(page)
    assert (await none(browser, client, scope="openid email")).answer["error"] == "consent_required"
    await browser.decide(page)
    for scope in ("openid", "email", "openid email"):
        assert "code" in (await none(browser, client, scope=scope)).answer


@pytest.mark.point(8)
@pytest.mark.parametrize(
    "fields", [{"remember_consent": False}, {"is_dynamically_registered": True}], ids=lambda f: next(iter(f))
)
async def test_a_client_that_anyone_may_pretend_to_be(
    op: AuthorizationService, fields: dict[str, bool]
) -> None:
    """RFC 8252 §8.6: asked every time, and with `prompt=none` refused."""
    client = await op.world.public_client(redirect_uris=(REDIRECT_URI,), **fields)
    user, browser = await op.user(), op.browser()
    assert "code" in (await browser.sign_in(client, user)).answer
    assert is_consent(await browser.authorize(client))
    assert (await none(browser, client)).answer["error"] == "consent_required"


async def test_offline_access_is_consented_to(op: AuthorizationService) -> None:
    """Core 1.0 §11: shown and agreed to, or granted to a client of ours."""
    user, browser = await op.user(), op.browser()
    page = await browser.log_in(
        await browser.authorize(await op.client(), scope="openid offline_access"), user
    )
    assert is_consent(page)
    ours = await op.client(skip_consent=True)
    code = await op.code(await none(browser, ours, scope="openid offline_access"))
    assert code.authorization.is_offline


async def test_a_chosen_session_cookie_is_never_signed_in(op: AuthorizationService) -> None:
    """No fixation: the handle is new at every login."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, await op.user())  # makes the cookie's name known
    name = next(cookie.key for cookie in browser.http.cookie_jar if "session" in cookie.key)
    chosen = new_handle(Kind.SESSION)
    victim = op.browser()
    victim.http.cookie_jar.update_cookies({name: chosen}, op.server.make_url("/"))
    assert "code" in (await victim.sign_in(client, user)).answer
    attacker = op.browser(has_jar=False)
    attacker.headers = {"Cookie": f"{name}={chosen}"}
    assert (await none(attacker, client)).answer["error"] == "login_required"


async def test_the_old_cookie_is_worth_nothing_after_a_login(op: AuthorizationService) -> None:
    """The same user again, or another one: the browser's handle before is dead."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    name = next(cookie.key for cookie in browser.http.cookie_jar if "session" in cookie.key)
    for who in (user, await op.user()):
        before = browser.cookie("session")
        page = await browser.log_in(await browser.authorize(client, prompt="login"), who)
        assert page.is_at_client or is_consent(page)
        thief = op.browser(has_jar=False)
        thief.headers = {"Cookie": f"{name}={before}"}
        assert (await none(thief, client)).answer["error"] == "login_required"


async def test_an_account_switch_during_consent(op: AuthorizationService) -> None:
    """After a switch of accounts, the question is asked again for the new user."""
    client, one, two, browser = await op.client(), await op.user(), await op.user(), op.browser()
    consent = await browser.log_in(await browser.authorize(client), one)
    await browser.log_in(await browser.authorize(client, prompt="login"), two)
    page = await browser.decide(consent)
    assert is_consent(page)
    assert two.username in page.text
    code = await op.code(await browser.decide(page))
    assert code.authorization.user_id == two.user_id


@pytest.mark.parametrize("change", ["disabled", "deleted", "password", "ended"])
async def test_a_user_who_changes_has_no_session(op: AuthorizationService, change: str) -> None:
    """Compared at use: the live cookie of a user who is disabled, deleted, or has a new password."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    users = op.world.stores.users
    match change:
        case "disabled":
            await users.disable(user.user_id)
        case "deleted":
            await users.delete(user.user_id)
        case "password":
            await op.world.stores.credentials.set_password(user.user_id, "$argon2id$nothing")
        case "ended":
            await users.end_all(user.user_id)
    assert (await none(browser, client)).answer["error"] == "login_required"
    assert is_login(await browser.authorize(client))


async def test_a_user_disabled_during_consent_gets_no_code(op: AuthorizationService) -> None:
    """The session is checked again when the interaction completes."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    consent = await browser.log_in(await browser.authorize(client), user)
    await op.world.stores.users.disable(user.user_id)
    assert is_login(await browser.decide(consent))


CROSS_SITE = [
    {"Origin": "https://evil.test"},
    {"Origin": "http://localhost:8081"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
async def test_a_form_of_another_site_changes_nothing(
    op: AuthorizationService, headers: dict[str, str]
) -> None:
    """Login and consent: 403, and the real form works afterwards."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    login = await browser.authorize(client)
    page = await browser.log_in(login, user, headers=headers)
    assert page.status == 403
    assert is_error_page(page)
    consent = await browser.log_in(login, user, headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"})
    page = await browser.decide(consent, headers=headers)
    assert page.status == 403
    assert is_error_page(page)
    page = await browser.decide(consent, headers={"Origin": "http://localhost:8080"})
    assert "code" in page.answer


async def test_an_interaction_of_another_browser(op: AuthorizationService) -> None:
    """Login CSRF: an attacker's interaction, in the victim's browser."""
    client, victim = await op.client(), op.browser()
    attacker_page = await op.browser().authorize(client)
    await victim.authorize(client)
    for page in (
        await victim.get(LOGIN.path, attacker_page.hidden),
        await victim.log_in(attacker_page, await op.user()),
        await victim.get(AUTHORIZATION.path, attacker_page.hidden),
        await victim.decide(attacker_page),
    ):
        assert page.status == 403
        assert is_error_page(page)


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_a_consent_without_its_token(op: AuthorizationService, token: str) -> None:
    """A form without its token asks again."""
    client, browser = await op.client(), op.browser()
    consent = await browser.log_in(await browser.authorize(client), await op.user())
    fields = {**consent.hidden, "form_token": token, "decision": "allow"}
    assert is_consent(await browser.post(CONSENT.path, fields))


@pytest.mark.parametrize("decision", ["", "ALLOW", "yes"])
async def test_a_consent_without_a_decision(op: AuthorizationService, decision: str) -> None:
    """Neither button: an error page, and the question stays."""
    client, browser = await op.client(), op.browser()
    consent = await browser.log_in(await browser.authorize(client), await op.user())
    assert is_error_page(await browser.decide(consent, decision))
    assert "code" in (await browser.decide(consent)).answer


@pytest.mark.parametrize("path", [LOGIN.path, CONSENT.path, AUTHORIZATION.path])
@pytest.mark.parametrize(
    "handle", ["", "in_", "in_" + "A" * 43, "se_" + "A" * 43, "ac_" + "A" * 43, "é", "x" * 3000, "in_../../x"]
)
async def test_an_interaction_that_is_none(op: AuthorizationService, path: str, handle: str) -> None:
    """An unknown interaction gives a page."""
    browser = op.browser()
    assert is_error_page(await browser.get(path, {"interaction": handle}))
    if path != AUTHORIZATION.path:
        assert is_error_page(await browser.post(path, {"interaction": handle, "decision": "allow"}))


@pytest.mark.parametrize(
    "value",
    ["", "x", '"', "=;=", "in_" + "A" * 43, "se_" + "A" * 43, "se_%00", "x" * 2500, "\\u0000", "é"],
)
async def test_a_malformed_cookie_is_nobody(op: AuthorizationService, value: str) -> None:
    """A malformed cookie signs nobody in, and does not prevent a sign-in."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    names = [cookie.key for cookie in browser.http.cookie_jar]
    page = await op.browser(has_jar=False).request(
        "GET",
        f"{AUTHORIZATION}?{urlencode(a_request(client, prompt='none'))}",
        headers={"Cookie": "; ".join(f"{name}={value}" for name in names)},
    )
    assert page.answer["error"] == "login_required"
    second = op.browser()
    second.http.cookie_jar.update_cookies(dict.fromkeys(names, value), op.server.make_url("/"))
    assert "code" in (await second.sign_in(client, user)).answer


async def test_two_hundred_cookies(op: AuthorizationService) -> None:
    """Two hundred cookies of other applications do not matter."""
    client = await op.client()
    cookies = "; ".join(f"c{n}=1" for n in range(200))
    assert is_login(await op.browser().authorize(client, ui_locales="en"))
    page = await op.browser(has_jar=False).request(
        "GET", AUTHORIZATION.path, params=a_request(client, prompt="none"), headers={"Cookie": cookies}
    )
    assert page.answer["error"] == "login_required"


async def test_redirects_are_see_other_and_kept_by_no_cache(op: AuthorizationService) -> None:
    """RFC 9700 §4.12: never 307, which would send the password on to the client."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    login = await browser.authorize(client)
    fields = {**login.hidden, "username": user.username, "password": "correct horse battery staple"}
    after_login = await browser.request("POST", LOGIN.path, data=fields)
    consent = await browser.follow(after_login)
    after_consent = await browser.decide(consent)
    for page in (after_login, after_consent):
        assert page.status == 303
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_cookies_of_a_loopback_issuer(op: AuthorizationService) -> None:
    """No prefix and no `Secure`, which a browser would drop; the issuer's mark in the name instead."""
    client, browser = await op.client(), op.browser()
    page = await browser.request("GET", AUTHORIZATION.path, params=a_request(client))
    assert len(page.cookies) == 1
    name, _, attributes = page.cookies[0].partition("=")
    assert re.fullmatch("ostiary-browser-[0-9a-f]{8}-[0-9a-f]{8}", name)
    assert {"HttpOnly", "Max-Age=1800", "Path=/oidc", "SameSite=Lax"} == set(attributes.split("; ")[1:])


async def test_cookies_of_an_https_issuer(
    op: AuthorizationService, module_database_url: str, module_redis_url: str
) -> None:
    """`__Host-`, `Secure`, the path `/`, and no domain."""
    settings = settings_for(module_database_url, module_redis_url, rate_limits="off")
    async with serve_authorization(settings, op.world) as secure:
        client, user, browser = await op.client(), await op.user(), secure.browser(has_jar=False)
        page = await browser.request("GET", AUTHORIZATION.path, params=a_request(client))
        cookie = page.cookies[0].partition(";")[0]
        login = await browser.request("GET", page.location, headers={"Cookie": cookie})
        fields = {**login.hidden, "username": user.username, "password": "correct horse battery staple"}
        signed_in = await browser.request("POST", LOGIN.path, data=fields, headers={"Cookie": cookie})
        always = {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}
        assert re.match("__Host-ostiary-browser-[0-9a-f]{8}=", page.cookies[0])
        assert set(page.cookies[0].split("; ")[1:]) == always | {"Max-Age=1800"}
        assert signed_in.cookies[0].startswith("__Host-ostiary-session=")
        assert set(signed_in.cookies[0].split("; ")[1:]) == always


async def test_a_session_is_alive_in_every_process(op: AuthorizationService) -> None:
    """A session is alive or ended in every process."""
    client, user, browser = await op.client(), await op.user(), op.browser()
    await browser.sign_in(client, user)
    async with serve_authorization(op.settings, op.world) as other:
        there = other.browser()
        for cookie in browser.http.cookie_jar:
            there.http.cookie_jar.update_cookies({cookie.key: cookie.value}, other.server.make_url("/"))
        assert "code" in (await none(there, client)).answer
        page = await browser.get(END_SESSION.path)
        await browser.post("/oidc/logout", page.hidden)
        assert (await none(there, client)).answer["error"] == "login_required"


async def test_a_session_ends_whatever_its_use(
    op: AuthorizationService, module_database_url: str, module_redis_url: str
) -> None:
    """The absolute lifetime."""
    settings = settings_for(
        module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off", session_lifetime="1s"
    )
    async with serve_authorization(settings, op.world) as short:
        client, user, browser = await op.client(), await op.user(), short.browser()
        await browser.sign_in(client, user)
        async with asyncio.timeout(20):
            while "code" in (await none(browser, client)).answer:
                await asyncio.sleep(0.05)
        assert is_login(await browser.authorize(client))

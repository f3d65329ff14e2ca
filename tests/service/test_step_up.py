"""Step-up: what APIs demand of their users' sign-in, and what is not asked again (RFC 9470)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.live import clock
from shared.model import Authentication
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, ACR_PASSWORD
from shared.paths import DEVICE
from shared.server.resources import WATCH
from tests.authorization import is_consent
from tests.deployment import TokenService, open_world, serve_tokens, settings_for, unverified
from tests.planted import planted
from tests.planted.step_up import (
    a_floor_is_an_exact_value,
    devices_need_no_more,
    every_token_is_a_sign_in,
    no_resource_demands_more,
    old_sign_ins_are_good_enough,
    tokens_tell_nothing_of_the_sign_in,
)
from tests.second_factors import (
    A_NEW_APP,
    a_user_with_an_app,
    code,
    is_second_factor,
    show,
)
from tests.service.test_device import DeviceProvider, decide, log_in, serve_devices, type_code
from tests.service.test_resources import SCOPE, a_client_of_apis, a_code, an_api

BOTH = Authentication(
    auth_time=clock.now().replace(microsecond=0) - timedelta(minutes=7),
    acr=ACR_MULTIPLE_FACTORS,
    amr=("mfa", "otp", "pwd"),
)
ESSENTIAL_PASSWORD = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:pwd"}}}'


@pytest.fixture
async def provider(module_database_url: str, module_redis_url: str) -> AsyncIterator[DeviceProvider]:
    """Sign-ins, devices and tokens of one deployment, where second factors are optional."""
    async with serve_devices(module_database_url, module_redis_url, rate_limits="off") as served:
        yield served


@pytest.fixture
async def demanding(module_database_url: str, module_redis_url: str) -> AsyncIterator[TokenService]:
    """Tokens where everybody needs a second factor."""
    settings = settings_for(module_database_url, module_redis_url, second_factor="required")
    async with open_world(settings) as world, serve_tokens(settings, world) as service:
        yield service


@planted(old_sign_ins_are_good_enough)
@pytest.mark.point("SU1")
async def test_userinfo_says_which_sign_in_it_needs(demanding: TokenService) -> None:
    """RFC 9470 §3: a grant of a password alone is challenged with the class to reach."""
    client = await demanding.world.client()
    sign_in = await demanding.world.sign_in()
    weak = await demanding.tokens(client, sign_in.code(client.client_id))
    refused = await demanding.userinfo(weak["access_token"])
    assert (refused.status, (await refused.json())["error"]) == (401, "insufficient_user_authentication")
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="ostiary", error="insufficient_user_authentication"')
    assert f'acr_values="{ACR_MULTIPLE_FACTORS}"' in challenge
    strong = await demanding.tokens(client, sign_in.code(client.client_id, authentication=BOTH))
    assert (await demanding.userinfo(strong["access_token"])).status == 200
    refreshed = await (await demanding.refresh(client, weak["refresh_token"])).json()
    assert (await demanding.userinfo(refreshed["access_token"])).status == 401


@planted(no_resource_demands_more)
@pytest.mark.point("SU2")
async def test_an_api_demands_a_second_factor(provider: DeviceProvider) -> None:
    """A session steps up by the second factor alone; without a page, or against the client, it fails."""
    op = provider.op
    client, browser, user = await op.client(skip_consent=True, scope=SCOPE), op.browser(), await op.user()
    api = await an_api(op, acr_values=(ACR_MULTIPLE_FACTORS,))
    assert (await browser.sign_in(client, user)).is_at_client
    await op.world.stores.second_factors.add(user.user_id, A_NEW_APP)
    silent = await browser.authorize(client, resource=api.resource, prompt="none")
    assert silent.answer["error"] == "login_required"
    against = await browser.authorize(client, resource=api.resource, claims=ESSENTIAL_PASSWORD)
    assert against.answer["error"] == "unmet_authentication_requirements"
    page = await browser.authorize(client, resource=api.resource)
    assert is_second_factor(page)
    authorization = (await op.code(await show(browser, page, code=code()))).authorization
    assert authorization.authentication.acr == ACR_MULTIPLE_FACTORS
    assert (await browser.authorize(client, resource=api.resource, prompt="none")).is_at_client


@planted(a_floor_is_an_exact_value)
@pytest.mark.point("SU2")
async def test_a_stronger_sign_in_is_enough(tokens: TokenService) -> None:
    """An API's demand is a floor; a demand that was raised since refuses the token, not the grant."""
    client = await a_client_of_apis(tokens)
    api = await an_api(tokens, acr_values=(ACR_PASSWORD,))
    strong = await a_code(tokens, client, api)
    strong = replace(strong, authorization=replace(strong.authorization, authentication=BOTH))
    assert "access_token" in await tokens.tokens(client, strong)
    weak = await tokens.tokens(client, await a_code(tokens, client, api))
    raised = replace(api, acr_values=(ACR_MULTIPLE_FACTORS,))
    await tokens.world.stores.protected_resources.replace(raised)
    assert tokens.http.app is not None
    await tokens.http.app[WATCH].poll()
    refused = await tokens.refresh(client, weak["refresh_token"])
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_target")
    await tokens.world.stores.protected_resources.replace(replace(api, version=2))
    await tokens.http.app[WATCH].poll()
    assert (await tokens.refresh(client, weak["refresh_token"])).status == 200


@planted(devices_need_no_more)
@pytest.mark.point("SU2")
async def test_a_device_for_such_an_api_needs_it_too(provider: DeviceProvider) -> None:
    """The page for devices asks for the second factor, also of a session; who has none is told so."""
    client, op = await provider.client(scope=SCOPE), provider.op
    api = await an_api(provider.tokens, acr_values=(ACR_MULTIPLE_FACTORS,))
    await op.app[WATCH].poll()
    flight = await provider.begin(client, scope="openid read", resource=api.resource)
    without = op.browser()
    page = await log_in(without, await type_code(without, flight["user_code"]), await op.user())
    assert page.status == 400, page.text
    assert "second step" in page.text
    browser, user = op.browser(), await a_user_with_an_app(op)
    await op.world.stores.second_factors.remove(user.user_id)
    await browser.sign_in(await op.client(skip_consent=True), user)
    await op.world.stores.second_factors.add(user.user_id, A_NEW_APP)
    page = await type_code(browser, flight["user_code"])
    assert is_second_factor(page)
    confirm = await browser.post(DEVICE.path, {**page.hidden, "code": code()})
    assert is_consent(confirm), confirm.text
    assert (await decide(browser, confirm)).status == 200
    status, answer = await provider.poll(client, flight["device_code"])
    assert (status, unverified(answer["id_token"])["acr"]) == (200, ACR_MULTIPLE_FACTORS)


@planted(tokens_tell_nothing_of_the_sign_in, every_token_is_a_sign_in)
@pytest.mark.point("SU3", "SU4")
async def test_tokens_say_how_and_when_their_user_signed_in(tokens: TokenService) -> None:
    """RFC 9470 §6: `acr` and `auth_time` in JWTs and introspection; a refresh does not make them newer."""
    client = await a_client_of_apis(tokens)
    expected = {"acr": BOTH.acr, "auth_time": int(BOTH.auth_time.timestamp())}
    for form in ("jwt", "opaque"):
        api = await an_api(tokens, access_token_format=form, introspection_clients=(client.client_id,))
        granted = await a_code(tokens, client, api)
        granted = replace(granted, authorization=replace(granted.authorization, authentication=BOTH))
        answer = await tokens.tokens(client, granted)
        refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
        for each in (answer, refreshed):
            told = [await tokens.introspect(client, each["access_token"])]
            told += [unverified(each["access_token"])] if form == "jwt" else []
            assert all(expected.items() <= claims.items() for claims in told)

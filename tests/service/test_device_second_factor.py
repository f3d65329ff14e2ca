"""The device page asks for a second factor too, and is no way around one."""

from collections.abc import AsyncIterator

import pytest

from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.paths import DEVICE
from tests.authorization import Page, is_consent, is_login
from tests.deployment import unverified
from tests.planted import planted
from tests.planted.second_factors import accepts_what_another_browser_has_proven
from tests.second_factors import RECOVERY_CODES, WRONG, a_user_with_an_app, code, is_second_factor
from tests.service.test_device import DeviceProvider, decide, log_in, serve_devices, type_code


@pytest.fixture
async def provider(module_database_url: str, module_redis_url: str) -> AsyncIterator[DeviceProvider]:
    """Second factors are optional."""
    async with serve_devices(module_database_url, module_redis_url, rate_limits="off") as served:
        yield served


@pytest.fixture
async def demanding(module_database_url: str, module_redis_url: str) -> AsyncIterator[DeviceProvider]:
    """Everybody needs a second factor."""
    async with serve_devices(
        module_database_url, module_redis_url, rate_limits="off", second_factor="required"
    ) as served:
        yield served


@pytest.mark.parametrize(
    "typed", [{"code": ""}, {"recovery_code": RECOVERY_CODES[0]}], ids=["app", "recovery"]
)
async def test_a_user_with_an_app_shows_its_code(provider: DeviceProvider, typed: dict[str, str]) -> None:
    """After the password; only then is there a session, and something to decide."""
    client = await provider.client()
    flight = await provider.begin(client)
    browser, user = provider.op.browser(), await a_user_with_an_app(provider.op)
    page = await log_in(browser, await type_code(browser, flight["user_code"]), user)
    assert is_second_factor(page)
    wrong = await browser.post(DEVICE.path, {**page.hidden, "code": WRONG})
    assert wrong.status == 400
    assert is_second_factor(wrong)
    skipped = await browser.post(DEVICE.path, {**wrong.hidden, "step": "decide", "decision": "allow"})
    assert is_login(skipped)
    assert browser.cookie("session") is None
    fields = {name: value or code() for name, value in typed.items()}
    confirm = await browser.post(DEVICE.path, {**wrong.hidden, **fields})
    assert is_consent(confirm), confirm.text
    assert (await decide(browser, confirm)).status == 200
    status, answer = await provider.poll(client, flight["device_code"])
    assert status == 200
    assert unverified(answer["id_token"])["acr"] == ACR_MULTIPLE_FACTORS


@planted(accepts_what_another_browser_has_proven)
async def test_what_the_password_has_proven_is_of_no_use_elsewhere(provider: DeviceProvider) -> None:
    """In another browser, or for another code; nor may it be made up."""
    flight, other = [await provider.begin(await provider.client()) for _ in range(2)]
    user, victim, thief = await a_user_with_an_app(provider.op), provider.op.browser(), provider.op.browser()
    page = await log_in(victim, await type_code(victim, flight["user_code"]), user)
    assert is_second_factor(page)

    async def with_proof(user_code: str, proven: str) -> Page:
        login = await type_code(thief, user_code)
        fields = {**login.hidden, "step": "second_factor", "proven": proven, "code": code()}
        return await thief.post(DEVICE.path, fields)

    for user_code, proven in (
        (flight["user_code"], page.hidden["proven"]),
        (other["user_code"], page.hidden["proven"]),
        (flight["user_code"], "00" * 60),
        (flight["user_code"], "xx"),
        (flight["user_code"], ""),
    ):
        assert is_login(await with_proof(user_code, proven))
    assert thief.cookie("session") is None


async def test_an_app_is_added_elsewhere(demanding: DeviceProvider) -> None:
    """Where it is required, a password alone is not enough, whether typed now or by an older session."""
    flight = await demanding.begin(await demanding.client())
    browser, user = demanding.op.browser(), await demanding.op.user()
    page = await log_in(browser, await type_code(browser, flight["user_code"]), user)
    assert page.status == 400
    assert "second step" in page.text
    assert browser.cookie("session") is None


async def test_a_session_without_is_not_enough_where_it_is_required(
    provider: DeviceProvider, demanding: DeviceProvider
) -> None:
    """It signs in again."""
    flight = await demanding.begin(await demanding.client())
    browser, user = provider.op.browser(), await provider.op.user()
    await browser.sign_in(await provider.op.client(skip_consent=True), user)
    later = demanding.op.browser()
    later.http.cookie_jar.update_cookies({c.key: c.value for c in browser.http.cookie_jar})
    assert is_login(await type_code(later, flight["user_code"]))

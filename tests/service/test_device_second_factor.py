"""The device page asks for a second factor too, and is no way around one."""

from collections.abc import AsyncIterator

import pytest

from shared.model import User
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.paths import DEVICE, LOGOUT
from tests.authenticator import Authenticator, Flags
from tests.authorization import PASSWORD, PASSWORD_HASH, Browser, Page, is_consent, is_login
from tests.deployment import unverified
from tests.passkeys import ORIGIN, a_user_with_a_passkey, handle_of, options_of
from tests.planted import planted
from tests.planted.passkeys import binds_challenges_to_no_browser
from tests.planted.second_factors import accepts_a_code_after_the_end, accepts_what_another_browser_has_proven
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


@planted(accepts_a_code_after_the_end)
@pytest.mark.parametrize(
    "typed", [{"code": ""}, {"recovery_code": RECOVERY_CODES[0]}], ids=["app", "recovery"]
)
async def test_a_code_begins_no_session_after_the_end_of_its_own(
    provider: DeviceProvider, typed: dict[str, str]
) -> None:
    """A form that is sent again continues its session; after a logout, its code is spent."""
    flight = await provider.begin(await provider.client())
    browser, user = provider.op.browser(), await a_user_with_an_app(provider.op)
    page = await log_in(browser, await type_code(browser, flight["user_code"]), user)
    fields = {**page.hidden, **{name: value or code() for name, value in typed.items()}}
    for _ in range(2):
        assert is_consent(await browser.post(DEVICE.path, fields))
    logout = await browser.get(LOGOUT.path)
    await browser.post(LOGOUT.path, logout.hidden)
    assert is_second_factor(await browser.post(DEVICE.path, fields))
    assert browser.cookie("session") is None


async def test_every_step_has_the_language_of_the_first(provider: DeviceProvider) -> None:
    """From the password to the end, although the browser prefers none."""
    flight = await provider.begin(await provider.client())
    browser, user = provider.op.browser(), await a_user_with_an_app(provider.op)
    page = await browser.get(DEVICE.path, {"ui_locales": "fr"})
    steps = [page]
    for fields in (
        {"user_code": flight["user_code"]},
        {"username": user.username, "password": PASSWORD},
        {"code": code()},
        {"decision": "allow"},
    ):
        steps.append(await browser.post(DEVICE.path, {**steps[-1].hidden, **fields}))
    assert [is_login(steps[1]), is_second_factor(steps[2]), is_consent(steps[3])] == [True] * 3
    assert [step.headers["Content-Language"] for step in steps] == ["fr"] * 5


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


async def test_a_temporary_password_is_replaced_elsewhere(provider: DeviceProvider) -> None:
    """It begins no session here."""
    flight = await provider.begin(await provider.client())
    browser, user = provider.op.browser(), await provider.op.user()
    await provider.op.world.stores.credentials.set_password(user.user_id, PASSWORD_HASH, is_temporary=True)
    page = await log_in(browser, await type_code(browser, flight["user_code"]), user)
    assert page.status == 400
    assert "password is temporary" in page.text
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


async def _by_passkey(browser: Browser, page: Page, key: Authenticator, user: User, **more: str) -> Page:
    """Use a passkey on a page of the device step."""
    result = key.get(options_of(page), handle_of(user))
    return await browser.post(DEVICE.path, {**page.hidden, "passkey": result, **more})


async def test_a_passkey_signs_in_on_the_device_page(demanding: DeviceProvider) -> None:
    """Without a name or a password, also where everybody needs a second factor, if its user was verified."""
    client = await demanding.client()
    flight, browser = await demanding.begin(client), demanding.op.browser()
    user, authenticator = await a_user_with_a_passkey(demanding.op)
    page = await type_code(browser, flight["user_code"])
    unverified_key = authenticator.but(flags=Flags.PRESENT | Flags.SYNCED)
    refused = await _by_passkey(browser, page, unverified_key, user)
    assert "Sign in with your password" in refused.text
    refused = await _by_passkey(browser, page, Authenticator(ORIGIN), user)
    assert "That passkey was not accepted" in refused.text
    assert browser.cookie("session") is None
    confirm = await _by_passkey(browser, refused, authenticator, user)
    assert is_consent(confirm)
    assert (await decide(browser, confirm)).status == 200
    _, answer = await demanding.poll(client, flight["device_code"])
    assert unverified(answer["id_token"])["amr"] == ["mfa", "swk", "user"]


@planted(binds_challenges_to_no_browser)
async def test_a_passkey_is_used_for_the_code_that_was_typed(provider: DeviceProvider) -> None:
    """A challenge of another browser's page, or of another code's, signs nobody in."""
    flight, other = [await provider.begin(await provider.client()) for _ in range(2)]
    browser, stranger = provider.op.browser(), provider.op.browser()
    user, authenticator = await a_user_with_a_passkey(provider.op)
    page = await type_code(browser, flight["user_code"])
    for asked in (
        await type_code(stranger, flight["user_code"]),
        await type_code(browser, other["user_code"]),
    ):
        result = authenticator.get(options_of(asked), handle_of(user))
        answer = await browser.post(DEVICE.path, {**page.hidden, "passkey": result})
        assert answer.status == 400
    assert browser.cookie("session") is None


async def test_a_passkey_is_a_second_factor_on_the_device_page(demanding: DeviceProvider) -> None:
    """After the password of a user who has no app."""
    flight, browser = await demanding.begin(await demanding.client()), demanding.op.browser()
    user, authenticator = await a_user_with_a_passkey(demanding.op)
    page = await log_in(browser, await type_code(browser, flight["user_code"]), user)
    assert "Confirm with your passkey" in page.text
    assert browser.cookie("session") is None
    refused = await _by_passkey(browser, page, Authenticator(ORIGIN), user)
    assert refused.status == 400
    assert browser.cookie("session") is None
    assert is_consent(await _by_passkey(browser, refused, authenticator, user))


async def test_what_a_group_requires_holds_on_the_device_page(provider: DeviceProvider) -> None:
    """Of a member: a password begins no session, and one of before decides nothing."""
    flight = await provider.begin(await provider.client())
    user, groups = await provider.op.user(), provider.op.world.stores.groups
    before, browser = provider.op.browser(), provider.op.browser()
    page = await log_in(before, await type_code(before, flight["user_code"]), user)
    assert is_consent(page)
    await groups.add(user.username, requires_second_factor=True)
    await groups.join(user.username, user.user_id)
    assert is_login(await decide(before, page))
    page = await log_in(browser, await type_code(browser, flight["user_code"]), user)
    assert "A second step is missing" in page.text
    assert browser.cookie("session") is None

"""Browsers where a user with an authenticator app has chosen not to be asked for codes."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from shared.identity.recovery_codes import recovery_code_hash
from shared.model import User
from shared.oauth.authentication_methods import ACR_PASSWORD
from shared.paths import ACCOUNT_SECOND_FACTOR
from shared.store import NewSecondFactor
from tests.accounts import form_with, send, serve_accounts, visit
from tests.authorization import LOCAL_ISSUER, PASSWORD_HASH, AuthorizationService, Browser
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.second_factors import remembers_every_browser, remembers_for_ever
from tests.second_factors import RECOVERY_CODES, SECRET, a_user_with_an_app, code, is_second_factor, show

ESSENTIAL = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'


@pytest_asyncio.fixture(scope="module")
async def op(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """The authorization and accounts services."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off")
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


async def sign_in(
    op: AuthorizationService, browser: Browser, user: User, *, remember: bool = False, **parameters: str
) -> bool:
    """Sign in anew; whether a code was asked for. A recovery code is as good, and not of this half minute."""
    client = await op.client(skip_consent=True)
    page = await browser.log_in(await browser.authorize(client, prompt="login", **parameters), user)
    if not is_second_factor(page):
        assert page.is_at_client, page.text
        return False
    choice = {"remember": "yes"} if remember else {}
    page = await show(browser, page, recovery_code=await _another_code(op, user.user_id), **choice)
    assert page.is_at_client, page.text
    return True


async def _another_code(op: AuthorizationService, user_id: UUID) -> str:
    """A fresh set of recovery codes, of which the first is returned."""
    hashes = [recovery_code_hash(user_id, each) for each in RECOVERY_CODES]
    await op.world.stores.second_factors.replace_recovery_codes(user_id, hashes)
    return RECOVERY_CODES[0]


@planted(remembers_every_browser)
async def test_a_browser_is_remembered_by_choice(op: AuthorizationService) -> None:
    """That one alone, for that user alone; without the choice, each sign-in asks."""
    user, other = await a_user_with_an_app(op), await a_user_with_an_app(op)
    browser, known = op.browser(), op.browser()
    assert await sign_in(op, browser, user)
    assert await sign_in(op, known, user)
    assert await sign_in(op, browser, user, remember=True)
    assert not await sign_in(op, browser, user)
    assert await sign_in(op, known, user)
    assert await sign_in(op, op.browser(), user)
    assert await sign_in(op, browser, other)
    assert not await sign_in(op, browser, user)


async def test_the_tokens_tell_the_truth(op: AuthorizationService) -> None:
    """A sign-in without a code is one by password. Whoever demands more gets it, in this browser too."""
    client, user, browser = await op.client(skip_consent=True), await a_user_with_an_app(op), op.browser()
    page = await browser.log_in(await browser.authorize(client), user)
    assert 'id="remember"' in page.text
    await show(browser, page, code=code(), remember="yes")
    page = await browser.log_in(await browser.authorize(client, prompt="login"), user)
    authentication = (await op.code(page)).authorization.authentication
    assert (authentication.acr, authentication.amr) == (ACR_PASSWORD, ("pwd",))
    assert is_second_factor(await browser.authorize(client, claims=ESSENTIAL))
    assert await sign_in(op, browser, user, claims=ESSENTIAL)


async def _age(op: AuthorizationService, user: User) -> None:
    statement = "UPDATE user_credentials SET created_at = created_at - interval '30 days' WHERE user_id = $1"
    await op.world.database.row(f"{statement} AND kind = 'remembered'", user.user_id)


async def _change_the_password(op: AuthorizationService, user: User) -> None:
    await op.world.stores.credentials.set_password(user.user_id, PASSWORD_HASH)


async def _change_the_app(op: AuthorizationService, user: User) -> None:
    factors = op.world.stores.second_factors
    await factors.remove(user.user_id)
    await factors.add(user.user_id, NewSecondFactor(secret=SECRET, step=0, recovery_hashes=("0" * 64,)))


@planted(remembers_for_ever)
@pytest.mark.parametrize("end", [_age, _change_the_password, _change_the_app])
async def test_what_ends_it(op: AuthorizationService, end: object) -> None:
    """Thirty days, another password, another app."""
    user, browser = await a_user_with_an_app(op), op.browser()
    await sign_in(op, browser, user, remember=True)
    assert callable(end)
    await end(op, user)
    assert await sign_in(op, browser, user)


async def test_the_account_page_forgets_them(op: AuthorizationService) -> None:
    """It says how many there are, and asks in every one again."""
    user, browser, another = await a_user_with_an_app(op), op.browser(), op.browser()
    await sign_in(op, another, user, remember=True)
    await sign_in(op, browser, user, remember=True, claims=ESSENTIAL)
    page = await visit(browser, f"{ACCOUNT_SECOND_FACTOR}")
    assert "2 browsers do not ask for a code" in page.text
    page = await send(browser, ACCOUNT_SECOND_FACTOR, {**form_with(page, "browsers-forget"), "act": "forget"})
    assert "browsers-forget" not in page.text
    assert await sign_in(op, another, user)


async def test_where_everybody_needs_a_code_nothing_is_remembered(
    op: AuthorizationService, demanding_op: AuthorizationService
) -> None:
    """The page does not offer it, a form cannot choose it, and an earlier choice does not count."""
    user = await a_user_with_an_app(demanding_op)
    client, browser = await demanding_op.client(skip_consent=True), demanding_op.browser()
    page = await browser.log_in(await browser.authorize(client), user)
    assert 'id="remember"' not in page.text
    assert (await show(browser, page, code=code(), remember="yes")).is_at_client
    assert await sign_in(demanding_op, browser, user)
    elsewhere, another = op.browser(), demanding_op.browser()
    await sign_in(op, elsewhere, user, remember=True)
    assert not await sign_in(op, elsewhere, user)
    another.http.cookie_jar.update_cookies(
        {each.key: each.value for each in elsewhere.http.cookie_jar if "known" in each.key}
    )
    assert await sign_in(demanding_op, another, user)

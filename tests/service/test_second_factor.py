"""Signing in with a second factor: shown, added, demanded, stepped up to, and never skipped."""

from base64 import b32decode

import pytest

from shared.identity.passwords import hash_password
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, ACR_PASSWORD
from tests.authorization import (
    LOCAL_ISSUER,
    AuthorizationService,
    Page,
    is_consent,
    is_login,
    serve_authorization,
)
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.second_factors import (
    accepts_a_code_again,
    asks_for_a_password_alone,
    forgets_the_epoch,
    keeps_recovery_codes,
    never_steps_up,
)
from tests.second_factors import (
    A_NEW_APP,
    RECOVERY_CODES,
    WRONG,
    a_user_with_an_app,
    add,
    code,
    is_addition,
    is_second_factor,
    onward,
    recovery_codes_of,
    show,
    shown_secret_of,
)

ESSENTIAL = '{"id_token": {"acr": {"essential": true, "values": ["urn:ostiary:acr:mfa"]}}}'


async def authentication_of(op: AuthorizationService, page: Page) -> tuple[str, tuple[str, ...]]:
    """`acr` and `amr` of the code in a response."""
    authentication = (await op.code(page)).authorization.authentication
    return authentication.acr, authentication.amr


WITH_BOTH = (ACR_MULTIPLE_FACTORS, ("mfa", "otp", "pwd"))


@planted(asks_for_a_password_alone)
async def test_a_user_with_an_app_shows_its_code(op: AuthorizationService) -> None:
    """After the password, once; the tokens say so, and the session goes on without."""
    client, browser = await op.client(skip_consent=True), op.browser()
    user = await a_user_with_an_app(op)
    page = await browser.log_in(await browser.authorize(client), user)
    assert is_second_factor(page)
    assert browser.cookie("session") is None
    wrong = await show(browser, page, code=WRONG)
    assert wrong.status == 400
    assert is_second_factor(wrong)
    assert browser.cookie("session") is None
    assert await authentication_of(op, await show(browser, wrong, code=code())) == WITH_BOTH
    assert await authentication_of(op, await browser.authorize(client)) == WITH_BOTH


async def test_a_user_without_is_asked_for_nothing_more(op: AuthorizationService) -> None:
    """Unless a deployment or a client demands it."""
    client, browser = await op.client(skip_consent=True), op.browser()
    page = await browser.sign_in(client, await op.user())
    assert await authentication_of(op, page) == (ACR_PASSWORD, ("pwd",))


@planted(accepts_a_code_again)
async def test_a_code_works_once(op: AuthorizationService) -> None:
    """Whoever looks over a shoulder is late, in another browser and at another process."""
    client, user = await op.client(skip_consent=True), await a_user_with_an_app(op)
    typed, first, second = code(), op.browser(), op.browser()
    one = await first.log_in(await first.authorize(client), user)
    two = await second.log_in(await second.authorize(client), user)
    assert (await show(first, one, code=typed)).is_at_client
    assert (await show(second, two, code=typed)).status == 400
    assert (await show(second, two, code=code(later=1))).is_at_client


@planted(keeps_recovery_codes)
async def test_a_recovery_code_works_once(op: AuthorizationService) -> None:
    """However it is typed; it is a one-time password like any other (NIST SP 800-63B-4 §3.1.2)."""
    client, user = await op.client(skip_consent=True), await a_user_with_an_app(op)
    for typed, works in (
        ("", False),
        ("xxxx-xxxx-xxxx-xxxx", False),
        (RECOVERY_CODES[0].upper().replace("-", " "), True),
        (RECOVERY_CODES[0], False),
        (RECOVERY_CODES[1], True),
    ):
        browser = op.browser()
        page = await browser.log_in(await browser.authorize(client), user)
        page = await show(browser, page, recovery_code=typed)
        assert page.is_at_client == works, typed
        if works:
            assert await authentication_of(op, page) == WITH_BOTH


async def test_everybody_adds_an_app_where_it_is_required(demanding_op: AuthorizationService) -> None:
    """The secret stays while the page is open; the recovery codes show once; then the app is asked for."""
    op = demanding_op
    client, browser, user = await op.client(skip_consent=True), op.browser(), await op.user()
    page = await browser.log_in(await browser.authorize(client), user)
    assert is_addition(page)
    assert "qr-code" in page.text
    secret = shown_secret_of(page)
    wrong = await add(browser, page, WRONG)
    assert wrong.status == 400
    assert shown_secret_of(wrong) == secret
    added = await add(browser, wrong, code(b32decode(secret)))
    codes = recovery_codes_of(added)
    assert len(set(codes)) == 10
    assert added.headers["Cache-Control"] == "no-store"
    assert await authentication_of(op, await browser.get(onward(added))) == WITH_BOTH
    other = op.browser()
    page = await other.log_in(await other.authorize(client), user)
    assert is_second_factor(page)
    assert secret not in page.text
    assert (await show(other, page, recovery_code=codes[3])).is_at_client


async def test_one_of_two_windows_adds_the_app(demanding_op: AuthorizationService) -> None:
    """The other one then asks for the code of the first."""
    op = demanding_op
    client, user = await op.client(skip_consent=True), await op.user()
    first, second = op.browser(), op.browser()
    one = await first.log_in(await first.authorize(client), user)
    two = await second.log_in(await second.authorize(client), user)
    assert recovery_codes_of(await add(first, one, code(b32decode(shown_secret_of(one)))))
    late = await add(second, two, code(b32decode(shown_secret_of(two))))
    assert recovery_codes_of(late) == []
    assert is_login(late)
    assert is_second_factor(await second.log_in(late, user))


async def test_a_session_of_a_password_is_not_enough_where_both_are_required(
    op: AuthorizationService, demanding_op: AuthorizationService
) -> None:
    """One that began before the setting changed: who has an app shows it, others sign in and add one."""
    client = await op.client(skip_consent=True)
    for has_app in (True, False):
        browser, user = op.browser(), await op.user()
        assert (await browser.sign_in(client, user)).is_at_client
        if has_app:
            await demanding_op.world.stores.second_factors.add(user.user_id, A_NEW_APP)
        later = demanding_op.browser()
        later.http.cookie_jar.update_cookies({c.key: c.value for c in browser.http.cookie_jar})
        page = await later.authorize(client)
        assert is_second_factor(page) if has_app else is_login(page)


@planted(never_steps_up)
@pytest.mark.point("SU2")
async def test_a_session_steps_up_without_its_password(op: AuthorizationService) -> None:
    """RFC 9470: what the session has is not asked for again; `sid` and the age of the password stay."""
    client, browser, user = await op.client(skip_consent=True), op.browser(), await op.user()
    before = (await op.code(await browser.sign_in(client, user))).authorization
    await op.world.stores.second_factors.add(user.user_id, A_NEW_APP)
    for parameters in ({"claims": ESSENTIAL}, {"acr_values": ACR_MULTIPLE_FACTORS}):
        silent = await browser.authorize(client, prompt="none", **parameters)
        assert silent.answer.get("error") == ("login_required" if "claims" in parameters else None)
        page = await browser.authorize(client, **parameters)
        assert is_second_factor(page)
    after = (await op.code(await show(browser, page, code=code()))).authorization
    assert (after.authentication.acr, after.authentication.amr) == WITH_BOTH
    assert after.sid == before.sid
    assert after.authentication.auth_time == before.authentication.auth_time
    again = await browser.authorize(client, claims=ESSENTIAL)
    assert await authentication_of(op, again) == WITH_BOTH


async def test_the_stronger_session_satisfies_the_weaker_class(op: AuthorizationService) -> None:
    """Core 1.0 §5.5.1.1: the `acr` is then the one that was asked for; `amr` tells the rest."""
    client, browser, user = await op.client(skip_consent=True), op.browser(), await a_user_with_an_app(op)
    page = await browser.log_in(await browser.authorize(client), user)
    assert (await show(browser, page, code=code())).is_at_client
    claims = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:pwd"}}}'
    page = await browser.authorize(client, claims=claims)
    assert await authentication_of(op, page) == (ACR_PASSWORD, ("mfa", "otp", "pwd"))


async def test_a_client_that_demands_it_lets_users_add_an_app(op: AuthorizationService) -> None:
    """After a fresh password, never in an old session; a voluntary wish demands nothing."""
    client, browser, user = await op.client(skip_consent=True), op.browser(), await op.user()
    await browser.sign_in(client, user)
    wished = await browser.authorize(client, acr_values=ACR_MULTIPLE_FACTORS)
    assert await authentication_of(op, wished) == (ACR_PASSWORD, ("pwd",))
    page = await browser.authorize(client, claims=ESSENTIAL)
    assert is_login(page)
    page = await browser.log_in(page, user)
    assert is_addition(page)
    added = await add(browser, page, code(b32decode(shown_secret_of(page))))
    assert await authentication_of(op, await browser.get(onward(added))) == WITH_BOTH


@planted(forgets_the_epoch)
@pytest.mark.parametrize("change", ["password", "disabled"])
async def test_what_changes_between_the_factors_ends_the_sign_in(
    op: AuthorizationService, change: str
) -> None:
    """A second factor does not complete a password that is no longer right."""
    client, browser, user = await op.client(skip_consent=True), op.browser(), await a_user_with_an_app(op)
    page = await browser.log_in(await browser.authorize(client), user)
    if change == "password":
        await op.world.stores.credentials.set_password(user.user_id, hash_password("another one of hers"))
    else:
        await op.world.stores.users.disable(user.user_id)
        await op.world.stores.users.enable(user.user_id)
    assert is_login(await show(browser, page, code=code()))
    assert browser.cookie("session") is None


async def test_consent_comes_after_the_second_factor(op: AuthorizationService) -> None:
    """Nobody agrees to anything with half a sign-in."""
    client, browser, user = await op.client(), op.browser(), await a_user_with_an_app(op)
    page = await browser.log_in(await browser.authorize(client), user)
    assert is_second_factor(page)
    assert is_consent(await show(browser, page, code=code()))


async def test_codes_are_limited(module_database_url: str, module_redis_url: str) -> None:
    """After a few wrong ones even the right one waits, in any browser."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER)
    async with open_world(settings) as world, serve_authorization(settings, world) as op:
        client, user = await op.client(skip_consent=True), await a_user_with_an_app(op)
        browser = op.browser()
        page = await browser.log_in(await browser.authorize(client), user)
        statuses = [(await show(browser, page, code=WRONG)).status for _ in range(6)]
        assert statuses == [400] * 5 + [429]
        other = op.browser()
        page = await other.log_in(await other.authorize(client), user)
        waits = await show(other, page, code=code())
        assert waits.status == 429
        assert int(waits.headers["Retry-After"]) > 0


async def test_where_it_is_off_nobody_is_asked(module_database_url: str, module_redis_url: str) -> None:
    """The class is not announced, and who demands it is refused at once."""
    settings = settings_for(
        module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off", second_factor="off"
    )
    async with open_world(settings) as world, serve_authorization(settings, world) as op:
        client, user = await op.client(skip_consent=True), await a_user_with_an_app(op)
        page = await op.browser().sign_in(client, user)
        assert await authentication_of(op, page) == (ACR_PASSWORD, ("pwd",))
        refused = await op.browser().authorize(client, claims=ESSENTIAL)
        assert refused.answer["error"] == "unmet_authentication_requirements"

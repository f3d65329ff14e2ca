"""A passkey after a password: offered where a second factor is asked for, and never another person's."""

import pytest

from shared.identity.passwords import hash_password
from shared.model import User
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, ACR_PHISHING_RESISTANT
from tests.authenticator import Authenticator, Flags
from tests.authorization import AuthorizationService, Browser, Page, is_login
from tests.passkeys import ORIGIN, a_user_with_a_passkey, add_passkey, handle_of, options_of, sign_in
from tests.planted import planted
from tests.planted.passkeys import (
    binds_challenges_to_no_user,
    offers_what_is_not_enough,
    takes_the_users_word,
)
from tests.planted.second_factors import forgets_the_epoch
from tests.second_factors import a_user_with_an_app, code, show

ESSENTIAL = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'
RESISTANT = '{"id_token": {"acr": {"essential": true, "value": "phr"}}}'


async def asked(op: AuthorizationService, browser: Browser, user: User, claims: str = ESSENTIAL) -> Page:
    """From a request that demands more than a password, to the page after the password."""
    page = await browser.authorize(await op.client(skip_consent=True), claims=claims)
    return await browser.log_in(page, user)


def asks_for_a_passkey(page: Page) -> bool:
    return 'id="passkey-login"' in page.text and 'id="login-submit"' not in page.text


def asks_for_a_code(page: Page) -> bool:
    return 'id="totp-submit"' in page.text


async def use(browser: Browser, page: Page, authenticator: Authenticator, handle: str | None) -> Page:
    """Use a passkey on the page of the second factor."""
    return await show(browser, page, passkey=authenticator.get(options_of(page), handle))


@pytest.mark.parametrize("names_the_user", [True, False])
async def test_a_passkey_follows_a_password(op: AuthorizationService, names_the_user: bool) -> None:
    """Of its user alone. An authenticator that was told which passkeys to use need not name the user."""
    user, authenticator = await a_user_with_a_passkey(op)
    browser = op.browser()
    page = await asked(op, browser, user)
    assert asks_for_a_passkey(page)
    assert not asks_for_a_code(page)
    assert browser.cookie("session") is None
    assert len(options_of(page)["allowCredentials"]) == 1
    page = await use(browser, page, authenticator, handle_of(user) if names_the_user else None)
    authentication = (await op.code(page)).authorization.authentication
    assert (authentication.acr, authentication.amr) == (ACR_MULTIPLE_FACTORS, ("mfa", "pwd", "swk", "user"))


async def test_a_key_without_a_pin_is_enough_after_a_password(op: AuthorizationService) -> None:
    """A key that one has, and a password that one knows."""
    user, authenticator = await a_user_with_a_passkey(op, flags=Flags.PRESENT)
    browser = op.browser()
    page = await use(browser, await asked(op, browser, user), authenticator, None)
    assert (await op.code(page)).authorization.authentication.amr == ("hwk", "mfa", "pwd")


async def test_a_password_alone_is_enough_where_nothing_is_demanded(op: AuthorizationService) -> None:
    """A passkey that was lost does not keep its user out."""
    user, _ = await a_user_with_a_passkey(op)
    page = await op.browser().sign_in(await op.client(skip_consent=True), user)
    assert (await op.code(page)).authorization.authentication.amr == ("pwd",)


async def test_a_user_with_both_chooses(op: AuthorizationService) -> None:
    """At each sign-in by password, as an authenticator app demands."""
    client, user = await op.client(skip_consent=True), await a_user_with_an_app(op)
    await add_passkey(op.world, user, authenticator := Authenticator(ORIGIN))
    for chosen, amr in (
        ("code", ("mfa", "otp", "pwd")),
        ("passkey", ("mfa", "pwd", "swk", "user")),
    ):
        browser = op.browser()
        page = await browser.log_in(await browser.authorize(client), user)
        assert asks_for_a_passkey(page)
        assert asks_for_a_code(page)
        if chosen == "code":
            page = await show(browser, page, code=code())
        else:
            page = await use(browser, page, authenticator, None)
        assert (await op.code(page)).authorization.authentication.amr == amr


@planted(offers_what_is_not_enough)
async def test_only_what_reaches_the_demand_counts(op: AuthorizationService) -> None:
    """A request that demands resistance to phishing is asked for a passkey, and a code leads nowhere."""
    user = await a_user_with_an_app(op)
    await add_passkey(op.world, user, authenticator := Authenticator(ORIGIN))
    browser = op.browser()
    page = await asked(op, browser, user, RESISTANT)
    assert asks_for_a_passkey(page)
    assert not asks_for_a_code(page)
    again = await show(browser, page, code=code())
    assert asks_for_a_passkey(again)
    assert browser.cookie("session") is None
    page = await use(browser, again, authenticator, None)
    assert (await op.code(page)).authorization.authentication.acr == ACR_PHISHING_RESISTANT


async def test_a_session_steps_up_by_a_passkey(op: AuthorizationService) -> None:
    """RFC 9470: the password is not asked for again."""
    client, (user, authenticator) = await op.client(skip_consent=True), await a_user_with_a_passkey(op)
    browser = op.browser()
    before = (await op.code(await browser.sign_in(client, user))).authorization
    page = await browser.authorize(client, claims=ESSENTIAL)
    assert asks_for_a_passkey(page)
    after = (await op.code(await use(browser, page, authenticator, None))).authorization
    assert after.sid == before.sid
    assert after.authentication.acr == ACR_MULTIPLE_FACTORS


@planted(takes_the_users_word)
async def test_a_passkey_of_another_user_is_refused(op: AuthorizationService) -> None:
    """W9: whoever knows a password cannot complete it with a passkey of their own, whatever that one says."""
    (user, _), (other, theirs) = await a_user_with_a_passkey(op), await a_user_with_a_passkey(op)
    browser = op.browser()
    page = await asked(op, browser, user)
    for handle in (handle_of(other), handle_of(user), None):
        refused = await use(browser, page, theirs, handle)
        assert refused.status == 400
        assert "That passkey was not accepted" in refused.text
        assert browser.cookie("session") is None


@planted(binds_challenges_to_no_user)
async def test_a_challenge_of_the_login_page_completes_nothing(op: AuthorizationService) -> None:
    """W11: each challenge is for one step. Started as anybody, it is not finished as this user."""
    user, authenticator = await a_user_with_a_passkey(op)
    browser = op.browser()
    login = await browser.authorize(await op.client(skip_consent=True), claims=ESSENTIAL)
    page = await browser.log_in(login, user)
    result = authenticator.get(options_of(login), handle_of(user))
    assert (await show(browser, page, passkey=result)).status == 400


async def test_a_passkey_that_was_removed_meanwhile_is_refused(op: AuthorizationService) -> None:
    """Its user then signs in again, and is asked for what they have."""
    user, authenticator = await op.user(), Authenticator(ORIGIN)
    credential = await add_passkey(op.world, user, authenticator)
    browser = op.browser()
    page = await asked(op, browser, user)
    await op.world.stores.credentials.remove(user.user_id, credential.credential_id)
    assert (await use(browser, page, authenticator, None)).status == 400


@planted(forgets_the_epoch)
@pytest.mark.parametrize("change", ["password", "disabled"])
async def test_what_changes_between_the_factors_ends_the_sign_in(
    op: AuthorizationService, change: str
) -> None:
    """A passkey does not complete a password that is no longer right."""
    user, authenticator = await a_user_with_a_passkey(op)
    browser = op.browser()
    page = await asked(op, browser, user)
    if change == "password":
        await op.world.stores.credentials.set_password(user.user_id, hash_password("another one of hers"))
    else:
        await op.world.stores.users.disable(user.user_id)
        await op.world.stores.users.enable(user.user_id)
    assert is_login(await use(browser, page, authenticator, None))
    assert browser.cookie("session") is None


async def test_a_sign_in_by_passkey_is_not_asked_for_another(op: AuthorizationService) -> None:
    """It has shown both already."""
    user, authenticator = await a_user_with_a_passkey(op)
    page = await sign_in(
        op.browser(), await op.client(skip_consent=True), user, authenticator, claims=ESSENTIAL
    )
    assert page.is_at_client

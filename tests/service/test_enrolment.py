"""Adding a second factor to sign in: an app or a passkey, for a deployment, a group or a client."""

import json
import re
from base64 import b32decode
from html import unescape
from typing import Any

import pytest

from shared.model import User
from shared.oauth.authentication_methods import (
    ACR_MULTIPLE_FACTORS,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
)
from shared.paths import ADD_SECOND_FACTOR
from shared.store import PASSKEY
from tests.authenticator import USUAL, Authenticator, Flags
from tests.authorization import AuthorizationService, Browser, Page, is_login
from tests.passkeys import ORIGIN, add_passkey, handle_of, options_of
from tests.planted import planted
from tests.planted.second_factors import asks_nobody_for_a_group, enrols_beside_others
from tests.second_factors import (
    add,
    code,
    is_addition,
    is_second_factor,
    onward,
    recovery_codes_of,
    show,
    shown_secret_of,
)

PHISHING_RESISTANT = '{"id_token": {"acr": {"essential": true, "values": ["phr"]}}}'


async def a_member(op: AuthorizationService) -> User:
    """A user in a group that is in one that requires a second factor."""
    user, groups = await op.user(), op.world.stores.groups
    staff, team = f"staff {user.username}", f"team {user.username}"
    await groups.add(staff, requires_second_factor=True)
    await groups.add(team)
    above = await groups.find(staff)
    assert above
    await groups.nest(above, team)
    await groups.join(team, user.user_id)
    return user


async def at_addition(op: AuthorizationService, browser: Browser, user: User, **parameters: str) -> Page:
    """Signed in by password, where a second factor is missing."""
    client = await op.client(skip_consent=True)
    return await browser.log_in(await browser.authorize(client, **parameters), user)


def creation_of(page: Page) -> dict[str, Any]:
    """What the page asks the browser."""
    found = re.search(r'data-passkey="create" data-options="([^"]*)"', page.text)
    assert found
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


async def enrol(
    browser: Browser, page: Page, authenticator: Authenticator, options: Page | None = None
) -> Page:
    """Make a passkey, and send it with the form of *page*."""
    result = authenticator.create(creation_of(options or page))
    return await browser.post(ADD_SECOND_FACTOR.path, {**page.hidden, "passkey": result})


async def authentication_of(op: AuthorizationService, page: Page) -> tuple[str, tuple[str, ...]]:
    authentication = (await op.code(page)).authorization.authentication
    return authentication.acr, authentication.amr


@pytest.mark.parametrize(
    ("flags", "amr"),
    [
        (USUAL, ("mfa", "pwd", "swk", "user")),
        (Flags.PRESENT, ("hwk", "mfa", "pwd")),
    ],
)
async def test_a_passkey_is_added_at_sign_in(
    demanding_op: AuthorizationService, flags: Flags, amr: tuple[str, ...]
) -> None:
    """It counts at once, recovery codes come with it, and the next sign-in asks for it."""
    op, user, authenticator = demanding_op, await demanding_op.user(), Authenticator(ORIGIN, flags=flags)
    browser = op.browser()
    page = await at_addition(op, browser, user)
    assert is_addition(page)
    assert creation_of(page)["user"]["id"] == handle_of(user)
    added = await enrol(browser, page, authenticator)
    codes = recovery_codes_of(added)
    assert len(set(codes)) == 10
    assert added.headers["Cache-Control"] == "no-store"
    assert await authentication_of(op, await browser.get(onward(added))) == (ACR_PHISHING_RESISTANT, amr)
    other = op.browser()
    page = await at_addition(op, other, user)
    assert 'id="passkey-login"' in page.text
    assert not is_addition(page)
    page = await show(other, page, passkey=authenticator.get(options_of(page), handle_of(user)))
    assert page.is_at_client


async def test_a_recovery_code_stands_in_for_a_passkey(demanding_op: AuthorizationService) -> None:
    """After the password, once."""
    op, user, browser = demanding_op, await demanding_op.user(), demanding_op.browser()
    codes = recovery_codes_of(
        await enrol(browser, await at_addition(op, browser, user), Authenticator(ORIGIN))
    )
    for typed, works in ((codes[0], True), (codes[0], False), (codes[1], True)):
        other = op.browser()
        page = await show(other, await at_addition(op, other, user), recovery_code=typed)
        assert page.is_at_client == works
        if works:
            assert await authentication_of(op, page) == (ACR_MULTIPLE_FACTORS, ("mfa", "otp", "pwd"))


@planted(enrols_beside_others)
@pytest.mark.parametrize(
    ("first", "second"), [("app", "passkey"), ("passkey", "app"), ("passkey", "passkey")]
)
async def test_one_of_two_windows_enrols(demanding_op: AuthorizationService, first: str, second: str) -> None:
    """The other one asks for what the first has added: a page that was open before adds nothing to it."""
    op, user = demanding_op, await demanding_op.user()
    browsers = op.browser(), op.browser()
    pages = [await at_addition(op, browser, user) for browser in browsers]
    answers = [
        await enrol(browser, page, Authenticator(ORIGIN))
        if kind == "passkey"
        else await add(browser, page, code(b32decode(shown_secret_of(page))))
        for browser, page, kind in zip(browsers, pages, (first, second), strict=True)
    ]
    assert recovery_codes_of(answers[0])
    assert recovery_codes_of(answers[1]) == []
    assert is_login(answers[1])
    kinds = [each.kind for each in await op.world.stores.credentials.of_user(user.user_id)]
    assert sorted(kinds) == sorted(["password", "recovery", "totp" if first == "app" else "passkey"])


async def test_a_challenge_of_another_window_enrols_nothing(demanding_op: AuthorizationService) -> None:
    """Nor one of another user, or that was used."""
    op, user, browser = demanding_op, await demanding_op.user(), demanding_op.browser()
    page, other = await at_addition(op, browser, user), await at_addition(op, browser, user)
    theirs = await at_addition(op, op.browser(), await op.user())
    for options in (other, theirs):
        refused = await enrol(browser, page, Authenticator(ORIGIN), options)
        assert refused.status == 400
        assert is_addition(refused)
    assert browser.cookie("session") is None
    stored = await op.world.stores.credentials.of_user(user.user_id)
    assert PASSKEY not in [each.kind for each in stored]


async def test_a_client_that_demands_a_passkey_lets_users_add_one(op: AuthorizationService) -> None:
    """Only what is enough is offered."""
    user, browser = await op.user(), op.browser()
    page = await at_addition(op, browser, user, claims=PHISHING_RESISTANT)
    assert not is_addition(page)
    refused = await browser.post(ADD_SECOND_FACTOR.path, {**page.hidden, "code": code()})
    assert recovery_codes_of(refused) == []
    added = await enrol(browser, page, Authenticator(ORIGIN))
    acr, amr = await authentication_of(op, await browser.get(onward(added)))
    assert (acr, "swk" in amr) == (ACR_PHISHING_RESISTANT, True)


@planted(asks_nobody_for_a_group)
async def test_members_of_a_group_add_a_second_factor(op: AuthorizationService) -> None:
    """Others sign in with a password alone."""
    member, other, browser = await a_member(op), await op.user(), op.browser()
    page = await at_addition(op, browser, member)
    assert is_addition(page)
    assert browser.cookie("session") is None
    added = await add(browser, page, code(b32decode(shown_secret_of(page))))
    acr, _ = await authentication_of(op, await browser.get(onward(added)))
    assert acr == ACR_MULTIPLE_FACTORS
    page = await at_addition(op, op.browser(), other)
    assert await authentication_of(op, page) == (ACR_PASSWORD, ("pwd",))


@planted(asks_nobody_for_a_group)
@pytest.mark.parametrize("has_passkey", [True, False])
async def test_a_session_that_is_older_than_the_demand_is_not_enough(
    op: AuthorizationService, has_passkey: bool
) -> None:
    """Whoever joins such a group shows a second factor at once, or signs in again and adds one."""
    user, browser = await op.user(), op.browser()
    client = await op.client(skip_consent=True)
    assert (await browser.sign_in(client, user)).is_at_client
    if has_passkey:
        await add_passkey(op.world, user, Authenticator(ORIGIN))
    group = f"ops {user.username}"
    await op.world.stores.groups.add(group)
    await op.world.stores.groups.join(group, user.user_id)
    assert (await browser.authorize(client)).is_at_client
    stored = await op.world.stores.groups.find(group)
    assert stored
    await op.world.stores.groups.replace(stored, group, (), requires_second_factor=True)
    page = await browser.authorize(client)
    assert 'id="passkey-login"' in page.text if has_passkey else is_login(page)
    assert (await browser.authorize(client, prompt="none")).answer["error"] == "login_required"


async def test_no_browser_of_a_member_is_remembered(op: AuthorizationService) -> None:
    """Where a second factor is demanded, nobody chooses to do without."""
    user = await a_member(op)
    first = op.browser()
    page = await at_addition(op, first, user)
    secret = b32decode(shown_secret_of(page))
    await add(first, page, code(secret))
    second = op.browser()
    page = await at_addition(op, second, user)
    assert is_second_factor(page)
    assert 'id="remember"' not in page.text
    assert (await show(second, page, code=code(secret, later=1), remember="yes")).is_at_client
    second.http.cookie_jar.clear(lambda cookie: "session" in cookie.key)
    assert is_second_factor(await at_addition(op, second, user))

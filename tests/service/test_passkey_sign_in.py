"""Signing in with a passkey: the user it names, what the session then says, and what is never accepted."""

import json

import pytest

from shared.live import clock
from shared.paths import LOGIN
from tests.authenticator import USUAL, Authenticator, Flags
from tests.authorization import AuthorizationService
from tests.passkeys import ORIGIN, a_user_with_a_passkey, add_passkey, handle_of, options_of, send, sign_in
from tests.planted import planted
from tests.planted.passkeys import (
    accepts_a_challenge_again,
    accepts_an_unverified_user,
    binds_challenges_to_no_browser,
    takes_the_users_word,
)
from tests.second_factors import a_user_with_an_app

SYNCED = Flags.PRESENT | Flags.SYNCED
MULTIPLE_FACTORS = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'


async def test_a_passkey_signs_its_user_in(op: AuthorizationService) -> None:
    """Nobody types a name. The tokens say that the sign-in resists phishing, and by which methods."""
    client = await op.client(skip_consent=True)
    user, authenticator = await a_user_with_a_passkey(op)
    code = await op.code(await sign_in(op.browser(), client, user, authenticator))
    assert code.authorization.user_id == user.user_id
    authentication = code.authorization.authentication
    assert (authentication.acr, authentication.amr) == ("phr", ("mfa", "swk", "user"))


async def test_a_key_without_a_pin_is_one_factor(op: AuthorizationService) -> None:
    """W14: a device-bound key that has verified nobody is `hwk` alone."""
    client, (user, authenticator) = (
        await op.client(skip_consent=True),
        await a_user_with_a_passkey(op, flags=Flags.PRESENT),
    )
    code = await op.code(await sign_in(op.browser(), client, user, authenticator))
    assert code.authorization.authentication.amr == ("hwk",)


@planted(accepts_an_unverified_user)
async def test_one_factor_is_not_enough_where_two_are_needed(op: AuthorizationService) -> None:
    """Neither for a request that demands several, nor for a user who shows an authenticator app."""
    client, (user, key) = (
        await op.client(skip_consent=True),
        await a_user_with_a_passkey(op, flags=Flags.PRESENT),
    )
    page = await sign_in(op.browser(), client, user, key, claims=MULTIPLE_FACTORS)
    assert page.status == 400
    assert "Sign in with your password" in page.text
    with_app = await a_user_with_an_app(op)
    await add_passkey(op.world, with_app, another := Authenticator(ORIGIN, flags=Flags.PRESENT))
    assert (await sign_in(op.browser(), client, with_app, another)).status == 400


async def test_a_verified_passkey_is_two_factors(op: AuthorizationService) -> None:
    """It is enough for a request that demands several, also for a user who has an authenticator app."""
    client, user = await op.client(skip_consent=True), await a_user_with_an_app(op)
    await add_passkey(op.world, user, authenticator := Authenticator(ORIGIN))
    page = await sign_in(op.browser(), client, user, authenticator, claims=MULTIPLE_FACTORS)
    assert (await op.code(page)).authorization.authentication.acr == "urn:ostiary:acr:mfa"


async def test_the_login_page_names_nobody(op: AuthorizationService) -> None:
    """No passkey is listed, also where the request names a user; each page has a challenge of its own."""
    client = await op.client(skip_consent=True)
    user, _ = await a_user_with_a_passkey(op)
    browser = op.browser()
    first, second = [options_of(await browser.authorize(client, login_hint=user.username)) for _ in range(2)]
    assert first["allowCredentials"] == []
    assert first["challenge"] != second["challenge"]


@planted(takes_the_users_word)
async def test_a_passkey_of_another_user_is_refused(op: AuthorizationService) -> None:
    """W8: the user handle is the passkey's own, and there must be one."""
    client = await op.client(skip_consent=True)
    _, authenticator = await a_user_with_a_passkey(op)
    another, _ = await a_user_with_a_passkey(op)
    page = await sign_in(op.browser(), client, another, authenticator)
    assert page.status == 400
    browser = op.browser()
    page = await browser.authorize(client)
    assert (await send(browser, page, authenticator.get(options_of(page), None))).status == 400


@planted(binds_challenges_to_no_browser)
async def test_a_challenge_of_another_browser_is_refused(op: AuthorizationService) -> None:
    """W11: what one browser was asked does not sign another one in."""
    client = await op.client(skip_consent=True)
    user, authenticator = await a_user_with_a_passkey(op)
    theirs, mine = op.browser(), op.browser()
    asked, page = await theirs.authorize(client), await mine.authorize(client)
    answer = await send(mine, page, authenticator.get(options_of(asked), handle_of(user)))
    assert answer.status == 400


@planted(accepts_a_challenge_again)
async def test_a_challenge_counts_once(op: AuthorizationService) -> None:
    """W11: the result of a ceremony that is sent again does not sign in again."""
    client = await op.client(skip_consent=True)
    user, authenticator = await a_user_with_a_passkey(op)
    browser = op.browser()
    page = await browser.authorize(client, prompt="login")
    result = authenticator.get(options_of(page), handle_of(user))
    await browser.request("POST", LOGIN.path, data={**page.hidden, "passkey": result})
    again = await browser.request("POST", LOGIN.path, data={**page.hidden, "passkey": result})
    assert again.status == 400


async def test_a_disabled_user_is_refused(op: AuthorizationService) -> None:
    """In the same words as an unknown passkey."""
    client = await op.client(skip_consent=True)
    user, authenticator = await a_user_with_a_passkey(op)
    await op.world.stores.users.disable(user.user_id)
    disabled = await sign_in(op.browser(), client, user, authenticator)
    unknown = await sign_in(op.browser(), client, user, Authenticator(ORIGIN))
    assert disabled.status == unknown.status == 400
    assert "That passkey was not accepted" in disabled.text
    assert "That passkey was not accepted" in unknown.text


async def test_a_counter_that_does_not_grow_is_audited(op: AuthorizationService) -> None:
    """W10: the user is signed in, and the audit log says that there may be a copy of the key."""
    client, (user, authenticator) = (
        await op.client(skip_consent=True),
        await a_user_with_a_passkey(op, count=7),
    )
    await op.code(await sign_in(op.browser(), client, user, authenticator.but(count=7)))
    rows = await op.world.database.rows(
        "SELECT event FROM audit WHERE user_id = $1 AND event = 'passkey_counter_not_grown'", user.user_id
    )
    assert len(rows) == 1


async def test_what_a_use_says_is_kept(op: AuthorizationService) -> None:
    """The counter, the backup state, that the user was verified, and when it was used last."""
    client, (user, key) = (
        await op.client(skip_consent=True),
        await a_user_with_a_passkey(op, flags=Flags.PRESENT | Flags.SYNCED),
    )
    await op.code(await sign_in(op.browser(), client, user, key.but(flags=USUAL, count=3)))
    stored = await op.world.stores.credentials.of_user(user.user_id)
    passkey = next(each for each in stored if each.kind == "passkey")
    assert (passkey.data["sign_count"], passkey.data["backed_up"], passkey.data["user_verified"]) == (
        3,
        True,
        True,
    )
    assert passkey.last_used_at is not None
    assert abs((clock.now() - passkey.last_used_at).total_seconds()) < 60


@pytest.mark.parametrize("result", ["", "{}", "[1]", json.dumps({"id": "x", "response": {}}), "\ud800"])
async def test_anything_else_is_refused(op: AuthorizationService, result: str) -> None:
    """W13: never a fault of ours."""
    client, browser = await op.client(skip_consent=True), op.browser()
    page = await browser.authorize(client)
    fields = {**page.hidden, "passkey": result.encode("utf-8", "replace").decode()}
    assert (await browser.post(LOGIN.path, fields)).status == 400

"""The account's page of passkeys: adding one, removing one, and what is never accepted."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from shared.codec.base64url import base64url
from shared.model import User
from shared.paths import ACCOUNT, ACCOUNT_PASSKEYS, ACCOUNT_SECOND_FACTOR, LOGIN
from shared.store import PASSKEY
from tests.accounts import form_with, grow_old, send, serve_accounts, sign_in, visit
from tests.authenticator import USUAL, Authenticator, Flags
from tests.authorization import LOCAL_ISSUER, AuthorizationService, Browser, Page
from tests.deployment import open_world, settings_for
from tests.passkeys import ORIGIN, a_user_with_a_passkey, add_passkey, handle_of, options_of
from tests.planted import planted
from tests.planted.passkeys import (
    accepts_a_challenge_again,
    binds_challenges_to_no_browser,
    counts_what_nobody_was_asked_for,
    lets_the_browser_forget,
    offers_a_passkey_at_any_time,
    registers_an_id_twice,
    removes_a_needed_one,
    removes_anybodys_passkey,
    removes_the_only_way_in,
    takes_every_challenge_for_conditional,
)
from tests.second_factors import A_NEW_APP, recovery_codes_of, show

MULTIPLE_FACTORS = '{"id_token": {"acr": {"essential": true, "value": "urn:ostiary:acr:mfa"}}}'


@pytest_asyncio.fixture(scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """The authorization and accounts services."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off")
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


def data_of(page: Page, attribute: str) -> dict[str, Any]:
    """The JSON of an attribute of the page."""
    found = re.search(rf'{attribute}="([^"]*)"', page.text)
    assert found
    data: dict[str, Any] = json.loads(unescape(found[1]))
    return data


def creation_of(page: Page) -> dict[str, Any]:
    """What the page asks the browser."""
    return data_of(page, 'data-passkey="create" data-options')


async def add(browser: Browser, page: Page, authenticator: Authenticator, **more: str) -> Page:
    """Make a passkey and send it with the page's form."""
    fields = {**form_with(page, "account-passkey-add"), "passkey": authenticator.create(creation_of(page))}
    return await send(browser, ACCOUNT_PASSKEYS, {**fields, **more})


async def passkeys_of(accounts: AuthorizationService, user: User) -> list[dict[str, Any]]:
    stored = await accounts.world.stores.credentials.of_user(user.user_id)
    return [
        {**each.data, "credential_id": str(each.credential_id)} for each in stored if each.kind == PASSKEY
    ]


async def test_a_passkey_that_is_added_signs_in(accounts: AuthorizationService) -> None:
    """The overview counts it; in another browser it signs its user in without a password."""
    browser, user, authenticator = accounts.browser(), await accounts.user(), Authenticator(ORIGIN)
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    page = await add(browser, page, authenticator, name="My phone")
    assert page.status == 200
    assert "Your passkey has been added" in page.text
    assert "My phone" in page.text
    assert "One passkey" in (await visit(browser, ACCOUNT.path)).text
    another = accounts.browser()
    page = await visit(another, ACCOUNT.path)
    result = authenticator.get(options_of(page), handle_of(user))
    page = await send(another, LOGIN, {**form_with(page, "passkey-login"), "passkey": result})
    assert page.path == ACCOUNT.path
    assert user.username in page.text


async def test_the_options_name_the_user_and_what_exists(accounts: AuthorizationService) -> None:
    """The authenticator keeps the user's identifier; one that has a passkey already makes no other."""
    browser, user, authenticator = accounts.browser(), await accounts.user(), Authenticator(ORIGIN)
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    assert creation_of(page)["user"]["id"] == handle_of(user)
    page = await add(browser, page, authenticator)
    (excluded,) = creation_of(page)["excludeCredentials"]
    (stored,) = await passkeys_of(accounts, user)
    assert excluded["id"] == stored["id"]


@pytest.mark.parametrize(
    ("aaguid", "provider"),
    [
        ("00000000-0000-0000-0000-000000000000", None),
        ("01234567-89ab-cdef-0123-456789abcdef", None),
        ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password"),
    ],
)
async def test_any_authenticator_will_do(
    accounts: AuthorizationService, aaguid: str, provider: str | None
) -> None:
    """W15: the page names what keeps a passkey where that is known. It never decides anything."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    page = await add(browser, page, Authenticator(ORIGIN, aaguid=UUID(aaguid)), name="My key")
    assert page.status == 200
    assert "My key" in page.text
    assert ("1Password" in page.text) == (provider is not None)


@planted(registers_an_id_twice)
async def test_an_id_is_registered_once_for_anyone(accounts: AuthorizationService) -> None:
    """W5: neither for the same user nor for another one."""
    authenticator = Authenticator(ORIGIN)
    one, another = accounts.browser(), accounts.browser()
    page = await sign_in(one, await accounts.user(), ACCOUNT_PASSKEYS)
    assert (await add(one, page, authenticator)).status == 200
    user = await accounts.user()
    page = await add(another, await sign_in(another, user, ACCOUNT_PASSKEYS), authenticator)
    assert page.status == 400
    assert "registered already" in page.text
    assert await passkeys_of(accounts, user) == []


@planted(binds_challenges_to_no_browser)
async def test_a_challenge_of_another_session_or_ceremony_is_refused(accounts: AuthorizationService) -> None:
    """W11: of somebody else's page, or of a login page."""
    theirs, mine = accounts.browser(), accounts.browser()
    asked = await sign_in(theirs, await accounts.user(), ACCOUNT_PASSKEYS)
    user = await accounts.user()
    page = await sign_in(mine, user, ACCOUNT_PASSKEYS)
    login = options_of(await visit(accounts.browser(), ACCOUNT.path))
    for options in (creation_of(asked), login):
        fields = {**form_with(page, "account-passkey-add"), "passkey": Authenticator(ORIGIN).create(options)}
        assert (await send(mine, ACCOUNT_PASSKEYS, fields)).status == 400
    assert await passkeys_of(accounts, user) == []


@planted(accepts_a_challenge_again)
async def test_a_challenge_makes_one_passkey(accounts: AuthorizationService) -> None:
    """W11: another passkey for the same challenge is refused."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    assert (await add(browser, page, Authenticator(ORIGIN))).status == 200
    assert (await add(browser, page, Authenticator(ORIGIN))).status == 400
    assert len(await passkeys_of(accounts, user)) == 1


async def test_a_passkey_is_removed(accounts: AuthorizationService) -> None:
    """It no longer signs in."""
    browser, user, authenticator = accounts.browser(), await accounts.user(), Authenticator(ORIGIN)
    page = await add(browser, await sign_in(browser, user, ACCOUNT_PASSKEYS), authenticator)
    (stored,) = await passkeys_of(accounts, user)
    fields = {**form_with(page, 'name="remove"'), "remove": stored["credential_id"]}
    page = await send(browser, ACCOUNT_PASSKEYS, fields)
    assert "has been removed" in page.text
    another = accounts.browser()
    page = await visit(another, ACCOUNT.path)
    result = authenticator.get(options_of(page), handle_of(user))
    answer = await send(another, LOGIN, {**form_with(page, "passkey-login"), "passkey": result})
    assert answer.status == 400


@planted(removes_anybodys_passkey)
async def test_nobody_removes_the_passkey_of_another_user(accounts: AuthorizationService) -> None:
    """Nor a credential that is no passkey, or none at all."""
    browser, owner = accounts.browser(), await accounts.user()
    await add(browser, await sign_in(browser, owner, ACCOUNT_PASSKEYS), Authenticator(ORIGIN))
    (stored,) = await passkeys_of(accounts, owner)
    thief, user = accounts.browser(), await accounts.user()
    page = await sign_in(thief, user, ACCOUNT_PASSKEYS)
    fields = form_with(page, "account-passkey-add")
    (password,) = await accounts.world.stores.credentials.of_user(user.user_id)
    for credential_id in (stored["credential_id"], str(uuid4()), str(password.credential_id)):
        await send(thief, ACCOUNT_PASSKEYS, {**fields, "remove": credential_id})
    assert len(await passkeys_of(accounts, owner)) == 1
    assert await accounts.world.stores.credentials.of_user(user.user_id) == [password]


@planted(removes_the_only_way_in)
async def test_the_only_way_in_is_not_removed(accounts: AuthorizationService) -> None:
    """R3: without a password, the last passkey stays, and the page says why."""
    browser, user = accounts.browser(), await accounts.user()
    page = await add(browser, await sign_in(browser, user, ACCOUNT_PASSKEYS), Authenticator(ORIGIN))
    credentials = accounts.world.stores.credentials
    (password,) = [each for each in await credentials.of_user(user.user_id) if each.kind != PASSKEY]
    await credentials.remove(user.user_id, password.credential_id)
    (stored,) = await passkeys_of(accounts, user)
    fields = {**form_with(page, 'name="remove"'), "remove": stored["credential_id"]}
    page = await send(browser, ACCOUNT_PASSKEYS, fields)
    assert page.status == 400
    assert "only way to sign in" in page.text
    assert len(await passkeys_of(accounts, user)) == 1


@planted(removes_a_needed_one)
async def test_the_only_second_factor_of_who_needs_one_is_not_removed(accounts: AuthorizationService) -> None:
    """R3: a password would not be enough; the page says why."""
    browser, user, groups = accounts.browser(), await accounts.user(), accounts.world.stores.groups
    page = await add(browser, await sign_in(browser, user, ACCOUNT_PASSKEYS), Authenticator(ORIGIN))
    (stored,) = await passkeys_of(accounts, user)
    await groups.add(user.username, requires_second_factor=True)
    await groups.join(user.username, user.user_id)
    key = Authenticator(ORIGIN)
    await add_passkey(accounts.world, user, key)
    page = await visit(browser, ACCOUNT_PASSKEYS.path)
    await show(browser, page, passkey=key.get(options_of(page), handle_of(user)))
    page = await visit(browser, ACCOUNT_PASSKEYS.path)
    _, other = await passkeys_of(accounts, user)
    for passkey in (other, stored):
        fields = {**form_with(page, 'name="remove"'), "remove": passkey["credential_id"]}
        page = await send(browser, ACCOUNT_PASSKEYS, fields)
    assert page.status == 400
    assert "You need a second step" in page.text
    assert await passkeys_of(accounts, user) == [stored]


async def test_a_second_passkey_is_suggested_while_there_is_one(accounts: AuthorizationService) -> None:
    """R3: on both pages, and no longer when there are two."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    for is_suggested in (False, True, False):
        pages = await visit(browser, ACCOUNT_PASSKEYS.path), await visit(browser, ACCOUNT.path)
        assert {'id="second-passkey"' in each.text for each in pages} == {is_suggested}
        page = await add(browser, page, Authenticator(ORIGIN))


async def test_recovery_codes_are_offered_with_a_passkey(accounts: AuthorizationService) -> None:
    """R3: ten, shown once and counted; they go with the last passkey."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    assert "recovery-renew" not in page.text
    page = await add(browser, page, Authenticator(ORIGIN))
    assert "You have none." in page.text
    codes = recovery_codes_of(
        await send(browser, ACCOUNT_SECOND_FACTOR, {**form_with(page, "recovery-renew"), "act": "renew"})
    )
    assert len(set(codes)) == 10
    client, other = await accounts.client(skip_consent=True), accounts.browser()
    page = await other.log_in(await other.authorize(client, claims=MULTIPLE_FACTORS), user)
    assert (await show(other, page, recovery_code=codes[0])).is_at_client
    page = await visit(browser, ACCOUNT_PASSKEYS.path)
    assert "You have 9 left." in page.text
    (stored,) = await passkeys_of(accounts, user)
    fields = {**form_with(page, 'name="remove"'), "remove": stored["credential_id"]}
    await send(browser, ACCOUNT_PASSKEYS, fields)
    kinds = [each.kind for each in await accounts.world.stores.credentials.of_user(user.user_id)]
    assert kinds == ["password"]


UNSEEN = Flags.SYNCED
"""Of a passkey that was made without asking: nobody was present, nobody was verified (W1)."""


async def upgrade(browser: Browser, page: Page, authenticator: Authenticator) -> Page:
    """Let the browser make a passkey by itself, as the overview's script does."""
    result = authenticator.create(data_of(page, "data-offer"))
    return await send(browser, ACCOUNT_PASSKEYS, {**form_with(page, "data-offer"), "passkey": result})


async def test_the_browser_makes_a_passkey_after_a_password(accounts: AuthorizationService) -> None:
    """W1, W2: without a user who is present; stored as one that was never verified."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user)
    assert "connect-src 'self'" in page.headers["Content-Security-Policy"]
    page = await upgrade(browser, page, Authenticator(ORIGIN, flags=UNSEEN))
    assert page.status == 200
    (stored,) = await passkeys_of(accounts, user)
    assert (stored["conditional"], stored["user_verified"]) == (True, False)
    another, verified = await accounts.user(), accounts.browser()
    await upgrade(verified, await sign_in(verified, another), Authenticator(ORIGIN))
    (stored,) = await passkeys_of(accounts, another)
    assert stored["user_verified"] is False


@planted(takes_every_challenge_for_conditional)
async def test_a_passkey_that_the_user_asks_for_needs_the_user(accounts: AuthorizationService) -> None:
    """W1: the challenge decides, not the browser."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    assert (await add(browser, page, Authenticator(ORIGIN, flags=UNSEEN))).status == 400
    assert await passkeys_of(accounts, user) == []


@planted(offers_a_passkey_at_any_time)
async def test_only_a_fresh_password_lets_the_browser_make_a_passkey(accounts: AuthorizationService) -> None:
    """Not an old session, not a sign-in by passkey, and not one that lacks the second factor."""
    browser, user, authenticator = accounts.browser(), await accounts.user(), Authenticator(ORIGIN)
    page = await sign_in(browser, user)
    assert "data-offer" in page.text
    await upgrade(browser, page, authenticator)
    await grow_old(accounts, browser, timedelta(minutes=5))
    old = await visit(browser, ACCOUNT.path)
    assert "data-offer" not in old.text
    assert "connect-src" not in old.headers["Content-Security-Policy"]
    another = accounts.browser()
    page = await visit(another, ACCOUNT.path)
    result = authenticator.get(options_of(page), handle_of(user))
    page = await send(another, LOGIN, {**form_with(page, "passkey-login"), "passkey": result})
    assert page.path == ACCOUNT.path
    assert "data-offer" not in page.text
    third, with_app = accounts.browser(), await accounts.user()
    await sign_in(third, with_app)
    await accounts.world.stores.second_factors.add(with_app.user_id, A_NEW_APP)
    assert "data-offer" not in (await visit(third, ACCOUNT.path)).text


@planted(counts_what_nobody_was_asked_for)
async def test_a_passkey_that_nobody_was_asked_for_is_no_second_factor(
    accounts: AuthorizationService,
) -> None:
    """W2: the password manager may have both. It is one after its user was verified once."""
    user, authenticator = await accounts.user(), Authenticator(ORIGIN, flags=UNSEEN)
    browser = accounts.browser()
    await upgrade(browser, await sign_in(browser, user), authenticator)
    present, verified = authenticator.but(flags=UNSEEN | Flags.PRESENT), authenticator.but(flags=USUAL)
    client = await accounts.client(skip_consent=True)
    for used, is_enough in ((present, False), (verified, True), (present, True)):
        another = accounts.browser()
        page = await another.log_in(await another.authorize(client, claims=MULTIPLE_FACTORS), user)
        page = await show(another, page, passkey=used.get(options_of(page), handle_of(user)))
        assert page.is_at_client == is_enough


async def test_the_browser_is_told_which_passkeys_exist(accounts: AuthorizationService) -> None:
    """All of them, on every page that follows a change, and the name of the account."""
    browser, user, authenticator = accounts.browser(), await accounts.user(), Authenticator(ORIGIN)
    page = await sign_in(browser, user, ACCOUNT_PASSKEYS)
    assert data_of(page, "data-signals")["accepted"]["allAcceptedCredentialIds"] == []
    page = await add(browser, page, authenticator)
    told = data_of(page, "data-signals")
    whose = {"rpId": "localhost", "userId": handle_of(user)}
    assert told["accepted"] == {
        **whose,
        "allAcceptedCredentialIds": [base64url(authenticator.passkey_id)],
    }
    assert told["details"] == {**whose, "name": user.username, "displayName": user.username}
    assert data_of(await visit(browser, ACCOUNT.path), "data-signals") == told


@planted(lets_the_browser_forget)
async def test_the_browser_forgets_only_what_nobody_has(accounts: AuthorizationService) -> None:
    """A password manager drops what is unknown: not the passkey of a disabled or of another user."""
    (user, known), other, unknown = (
        await a_user_with_a_passkey(accounts),
        await accounts.user(),
        Authenticator(ORIGIN),
    )

    async def refused(authenticator: Authenticator, whose: User) -> Page:
        browser = accounts.browser()
        page = await visit(browser, ACCOUNT.path)
        result = authenticator.get(options_of(page), handle_of(whose))
        return await send(browser, LOGIN, {**form_with(page, "passkey-login"), "passkey": result})

    assert f'data-unknown="{base64url(unknown.passkey_id)}"' in (await refused(unknown, user)).text
    assert "data-unknown" not in (await refused(known, other)).text
    await accounts.world.stores.users.disable(user.user_id)
    assert "data-unknown" not in (await refused(known, user)).text

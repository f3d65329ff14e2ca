"""The account's page of passkeys: adding one, removing one, and what is never accepted."""

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from uuid import uuid4

import pytest_asyncio

from shared.model import User
from shared.paths import ACCOUNT, ACCOUNT_PASSKEYS, LOGIN
from shared.store import PASSKEY
from tests.accounts import form_with, send, serve_accounts, sign_in, visit
from tests.authenticator import Authenticator
from tests.authorization import LOCAL_ISSUER, ON_MODULE_LOOP, AuthorizationService, Browser, Page
from tests.deployment import open_world, settings_for
from tests.passkeys import ORIGIN, handle_of, options_of
from tests.planted import planted
from tests.planted.passkeys import (
    accepts_a_challenge_again,
    binds_challenges_to_no_browser,
    registers_an_id_twice,
    removes_anybodys_passkey,
    removes_the_only_way_in,
)

pytestmark = ON_MODULE_LOOP


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """The authorization and accounts services."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off")
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


def creation_of(page: Page) -> dict[str, Any]:
    """What the page asks the browser."""
    found = re.search(r'data-passkey="create" data-options="([^"]*)"', page.text)
    assert found
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


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

"""The hold after a recovery: for a day, an administrator changes no address and no credential."""

from base64 import b32decode
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared.model import User
from shared.oauth.authentication_methods import ACR_PASSWORD
from shared.oauth.resource.own import READ_USERS
from shared.operations.recovery import NotHeld, lift_hold, recovery_state
from shared.paths import (
    ACCOUNT,
    ACCOUNT_DATA,
    ACCOUNT_EMAIL,
    ACCOUNT_PASSKEYS,
    ACCOUNT_PASSWORD,
    ACCOUNT_PROFILE,
    ACCOUNT_SECOND_FACTOR,
    ACCOUNT_SESSIONS,
    ACCOUNT_TOKENS,
    ADD_SECOND_FACTOR,
)
from tests.accounts import form_with, log_in, send, serve_accounts, visit
from tests.authenticator import Authenticator
from tests.authorization import LOCAL_ISSUER, AuthorizationService, Browser, Page
from tests.deployment import settings_for
from tests.passkeys import ORIGIN, add_passkey
from tests.planted import planted
from tests.planted.recovery import holds_nobody, opens_what_is_held
from tests.second_factors import add, code, is_addition, recovery_codes_of, shown_secret_of
from tests.service.test_recovery import NEW_PASSWORD, is_recovered, link_for, opened
from tests.service.test_recovery import send as send_link

HELD = (ACCOUNT_PASSWORD, ACCOUNT_EMAIL, ACCOUNT_PASSKEYS, ACCOUNT_SECOND_FACTOR, ACCOUNT_TOKENS)
OPEN = (ACCOUNT, ACCOUNT_PROFILE, ACCOUNT_SESSIONS, ACCOUNT_DATA)


async def an_administrator(accounts: AuthorizationService) -> User:
    """A user in a group that is in one with an administration scope."""
    user, groups = await accounts.user(), accounts.world.stores.groups
    helpdesk, team = f"helpdesk {user.username}", f"team {user.username}"
    await groups.add(helpdesk, (READ_USERS,))
    await groups.add(team)
    above = await groups.find(helpdesk)
    assert above
    await groups.nest(above, team)
    await groups.join(team, user.user_id)
    return user


async def recovered(accounts: AuthorizationService, user: User, password: str = NEW_PASSWORD) -> Browser:
    """A browser that has used a link, and signed in with the new *password*."""
    browser = accounts.browser()
    page = await opened(browser, await link_for(accounts, user))
    assert is_recovered(await send_link(browser, page, password, sign_out_others="yes"))
    page = await log_in(browser, await visit(browser, ACCOUNT.path), user, password)
    assert page.path == ACCOUNT.path
    return browser


def is_held(page: Page) -> bool:
    return page.status == 403 and 'id="held-back"' in page.text and "UTC</bdi></time>" in page.text


async def events(accounts: AuthorizationService, user: User) -> list[str]:
    rows = [row async for row in accounts.world.audit_rows() if row["user_id"] == user.user_id]
    return [row["event"] for row in rows if "hold" in row["event"]]


@planted(holds_nobody, opens_what_is_held)
async def test_a_recovered_administrator_is_held(accounts: AuthorizationService) -> None:
    """Every page that changes an address or a credential says until when; the others are open."""
    user = await an_administrator(accounts)
    browser = await recovered(accounts, user)
    overview = await visit(browser, ACCOUNT.path)
    assert 'id="held"' in overview.text
    assert "data-offer" not in overview.text
    for page in HELD:
        assert is_held(await visit(browser, page.path)), page
    for page in OPEN:
        assert (await visit(browser, page.path)).status == 200
    assert await events(accounts, user) == ["recovery_hold_begun"]


@planted(opens_what_is_held)
async def test_no_form_of_before_changes_anything(accounts: AuthorizationService) -> None:
    """A session that the recovery keeps has its pages open already: none of their forms is accepted."""
    user, elsewhere, browser = await an_administrator(accounts), accounts.browser(), accounts.browser()
    await log_in(elsewhere, await visit(elsewhere, ACCOUNT.path), user)
    await add_passkey(accounts.world, user, Authenticator(ORIGIN))
    pages = {page: await visit(elsewhere, page.path) for page in HELD}
    page = await opened(browser, await link_for(accounts, user))
    assert is_recovered(await send_link(browser, page))
    before = await accounts.world.stores.credentials.of_user(user.user_id)
    fields = {
        ACCOUNT_PASSWORD: {"new_password": f"{NEW_PASSWORD}, either"},
        ACCOUNT_EMAIL: {"email": "eve@example.org"},
        ACCOUNT_PASSKEYS: {"remove": str(before[-1].credential_id)},
        ACCOUNT_SECOND_FACTOR: {"act": "renew"},
        ACCOUNT_TOKENS: {"name": "x", "scope": "openid", "days": "7"},
    }
    for page_path, shown in pages.items():
        answer = await send(elsewhere, page_path, {**form_with(shown, "form_token"), **fields[page_path]})
        assert is_held(answer), page_path
    assert await accounts.world.stores.credentials.of_user(user.user_id) == before
    assert await accounts.world.stores.personal_access_tokens.of_user(user.user_id) == []


async def test_others_are_not_held(accounts: AuthorizationService) -> None:
    """They choose another password at once; a group with rights that they join holds them, too."""
    user = await accounts.user()
    browser = await recovered(accounts, user)
    assert 'id="held"' not in (await visit(browser, ACCOUNT.path)).text
    page = await visit(browser, ACCOUNT_PASSWORD.path)
    fields = {**page.hidden, "new_password": f"{NEW_PASSWORD}, either"}
    assert (await browser.request("POST", ACCOUNT_PASSWORD.path, data=fields)).status == 303
    assert await events(accounts, user) == []
    links, groups = accounts.world.stores.recovery_links, accounts.world.stores.groups
    assert await links.held_until(user.user_id) is None
    await groups.add(user.username, (READ_USERS,))
    await groups.join(user.username, user.user_id)
    assert await links.held_until(user.user_id)


async def test_an_operator_lifts_the_hold(accounts: AuthorizationService) -> None:
    """Once, and it is audited; a day ends it by itself; another recovery begins another one."""
    user, stores = await an_administrator(accounts), accounts.world.stores
    browser = await recovered(accounts, user)
    state = await recovery_state(stores.recovery_links, stores.credentials, user.user_id)
    assert state["held_until"]
    await lift_hold(stores.recovery_links, stores.users, user.username)
    assert (await visit(browser, ACCOUNT_PASSKEYS.path)).status == 200
    with pytest.raises(NotHeld):
        await lift_hold(stores.recovery_links, stores.users, user.username)
    assert await events(accounts, user) == ["recovery_hold_begun", "recovery_hold_lifted"]
    browser = await recovered(accounts, user, f"{NEW_PASSWORD}, either")
    assert is_held(await visit(browser, ACCOUNT_PASSWORD.path))
    past = "UPDATE users SET recovered_at = recovered_at - interval '24 hours' WHERE user_id = $1"
    await accounts.world.database.row(past, user.user_id)
    assert (await visit(browser, ACCOUNT_PASSWORD.path)).status == 200


async def test_a_recovered_sign_in_says_what_it_is(accounts: AuthorizationService) -> None:
    """R4: a password alone, also of a user who signed in with a passkey before."""
    user = await accounts.user()
    await add_passkey(accounts.world, user, Authenticator(ORIGIN))
    browser = await recovered(accounts, user)
    client = await accounts.client(skip_consent=True)
    authentication = (await accounts.code(await browser.authorize(client))).authorization.authentication
    assert (authentication.acr, authentication.amr) == (ACR_PASSWORD, ("pwd",))


@planted(holds_nobody)
async def test_no_second_factor_is_added_at_sign_in(
    accounts: AuthorizationService, module_database_url: str, module_redis_url: str
) -> None:
    """Where one is demanded, a recovered administrator without one waits, or an operator lets them in."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        second_factor="required",
    )
    user, stores = await an_administrator(accounts), accounts.world.stores
    async with serve_accounts(settings, accounts.world) as demanding:
        client, before, browser = (
            await demanding.client(skip_consent=True),
            demanding.browser(),
            demanding.browser(),
        )
        page = await before.log_in(await before.authorize(client), user)
        assert is_addition(page)
        page = await opened(browser, await link_for(demanding, user))
        assert is_recovered(await send_link(browser, page))
        page = await browser.log_in(await browser.authorize(client), user, NEW_PASSWORD)
        assert page.status == 403
        assert "Changes have to wait" in page.text
        fields = dict(parse_qsl(urlsplit(page.path).query))
        answer = await browser.post(ADD_SECOND_FACTOR.path, {**fields, "code": code()})
        assert answer.status == 403
        await lift_hold(stores.recovery_links, stores.users, user.username)
        page = await browser.log_in(await browser.authorize(client), user, NEW_PASSWORD)
        assert is_addition(page)
        assert recovery_codes_of(await add(browser, page, code(b32decode(shown_secret_of(page)))))

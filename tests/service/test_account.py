"""The account pages: who sees them, what they show and what they change."""

import json
import re
from base64 import b32decode
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import encode_basic_auth

from shared.browser.form_token import FORM_TOKEN
from shared.model import User
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.oauth.tokens.handle import digest
from shared.paths import (
    ACCOUNT,
    ACCOUNT_CONNECTIONS,
    ACCOUNT_DATA,
    ACCOUNT_PAGES,
    ACCOUNT_PASSWORD,
    ACCOUNT_SECOND_FACTOR,
    ACCOUNT_SESSIONS,
    LOGIN,
    SECOND_FACTOR,
    Path,
)
from shared.store import SignOutExemption
from tests.accounts import (
    form_with,
    grow_old,
    here,
    log_in,
    send,
    serve_accounts,
    sign_in,
    visit,
)
from tests.authorization import (
    LOCAL_ISSUER,
    PASSWORD,
    PASSWORD_HASH,
    AuthorizationService,
    Browser,
    Page,
    is_error_page,
    is_login,
)
from tests.deployment import open_world, settings_for
from tests.personal_access_tokens import a_token
from tests.planted import planted
from tests.planted.accounts import (
    asks_for_no_second_factor,
    believes_any_form,
    believes_other_sites,
    deletes_without_a_name,
    ends_anybodys_session,
    never_grows_old,
    signs_nobody_out,
)
from tests.second_factors import (
    SECRET,
    a_user_with_an_app,
    code,
    is_second_factor,
    recovery_codes_of,
    show,
    shown_secret_of,
)

NEW_PASSWORD = "four words nobody guesses"
SENSITIVE = (ACCOUNT_PASSWORD, ACCOUNT_SECOND_FACTOR, ACCOUNT_DATA)
OLD = timedelta(minutes=6)


@pytest_asyncio.fixture(scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services, with a mail server. Every client but the account pages must push its requests."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        smtp_url="smtp://127.0.0.1:9",
        require_pushed_authorization_requests="on",
    )
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


@pytest_asyncio.fixture(scope="module")
async def demanding(
    accounts: AuthorizationService, module_database_url: str, module_redis_url: str
) -> AsyncIterator[AuthorizationService]:
    """The same deployment, where everybody needs a second factor."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        second_factor="required",
    )
    async with serve_accounts(settings, accounts.world) as service:
        yield service


def is_page(page: Page, path: Path) -> bool:
    """A page of the account, complete and protected against framing."""
    return (
        page.status == 200
        and page.path.partition("?")[0] == path.path
        and "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        and page.headers["X-Frame-Options"] == "DENY"
        and page.headers["Cache-Control"] == "no-store"
    )


async def connected(accounts: AuthorizationService, user: User) -> str:
    """A client that has access to the user's data."""
    client = await accounts.client(client_name="Meridian", redirect_uris=("https://rp1.test/cb",))
    await accounts.world.stores.consents.add(
        user.user_id, client.client_id, ("openid", "claim birthdate"), is_remembered=True
    )
    return client.client_id


@pytest.mark.parametrize("path", ACCOUNT_PAGES, ids=str)
async def test_a_sign_in_leads_back_to_the_page(accounts: AuthorizationService, path: Path) -> None:
    """Every page asks for a sign-in, and is shown after it, without the parameters of the response."""
    browser, user = accounts.browser(), await accounts.user()
    page = await visit(browser, path.path)
    assert is_login(page)
    assert "Your account" in page.text
    page = await log_in(browser, page, user)
    assert is_page(page, path)
    assert page.path == path.path
    assert is_page(await visit(browser, path.path), path)


async def test_a_sign_in_has_the_language_of_the_page(accounts: AuthorizationService) -> None:
    """That of `ui_locales`, also when the browser prefers another one."""
    page = await visit(accounts.browser(), f"{ACCOUNT.path}?ui_locales=fr")
    assert is_login(page)
    assert page.headers["Content-Language"] == "fr"


async def test_a_user_who_goes_back_is_not_asked_again(accounts: AuthorizationService) -> None:
    """The login page's way back ends on a page that explains it, or on the first page of a session."""
    browser, user = accounts.browser(), await accounts.user()
    declined = f"{ACCOUNT_PASSWORD}?error=access_denied&iss=x"
    page = await visit(browser, declined)
    assert is_error_page(page)
    assert f'href="{ACCOUNT_PASSWORD}"' in page.text
    await sign_in(browser, user)
    assert is_page(await visit(browser, declined), ACCOUNT)


async def test_a_browser_without_the_session_is_not_sent_round(accounts: AuthorizationService) -> None:
    """A response that arrives without a session ends on a page, not in a loop."""
    page = await visit(accounts.browser(), f"{ACCOUNT}?code=ac_x&iss=x")
    assert is_error_page(page)


async def test_the_code_of_a_sign_in_is_nobodys(accounts: AuthorizationService) -> None:
    """No client of the store has the identifier of the account pages, so no token comes of their codes."""
    browser, user = accounts.browser(), await accounts.user()
    page = await visit(browser, ACCOUNT.path)
    page = await browser.request(
        "POST", LOGIN.path, data={**page.hidden, "username": user.username, "password": PASSWORD}
    )
    page = await browser.request("GET", page.location)
    answered = page.answer
    stored = await accounts.world.stores.codes.find(digest(answered["code"]))
    assert stored
    assert await accounts.world.stores.clients.find(stored.authorization.client_id) is None


async def test_the_first_page_says_who_the_user_is(accounts: AuthorizationService) -> None:
    """Name, address, groups, and the buttons that tests of others rely on."""
    user = await accounts.user(claims={"name": "Ada <b>", "email": "ada@x.test"}, groups=("Staff",))
    page = await sign_in(accounts.browser(), user)
    for text in (user.username, "Ada &lt;b&gt;", "ada@x.test", "Staff", "This browser only"):
        assert text in page.text
    assert re.findall(r'id="(account-[a-z-]+)"', page.text) == [
        "account-password",
        "account-passkey-add",
        "account-totp-add",
        "account-tokens",
        "account-profile",
        "account-email",
        "account-data",
    ]


@planted(never_grows_old)
@pytest.mark.parametrize("path", SENSITIVE, ids=str)
async def test_what_is_sensitive_needs_a_fresh_sign_in(accounts: AuthorizationService, path: Path) -> None:
    """Neither the page nor its form works six minutes after the sign-in; a new one leads back."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, path)
    fields = page.hidden
    await grow_old(accounts, browser, OLD)
    asked = await visit(browser, path.path)
    assert is_login(asked)
    assert f'value="{user.username}"' in asked.text
    deletion = {"act": "delete", "confirm": user.username} if path is ACCOUNT_DATA else {}
    changed = {**fields, "new_password": NEW_PASSWORD, "code": "000000", **deletion}
    assert is_login(await send(browser, path, changed))
    found = await accounts.world.stores.credentials.find_user_and_password(user.username)
    assert found
    assert not found.second_factors
    assert is_page(await log_in(browser, await visit(browser, path.path), user), path)
    assert is_page(await visit(browser, ACCOUNT.path), ACCOUNT)


@planted(asks_for_no_second_factor)
@pytest.mark.parametrize("path", SENSITIVE, ids=str)
async def test_who_has_a_second_factor_shows_it(accounts: AuthorizationService, path: Path) -> None:
    """A session from before the app was added steps up by a code, without its password."""
    browser, user = accounts.browser(), await accounts.user()
    await sign_in(browser, user)
    others = await a_user_with_an_app(accounts)
    await accounts.world.database.row(
        "UPDATE user_credentials SET user_id = $1 WHERE user_id = $2 AND kind <> 'password'",
        user.user_id,
        others.user_id,
    )
    secret = await accounts.world.stores.second_factors.secret(user.user_id)
    assert secret == SECRET
    page = await visit(browser, path.path)
    assert is_second_factor(page)
    shown = await browser.request("POST", SECOND_FACTOR.path, data={**page.hidden, "code": code()})
    page = await visit(browser, here(shown))
    assert is_page(page, path)
    key = digest(browser.cookie("session") or "")
    session = await accounts.world.stores.sessions.find(key)
    assert session
    assert session.authentication.acr == ACR_MULTIPLE_FACTORS


@planted(believes_any_form)
@pytest.mark.parametrize("path", [*SENSITIVE, ACCOUNT_SESSIONS, ACCOUNT_CONNECTIONS], ids=str)
async def test_a_form_of_another_session_changes_nothing(accounts: AuthorizationService, path: Path) -> None:
    """Without its token, with that of another page, of another user, or of an earlier session: 403."""
    browser, user = accounts.browser(), await accounts.user()
    victim, other_sid = accounts.browser(), uuid4()
    client_id = await connected(accounts, user)
    own = (await sign_in(browser, user, path)).text
    page = await visit(browser, path.path)
    earlier = _token(page)
    others = _token(await sign_in(victim, await accounts.user(), path))
    await log_in(browser, await visit_again(browser), user)
    assert own
    change = {"new_password": NEW_PASSWORD, "others": "yes", "client_id": client_id, "sid": str(other_sid)}
    change |= {"act": "delete", "confirm": user.username} if path is ACCOUNT_DATA else {}
    wrong_page = _token(await visit(browser, ACCOUNT_PASSWORD.path))
    tokens = [None, "", earlier, others, *([wrong_page] if path is not ACCOUNT_PASSWORD else [])]
    for token in tokens:
        fields = {**change, **({FORM_TOKEN: token} if token is not None else {})}
        refused = await send(browser, path, fields)
        assert refused.status == 403, (token, refused.text)
    assert [each.client_id for each in await accounts.world.stores.consents.of_user(user.user_id)] == [
        client_id
    ]
    assert not await audited(accounts, user, "password_changed")
    assert not await audited(accounts, user, "user_logged_out")


def _token(page: Page) -> str:
    tokens = re.findall(rf'name="{FORM_TOKEN}" value="([0-9a-f]{{64}})"', page.text)
    return tokens[0] if tokens else "0" * 64


async def visit_again(browser: Browser) -> Page:
    """The login page for a browser that is signed in."""
    page = await visit(
        browser,
        "/oidc/oauth2/auth?client_id=ostiary-account&response_type=code&scope=openid&prompt=login"
        f"&redirect_uri={LOCAL_ISSUER}/account",
    )
    assert is_login(page)
    return page


async def audited(accounts: AuthorizationService, user: User, event: str) -> int:
    """The number of audit rows of the user with this event."""
    row = await accounts.world.database.row(
        "SELECT count(*) AS n FROM audit WHERE user_id = $1 AND event = $2", user.user_id, event
    )
    assert row
    return int(row["n"])


@planted(believes_other_sites)
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}])
async def test_a_form_of_another_site_changes_nothing(
    accounts: AuthorizationService, headers: dict[str, str]
) -> None:
    """Even with the right token, a form that another site sends is refused."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSWORD)
    fields = {**page.hidden, "new_password": NEW_PASSWORD}
    refused = await browser.request("POST", ACCOUNT_PASSWORD.path, data=fields, headers=headers)
    assert refused.status == 403
    assert not await audited(accounts, user, "password_changed")


async def test_access_tokens_open_no_page(accounts: AuthorizationService) -> None:
    """The pages are for browsers: a token, whatever its scope and its user, is no session."""
    user = await accounts.user()
    token = (await a_token(accounts.world, user, scope="openid profile email")).value
    basic = encode_basic_auth(user.username, token)
    for authorization in (f"Bearer {token}", basic, "Bearer at_anything"):
        for path in ACCOUNT_PAGES:
            headers = {"Authorization": authorization}
            page = await accounts.browser().request("GET", path.path, headers=headers)
            assert page.status == 303
            assert page.location.startswith("/oidc/oauth2/auth?")


@planted(signs_nobody_out)
async def test_a_password_is_changed(accounts: AuthorizationService) -> None:
    """The new one signs in and the old one does not; other sessions end if the user wants that."""
    browser, other, user = accounts.browser(), accounts.browser(), await accounts.user()
    await sign_in(other, user)
    page = await sign_in(browser, user, ACCOUNT_PASSWORD)
    fields = {**page.hidden, "new_password": NEW_PASSWORD}
    page = await send(browser, ACCOUNT_PASSWORD, fields)
    assert is_page(page, ACCOUNT)
    assert "Your password has been changed" in page.text
    assert is_page(await visit(other, ACCOUNT.path), ACCOUNT)
    await send(browser, ACCOUNT_PASSWORD, fields | {"sign_out_others": "yes"})
    assert is_login(await visit(other, ACCOUNT.path))
    assert is_page(await visit(browser, ACCOUNT.path), ACCOUNT)
    fresh = accounts.browser()
    refused = await log_in(fresh, await visit(fresh, ACCOUNT.path), user)
    assert "do not match" in refused.text
    assert is_page(await log_in(fresh, await visit(fresh, ACCOUNT.path), user, NEW_PASSWORD), ACCOUNT)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "too short"),
        ("password 1234567", "attackers try first"),
        ("tab\tulator and more", "keyboard"),
    ],
)
async def test_a_bad_password_is_explained(accounts: AuthorizationService, password: str, words: str) -> None:
    """The rules are those of every password; nothing has changed."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSWORD)
    page = await send(browser, ACCOUNT_PASSWORD, {**page.hidden, "new_password": password})
    assert page.status == 400
    assert words in page.text
    assert f'value="{password}"' not in page.text
    assert not await audited(accounts, user, "password_changed")


async def test_a_temporary_password_is_not_kept(accounts: AuthorizationService) -> None:
    """By users who signed in without it: somebody else knows it."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_PASSWORD)
    credentials = accounts.world.stores.credentials
    await credentials.set_password(user.user_id, PASSWORD_HASH, SignOutExemption(), is_temporary=True)
    refused = await send(browser, ACCOUNT_PASSWORD, {**page.hidden, "new_password": PASSWORD})
    assert refused.status == 400
    assert "the password you already have" in refused.text
    assert is_page(
        await send(browser, ACCOUNT_PASSWORD, {**page.hidden, "new_password": NEW_PASSWORD}), ACCOUNT
    )


async def test_an_authenticator_app_is_added_and_removed(accounts: AuthorizationService) -> None:
    """The first code adds it, recovery codes are shown and replaced, and it is removed again."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_SECOND_FACTOR)
    secret = shown_secret_of(page)
    page = await send(browser, ACCOUNT_SECOND_FACTOR, {**page.hidden, "code": "000 00a"})
    assert page.status == 400
    assert shown_secret_of(page) == secret
    page = await send(browser, ACCOUNT_SECOND_FACTOR, {**page.hidden, "code": code(decoded(secret))})
    first = recovery_codes_of(page)
    assert len(first) == 10
    page = await visit(browser, ACCOUNT_SECOND_FACTOR.path)
    assert is_second_factor(page)
    page = await show(browser, page, recovery_code=first[0])
    page = await visit(browser, here(page))
    assert "You have 9 left" in page.text
    page = await send(browser, ACCOUNT_SECOND_FACTOR, form_with(page, "recovery-renew") | {"act": "renew"})
    second = recovery_codes_of(page)
    assert len(second) == 10
    assert not set(first) & set(second)
    page = await visit(browser, ACCOUNT_SECOND_FACTOR.path)
    page = await send(browser, ACCOUNT_SECOND_FACTOR, form_with(page, "totp-remove") | {"act": "remove"})
    assert "has been removed" in page.text
    assert await accounts.world.stores.second_factors.secret(user.user_id) is None
    page = await visit(browser, ACCOUNT_SECOND_FACTOR.path)
    assert shown_secret_of(page) != secret


def decoded(secret: str) -> bytes:
    """The bytes of a shown secret."""
    return b32decode(secret)


async def test_a_required_second_factor_stays(demanding: AuthorizationService) -> None:
    """There is no button to remove it, and the form of one is refused."""
    browser, user = demanding.browser(), await a_user_with_an_app(demanding)
    page = await log_in(browser, await visit(browser, ACCOUNT_SECOND_FACTOR.path), user)
    shown = await browser.request("POST", SECOND_FACTOR.path, data={**page.hidden, "code": code()})
    page = await visit(browser, here(shown))
    assert "totp-remove" not in page.text
    refused = await send(
        browser, ACCOUNT_SECOND_FACTOR, form_with(page, "recovery-renew") | {"act": "remove"}
    )
    assert refused.status == 400
    assert await demanding.world.stores.second_factors.secret(user.user_id) == SECRET


@planted(ends_anybodys_session)
async def test_one_session_is_ended(accounts: AuthorizationService) -> None:
    """That of the same user and no other; what the form says of somebody else's session ends nothing."""
    browser, other, user = accounts.browser(), accounts.browser(), await accounts.user()
    stranger, strangers_browser = await accounts.user(), accounts.browser()
    other.headers["User-Agent"] = "Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1"
    for each, owner in ((browser, user), (other, user), (strangers_browser, stranger)):
        await sign_in(each, owner)
    page = await visit(browser, ACCOUNT_SESSIONS.path)
    assert "Safari on iPhone" in page.text
    (sid,) = re.findall(r'name="sid" value="([0-9a-f-]+)"', page.text)
    (foreign,) = [row.sid for row in await accounts.world.stores.sessions.of_user(stranger.user_id)]
    fields = form_with(page, sid)
    await send(browser, ACCOUNT_SESSIONS, fields | {"sid": str(foreign)})
    assert is_page(await visit(strangers_browser, ACCOUNT.path), ACCOUNT)
    assert is_page(await visit(other, ACCOUNT.path), ACCOUNT)
    page = await send(browser, ACCOUNT_SESSIONS, fields | {"sid": sid})
    assert "has been signed out" in page.text
    assert is_login(await visit(other, ACCOUNT.path))
    assert is_page(await visit(browser, ACCOUNT.path), ACCOUNT)
    malformed = await send(browser, ACCOUNT_SESSIONS, fields | {"sid": "x"})
    assert malformed.status == 400


async def test_all_other_sessions_are_ended(accounts: AuthorizationService) -> None:
    """This browser stays signed in, and connected applications stay connected."""
    browser, user = accounts.browser(), await accounts.user()
    others = [accounts.browser() for _ in range(2)]
    for each in (*others, browser):
        await sign_in(each, user)
    client_id = await connected(accounts, user)
    page = await visit(browser, ACCOUNT_SESSIONS.path)
    page = await send(browser, ACCOUNT_SESSIONS, form_with(page, "sessions-end-others") | {"others": "yes"})
    assert "All other devices" in page.text
    assert [is_login(await visit(each, ACCOUNT.path)) for each in others] == [True, True]
    assert is_page(await visit(browser, ACCOUNT.path), ACCOUNT)
    assert [each.client_id for each in await accounts.world.stores.consents.of_user(user.user_id)] == [
        client_id
    ]


async def test_an_application_is_disconnected(accounts: AuthorizationService) -> None:
    """The page says what it may do; afterwards it has no access. Unknown ones are left alone."""
    browser, user = accounts.browser(), await accounts.user()
    client_id, other = await connected(accounts, user), await connected(accounts, await accounts.user())
    page = await sign_in(browser, user, ACCOUNT_CONNECTIONS)
    for text in ("Meridian", "Recognise you when you sign in", "date of birth", client_id):
        assert text in page.text
    assert other not in page.text
    fields = form_with(page, client_id)
    await send(browser, ACCOUNT_CONNECTIONS, fields | {"client_id": other})
    assert not await audited(accounts, user, "consent_revoked")
    page = await send(browser, ACCOUNT_CONNECTIONS, fields | {"client_id": client_id})
    assert "no longer has access" in page.text
    assert await accounts.world.stores.consents.of_user(user.user_id) == []
    assert is_page(await visit(browser, ACCOUNT.path), ACCOUNT)


async def test_a_user_downloads_their_data(accounts: AuthorizationService) -> None:
    """A file with what is stored about them, and nothing that a password or a code is checked with."""
    browser, user = accounts.browser(), await accounts.user()
    client_id = await connected(accounts, user)
    page = await sign_in(browser, user, ACCOUNT_DATA)
    sent = await send(browser, ACCOUNT_DATA, form_with(page, "data-download") | {"act": "download"})
    assert sent.status == 200
    assert sent.headers["Content-Disposition"].startswith("attachment")
    assert sent.headers["Cache-Control"] == "no-store"
    data = json.loads(sent.text)
    assert data["user"]["sub"] == str(user.user_id)
    assert [each["client_id"] for each in data["applications"]] == [client_id]
    assert [each["kind"] for each in data["credentials"]] == ["password"]
    assert len(data["sessions"]) == 1
    assert "argon2" not in sent.text


@planted(deletes_without_a_name)
async def test_a_user_deletes_their_account(accounts: AuthorizationService) -> None:
    """Only with the typed name; then nothing of it is left, and every browser is signed out."""
    browser, other, user = accounts.browser(), accounts.browser(), await accounts.user()
    await sign_in(other, user)
    page = await sign_in(browser, user, ACCOUNT_DATA)
    fields = form_with(page, "account-delete") | {"act": "delete"}
    refused = await send(browser, ACCOUNT_DATA, fields | {"confirm": "somebody else"})
    assert refused.status == 400
    assert "nothing has been deleted" in refused.text
    assert await accounts.world.stores.users.find(user.user_id)
    page = await send(browser, ACCOUNT_DATA, fields | {"confirm": user.username.upper()})
    assert "You are signed out" in page.text
    assert not browser.cookie("session")
    assert await accounts.world.stores.users.find(user.user_id) is None
    assert is_login(await visit(other, ACCOUNT.path))

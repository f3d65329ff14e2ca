"""The account page of personal access tokens."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from services.accounts.self_service.tokens import offered_days
from shared.model import User
from shared.oauth.tokens.handle import digest
from shared.paths import ACCOUNT, ACCOUNT_DATA, ACCOUNT_TOKENS
from tests.accounts import form_with, grow_old, send, serve_accounts, sign_in, visit
from tests.authorization import (
    LOCAL_ISSUER,
    AuthorizationService,
    Browser,
    Page,
    is_login,
)
from tests.deployment import open_world, settings_for
from tests.personal_access_tokens import a_token
from tests.planted import planted
from tests.planted.accounts import believes_any_form, never_grows_old
from tests.planted.personal_access_tokens import gives_any_scope, revokes_anybodys

NODE = "node:0b6f1d2e-93a4-4c0a-8a51-2f1f0c9d7e55:rw"
FORM = {"name": "Backup", "days": "30", "scope": "openid", "nodes": NODE}


@pytest_asyncio.fixture(scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services, where tokens live for 90 days at most."""
    settings = settings_for(
        module_database_url,
        module_redis_url,
        issuer=LOCAL_ISSUER,
        rate_limits="off",
        personal_access_token_lifetime="90d",
    )
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


async def add(browser: Browser, page: Page, **fields: str) -> Page:
    """Send the form of a new token."""
    return await send(browser, ACCOUNT_TOKENS, {**form_with(page, "account-token-add"), **FORM, **fields})


def value_of(page: Page) -> str:
    """The token that a page shows."""
    (value,) = re.findall(r"ostp_[0-9A-Za-z]{49}", page.text)
    return str(value)


async def is_valid(accounts: AuthorizationService, value: str) -> bool:
    """Whether the token is accepted."""
    return await accounts.world.stores.personal_access_tokens.present(digest(value)) is not None


async def count(accounts: AuthorizationService, user: User) -> int:
    """The number of the user's tokens."""
    return len(await accounts.world.stores.personal_access_tokens.of_user(user.user_id))


async def test_a_token_is_made_shown_once_and_revoked(accounts: AuthorizationService) -> None:
    """With the scopes and the lifetime that the user chose. Nothing of it stays in a cache."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_TOKENS)
    made = await add(browser, page)
    value = value_of(made)
    assert made.headers["Cache-Control"] == "no-store"
    (token,) = await accounts.world.stores.personal_access_tokens.of_user(user.user_id)
    assert (token.name, token.scope) == ("Backup", ("openid", NODE))
    assert token.expires_at - token.created_at == timedelta(days=30)
    page = await visit(browser, ACCOUNT_TOKENS.path)
    assert value not in page.text
    for text in ("Backup", NODE, token.expires_at.date().isoformat(), "not used yet"):
        assert text in page.text
    assert await is_valid(accounts, value)
    assert "not used yet" not in (await visit(browser, ACCOUNT_TOKENS.path)).text
    assert "One token" in (await visit(browser, ACCOUNT.path)).text
    fields = form_with(page, str(token.token_id)) | {"revoke": str(token.token_id)}
    for _ in range(2):  # the second time from another tab
        assert "has been revoked" in (await send(browser, ACCOUNT_TOKENS, fields)).text
    assert not await is_valid(accounts, value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "give the token a name"),
        ({"name": "x" * 61}, "give the token a name"),
        ({"name": "a\u202eb"}, "give the token a name"),
        ({"nodes": "node:documents:rw"}, "at least one thing"),
        ({"scope": "", "nodes": ""}, "at least one thing"),
        ({"days": "365"}, "cannot live that long"),
    ],
)
async def test_a_bad_request_is_explained(
    accounts: AuthorizationService, fields: dict[str, str], words: str
) -> None:
    """What was typed stays, and no token is made."""
    browser, user = accounts.browser(), await accounts.user()
    page = await add(browser, await sign_in(browser, user, ACCOUNT_TOKENS), **fields)
    assert page.status == 400
    assert words in page.text
    assert page.text.startswith("<!doctype html>")
    assert "<title>Not created" in page.text
    assert await count(accounts, user) == 0


@planted(gives_any_scope)
async def test_a_form_gives_no_scope_that_the_page_lacks(accounts: AuthorizationService) -> None:
    """Neither the administration's nor offline access."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_TOKENS)
    assert (await add(browser, page, scope="ostiary.clients:write")).status == 400
    assert (await add(browser, page, nodes="offline_access")).status == 400
    assert await count(accounts, user) == 0


@pytest.mark.parametrize(
    "fields", [{"days": "0"}, {"days": "-1"}, {"days": "x"}, {"days": "99999"}, {"revoke": "x"}]
)
async def test_a_malformed_form_is_an_error(accounts: AuthorizationService, fields: dict[str, str]) -> None:
    """400, as for any form that no page has."""
    browser, user = accounts.browser(), await accounts.user()
    page = await add(browser, await sign_in(browser, user, ACCOUNT_TOKENS), **fields)
    assert page.status == 400
    assert await count(accounts, user) == 0


@planted(never_grows_old)
async def test_tokens_need_a_fresh_sign_in(accounts: AuthorizationService) -> None:
    """Six minutes after it, neither the page nor its form works."""
    browser, user = accounts.browser(), await accounts.user()
    page = await sign_in(browser, user, ACCOUNT_TOKENS)
    await grow_old(accounts, browser, timedelta(minutes=6))
    assert is_login(await visit(browser, ACCOUNT_TOKENS.path))
    assert is_login(await add(browser, page))
    assert await count(accounts, user) == 0


@planted(believes_any_form)
async def test_a_form_of_another_session_makes_no_token(accounts: AuthorizationService) -> None:
    """Its hidden token belongs to the session and the page."""
    browser, user, stranger = accounts.browser(), await accounts.user(), accounts.browser()
    await sign_in(browser, user, ACCOUNT_TOKENS)
    strangers = await sign_in(stranger, await accounts.user(), ACCOUNT_TOKENS)
    assert (await add(browser, strangers)).status == 403
    assert await count(accounts, user) == 0


@planted(revokes_anybodys)
async def test_a_user_revokes_no_token_of_another(accounts: AuthorizationService) -> None:
    """Whatever id the form has."""
    browser, user, other = accounts.browser(), await accounts.user(), await accounts.user()
    others = await a_token(accounts.world, other)
    page = await sign_in(browser, user, ACCOUNT_TOKENS)
    await send(
        browser,
        ACCOUNT_TOKENS,
        form_with(page, "account-token-add") | {"revoke": str(others.token.token_id)},
    )
    assert await is_valid(accounts, others.value)


async def test_the_download_names_the_tokens(accounts: AuthorizationService) -> None:
    """What is known of them, and neither a token nor its digest."""
    browser, user = accounts.browser(), await accounts.user()
    made = await a_token(accounts.world, user, "openid email")
    page = await sign_in(browser, user, ACCOUNT_DATA)
    sent = await send(browser, ACCOUNT_DATA, form_with(page, "data-download") | {"act": "download"})
    (shown,) = json.loads(sent.text)["personal_access_tokens"]
    assert (shown["token_id"], shown["scope"]) == (str(made.token.token_id), "openid email")
    assert "ostp_" not in sent.text
    assert "hash" not in shown


async def test_the_longest_lifetime_is_offered() -> None:
    """Last, whether it is among the usual ones or not."""
    assert [offered_days(timedelta(days=days)) for days in (1, 30, 45, 365)] == [
        (1,),
        (7, 30),
        (7, 30, 45),
        (7, 30, 90, 365),
    ]

"""The pages of the account while a store is down: 503, never a verdict, and nothing is half done."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from shared.model import User
from shared.paths import (
    ACCOUNT_CONNECTIONS,
    ACCOUNT_DATA,
    ACCOUNT_EMAIL,
    ACCOUNT_FORGOTTEN,
    ACCOUNT_PAGES,
    ACCOUNT_PASSWORD,
    ACCOUNT_PROFILE,
    ACCOUNT_SESSIONS,
    ACCOUNT_TOKENS,
    LOGOUT_DONE,
    Path,
)
from tests.accounts import here, sign_in, visit
from tests.authorization import AuthorizationService
from tests.outages import POSTGRESQL, REDIS, away, is_away, patiently
from tests.planted import planted
from tests.planted.accounts import an_outage_is_a_sign_in

NEW_PASSWORD = "four words nobody guesses"

Fields = Callable[[AuthorizationService, User], Awaitable[Mapping[str, str]]]


@planted(an_outage_is_a_sign_in)
@pytest.mark.parametrize("page", ACCOUNT_PAGES, ids=str)
async def test_a_page_waits_for_its_stores(accounts: AuthorizationService, page: Path) -> None:
    """Whichever statement fails, and without Redis; then the page is shown, without another sign-in."""
    browser = accounts.browser()
    await sign_in(browser, await accounts.user())
    async with away(accounts, REDIS):
        assert is_away(await browser.request("GET", page.path))
    async with away(accounts, POSTGRESQL):
        assert is_away(await browser.request("GET", page.path))
    shown = await patiently(lambda: browser.request("GET", page.path))
    assert shown.status == 200


async def _new_password(*_: Any) -> Mapping[str, str]:
    return {"new_password": NEW_PASSWORD}


async def _profile(*_: Any) -> Mapping[str, str]:
    return {"name": "Ada Lovelace"}


async def _address(*_: Any) -> Mapping[str, str]:
    return {"email": "lovelace@example.org"}


async def _other_sessions(accounts: AuthorizationService, user: User) -> Mapping[str, str]:
    await sign_in(accounts.browser(), user)
    return {"others": "yes"}


async def _connection(accounts: AuthorizationService, user: User) -> Mapping[str, str]:
    client = await accounts.client()
    await accounts.world.stores.consents.add(user.user_id, client.client_id, ("openid",), is_remembered=True)
    return {"client_id": client.client_id}


async def _new_token(*_: Any) -> Mapping[str, str]:
    return {"name": "laptop", "days": "30", "scope": "openid"}


async def _deletion(_: AuthorizationService, user: User) -> Mapping[str, str]:
    return {"act": "delete", "confirm": user.username}


FORMS: Mapping[str, tuple[Path, Fields, str]] = {
    "password": (ACCOUNT_PASSWORD, _new_password, "done"),
    "profile": (ACCOUNT_PROFILE, _profile, "done"),
    "address": (ACCOUNT_EMAIL, _address, ACCOUNT_EMAIL.path),
    "other sessions": (ACCOUNT_SESSIONS, _other_sessions, "done"),
    "connection": (ACCOUNT_CONNECTIONS, _connection, "done"),
    "new token": (ACCOUNT_TOKENS, _new_token, ""),
    "deletion": (ACCOUNT_DATA, _deletion, LOGOUT_DONE.path),
}
"""By what they change: the page of a form, its fields, and a part of where its answer leads."""


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_waits_for_its_stores(accounts: AuthorizationService, name: str) -> None:
    """Whichever statement fails, the answer is 503, and the same form changes what it should afterwards."""
    page, fields_of, target = FORMS[name]
    browser, user = accounts.browser(), await accounts.user()
    await sign_in(browser, user)
    fields = await fields_of(accounts, user)
    fields = {**(await visit(browser, page.path)).hidden, **fields}
    answer = await patiently(lambda: browser.request("POST", page.path, data=fields))
    assert answer.status == (303 if target else 200), answer.text
    assert target in here(answer)


async def test_a_forgotten_password_waits_for_its_stores(accounts: AuthorizationService) -> None:
    """Whoever has not signed in is told so, too."""
    browser = accounts.browser()
    shown = await visit(browser, ACCOUNT_FORGOTTEN.path)
    fields = {**shown.hidden, "username": "nobody"}
    async with away(accounts, POSTGRESQL):
        assert is_away(await browser.request("POST", ACCOUNT_FORGOTTEN.path, data=fields))
    answer = await patiently(lambda: browser.request("POST", ACCOUNT_FORGOTTEN.path, data=fields))
    assert answer.status in (200, 303)

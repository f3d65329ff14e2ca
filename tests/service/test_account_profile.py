"""The account page of the profile: what users change of their record, and what they never do."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio

from shared.model import User
from shared.oauth.client.metadata.kinds import Constant
from shared.paths import ACCOUNT, ACCOUNT_PROFILE
from tests.accounts import form_with, send, serve_accounts, sign_in, visit
from tests.authorization import LOCAL_ISSUER, AuthorizationService
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.accounts import (
    believes_any_form,
    lets_users_write_any_claim,
    lets_users_write_what_is_mapped,
)


@pytest_asyncio.fixture(scope="module")
async def accounts(module_database_url: str, module_redis_url: str) -> AsyncIterator[AuthorizationService]:
    """Both services."""
    settings = settings_for(module_database_url, module_redis_url, issuer=LOCAL_ISSUER, rate_limits="off")
    async with open_world(settings) as world, serve_accounts(settings, world) as service:
        yield service


async def stored(accounts: AuthorizationService, user: User) -> User:
    """The user as they are stored now."""
    found = await accounts.world.stores.users.find(user.user_id)
    assert found
    return found


async def test_a_user_changes_their_details(accounts: AuthorizationService) -> None:
    """They are stored as typed, without spaces around; an empty field removes a claim. It is audited."""
    browser, user = (
        accounts.browser(),
        await accounts.user(claims={"name": "Ada", "nickname": "A", "roles": ["X"]}),
    )
    page = await sign_in(browser, user, ACCOUNT_PROFILE)
    typed = {"name": " Ada Lovelace ", "nickname": "", "phone_number": "+44 20 7946 0000", "locale": "fr"}
    page = await send(browser, ACCOUNT_PROFILE, form_with(page, "profile-submit") | typed)
    assert page.path == f"{ACCOUNT}?done=profile"
    assert "have been saved" in page.text
    claims = {"name": "Ada Lovelace", "phone_number": "+44 20 7946 0000", "locale": "fr", "roles": ["X"]}
    assert (await stored(accounts, user)).claims == claims
    page = await visit(browser, ACCOUNT_PROFILE.path)
    assert 'value="Ada Lovelace"' in page.text
    assert re.search(r'<option value="fr" lang="fr" selected>Français<', page.text)
    await send(browser, ACCOUNT_PROFILE, form_with(page, "profile-submit") | typed)  # which changes nothing
    rows = await accounts.world.database.rows(
        "SELECT detail FROM audit WHERE user_id = $1 AND event = 'user_claims_changed'", user.user_id
    )
    assert [row["detail"] for row in rows] == [{"by": "user"}]


@planted(lets_users_write_any_claim)
async def test_no_other_claim_is_written(accounts: AuthorizationService) -> None:
    """Neither roles nor an address that nobody has verified, nor another user name."""
    own = {"email": f"{uuid4().hex}@profile.test"}
    browser, user = accounts.browser(), await accounts.user(claims=own)
    page = await sign_in(browser, user, ACCOUNT_PROFILE)
    typed = {"roles": "ADMIN", "email": "bob@profile.test", "groupPath": "/", "preferred_username": "root"}
    await send(browser, ACCOUNT_PROFILE, form_with(page, "profile-submit") | typed | {"username": "root"})
    found = await stored(accounts, user)
    assert (found.username, found.claims) == (user.username, own)


@planted(lets_users_write_what_is_mapped)
async def test_what_an_operator_maps_is_the_operators(accounts: AuthorizationService) -> None:
    """The field is shown but cannot be changed, by no form, as long as there is such a client."""
    browser, user = accounts.browser(), await accounts.user(claims={"nickname": "reader"})
    client = await accounts.client(claims_mapping={"x": "nickname", "y": Constant("given_name")})
    try:
        page = await sign_in(browser, user, ACCOUNT_PROFILE)
        assert re.search(r'<input id="nickname" type="text" value="reader"[^>]* readonly', page.text)
        form = form_with(page, "profile-submit")
        await send(browser, ACCOUNT_PROFILE, form | {"nickname": "admin", "given_name": "Ada"})
        assert (await stored(accounts, user)).claims == {"nickname": "reader", "given_name": "Ada"}
    finally:
        assert await accounts.world.stores.clients.delete(client.client_id)
    await send(browser, ACCOUNT_PROFILE, form | {"nickname": "Countess"})
    assert (await stored(accounts, user)).claims["nickname"] == "Countess"


async def test_a_new_phone_number_is_not_verified(accounts: AuthorizationService) -> None:
    """The old one was; the same one, sent again, still is."""
    verified = {"phone_number": "+49 30 123456", "phone_number_verified": True}
    browser, user = accounts.browser(), await accounts.user(claims=verified)
    form = form_with(await sign_in(browser, user, ACCOUNT_PROFILE), "profile-submit")
    await send(browser, ACCOUNT_PROFILE, form | {"phone_number": "+49 30 123456", "name": "Ada"})
    assert (await stored(accounts, user)).claims["phone_number_verified"] is True
    await send(browser, ACCOUNT_PROFILE, form | {"phone_number": "+49 30 654321"})
    assert (await stored(accounts, user)).claims == {"name": "Ada", "phone_number": "+49 30 654321"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "x" * 201}, "too long"),
        ({"family_name": "a\u202eb"}, "invisible"),
        ({"phone_number": "call me"}, "phone number"),
        ({"locale": "../../x"}, "invisible"),
    ],
)
async def test_a_bad_value_is_explained(
    accounts: AuthorizationService, typed: dict[str, str], words: str
) -> None:
    """Next to what was typed; nothing is stored, not even the rest of the form."""
    browser, user = accounts.browser(), await accounts.user(claims={"given_name": "Ada"})
    form = form_with(await sign_in(browser, user, ACCOUNT_PROFILE), "profile-submit")
    page = await send(browser, ACCOUNT_PROFILE, form | {"nickname": "Countess"} | typed)
    assert page.status == 400
    assert words in page.text
    assert 'value="Countess"' in page.text
    assert re.search(rf'<(input|select) id="{next(iter(typed))}"[^>]*aria-invalid="true"', page.text)
    assert (await stored(accounts, user)).claims == {"given_name": "Ada"}


async def test_a_change_meanwhile_is_not_overwritten(
    accounts: AuthorizationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator's change between reading and writing wins; the user is told."""
    browser, user = accounts.browser(), await accounts.user(claims={"name": "Ada"})
    form = form_with(await sign_in(browser, user, ACCOUNT_PROFILE), "profile-submit")
    users = accounts.world.stores.users
    mapped = accounts.world.stores.clients.__class__.mapped_attributes

    async def changing(*arguments: object) -> frozenset[str]:
        monkeypatch.undo()
        await users.replace(replace(await stored(accounts, user), claims={"name": "Countess"}))
        return await mapped(*arguments)  # type: ignore[arg-type]  # those of the method

    monkeypatch.setattr(accounts.world.stores.clients.__class__, "mapped_attributes", changing)
    page = await send(browser, ACCOUNT_PROFILE, form | {"name": "Ada L."})
    assert page.status == 400
    assert "in the meantime" in page.text
    assert (await stored(accounts, user)).claims == {"name": "Countess"}


@planted(believes_any_form)
async def test_a_form_of_another_session_changes_nothing(accounts: AuthorizationService) -> None:
    """Its hidden token belongs to the session."""
    browser, user, stranger = accounts.browser(), await accounts.user(), accounts.browser()
    await sign_in(browser, user, ACCOUNT_PROFILE)
    page = await sign_in(stranger, await accounts.user(), ACCOUNT_PROFILE)
    refused = await send(browser, ACCOUNT_PROFILE, form_with(page, "profile-submit") | {"name": "x"})
    assert refused.status == 403
    assert "name" not in (await stored(accounts, user)).claims

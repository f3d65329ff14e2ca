"""What an application for administrators gets: the administration scopes that its user has, and no others."""

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.model import User
from shared.oauth.client.record import Client
from shared.oauth.resource.own import ADMINISTRATION_SCOPES, READ_GROUPS, READ_USERS, WRITE_USERS
from tests.authorization import AuthorizationService, Page, is_consent
from tests.planted import planted
from tests.planted.groups import clients_get_every_right_they_ask_for

ASKED = ("openid", "profile", *ADMINISTRATION_SCOPES)


async def a_console(op: AuthorizationService, **fields: object) -> Client:
    """A client that an operator has marked for administration."""
    return await op.client(**{"scope": ASKED, "allow_administration": True, **fields})


async def a_user_with(op: AuthorizationService, *scopes: str) -> User:
    """A user in a group with these scopes."""
    groups, name = op.world.stores.groups, f"group-{uuid4().hex[:8]}"
    await groups.add(name, scopes)
    user = await op.user()
    await groups.join(name, user.user_id)
    return replace(user, groups=(name,))


def shown(page: Page) -> set[str]:
    """The administration scopes that a consent page names."""
    return {scope for scope in ADMINISTRATION_SCOPES if scope in page.text}


async def granted(op: AuthorizationService, page: Page) -> set[str]:
    """The scope of the code in a response."""
    return set((await op.code(page)).authorization.scope)


@planted(clients_get_every_right_they_ask_for)
async def test_the_user_is_asked_about_their_own_rights_alone(op: AuthorizationService) -> None:
    """And is asked again about those that they get later, although the first were remembered."""
    console, browser = await a_console(op, remember_consent=True), op.browser()
    user = await a_user_with(op, READ_USERS, WRITE_USERS)
    page = await browser.log_in(await browser.authorize(console, scope=" ".join(ASKED)), user)
    assert is_consent(page)
    assert shown(page) == {READ_USERS, WRITE_USERS}
    assert await granted(op, await browser.decide(page)) == {"openid", "profile", READ_USERS, WRITE_USERS}
    again = await browser.authorize(console, scope=" ".join(ASKED))
    assert await granted(op, again) == {"openid", "profile", READ_USERS, WRITE_USERS}
    (name,) = user.groups or ()
    group = await op.world.stores.groups.find(name)
    assert group
    await op.world.stores.groups.replace(group, name, (READ_USERS, READ_GROUPS))
    page = await browser.authorize(console, scope=" ".join(ASKED))
    assert is_consent(page)
    assert await granted(op, await browser.decide(page)) == {"openid", "profile", READ_USERS, READ_GROUPS}


@planted(clients_get_every_right_they_ask_for)
@pytest.mark.parametrize("fields", [{"skip_consent": True}, {"allow_administration": False}])
async def test_no_right_is_granted_without_a_question_either(
    op: AuthorizationService, fields: dict[str, bool]
) -> None:
    """A client that asks nobody gets the user's rights; one that may not administer for users gets none."""
    console, browser, user = await a_console(op, **fields), op.browser(), await a_user_with(op, READ_USERS)
    page = await browser.log_in(await browser.authorize(console, scope=" ".join(ASKED)), user)
    answer = await browser.decide(page) if is_consent(page) else page
    expected = {READ_USERS} if "skip_consent" in fields else set()
    assert await granted(op, answer) == {"openid", "profile"} | expected


@planted(clients_get_every_right_they_ask_for)
async def test_who_has_none_of_the_rights_is_refused(op: AuthorizationService) -> None:
    """If nothing else was asked for."""
    console, browser = await a_console(op), op.browser()
    page = await browser.log_in(await browser.authorize(console, scope=READ_USERS), await op.user())
    assert page.is_at_client
    assert page.answer["error"] == "access_denied"

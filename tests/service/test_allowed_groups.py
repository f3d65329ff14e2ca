"""Clients that only the members of some groups may use."""

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.model import User
from tests.authorization import AuthorizationService, Page, is_consent, is_login
from tests.builders import SignIn
from tests.deployment import TokenService, unverified
from tests.planted import planted
from tests.planted.groups import everybody_is_admitted

OFFLINE = ("openid", "offline_access")


async def _member(op: AuthorizationService, *groups: str) -> User:
    user = replace(await op.user(), groups=groups)
    for group in groups:
        if await op.world.stores.groups.find(group) is None:
            await op.world.stores.groups.add(group)
        await op.world.stores.groups.join(group, user.user_id)
    return user


def _is_refused(page: Page) -> bool:
    return page.is_at_client and page.answer["error"] == "access_denied"


@planted(everybody_is_admitted)
async def test_members_alone_sign_in(op: AuthorizationService) -> None:
    """Any spelling of a group counts. Others are sent back before they are asked for consent."""
    client = await op.client(allowed_groups=("Staff", "Guests"))
    member, stranger = await _member(op, "STAFF", "Others"), await _member(op, "Others")
    assert "code" in (await op.browser().sign_in(client, member)).answer
    browser = op.browser()
    page = await browser.authorize(client)
    assert is_login(page)
    assert _is_refused(await browser.log_in(page, stranger))
    for parameters in ({}, {"prompt": "none"}, {"prompt": "consent"}):
        assert _is_refused(await browser.authorize(client, **parameters))
    everybodys = await op.client()
    assert is_consent(await browser.authorize(everybodys))


@planted(everybody_is_admitted)
async def test_nobody_learns_of_the_groups_without_a_sign_in(op: AuthorizationService) -> None:
    """A user who has to sign in again does so first."""
    client = await op.client(allowed_groups=("Staff",))
    browser = op.browser()
    assert _is_refused(await browser.sign_in(client, await op.user()))
    assert is_login(await browser.authorize(client, prompt="login"))
    refused = await op.browser().authorize(client, prompt="none")
    assert refused.answer["error"] == "login_required"


@planted(everybody_is_admitted)
@pytest.mark.parametrize("rotation", [True, False])
async def test_a_refresh_judges_again(tokens: TokenService, rotation: bool) -> None:
    """A user whose groups the client no longer allows loses the grant; the groups are not released."""
    world = tokens.world
    group = f"Group {uuid4().hex}"
    client = await world.client(allowed_groups=(group.lower(), "other"), refresh_token_rotation=rotation)
    user = await world.user(groups=(group,))
    sign_in = SignIn(user, await world.session(user))
    answer = await tokens.tokens(client, sign_in.code(client.client_id, scope=OFFLINE))
    refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
    for issued in (answer, refreshed):
        assert "groups" not in unverified(issued["id_token"])
    stored = await world.stores.groups.find(group)
    assert stored
    await world.stores.groups.replace(stored, f"New {group}", ())
    refused = await tokens.refresh(client, refreshed["refresh_token"])
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_grant")
    assert (await tokens.userinfo(refreshed["access_token"])).status == 401


@planted(everybody_is_admitted)
async def test_a_code_of_a_stranger_gives_nothing(tokens: TokenService) -> None:
    """As a device code that a user of another group has approved."""
    client = await tokens.world.client(allowed_groups=("staff",))
    sign_in = await tokens.world.sign_in()
    code = await tokens.world.add_code(sign_in.code(client.client_id, scope=OFFLINE))
    refused = await tokens.redeem(client, code)
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_grant")
    rows = [row async for row in tokens.world.audit_rows() if row["user_id"] == sign_in.user.user_id]
    assert [row["event"] for row in rows][-2:] == ["grant_made", "grant_revoked"]

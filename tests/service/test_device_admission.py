"""The device page for clients that some users may not use, or not with all that the device asks for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.model import User
from shared.oauth.resource.own import READ_USERS, WRITE_USERS
from tests.authorization import Page, is_consent
from tests.planted import planted
from tests.planted.groups import clients_get_every_right_they_ask_for, everybody_is_admitted
from tests.service.test_device import DeviceProvider, decide, serve_devices


@pytest.fixture
async def provider(module_database_url: str, module_redis_url: str) -> AsyncIterator[DeviceProvider]:
    """Without rate limits."""
    async with serve_devices(module_database_url, module_redis_url, rate_limits="off") as served:
        yield served


async def a_member(provider: DeviceProvider, *scopes: str) -> tuple[User, str]:
    """A user, and the only group that they are in, which has these scopes."""
    groups, name = provider.world.stores.groups, f"group-{uuid4().hex[:8]}"
    await groups.add(name, scopes)
    user = await provider.op.user()
    await groups.join(name, user.user_id)
    return replace(user, groups=(name,)), name


def is_refused(page: Page) -> bool:
    return page.status == 200 and "is for the members of certain groups" in page.text


@planted(everybody_is_admitted)
async def test_a_user_of_no_allowed_group_is_not_asked(provider: DeviceProvider) -> None:
    """The page says why, and the device is told that access was denied."""
    _, group = await a_member(provider)
    client = await provider.client(allowed_groups=(group,))
    begun = await provider.begin(client)
    page = await provider.confirm(provider.op.browser(), await provider.op.user(), begun["user_code"])
    assert is_refused(page)
    assert await provider.error(client, begun["device_code"]) == "access_denied"


async def test_a_member_connects_a_device(provider: DeviceProvider) -> None:
    """Whatever the spelling of the group."""
    user, group = await a_member(provider)
    client = await provider.client(allowed_groups=(group.upper(),))
    begun = await provider.begin(client)
    browser = provider.op.browser()
    page = await provider.confirm(browser, user, begun["user_code"])
    assert is_consent(page)
    assert (await decide(browser, page)).status == 200
    assert (await provider.poll(client, begun["device_code"]))[0] == 200


@planted(everybody_is_admitted)
async def test_who_has_left_in_the_meantime_may_not_allow(provider: DeviceProvider) -> None:
    """Neither while the question is shown, nor between the answer and the redemption."""
    for allows_first in (False, True):
        user, group = await a_member(provider)
        client = await provider.client(allowed_groups=(group,))
        begun, browser = await provider.begin(client), provider.op.browser()
        page = await provider.confirm(browser, user, begun["user_code"])
        assert is_consent(page)
        stored = await provider.world.stores.groups.find(group)
        assert stored
        if allows_first:
            assert (await decide(browser, page)).status == 200
        await provider.world.stores.groups.replace(stored, f"renamed-{group}", ())
        if allows_first:
            assert await provider.error(client, begun["device_code"]) == "invalid_grant"
        else:
            assert is_refused(await decide(browser, page))
            assert await provider.error(client, begun["device_code"]) == "access_denied"


@planted(clients_get_every_right_they_ask_for)
async def test_a_device_gets_no_rights_that_its_user_lacks(provider: DeviceProvider) -> None:
    """The page does not ask for them; who has none of them is refused."""
    scopes = ("openid", READ_USERS, WRITE_USERS)
    client = await provider.client(scope=scopes, allow_administration=True)
    user, _ = await a_member(provider, READ_USERS)
    begun, browser = await provider.begin(client, scope=" ".join(scopes)), provider.op.browser()
    page = await provider.confirm(browser, user, begun["user_code"])
    assert (READ_USERS in page.text, WRITE_USERS in page.text) == (True, False)
    await decide(browser, page)
    status, answer = await provider.poll(client, begun["device_code"])
    assert (status, answer["scope"]) == (200, f"openid {READ_USERS}")
    begun = await provider.begin(client, scope=WRITE_USERS)
    assert is_refused(await provider.confirm(browser, user, begun["user_code"]))

"""Pending requests when a client's grants are revoked or the client is deleted and added again."""

from collections.abc import Awaitable, Callable

import pytest

from shared.oauth.client.record import Client
from shared.server.resources import WATCH
from tests.authorization import is_consent, is_login
from tests.front_channel import Services
from tests.planted import planted
from tests.planted.epoch import interactions_have_no_epoch, pushed_requests_have_no_epoch
from tests.service.test_pushed_requests import opened, pushed_uri

End = Callable[[Services, Client], Awaitable[None]]


async def _revoke_grants(provider: Services, client: Client) -> None:
    await provider.world.stores.clients.revoke_grants(client.client_id)
    await provider.op.app[WATCH].poll()


async def _delete_and_add(provider: Services, client: Client) -> None:
    await provider.world.stores.clients.delete(client.client_id)
    await provider.world.stores.clients.add(client)
    await provider.op.app[WATCH].poll()


ENDS = pytest.mark.parametrize("end", [_revoke_grants, _delete_and_add])


@ENDS
@planted(pushed_requests_have_no_epoch)
async def test_a_pushed_request_is_over(provider: Services, end: End) -> None:
    """The handle of a pushed request becomes invalid; a new one works."""
    client = await provider.client()
    request_uri = await pushed_uri(provider, client)
    assert is_login(await opened(provider, client, request_uri))
    await end(provider, client)
    assert not is_login(await opened(provider, client, request_uri))
    assert is_login(await opened(provider, client, await pushed_uri(provider, client)))


@ENDS
@planted(interactions_have_no_epoch)
async def test_an_interaction_is_over(provider: Services, end: End) -> None:
    """A pending consent cannot be given; a new request works."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.log_in(await browser.authorize(client), user)
    assert is_consent(page)
    await end(provider, client)
    decided = await browser.decide(page)
    assert not decided.is_at_client
    page = await browser.authorize(client)
    assert is_consent(page)
    page = await browser.decide(page)
    assert (await provider.tokens.redeem(client, page.answer["code"])).status == 200

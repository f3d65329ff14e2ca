"""A client that registered itself counts as used once it has a token."""

import pytest

from shared.config.settings import Settings
from tests.builders import World, a_client
from tests.deployment import serve_tokens

_USED = "SELECT used_at IS NOT NULL AS is_used FROM clients WHERE client_id = $1"


async def _is_used(world: World, client_id: str) -> bool:
    row = await world.database.row(_USED, client_id)
    assert row
    return bool(row["is_used"])


@pytest.mark.point(20)
async def test_a_token_marks_its_client_once_the_process_writes_it_down(
    settings: Settings, world: World
) -> None:
    """A token of client_credentials counts, too; a refusal does not."""
    client = await world.client(is_dynamically_registered=True)
    refused = await world.client(is_dynamically_registered=True)
    async with serve_tokens(settings, world) as service:
        for one, scope in ((client, "api:read"), (refused, "nothing")):
            form = {"grant_type": "client_credentials", "scope": scope}
            assert (await service.token(one, form)).status == (200 if one is client else 400)
    assert await _is_used(world, client.client_id)
    assert not await _is_used(world, refused.client_id)


async def test_operators_clients_are_never_written_down(settings: Settings, world: World) -> None:
    """They do not expire."""
    client = a_client()
    await world.stores.clients.add(client)
    async with serve_tokens(settings, world) as service:
        assert (await service.token(client, {"grant_type": "client_credentials"})).status == 200
    assert not await _is_used(world, client.client_id)

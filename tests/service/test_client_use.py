"""A client counts as used once it has a token."""

import pytest

from services.token.client_uses import UsedClients
from shared.config.settings import Settings
from shared.live import clock
from shared.store import CLIENT_USE_NOTED_EVERY
from tests.builders import World, a_client
from tests.deployment import serve_tokens
from tests.manual_time import ManualTime
from tests.planted import planted
from tests.planted.examination import noted_once_for_ever

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


async def test_operators_clients_are_marked_too(settings: Settings, world: World) -> None:
    """They do not expire, but their operator learns which of them nobody uses."""
    client = a_client()
    await world.stores.clients.add(client)
    async with serve_tokens(settings, world) as service:
        assert (await service.token(client, {"grant_type": "client_credentials"})).status == 200
    assert await _is_used(world, client.client_id)


@planted(noted_once_for_ever)
async def test_a_client_is_marked_again_after_a_day(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Once a day, however often it is used, so that the mark tells when it was used last."""
    client, marks = await world.client(), list[bool]()
    time = ManualTime()
    monkeypatch.setattr(clock, "monotonic", time)
    uses = UsedClients(world.stores.client_uses)
    for seconds in (0, 1000, CLIENT_USE_NOTED_EVERY.total_seconds()):
        time.now += seconds
        await world.database.row("UPDATE clients SET used_at = NULL WHERE client_id = $1", client.client_id)
        await uses.flush()
        uses.note(client)
        await uses.flush()
        marks.append(await _is_used(world, client.client_id))
    assert marks == [True, False, True]

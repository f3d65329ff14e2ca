"""`Outages` with the real PostgreSQL: recording, and extending the reuse window."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp.test_utils import TestClient

from services.worker.app import mount
from shared.config.settings import Settings
from shared.server.app import application
from shared.store import OutcomeUnknown
from shared.store.postgres.outages import PostgresOutages
from tests.builders import World
from tests.contract.test_refresh_families import WINDOW, RefreshFamily, a_family
from tests.planted import planted
from tests.planted.redemption import blames_postgresql, forgets_outages
from tests.served import Served

HANG_GUARD = 30  # seconds


@pytest.fixture
async def family(world: World) -> AsyncIterator[RefreshFamily]:
    """A family in a database without outages."""
    await _forget(world)
    yield await a_family(world)
    await _forget(world)


async def _forget(world: World) -> None:
    await world.database.row("DELETE FROM outages")
    await world.database.row("UPDATE acknowledged SET at = NULL")


async def _outages(world: World) -> list[float]:
    """The duration of each outage in seconds."""
    rows = await world.database.rows(
        "SELECT extract(epoch FROM ended_at - began_at)::float8 AS s FROM outages ORDER BY began_at"
    )
    return [row["s"] for row in rows]


async def _silent(world: World, seconds: int) -> None:
    """Make the last acknowledgement this old."""
    await world.database.row(
        "UPDATE acknowledged SET at = clock_timestamp() - make_interval(secs => $1)", float(seconds)
    )


async def _rotated(family: RefreshFamily, seconds: int) -> None:
    """Rotate the first token, this long ago."""
    await family.successor(family.first)
    await family.world.database.row(
        "UPDATE refresh_families SET rotated_at = now() - make_interval(secs => $2) WHERE family_hash = $1",
        family.first.family_hash,
        float(seconds),
    )


async def _note(world: World, begins: int, ends: int) -> None:
    """Record an outage between two times, in seconds ago."""
    await world.database.row(
        "INSERT INTO outages VALUES (now() - make_interval(secs => $1), now() - make_interval(secs => $2))",
        float(begins),
        float(ends),
    )


async def test_regular_writes_are_no_outage(world: World, family: RefreshFamily) -> None:
    """Regular writes of one or several workers, and the first write, record no outage."""
    workers = [PostgresOutages(world.database) for _ in range(3)]
    for _ in range(3):
        for worker in workers:
            await worker.beat()
    await asyncio.gather(*(worker.beat() for worker in workers))
    assert await _outages(world) == []


async def test_a_silence_is_an_outage(world: World, family: RefreshFamily) -> None:
    """The first write after an outage records it, once. Three seconds are not an outage."""
    await _silent(world, 2)
    await PostgresOutages(world.database).beat()
    assert await _outages(world) == []
    await _silent(world, 70)
    worker = PostgresOutages(world.database)
    for _ in range(3):
        await worker.beat()
    (seconds,) = await _outages(world)
    assert seconds >= 70


@planted(blames_postgresql)
async def test_a_worker_that_is_late_is_no_outage(world: World, family: RefreshFamily) -> None:
    """A late worker is not an outage, because PostgreSQL acknowledged everything."""
    worker = PostgresOutages(world.database)
    await worker.beat()
    await _silent(world, 70)
    assert worker._acknowledged_at
    worker._acknowledged_at -= timedelta(seconds=70)
    await worker.beat()
    assert await _outages(world) == []


async def test_a_write_that_was_not_acknowledged_ends_no_outage(world: World, family: RefreshFamily) -> None:
    """Writes that a missing standby has not confirmed do not count as acknowledged."""
    worker, row = PostgresOutages(world.database), world.database.row
    await worker.beat()
    await worker.beat()
    await _silent(world, 70)

    async def unconfirmed(sql: str, *arguments: Any) -> None:
        await row(sql, *arguments)
        raise OutcomeUnknown("no standby has confirmed it")

    worker = PostgresOutages(world.database)
    with patch.object(world.database, "row", unconfirmed):
        for _ in range(3):
            with pytest.raises(OutcomeUnknown):
                await worker.beat()
    (before,) = await _outages(world)
    await worker.beat()
    (after,) = await _outages(world)
    assert after > before


@planted(forgets_outages)
async def test_an_outage_is_added_to_the_reuse_window(world: World, family: RefreshFamily) -> None:
    """A client that lost an answer repeats its request after an outage of 70 s, and keeps its family."""
    await _rotated(family, 100)
    await _note(world, 95, 25)
    assert await world.stores.refresh_families.find(family.first.family_hash, family.first.hash, WINDOW)
    assert await family.verdict(family.first) == "again"


@planted(forgets_outages)
async def test_an_outage_counts_before_it_is_noted(world: World, family: RefreshFamily) -> None:
    """An outage counts before the worker has written again."""
    await _rotated(family, 100)
    await _silent(world, 70)
    assert await family.verdict(family.first) == "again"


@pytest.mark.parametrize(("begins", "ends"), [(400, 150), (50, 20)])
async def test_only_the_outage_after_the_rotation_counts(
    world: World, family: RefreshFamily, begins: int, ends: int
) -> None:
    """Earlier outages, and outages shorter than the delay, do not extend the window."""
    await _rotated(family, 120)
    await _note(world, begins, ends)
    assert await family.verdict(family.first) == "spent"


async def test_the_extension_is_bounded(world: World, family: RefreshFamily) -> None:
    """Outages extend the window by fifteen minutes at most."""
    await _rotated(family, 3600)
    await _note(world, 3500, 10)
    assert await family.verdict(family.first) == "spent"


async def test_several_outages_add_up(world: World, family: RefreshFamily) -> None:
    """Two outages of forty seconds add up."""
    await _rotated(family, 120)
    await _note(world, 110, 70)
    await _note(world, 60, 20)
    assert await family.verdict(family.first) == "again"


async def test_a_worker_writes(settings: Settings, world: World, family: RefreshFamily) -> None:
    """The worker writes as long as it runs."""
    async with TestClient(Served(application(settings, mount))):
        async with asyncio.timeout(HANG_GUARD):
            while not (row := await world.database.row(_IS_ACKNOWLEDGED)) or not row["is_acknowledged"]:
                await asyncio.sleep(0.01)
    assert await _outages(world) == []


_IS_ACKNOWLEDGED = "SELECT at IS NOT NULL AS is_acknowledged FROM acknowledged"

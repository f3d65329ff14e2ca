"""The audit log is sealed, verified, and shortened by age."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.config.settings import Settings
from shared.live import clock
from shared.operations.audit.chain import checkpoint_key, sealed
from shared.operations.audit.seal import seal_next
from shared.operations.audit.verify import Verification, verify_log
from shared.store import Expiring
from tests.builders import World
from tests.deployment import open_world, settings_for
from tests.planted import planted
from tests.planted.audit import (
    any_checkpoint_will_do,
    checkpoints_are_not_compared,
    details_are_not_hashed,
    gaps_are_not_seen,
    missing_rows_are_not_missed,
    rows_are_hashed_without_their_place,
    rows_are_removed_one_by_one,
)

DAY = timedelta(days=1)
IN_SEGMENT, SEGMENTS = 4, 3
ALTERED = "segment 2: its rows, or the segment before it, were altered"
FIRST = "(SELECT audit_ids[1] FROM audit_segments WHERE segment_id = 2)"
LAST = "(SELECT last_id FROM audit_segments WHERE segment_id = 3)"
OF = "audit_id IN (SELECT unnest(audit_ids) FROM audit_segments WHERE segment_id = {})"


@dataclass(frozen=True, slots=True)
class Log:
    """An audit log of three segments with four rows each, and one row that is not sealed."""

    world: World
    key: Ed25519PrivateKey

    async def verified(self, *kept: str) -> Verification:
        log = self.world.stores.audit_log
        return await verify_log(log, self.key.public_key(), clock.now(), DAY, kept)

    async def change(self, statement: str) -> None:
        """What somebody with access to the database does."""
        await self.world.database.rows(f"{statement} RETURNING 1")

    async def checkpoints(self) -> list[str]:
        return [each.checkpoint for each in await self.world.stores.audit_log.segments(0, 100)]


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """A deployment of the test's own."""
    return settings_for(database_url, redis_url)


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[Log]:
    """The rows of the first segment are two days old."""
    async with open_world(settings) as world:
        made = Log(world, checkpoint_key(b"salt" * 8))
        await made.change("DELETE FROM audit")
        for segment in range(SEGMENTS):
            for number in range(IN_SEGMENT):
                detail = f'{{"segment": {segment}, "by": "ada"}}'
                await made.change(
                    f"INSERT INTO audit (event, client_id, detail) VALUES ('event_{number}', 'x', '{detail}')"
                )
            if segment == 0:
                await made.change("UPDATE audit SET at = at - interval '2 days'")
            assert await seal_next(world.stores.audit_log, made.key) == IN_SEGMENT
        await made.change("INSERT INTO audit (event) VALUES ('last')")
        yield made


async def test_a_log_that_nobody_touched_is_verified(log: Log) -> None:
    """Also by its checkpoints; what is too new to be sealed is counted."""
    verification = await log.verified(*await log.checkpoints())
    assert verification == Verification(segments=SEGMENTS, rows=SEGMENTS * IN_SEGMENT, unsealed=1)
    assert await seal_next(log.world.stores.audit_log, log.key) == 1
    assert await seal_next(log.world.stores.audit_log, log.key) == 0
    assert (await log.verified()).unsealed == 0


@planted(details_are_not_hashed)
@pytest.mark.parametrize(
    "change",
    ['detail = detail || \'{"by": "eve"}\'', "client_id = 'other'", "at = at + interval '1 microsecond'"],
)
async def test_an_altered_row_is_found(log: Log, change: str) -> None:
    """Each member of a row counts."""
    await log.change(f"UPDATE audit SET {change} WHERE audit_id = {FIRST}")
    assert (await log.verified()).faults == [ALTERED]


@planted(missing_rows_are_not_missed)
async def test_deleted_and_added_rows_are_found(log: Log) -> None:
    """In the middle, at the end, and where a row is taken out of its segment, or put before the first."""
    await log.change(f"DELETE FROM audit WHERE audit_id = {FIRST}")
    await log.change(f"DELETE FROM audit WHERE audit_id = {LAST}")
    await log.change("UPDATE audit_segments SET audit_ids = audit_ids[1:3] WHERE segment_id = 1")
    await log.change("INSERT INTO audit (audit_id, event) OVERRIDING SYSTEM VALUE VALUES (-20000, 'made_up')")
    assert (await log.verified()).faults == [
        "segment 1: its checkpoint is for other content",
        "segment 1: its rows, or the segment before it, were altered",
        "segment 2: 1 of its rows are missing",
        "segment 3: 1 of its rows are missing",
        "there are rows of no segment among those that are sealed",
    ]


@planted(rows_are_hashed_without_their_place)
async def test_rows_in_another_order_are_found(log: Log) -> None:
    """The contents of two rows are exchanged."""
    await log.change(
        """UPDATE audit a SET at = b.at, event = b.event FROM audit b
             , audit_segments s
            WHERE s.segment_id = 2 AND a.audit_id = ANY(s.audit_ids) AND b.audit_id = ANY(s.audit_ids)
              AND a.event <> b.event
              AND a.event IN ('event_1', 'event_2') AND b.event IN ('event_1', 'event_2')"""
    )
    assert (await log.verified()).faults == [ALTERED]


@planted(gaps_are_not_seen)
async def test_a_deleted_segment_is_found(log: Log) -> None:
    """With its rows: the one after it is alone."""
    await log.change(f"DELETE FROM audit WHERE {OF.format(2)}")
    await log.change("DELETE FROM audit_segments WHERE segment_id = 2")
    assert "segment 3: the segments before it are missing" in (await log.verified()).faults


@planted(checkpoints_are_not_compared)
async def test_what_is_cut_off_at_the_end_is_found_by_a_checkpoint(log: Log) -> None:
    """Nothing in the database misses it, so checkpoints are kept elsewhere."""
    checkpoints = await log.checkpoints()
    await log.change(f"DELETE FROM audit WHERE {OF.format(3)}")
    await log.change("DELETE FROM audit_segments WHERE segment_id = 3")
    assert (await log.verified()).faults == []
    assert (await log.verified(*checkpoints)).faults == ["segment 3: it was cut off, with all after it"]
    assert "is no checkpoint" in (await log.verified("a.b.c")).faults[0]


@planted(any_checkpoint_will_do)
async def test_a_log_that_was_sealed_anew_is_found(log: Log) -> None:
    """Without the key, nobody can sign the checkpoint of another history."""
    audit_log = log.world.stores.audit_log
    await log.change(f"UPDATE audit SET client_id = 'other' WHERE {OF.format(3)}")
    await log.change("DELETE FROM audit_segments WHERE segment_id = 3")
    records = (await audit_log.unsealed(100))[:IN_SEGMENT]
    forged = sealed(await audit_log.last_segment(), records, Ed25519PrivateKey.generate())
    assert await audit_log.seal(forged)
    assert (await log.verified()).faults == ["segment 3: its checkpoint is not signed by this deployment"]


@planted(rows_are_removed_one_by_one)
async def test_whole_segments_are_removed_by_age(log: Log) -> None:
    """The last checkpoint of what is removed stays, and the rest is verified from it."""
    assert await log.world.stores.expiry.remove(Expiring.AUDIT, DAY, 500) == IN_SEGMENT
    assert await log.world.stores.expiry.remove(Expiring.AUDIT, DAY, 500) == 0
    verification = await log.verified()
    assert (verification.faults, verification.rows) == ([], (SEGMENTS - 1) * IN_SEGMENT)
    await log.change(f"DELETE FROM audit WHERE {OF.format(2)}")
    await log.change("UPDATE audit_segments SET is_removed = true WHERE segment_id = 2")
    assert (await log.verified()).faults == ["segment 2: its rows are missing before their time"]


async def test_of_two_sealers_one_seals(log: Log) -> None:
    """A segment that another process has added stays as it is; a row that commits late is sealed later."""
    audit_log = log.world.stores.audit_log
    segment = sealed(await audit_log.last_segment(), await audit_log.unsealed(10), log.key)
    assert await audit_log.seal(segment)
    assert not await audit_log.seal(segment)
    await log.change("INSERT INTO audit (audit_id, event) OVERRIDING SYSTEM VALUE VALUES (0, 'late')")
    assert await seal_next(audit_log, log.key) == 1
    assert (await log.verified()).faults == []

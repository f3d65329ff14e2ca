"""Redeeming a code with the real PostgreSQL: repetitions, double deliveries, late requests and replays."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from shared.live import clock
from shared.live.randomness import new_id
from shared.model import AuthorizationCode
from shared.oauth.client.record import Client
from shared.oauth.tokens.refresh_token import RefreshToken, open_successor, seal_successor
from shared.store import Attempt, NewFamily, Redeemed, Rotation, Unavailable
from shared.store.postgres.changes import PostgresChanges
from shared.store.postgres.grants import PostgresGrants
from tests.builders import World, an_attempt
from tests.planted import planted
from tests.planted.redemption import (
    forgives_for_seconds,
    ignores_deadlines,
    knows_no_overlap,
    leaves_the_family,
    revokes_what_comes_late,
    takes_nothing_over,
    updates_the_family,
)

DAY = timedelta(days=1)
HANG_GUARD = 30  # seconds


@dataclass(frozen=True, slots=True)
class Code:
    """A code with its client, and the redemption of it."""

    world: World
    client: Client
    code: AuthorizationCode
    code_hash: bytes

    async def redeem(
        self,
        attempt: Attempt | None = None,
        unknown: tuple[UUID, ...] = (),
        grants: PostgresGrants | None = None,
    ) -> tuple[Redeemed | None, RefreshToken]:
        """Redeem it after attempts of unknown outcome. Returns the outcome and the refresh token."""
        token = RefreshToken.of(secrets.token_bytes(32), secrets.token_bytes(16))
        family = NewFamily(
            family_hash=token.family_hash, token_hash=token.hash, idle=DAY, expires_at=clock.now() + DAY
        )
        redeemed = await (grants or self.world.stores.grants).redeem(
            attempt or an_attempt(),
            self.code_hash,
            replace(self.code, unknown_attempts=unknown),
            clock.now() + DAY,
            family,
        )
        return redeemed, token

    async def is_good(self, token: RefreshToken) -> bool:
        """Whether a refresh token and then its successor can be used."""
        for _ in range(2):
            candidate = token.succeeded_by(secrets.token_bytes(32))
            rotation = Rotation(
                family_hash=token.family_hash,
                presented_hash=token.hash,
                client_id=self.client.client_id,
                candidate_hash=candidate.hash,
                candidate_sealed=seal_successor(token, candidate, secrets.token_bytes(12)),
                reuse_window=timedelta(0),
                deadline=time.monotonic() + 60,
            )
            rotated = await self.world.stores.refresh_families.rotate(rotation)
            if rotated is None or rotated.verdict == "spent":
                return False
            token = open_successor(token, rotated.sealed_successor)
        return True

    async def is_revoked(self) -> bool:
        """Whether the code's grant has been revoked."""
        row = await self.world.database.row(
            "SELECT revoked_at FROM grants WHERE code_hash = $1", self.code_hash
        )
        assert row is not None
        return row["revoked_at"] is not None

    @asynccontextmanager
    async def redeeming(self, attempt: Attempt) -> AsyncIterator[None]:
        """The time between the statement of an attempt and its commit."""
        async with self.world.database.transaction() as connection:
            with patch.object(self.world.database, "row_idempotent", connection.fetchrow):
                redeemed, _ = await self.redeem(attempt, grants=PostgresGrants(self.world.database))
            assert redeemed
            assert redeemed.is_mine
            yield

    async def until_waiting(self, number: int) -> None:
        """Return when so many redemptions wait for a lock."""
        async with asyncio.timeout(HANG_GUARD):
            while not (row := await self.world.database.row(_WAITING)) or row["n"] < number:
                await asyncio.sleep(0.01)


_WAITING = """
SELECT count(*) AS n FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO grants%'"""


@pytest.fixture
async def code(world: World) -> Code:
    """A pending code."""
    await world.stores.changes.since(0)  # which measures the server's clock
    await PostgresChanges(world.database).since(0)
    client, sign_in = await world.client(), await world.sign_in()
    return Code(world, client, await world.issued_code(sign_in.code(client.client_id)), uuid4().bytes * 2)


@planted(takes_nothing_over, leaves_the_family)
async def test_a_repetition_takes_over_what_was_committed(code: Code) -> None:
    """The first attempt committed but got a 503: the second one gets the same grant."""
    first = an_attempt()
    made, lost_token = await code.redeem(first)
    redeemed, token = await code.redeem(unknown=(first.attempt_id,))
    assert made
    assert redeemed
    assert (redeemed.grant_id, redeemed.is_mine) == (made.grant_id, True)
    assert not await code.is_good(lost_token)
    assert await code.is_good(token)


@planted(revokes_what_comes_late)
async def test_a_repetition_of_what_was_not_committed_is_the_first(code: Code) -> None:
    """A delayed first attempt arrives after the second one, and is refused."""
    first = an_attempt()
    redeemed, token = await code.redeem(unknown=(first.attempt_id,))
    late, late_token = await code.redeem(first)
    assert redeemed
    assert late
    assert (redeemed.is_mine, late.is_mine, late.is_replay) == (True, False, False)
    assert not await code.is_good(late_token)
    assert await code.is_good(token)


@planted(takes_nothing_over, leaves_the_family, updates_the_family)
async def test_a_repetition_waits_for_the_first_and_takes_over(code: Code) -> None:
    """The first attempt commits while the second waits for it."""
    first = an_attempt()
    async with code.redeeming(first):
        second = asyncio.create_task(code.redeem(unknown=(first.attempt_id,)))
        await code.until_waiting(1)
    redeemed, token = await second
    assert redeemed
    assert redeemed.is_mine
    assert await code.is_good(token)


async def test_a_repetition_may_be_repeated(code: Code) -> None:
    """Each attempt of a long outage takes over from the previous ones, in any order of execution."""
    attempts = [an_attempt() for _ in range(5)]
    ids = [attempt.attempt_id for attempt in attempts]
    outcomes = {}
    for number in (1, 0, 3, 2):
        redeemed, _ = await code.redeem(attempts[number], tuple(ids[:number]))
        assert redeemed
        outcomes[number] = redeemed.is_mine
    assert outcomes == {1: True, 0: False, 3: True, 2: False}
    redeemed, token = await code.redeem(attempts[4], tuple(ids[:4]))
    assert redeemed
    assert redeemed.is_mine
    assert await code.is_good(token)


@pytest.mark.parametrize("is_committed", [True, False])
async def test_of_many_repetitions_one_wins(code: Code, is_committed: bool) -> None:
    """Of fifty concurrent attempts after an outage, exactly one gets the grant; the others are replays."""
    first = an_attempt()
    if is_committed:
        await code.redeem(first)
    outcomes = await asyncio.gather(*(code.redeem(unknown=(first.attempt_id,)) for _ in range(50)))
    assert sum(redeemed is not None and redeemed.is_mine for redeemed, _ in outcomes) == 1
    assert await code.is_revoked()


async def test_a_repetition_is_repeated_without_harm(code: Code) -> None:
    """The statement that took over is repeated after a lost answer and changes nothing."""
    first, second = an_attempt(), an_attempt()
    await code.redeem(first)
    for _ in range(3):
        redeemed, _ = await code.redeem(second, (first.attempt_id,))
        assert redeemed
        assert redeemed.is_mine
    assert not await code.is_revoked()


async def test_a_rotated_family_is_not_taken_over(code: Code) -> None:
    """If the tokens of the first attempt were used, the second one gets none."""
    first = an_attempt()
    _, token = await code.redeem(first)
    assert await code.is_good(token)
    redeemed, other = await code.redeem(unknown=(first.attempt_id,))
    assert redeemed
    assert not redeemed.is_mine
    assert not await code.is_good(other)


async def test_what_was_taken_over_can_be_replayed(code: Code) -> None:
    """An attempt that does not know every unknown attempt revokes the grant."""
    first = an_attempt()
    await code.redeem(first)
    await code.redeem(unknown=(first.attempt_id,))
    replayed, _ = await code.redeem(unknown=(first.attempt_id, new_id()))
    assert replayed
    assert (replayed.is_mine, replayed.is_replay) == (False, True)
    assert await code.is_revoked()


@planted(knows_no_overlap)
async def test_a_request_delivered_twice_is_no_theft(code: Code) -> None:
    """If both were complete before the grant was made, the loser is refused and the winner's tokens work."""
    first = an_attempt(age=0)
    async with code.redeeming(first):
        second = asyncio.create_task(code.redeem(an_attempt(age=1)))
        await code.until_waiting(1)
    loser, _ = await second
    assert loser
    assert (loser.grant_id, loser.is_mine, loser.is_replay) == (first.attempt_id, False, False)
    await code.world.stores.grants.revoke_replayed(code.code_hash, code.client.client_id, an_attempt(age=5))
    assert not await code.is_revoked()


@planted(forgives_for_seconds)
@pytest.mark.parametrize("age", [0, None])
async def test_a_request_that_begins_later_is_a_replay(code: Code, age: float | None) -> None:
    """A later request is a replay, however soon it comes, and so is any request without a proof."""
    await code.redeem(an_attempt(age=1))
    replayed, _ = await code.redeem(an_attempt(age=age))
    assert replayed
    assert replayed.is_replay
    assert await code.is_revoked()


async def test_an_overlap_is_bounded(code: Code) -> None:
    """A request that was delayed for more than five seconds is not a retry."""
    await code.redeem()
    await code.world.database.row(
        "UPDATE grants SET made_at = made_at - interval '6 seconds' WHERE code_hash = $1", code.code_hash
    )
    replayed, _ = await code.redeem(an_attempt(age=8))
    assert replayed
    assert replayed.is_replay


async def test_a_grant_of_the_previous_release_has_no_overlap(code: Code) -> None:
    """For a grant without a time, every second request is a replay."""
    await code.redeem()
    await code.world.database.row("UPDATE grants SET made_at = NULL WHERE code_hash = $1", code.code_hash)
    replayed, _ = await code.redeem(an_attempt(age=4))
    assert replayed
    assert replayed.is_replay


def _delay_statements(world: World, seconds: float) -> PostgresGrants:
    """Grants whose statements reach the server this late, by its clock."""
    grants = PostgresGrants(world.database)
    server_time = clock.now() - timedelta(seconds=seconds)
    world.database.clock.measured(time.monotonic(), server_time)
    return grants


@planted(ignores_deadlines)
@pytest.mark.parametrize("patience", [-1.0, 30.0])
async def test_a_stale_request_spends_and_revokes_nothing(code: Code, patience: float) -> None:
    """The deadline has passed in the sending process, or when the server reads the statement."""
    grants = _delay_statements(code.world, 60)
    stale = an_attempt(patience=patience)
    with pytest.raises(Unavailable):
        await code.redeem(stale, grants=grants)
    _, token = await code.redeem()
    with pytest.raises(Unavailable):
        await code.redeem(stale, grants=grants)
    with pytest.raises(Unavailable):
        await grants.revoke_replayed(code.code_hash, code.client.client_id, stale)
    assert not await code.is_revoked()
    assert await code.is_good(token)


async def test_a_statement_in_time_is_executed(code: Code) -> None:
    """Times are those of the server's clock, whatever the difference."""
    grants = _delay_statements(code.world, -3600)
    redeemed, _ = await code.redeem(an_attempt(patience=3700), grants=grants)
    assert redeemed
    assert redeemed.is_mine

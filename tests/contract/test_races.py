"""Races over two token processes: fifty open connections, released by a barrier.

The invariants are checked on the history, and the checker is tried with defective services.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, UnixConnector

from shared.oauth.pkce import challenge_of
from shared.paths import INTROSPECTION, TOKEN
from tests.builders import REDIRECT_URI, VERIFIER, World
from tests.deployment import basic, open_world, settings_for

CONNECTIONS = 50
ROUNDS = 10
PLANTED_ROUNDS = 3
HANG_GUARD = 60.0  # seconds
ORIGIN = "http://token"

RIGHT = ("-m", "services.cli", "serve", "token", "--listen")
PLANTED = ("-m", "tests.planted", "races.finds_then_spends,races.finds_then_rotates", "token")

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RaceResponse:
    """One answer."""

    status: int
    body: Mapping[str, Any]


History = Sequence[Sequence[RaceResponse]]


def redemption_faults(history: History) -> list[str]:
    """The violations in rounds of one code each: at most one success, all others invalid_grant."""
    faults = []
    for number, outcomes in enumerate(history):
        successes = [outcome for outcome in outcomes if outcome.status == 200]
        others = {(o.status, o.body.get("error")) for o in outcomes if o.status != 200}
        if len(successes) > 1:
            faults.append(f"round {number}: {len(successes)} successes")
        if not others <= {(400, "invalid_grant")}:
            faults.append(f"round {number}: {others}")
    return faults


def rotation_faults(history: History) -> list[str]:
    """The violations in rounds of one refresh token each: all succeed, with one successor."""
    faults = []
    for number, outcomes in enumerate(history):
        successors = {outcome.body.get("refresh_token") for outcome in outcomes if outcome.status == 200}
        if len(successors) != 1:
            faults.append(f"round {number}: {len(successors)} successors")
        if statuses := {outcome.status for outcome in outcomes} - {200}:
            faults.append(f"round {number}: {statuses}")
    return faults


@contextmanager
def _process(command: Sequence[str], path: Path, environment: Mapping[str, str]) -> Iterator[None]:
    with subprocess.Popen(
        (sys.executable, *command, f"unix:{path}"),
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(HANG_GUARD)


class Racers:
    """Connections to two processes."""

    def __init__(self, sessions: Sequence[ClientSession]) -> None:
        self._sessions = sessions

    async def post(self, path: str, headers: Mapping[str, str], form: Form) -> RaceResponse:
        """One request, before or after a race."""
        return await _post(self._sessions[0], path, headers, form)

    async def race(self, path: str, headers: Mapping[str, str], form: Form) -> list[RaceResponse]:
        """The same request over all connections at once."""
        barrier = asyncio.Barrier(len(self._sessions))

        async def run(session: ClientSession) -> RaceResponse:
            await barrier.wait()
            return await _post(session, path, headers, form)

        return await asyncio.gather(*(run(session) for session in self._sessions))


async def _post(session: ClientSession, path: str, headers: Mapping[str, str], form: Form) -> RaceResponse:
    async with session.post(f"{ORIGIN}{path}", data=form, headers=headers) as response:
        return RaceResponse(response.status, await response.json())


async def _opened(path: Path, stack: AsyncExitStack) -> ClientSession:
    session = await stack.enter_async_context(ClientSession(connector=UnixConnector(str(path), limit=1)))
    async with asyncio.timeout(HANG_GUARD):
        while True:
            try:
                async with session.get(f"{ORIGIN}/healthz") as response:
                    await response.read()
                    return session
            except ClientError:
                await asyncio.sleep(0.05)  # it is still starting


@asynccontextmanager
async def _racers(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> AsyncIterator[Racers]:
    paths = [folder / f"{number}.sock" for number in range(2)]
    async with AsyncExitStack() as stack:
        for path in paths:
            stack.enter_context(_process(command, path, environment))
        sessions = [await _opened(paths[number % 2], stack) for number in range(CONNECTIONS)]
        yield Racers(sessions)


@pytest.fixture
def environment(module_database_url: str, module_redis_url: str) -> dict[str, str]:
    """The settings of the processes."""
    settings = settings_for(module_database_url, module_redis_url)
    assert settings.database_url
    return {
        "OSTIARY_ISSUER": settings.issuer,
        "OSTIARY_DATABASE_URL": module_database_url,
        "OSTIARY_REDIS_URL": module_redis_url,
        "OSTIARY_SECRET_KEY": settings.secret_key[0].get_secret_value(),
        "OSTIARY_LOG_LEVEL": "error",
        "OSTIARY_DRAIN_DELAY": "0s",
    }


@pytest.fixture
async def stores(module_database_url: str, module_redis_url: str) -> AsyncIterator[World]:
    """The stores of the processes."""
    async with open_world(settings_for(module_database_url, module_redis_url)) as world:
        yield world


async def _redemptions(
    world: World, racers: Racers, rounds: int, *, is_proved: bool = True
) -> tuple[History, list[bool]]:
    """Rounds of one code each, and whether the winner's tokens are valid afterwards."""
    confidential, public = await world.client(), await world.public_client()
    client, challenge = (confidential, challenge_of(VERIFIER)) if is_proved else (public, None)
    headers, history, holding = basic(confidential.client_id), [], []
    proof = {"code_verifier": VERIFIER} if is_proved else {"client_id": public.client_id}
    for _ in range(rounds):
        sign_in = await world.sign_in()
        code = await world.add_code(sign_in.code(client.client_id, code_challenge=challenge))
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, **proof}
        outcomes = await racers.race(TOKEN.path, headers if is_proved else {}, form)
        history.append(outcomes)
        for outcome in outcomes:
            if outcome.status == 200:
                token = {"token": outcome.body["access_token"]}
                described = await racers.post(INTROSPECTION.path, headers, token)
                holding.append(described.body["active"])
    return history, holding


async def _rotations(world: World, racers: Racers, rounds: int) -> History:
    client = await world.client()
    headers, history = basic(client.client_id), []
    code = await world.add_code((await world.sign_in()).code(client.client_id))
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    refresh_token = (await racers.post(TOKEN.path, headers, form)).body["refresh_token"]
    for _ in range(rounds):
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        outcomes = await racers.race(TOKEN.path, headers, form)
        history.append(outcomes)
        refresh_token = next((o.body["refresh_token"] for o in outcomes if o.status == 200), refresh_token)
    return history


@pytest.mark.point(12)
@pytest.mark.parametrize("is_proved", [True, False])
async def test_a_code_is_redeemed_once(
    stores: World, environment: dict[str, str], tmp_path: Path, is_proved: bool
) -> None:
    """At most one redemption of a code succeeds. Without a proof, the others are replays and revoke it."""
    async with _racers(RIGHT, tmp_path, environment) as racers:
        history, holding = await _redemptions(stores, racers, ROUNDS, is_proved=is_proved)
    assert redemption_faults(history) == []
    assert is_proved or not any(holding)


async def test_a_refresh_token_has_one_successor(
    stores: World, environment: dict[str, str], tmp_path: Path
) -> None:
    """All requests get the same successor, which the next round rotates."""
    async with _racers(RIGHT, tmp_path, environment) as racers:
        assert rotation_faults(await _rotations(stores, racers, ROUNDS)) == []


async def test_the_checker_catches_a_service_that_is_wrong(
    stores: World, environment: dict[str, str], tmp_path: Path
) -> None:
    """Services that find and then spend work for single requests, and fail here."""
    async with _racers(PLANTED, tmp_path, environment) as racers:
        redemptions, _ = await _redemptions(stores, racers, PLANTED_ROUNDS)
        rotations = await _rotations(stores, racers, PLANTED_ROUNDS)
    assert any("successes" in fault for fault in redemption_faults(redemptions))
    assert any("successors" in fault for fault in rotation_faults(rotations))

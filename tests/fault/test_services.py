"""Hostile bytes, a halted registry, a wrong clock, and a day without a worker."""

import asyncio
import signal
from dataclasses import replace

import asyncpg

from shared.codec.base64url import base64url
from shared.paths import CONSENT, DEVICE, LOGIN, LOGOUT, REGISTRATION, TOKEN, Service
from tests.builders import a_client
from tests.fault.checker import REDEEM, gains_hold, retries_succeed
from tests.fault.defects import caught
from tests.fault.history import Done, Rejected
from tests.fault.load import HANG_GUARD
from tests.fault.topology import Replica, RunningTopology, started, until_waiting

REPLICAS = {Service.TOKEN: 1, Service.AUTHORIZATION: 1, Service.CLIENT_REGISTRY: 1}
DEFECTS = ",".join(
    (
        "refusals.details_of_any_length",
        "process.renders_only_what_json_holds",
        "http.skips_the_answer",
        "growth.removes_nothing",
        "postgres.never_gives_up_on_the_server",
        "clocks.trusts_its_own_clock",
    )
)

HOSTILE_ASSERTION = ".".join(map(base64url, (b'{"alg":"\\ud800"}', b"{}", b"signature")))
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def _request(path: str, header: bytes, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + FORM + header + b"\r\n" + body


async def _status_of(replica: Replica, request: bytes) -> int:
    """The status of the answer to raw bytes."""
    reader, writer = await asyncio.open_unix_connection(str(replica.socket))
    try:
        writer.write(request)
        status = (await reader.readline()).split()
    finally:
        writer.close()
    return int(status[1]) if status else 0


@caught(DEFECTS)
async def test_hostile_bytes_get_an_answer(deployment: RunningTopology) -> None:
    """A byte that is not UTF-8 in a header, and a lone surrogate in an assertion, hang no request."""
    (token,), (authorization,) = deployment.of(Service.TOKEN), deployment.of(Service.AUTHORIZATION)
    foreign = b"Sec-Fetch-Site: \xff\r\n"
    assertion = (
        "grant_type=client_credentials&client_assertion_type="
        f"urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={HOSTILE_ASSERTION}"
    ).encode()
    with deployment.verdict():
        async with asyncio.timeout(deployment.guard):
            for path in (LOGIN, CONSENT, LOGOUT, DEVICE):
                assert 400 <= await _status_of(authorization, _request(str(path), foreign, b"a=b")) < 500
            assert 400 <= await _status_of(token, _request(str(TOKEN), b"", assertion)) < 500
            assert await token.readiness() == await authorization.readiness() == 200


_LEFT = """
SELECT coalesce(extract(epoch FROM max(clock_timestamp() - state_change)), 0) FROM pg_stat_activity
 WHERE usename = 'services' AND (state = 'idle in transaction' OR wait_event_type = 'Lock')"""
LONGEST = 8.0  # seconds that a transaction may stay; the server ends it after 1.5


@caught(DEFECTS)
async def test_a_registry_that_is_halted_in_a_registration(deployment: RunningTopology) -> None:
    """PostgreSQL ends its transactions, and operators can change clients meanwhile."""
    (registry,) = deployment.of(Service.CLIENT_REGISTRY)
    operator = await deployment.operator()

    async def register() -> int:
        members = {"redirect_uris": ["https://rp.test/cb"]}
        async with registry.http.post(REGISTRATION.path, json=members) as response:
            return response.status

    async with operator.transaction():
        await operator.execute("LOCK TABLE clients")
        registering = [asyncio.create_task(register()) for _ in range(12)]
        await until_waiting(operator, "FROM clients WHERE is_dynamically_registered", 1)
        registry.send(signal.SIGSTOP)
    try:
        with deployment.verdict():
            client = a_client()
            await deployment.world.stores.clients.add(client)
            assert await deployment.world.stores.clients.disable(client.client_id)
            await _until_nothing_is_left(operator)
    finally:
        registry.send(signal.SIGCONT)
        await asyncio.gather(*registering)
        await operator.close()


async def _until_nothing_is_left(operator: asyncpg.Connection) -> None:
    async with asyncio.timeout(HANG_GUARD):
        while age := float(await operator.fetchval(_LEFT)):
            assert age < LONGEST, f"a transaction has been left for {age:.0f} s"
            await asyncio.sleep(0.1)


@caught(DEFECTS)
async def test_a_process_with_a_wrong_clock_is_left_out(deployment: RunningTopology) -> None:
    """It is not ready, and clients of the processes that are get tokens that work."""
    load = await deployment.load(seed=31)
    async with deployment.process(Service.TOKEN, planted="clocks.is_an_hour_ahead") as ahead:
        ahead.child.command = replace(ahead.child.command, is_ready=lambda _: _is_healthy(ahead))
        async with started(ahead.child):
            with deployment.verdict():
                every = [*deployment.of(Service.TOKEN), ahead]
                load.sessions = [each.http for each in every if await each.readiness() == 200]
                for code in await deployment.codes(load, 8):
                    outcome = await load.redeem(code)
                    assert isinstance(outcome, Done)
                    await load.introspect(outcome.body["access_token"])
                assert len(load.sessions) == len(every) - 1
                assert retries_succeed(load.history, REDEEM) == []
                assert gains_hold(load.history) == []


async def _is_healthy(replica: Replica) -> bool:
    try:
        return await _status_of(replica, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200
    except OSError:
        return False


_AGE = """
UPDATE sessions SET expires_at = now() - interval '1 year';
UPDATE grants SET expires_at = now() - interval '1 year', created_at = now() - interval '2 years';
DELETE FROM leases"""
_OLD = "SELECT count(*) FROM grants WHERE expires_at < now() - interval '30 days'"
FLOWS = 20


@caught(DEFECTS)
async def test_what_expired_while_no_worker_ran_is_removed_under_load(deployment: RunningTopology) -> None:
    """Expired grants are refused at once, and gone soon after the start; new ones are untouched."""
    load = await deployment.load(seed=32)
    (token,) = deployment.of(Service.TOKEN)
    old = [await load.redeem(code) for code in await deployment.codes(load, FLOWS)]
    await token.child.stop()
    operator = await deployment.operator()
    await operator.execute(_AGE)
    await token.child.start()
    with deployment.verdict():
        for outcome in old:
            assert isinstance(outcome, Done)
            assert await load.refresh(outcome.body["refresh_token"]) == Rejected("invalid_grant")
        async with asyncio.timeout(deployment.guard):
            while await operator.fetchval(_OLD):
                await _flow(deployment)
        await _flow(deployment)
    await operator.close()


async def _flow(deployment: RunningTopology) -> None:
    load = await deployment.load(seed=33)
    outcome = await load.redeem((await deployment.codes(load, 1))[0])
    assert isinstance(outcome, Done)
    assert isinstance(await load.refresh(outcome.body["refresh_token"]), Done)
    assert retries_succeed(load.history, REDEEM) == []

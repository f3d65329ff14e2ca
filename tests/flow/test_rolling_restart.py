"""A rolling restart replaces every process under load without losing a request."""

import asyncio
import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector

from deploy.local.child import Child
from deploy.local.folders import run_folder
from deploy.local.service import command, socket_of
from shared.config.environment import child_environment
from shared.config.settings import Settings
from shared.operations.clients import add_client, allowed_by
from shared.paths import DEVICE, PREFIX, REGISTRATION, TOKEN, WEBFINGER, Service
from tests.deployment import open_world, settings_for
from tests.flow.proxies import ProxyServer
from tests.flow.starter import ROOT

DRAIN = timedelta(seconds=2)
REPLICAS = 2
CONNECTIONS = 6
CLIENT = {"client_id": "rp", "client_secret": secrets.token_urlsafe(32)}


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A request to one service, and its expected status."""

    method: str
    path: str
    status: int
    form: Mapping[str, str] | None = None


OPERATIONS = {
    Service.DISCOVERY: ServiceRequest("GET", f"{WEBFINGER}?resource=acct:ada@example.org", 200),
    Service.AUTHORIZATION: ServiceRequest("GET", str(DEVICE), 200),
    Service.TOKEN: ServiceRequest("POST", str(TOKEN), 200, {"grant_type": "client_credentials", **CLIENT}),
    Service.CLIENT_REGISTRY: ServiceRequest("POST", str(REGISTRATION), 401),
}
RESTARTED = {
    "nginx": tuple(OPERATIONS),
    "caddy": (Service.AUTHORIZATION, Service.TOKEN),  # a GET and a POST: the services are the same
    "haproxy": (Service.AUTHORIZATION, Service.TOKEN),
}


async def _load(
    session: ClientSession, services: Sequence[Service], is_over: asyncio.Event
) -> tuple[int, list[str]]:
    """The number of a client's requests, and a line for each lost one."""
    sent, lost = 0, []
    while not is_over.is_set():
        for each in map(OPERATIONS.__getitem__, services):
            sent += 1
            try:
                async with session.request(each.method, each.path, data=each.form) as response:
                    text = await response.text()
                    if response.status != each.status:
                        lost.append(f"{each.method} {each.path}: {response.status} {text}")
            except ClientError as error:
                lost.append(f"{each.method} {each.path}: {error!r}")
    return sent, lost


def _late_answers(logs: Path) -> int:
    """The number of requests that got 503 because the machine was too busy, from the log."""
    return sum(log.read_text().count("the event loop was late") for log in logs.glob("*.log"))


async def _restart(replicas: Sequence[Sequence[Child]]) -> None:
    """One replica of every service after the other, without a pause."""
    for replica in replicas:
        await asyncio.gather(*(child.stop() for child in replica))
        await asyncio.gather(*(child.start() for child in replica))


async def _restarted_under_load(
    proxy: ProxyServer, replicas: Sequence[Sequence[Child]]
) -> tuple[int, list[str]]:
    trusting = ssl.create_default_context(cafile=proxy.files.ca_file)
    is_over = asyncio.Event()
    async with ClientSession(proxy.door.origin, connector=TCPConnector(ssl=trusting)) as session:
        services = RESTARTED[proxy.kind]
        clients = [asyncio.create_task(_load(session, services, is_over)) for _ in range(CONNECTIONS)]
        await _restart(replicas)
        is_over.set()
        outcomes = await asyncio.gather(*clients)
    return sum(sent for sent, _ in outcomes), [line for _, lost in outcomes for line in lost]


@pytest.fixture(params=RESTARTED)
async def settings(
    database_url: str, redis_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> tuple[Settings, ProxyServer]:
    """A deployment with a client, and an issuer at which a proxy can be started."""
    proxy = ProxyServer.new(tmp_path, request.param)
    assert proxy.program
    settings = settings_for(
        database_url,
        redis_url,
        issuer=proxy.door.origin + PREFIX,
        rate_limits="off",
        drain_delay=f"{DRAIN.total_seconds():.0f}s",
    )
    entry = {**CLIENT, "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": []}
    async with open_world(settings) as world:
        await add_client(
            world.stores.clients,
            entry | {"token_endpoint_auth_method": "client_secret_post"},
            allowed_by(settings),
        )
    return settings, proxy


@pytest.mark.timeout(300)
async def test_a_rolling_restart_loses_no_request(
    settings: tuple[Settings, ProxyServer], tmp_path: Path
) -> None:
    """Two processes of each service are restarted one after the other."""
    deployment, proxy = settings
    environment = child_environment(deployment, 0) | {
        "OSTIARY_ISSUER": deployment.issuer,
        "OSTIARY_RATE_LIMITS": "off",
        "PYTHONPATH": str(ROOT),
    }
    with run_folder() as sockets:
        folders = [sockets / str(number) for number in range(REPLICAS)]
        for folder in folders:
            folder.mkdir()
        replicas = [
            [
                Child(command(service, folder, environment, tmp_path / f"{service}-{folder.name}.log"))
                for service in RESTARTED[proxy.kind]
            ]
            for folder in folders
        ]
        upstreams = {
            service: [f"unix:{socket_of(folder, service)}" for folder in folders] for service in Service
        }
        proxy.write(upstreams, drain_delay=DRAIN)
        running = Child(proxy.command())
        children = [child for replica in replicas for child in replica]
        try:
            await asyncio.gather(*(child.start() for child in children))
            await running.start()
            sent, lost = await _restarted_under_load(proxy, replicas)
        finally:
            await running.stop()
            await asyncio.gather(*(child.stop() for child in children))
    warnings = [
        line for log in tmp_path.glob("*.log") for line in log.read_text().splitlines() if "warn" in line
    ]
    assert len(lost) <= _late_answers(tmp_path), (lost, warnings)
    assert sent > len(OPERATIONS) * CONNECTIONS

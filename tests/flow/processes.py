"""The four services as processes of their own, two of them `token`, over stores of their own."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from deploy.local.child import Child, Command
from deploy.local.folders import run_folder
from deploy.local.postgres import Postgres, find_binaries
from deploy.local.service import command, socket_of
from deploy.local.unprivileged import account_for, runnable
from deploy.local.valkey import Valkey, find_binary
from shared.config.environment import child_environment
from shared.config.settings import Settings
from shared.live import clock
from shared.operations.keys import ensure_keys
from shared.paths import PREFIX, Service
from shared.store.migrate import migrate
from shared.store.open import open_stores
from tests.flow.door import DirectDoor
from tests.flow.op import Op
from tests.flow.proxies import ProxyServer
from tests.flow.starter import ROOT

USERNAME = "amelie"


@dataclass(frozen=True, slots=True)
class Processes:
    """The running services, a user, and ways to reach them with and without nginx."""

    op: Op
    nginx: ProxyServer
    direct: DirectDoor
    children: Sequence[tuple[Service, Child]]

    @property
    def upstreams(self) -> Mapping[Service, Sequence[str]]:
        """The sockets, as a proxy's configuration names them."""
        return {service: [f"unix:{path}" for path in paths] for service, paths in self.direct.sockets.items()}


@contextmanager
def running(*commands: Command) -> Iterator[list[Child]]:
    """The processes of *commands*, ready; stopped at the end, those first that were started last."""
    with ExitStack() as closing:
        children = []
        for each in commands:
            child = Child(each)
            closing.callback(lambda child=child: asyncio.run(child.stop()))  # type: ignore[misc]
            asyncio.run(child.start())
            children.append(child)
        yield children


@contextmanager
def stores(folder: Path, sockets: Path) -> Iterator[tuple[SecretStr, SecretStr]]:
    """The URLs of a new PostgreSQL and a new Valkey."""
    folder.mkdir()
    with run_folder(0o755) as copies:
        account = account_for(folder / "cluster")
        binaries = runnable(find_binaries(), account, copies)
        log = folder / "log"
        postgres = Postgres(binaries, folder / "cluster", sockets, log, account, is_durable=False)
        valkey = Valkey(find_binary(), folder / "valkey", sockets, log, is_durable=False)
        postgres.prepare()
        valkey.prepare()
        with running(postgres.command(), valkey.command()):
            yield SecretStr(postgres.url), SecretStr(valkey.url)


async def _prepare(settings: Settings) -> None:
    assert settings.database_url
    await migrate(settings.database_url.get_secret_value())
    async with open_stores(settings) as opened:
        secret = settings.secret_key[0].get_secret_value()
        await ensure_keys(opened.keys, settings.signing_algorithms, secret, clock.now())


def _op(settings: Settings, environment: Mapping[str, str], nginx: ProxyServer) -> Op:
    password = secrets.token_urlsafe(12)
    op = Op(settings.issuer, nginx.files.ca_file, USERNAME, password, environment, nginx.door)
    op.ostiary("user", "add", USERNAME, "--email", "amelie@example.org", "--password-stdin", given=password)
    return op


@contextmanager
def four_processes(folder: Path) -> Iterator[Processes]:
    """The services, with data in *folder* and an issuer at which nginx can be started."""
    nginx = ProxyServer.new(folder)
    with run_folder() as sockets, stores(folder / "stores", sockets) as (database_url, redis_url):
        settings = Settings(
            issuer=nginx.door.origin + PREFIX,
            database_url=database_url,
            redis_url=redis_url,
            secret_key=(SecretStr(secrets.token_urlsafe(32)),),
            root_aliases=True,
            drain_delay=timedelta(0),
        )
        asyncio.run(_prepare(settings))
        environment = child_environment(settings, 0) | {
            "OSTIARY_ISSUER": settings.issuer,
            "PYTHONPATH": str(ROOT),
        }
        planned = list(_replicas(sockets))
        commands = [
            command(service, own, environment, folder / f"{own.name}.log") for service, own in planned
        ]
        upstreams: dict[Service, list[Path]] = {service: [] for service in Service}
        for service, own in planned:
            upstreams[service].append(socket_of(own, service))
        with running(*commands) as children:
            yield Processes(
                _op(settings, environment, nginx),
                nginx,
                DirectDoor(nginx.door.origin, upstreams),
                tuple((service, child) for (service, _), child in zip(planned, children, strict=True)),
            )


def _replicas(sockets: Path) -> Iterator[tuple[Service, Path]]:
    for service, name in [*((each, each.value) for each in Service), (Service.TOKEN, "token-again")]:
        own = sockets / name
        own.mkdir()
        yield service, own

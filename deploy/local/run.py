"""`ostiary run`: everything embedded, in the foreground, until Ctrl-C."""

import asyncio
import signal
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from pydantic import SecretStr

from deploy.local import caddy, logs, postgres, valkey
from deploy.local.caddyfile import caddyfile
from deploy.local.child import Command, RunError
from deploy.local.demo import Demo, credentials
from deploy.local.folders import data_folder, is_first_start, run_folder, secret_key
from deploy.local.presets import write_presets
from deploy.local.run_file import write_run_file
from deploy.local.service import command, socket_of
from deploy.local.supervisor import Supervisor
from deploy.local.unprivileged import account_for, runnable
from deploy.local.welcome import welcome
from shared.config.environment import child_environment
from shared.config.loopback import is_loopback
from shared.config.settings import Settings
from shared.paths import PATHS, Group, Service

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Prepare = Callable[[Settings, Demo | None], Awaitable[None]]
"""Migrates the database, creates the first keys, and adds the demo user and client."""


def served_groups(settings: Settings) -> set[Group]:
    """The groups of paths that the proxy maps: administration only if it listens only on this machine."""
    groups = {Group.PUBLIC, Group.START_PAGE}
    if settings.root_aliases:
        groups.add(Group.ROOT_ALIAS)
    if is_loopback(urlsplit(settings.issuer).hostname or ""):
        groups.add(Group.ADMINISTRATION)
    return groups


@dataclass(slots=True)
class _Run:
    settings: Settings
    prepare: Prepare
    say: Callable[[str], None]
    data: FilePath
    sockets: FilePath
    supervisor: Supervisor

    def log(self, name: str) -> FilePath:
        return self.data / "log" / f"{name}.log"

    async def until_stopped(self, closing: ExitStack) -> None:
        site = caddy.site_of(self.settings.origin)
        caddy.check_is_free(site)
        proxy = caddy.Caddy(
            caddy.find_binary(), site, self.data / caddy.FOLDER, self.sockets, self.log("caddy")
        )
        demo_file = self.data / "demo.json"
        demo = credentials(demo_file, self.settings.origin, is_first_start(self.data))
        self._settle_secret()
        self._settle_mail()
        await self.supervisor.start(self._stores(closing))
        run_file = write_run_file(self.data, self.settings)
        closing.callback(run_file.unlink, missing_ok=True)
        closing.callback(write_presets(self.data).unlink, missing_ok=True)
        self.say("Migrating the database and preparing keys …")
        await self.prepare(self.settings, demo)
        self.say("Starting the services and the reverse proxy …")
        await self.supervisor.start(self._services())
        served = [path for path in PATHS if path.group in served_groups(self.settings)]
        upstreams = {service: f"unix/{socket_of(self.sockets, service)}" for service in Service}
        proxy.prepare(caddyfile(served, site, upstreams))
        await self.supervisor.start([proxy.command()])
        certificate = proxy.root_certificate if self.settings.is_https else None
        self.say(welcome(self.settings, self.data, demo, demo_file, certificate))
        bounding = asyncio.create_task(logs.keep_bounded(self.data / "log"))
        try:
            await self.supervisor.keep()
        finally:
            bounding.cancel()

    def _settle_secret(self) -> None:
        if self.settings.secret_key:
            return
        is_needed = (self.data / "postgres").exists() and self.settings.database_url is None
        secret = SecretStr(secret_key(self.data / "secret-key", is_needed))
        self.settings = self.settings.model_copy(update={"secret_key": (secret,)})

    def _settle_mail(self) -> None:
        """Without a mail server, mails are written into a folder, which a page of this run shows."""
        if self.settings.smtp_url is None:
            folder = SecretStr((self.data / "mail").as_uri())
            self.settings = self.settings.model_copy(update={"smtp_url": folder})

    def _stores(self, closing: ExitStack) -> Iterator[Command]:
        if self.settings.database_url is None:
            cluster = self.data / "postgres"
            self.say(
                "Starting PostgreSQL …"
                if cluster.exists()
                else "Creating a database and starting PostgreSQL …"
            )
            account = account_for(cluster)
            copies = closing.enter_context(run_folder(0o755)) if account else self.sockets
            binaries = runnable(postgres.find_binaries(), account, copies)
            database = postgres.Postgres(binaries, cluster, self.sockets, self.log("postgres"), account)
            database.prepare()
            self.settings = self.settings.model_copy(update={"database_url": SecretStr(database.url)})
            yield database.command()
        if self.settings.redis_url is None:
            self.say("Starting Valkey …")
            cache = valkey.Valkey(
                valkey.find_binary(), self.data / "valkey", self.sockets, self.log("valkey")
            )
            cache.prepare()
            self.settings = self.settings.model_copy(update={"redis_url": SecretStr(cache.url)})
            yield cache.command()

    def _services(self) -> list[Command]:
        return [
            command(service, self.sockets, child_environment(self.settings, index), self.log(service))
            for index, service in enumerate(Service)
        ]


async def run(settings: Settings, prepare: Prepare, say: Callable[[str], None]) -> None:
    """Run everything until SIGINT, SIGTERM or SIGHUP, and leave no process behind. Raises RunError."""
    if "drain_delay" not in settings.model_fields_set:  # there is no other process to take over
        settings = settings.model_copy(update={"drain_delay": timedelta(0)})
    with ExitStack() as closing:
        data = closing.enter_context(data_folder(settings.data_dir))
        logs.rotate(data / "log")
        sockets = closing.enter_context(run_folder())
        supervisor = Supervisor(say)
        this = _Run(settings, prepare, say, data, sockets, supervisor)
        with _told_in_a_sentence(this.log("run")):
            await _until_told_to_stop(this.until_stopped(closing), supervisor)


async def _until_told_to_stop(work: Awaitable[None], supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
    working = asyncio.ensure_future(work)
    for number in STOPPING:
        loop.add_signal_handler(number, working.cancel)
    loop.add_signal_handler(signal.SIGCHLD, supervisor.changed.set)
    try:
        await asyncio.wait([working])
    finally:
        await supervisor.stop()
    if not working.cancelled():
        working.result()


@contextmanager
def _told_in_a_sentence(log: FilePath) -> Iterator[None]:
    try:
        yield
    except RunError:
        raise
    except Exception as error:
        log.write_text("".join(traceback.format_exception(error)), "utf-8")
        raise RunError(
            f"This is a defect of Ostiary, {type(error).__name__}: {error}. Details are in {log}"
        ) from None

"""Planted defects of a process: its log, its workers, its end."""

import os
from collections import ChainMap
from collections.abc import Mapping

import pytest
from aiohttp import web

from deploy.local import caddyfile, postgres, valkey
from services import cli
from shared.config.kinds import addresses
from shared.server import notify, serve, workers
from shared.server.http import drain
from shared.server.log import line as log_line
from shared.server.log import output as log_output


def raises_when_it_cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log line that cannot be written raises in the caller."""
    monkeypatch.setattr(log_output.LogOutput, "write", lambda self, lines: self._write(memoryview(lines)))


def forgets_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a partially written line is lost, so the next line is unreadable."""
    send = log_output.LogOutput._send

    def forgetting(self: log_output.LogOutput, lines: bytes) -> None:
        send(self, lines)
        self._begun = b""

    monkeypatch.setattr(log_output.LogOutput, "_send", forgetting)


def waits_for_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write blocks until the reader has taken it. The test gets an exception, as it could not go on."""

    def blocking(descriptor: int) -> log_output.Write:
        os.set_blocking(descriptor, False)

        def write(data: memoryview) -> int:
            try:
                return os.write(descriptor, data)
            except BlockingIOError:
                raise AssertionError("this write would block") from None

        return write

    monkeypatch.setattr(log_output, "writer", blocking)


def renders_only_what_json_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that JSON cannot represent raises in the logging call."""
    monkeypatch.setattr(log_line, "as_text", lambda value: value)


def knows_all_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent of workers mistakes every process that it reaps for a worker."""

    def reap(self: workers.Workers) -> None:
        pid, _ = os.wait()
        del self._places[pid]

    monkeypatch.setattr(workers.Workers, "_reap", reap)


def workers_outlive_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers do not notice that their parent was killed."""
    monkeypatch.setattr(workers, "ending_with_parent", lambda number: lambda: None)


def stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM closes the socket while proxies still send requests to it."""

    async def drain_ended(*_: object) -> None:
        pass

    monkeypatch.setattr(serve, "announce", lambda app, runner: None)
    monkeypatch.setattr(drain.StopSignals, "drain_ended", drain_ended)


def resets_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that the kernel has accepted are reset when the socket is closed."""

    async def close(_: object, site: web.SockSite, __: object) -> None:
        await site.stop()

    monkeypatch.setattr(drain, "close", close)


def keeps_a_bare_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """An absolute path is accepted as an address unchanged, and no socket can be bound to it."""
    address = addresses.address
    monkeypatch.setattr(
        addresses, "address", lambda value: value if value.startswith("/") else address(value)
    )


def takes_libpq_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line lets asyncpg read PGPORT, PGTARGETSESSIONATTRS and the others."""
    monkeypatch.setattr(cli, "ignore_libpq_environment", lambda: None)


def hands_its_environment_to_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded PostgreSQL takes PGDATESTYLE and the others from the environment of `ostiary run`."""
    monkeypatch.setattr(postgres, "_ENV", ChainMap(postgres._ENV, os.environ))


def leaves_the_port_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL of the embedded PostgreSQL names no port, so that PGPORT does."""
    url_of = postgres.Postgres.url_of

    def without_port(self: postgres.Postgres, database: str) -> str:
        return url_of(self, database).replace("&port=5432", "")

    monkeypatch.setattr(postgres.Postgres, "url_of", without_port)


def calls_a_malformed_body_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy answers 503 with Retry-After to a body that it cannot read."""
    monkeypatch.setattr(caddyfile, "MALFORMED_BODY", "^never$")


def names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy's own responses name the proxy."""
    monkeypatch.setattr(caddyfile, "OWN_ANSWER", "header Cache-Control no-store")


def writes_the_data_folder_into_valkeys_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote or a backslash in the name of the data folder breaks Valkey's configuration."""
    prepare = valkey.Valkey.prepare

    def quoting(self: valkey.Valkey) -> None:
        prepare(self)
        configuration = self.sockets / "valkey.conf"
        configuration.write_text(configuration.read_text().replace("dir .", f'dir "{self.data}"'))

    monkeypatch.setattr(valkey.Valkey, "prepare", quoting)


def tells_that_it_is_ready_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd starts what waits for this process before it can answer."""

    async def follow(self: notify.ServiceManager, readiness: object) -> None:
        self.tell(notify.READY)

    monkeypatch.setattr(notify.ServiceManager, "follow", follow)


def tells_only_once_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd kills a process that serves, as soon as the watchdog's time is over."""
    tell = notify.ServiceManager.tell

    async def follow(self: notify.ServiceManager, readiness: object) -> None:
        tell(self, notify.READY)
        tell(self, notify.ALIVE)

    monkeypatch.setattr(notify.ServiceManager, "follow", follow)


def listens_to_any_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process answers a watchdog that watches another one, from whom it inherited the environment."""
    of = notify.ServiceManager.of

    def careless(environment: Mapping[str, str], pids: frozenset[int]) -> notify.ServiceManager:
        return of(environment, pids | {int(environment.get("WATCHDOG_PID", 0))})

    monkeypatch.setattr(notify.ServiceManager, "of", careless)

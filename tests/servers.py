"""The real stores: one PostgreSQL and one Valkey for a test session, and an empty database for each test."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.local.child import Child, Command
from deploy.local.folders import run_folder
from deploy.local.postgres import Postgres, find_binaries
from deploy.local.unprivileged import account_for, runnable
from deploy.local.valkey import Valkey, find_binary
from tests.databases import Databases


@contextmanager
def _running(command: Command) -> Iterator[None]:
    child = Child(command)
    asyncio.run(child.start())
    try:
        yield
    finally:
        asyncio.run(child.stop())


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    folder = tmp_path_factory.mktemp("postgres")
    with run_folder() as sockets, run_folder(0o755) as copies:
        account = account_for(folder / "cluster")
        binaries = runnable(find_binaries(), account, copies)
        postgres = Postgres(binaries, folder / "cluster", sockets, folder / "log", account, is_durable=False)
        postgres.prepare()
        with _running(postgres.command()):
            databases = Databases(postgres)
            databases.prepare()
            yield databases


@pytest.fixture
def database_url(_databases: Databases) -> Iterator[str]:
    """A migrated database of the test's own."""
    with _databases.lend() as url:
        yield url


@pytest.fixture
def empty_database_url(_databases: Databases) -> Iterator[str]:
    """A database of the test's own in which there is nothing."""
    with _databases.lend() as url:
        asyncio.run(_clear(url))
        yield url


async def _clear(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()


@pytest.fixture(scope="module")
def module_database_url(_databases: Databases) -> Iterator[str]:
    """A migrated database that the tests of a module share."""
    with _databases.lend() as url:
        yield url


@pytest.fixture(scope="session")
def _valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    folder = tmp_path_factory.mktemp("valkey")
    with run_folder() as sockets:
        valkey = Valkey(find_binary(), folder, sockets, folder / "log", is_durable=False)
        valkey.prepare()
        with _running(valkey.command()):
            yield valkey


@pytest.fixture
def redis_url(_valkey: Valkey) -> str:
    """A Valkey that is empty at the start of the test."""
    flush_all(_valkey.socket)
    return _valkey.url


@pytest.fixture(scope="module")
def module_redis_url(_valkey: Valkey) -> str:
    """A Valkey that is empty at the start of the module. A test with `redis_url` empties it, too."""
    flush_all(_valkey.socket)
    return _valkey.url


def flush_all(path: Path) -> None:
    """Empties the Valkey that listens on *path*."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"FLUSHALL\r\n")
        assert client.recv(64) == b"+OK\r\n"

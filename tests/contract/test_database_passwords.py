"""The password for PostgreSQL comes from the URL only."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from shared.store.migrate import migrate, pending
from shared.store.postgres.transport.connection import connect
from tests.fault_proxy import POSTGRESQL_SOCKET
from tests.planted import planted
from tests.planted.postgres import reads_password_files

_ASK_FOR_PASSWORD = b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big")

CONNECTING: dict[str, Callable[[str], Awaitable[object]]] = {
    "service": partial(connect, is_pooled=False),
    "service behind a pooler": partial(connect, is_pooled=True),
    "migrate": migrate,
    "migrate --check": pending,
}


@asynccontextmanager
async def _asking_server(folder: Path) -> AsyncIterator[tuple[str, list[bytes]]]:
    """The URL of a fake server that asks for a password and closes, and the passwords that it got."""
    given: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
        writer.write(_ASK_FOR_PASSWORD)
        await reader.readexactly(1)
        message = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
        given.append(message.rstrip(b"\0"))
        writer.close()

    server = await asyncio.start_unix_server(serve, str(folder / POSTGRESQL_SOCKET))
    try:
        yield f"postgresql://services@/ostiary?host={folder}", given
    finally:
        server.close()
        await server.wait_closed()


def _write_passwords(file: Path, password: str) -> None:
    file.write_text(f"*:*:*:*:{password}\n", "ascii")
    file.chmod(0o600)


@planted(reads_password_files)
@pytest.mark.parametrize("connecting", CONNECTING.values(), ids=CONNECTING)
@pytest.mark.parametrize("is_named", [False, True], ids=["in the home folder", "named by PGPASSFILE"])
async def test_a_password_file_is_not_read(
    connecting: Callable[[str], Awaitable[object]],
    is_named: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither ~/.pgpass nor the environment is read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ("elsewhere" if is_named else ".pgpass")
    _write_passwords(file, "of-another-database")
    if is_named:
        monkeypatch.setenv("PGPASSFILE", str(file))
    async with _asking_server(tmp_path) as (url, given):
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await connecting(url)
    assert given
    assert set(given) == {b""}


@pytest.mark.parametrize("connecting", CONNECTING.values(), ids=CONNECTING)
async def test_a_password_file_that_the_url_names_is_read(
    connecting: Callable[[str], Awaitable[object]], tmp_path: Path
) -> None:
    """`?passfile=PATH` keeps the password out of the settings."""
    _write_passwords(tmp_path / "passwords", "of-this-one")
    async with _asking_server(tmp_path) as (url, given):
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await connecting(f"{url}&passfile={tmp_path / 'passwords'}")
    assert set(given) == {b"of-this-one"}

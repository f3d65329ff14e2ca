"""The round trips of each operation in the steady state, against their budgets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr

from services.authorization.app import mount as authorization
from services.discovery.app import mount as discovery
from services.token.app import mount as token
from shared.config.settings import Settings
from shared.server.app import application
from shared.server.http.server import Runner
from tests.bench.population import populate
from tests.bench.rows import ROWS, Row
from tests.bench.wire import Script, read_answer
from tests.round_trips import Counter, PostgresClient, RedisStream, counting

PEOPLE = 30
WARM_UP = 10
COUNTED = 10


@asynccontextmanager
async def _served(settings: Settings, path: Path) -> AsyncIterator[None]:
    runner = Runner(application(settings, discovery, authorization, token))
    await runner.setup()
    try:
        await web.UnixSite(runner, str(path)).start()
        yield
    finally:
        await runner.cleanup()


async def _play(script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = next(script)
    while True:
        writer.write(request.data)
        data = b""
        while (answer := read_answer(data)) is None:
            received = await reader.read(65536)
            assert received, "the connection was closed"
            data += received
        assert answer.status == request.status, answer
        try:
            request = script.send(answer)
        except StopIteration:
            return


async def _count(row: Row, settings: Settings, counters: tuple[Counter, Counter], path: Path) -> list[int]:
    """Round trips of COUNTED operations, after a warm-up: to PostgreSQL, to Redis."""
    scripts = row.scripts(await populate(settings, PEOPLE))
    async with _served(settings, path):
        reader, writer = await asyncio.open_unix_connection(str(path))
        for _ in range(WARM_UP):
            await _play(next(scripts), reader, writer)
        before = [counter.round_trips for counter in counters]
        for _ in range(COUNTED):
            await _play(next(scripts), reader, writer)
        after = [counter.round_trips for counter in counters]
        writer.close()
    return [late - early for late, early in zip(after, before, strict=True)]


@pytest.fixture
def nothing_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Background work does not count for requests."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("shared.live.background.Background._run", never)
    monkeypatch.setattr("shared.live.watch.TRUSTED_FOR", 3600.0)
    monkeypatch.setattr("shared.live.keyring.SIGNS_FOR", 3600.0)


@pytest.mark.usefixtures("nothing_in_the_background")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
async def test_a_request_keeps_its_budget(row: Row, database_url: str, redis_url: str) -> None:
    """No operation takes more round trips than it may: BEGIN, COMMIT and pool resets included."""
    database = urlsplit(database_url)
    server = Path(parse_qs(database.query)["host"][0]) / ".s.PGSQL.5432"
    with TemporaryDirectory(prefix="ostiary-") as folder:
        here = Path(folder)
        listen, redis = here / ".s.PGSQL.5432", here / "redis"
        async with (
            counting(server, listen, PostgresClient) as to_postgres,
            counting(Path(urlsplit(redis_url).path), redis, RedisStream) as to_redis,
        ):
            settings = Settings(
                database_url=SecretStr(f"postgresql://{database.netloc}{database.path}?host={quote(folder)}"),
                redis_url=SecretStr(f"unix://{redis}"),
                secret_key=(SecretStr("a-secret-key-of-the-tests-and-of-them-alone"),),
                rate_limits=False,
            )
            spent = await _count(row, settings, (to_postgres, to_redis), here / "service")
    assert spent[0] <= COUNTED * row.postgres_round_trips, f"PostgreSQL: {spent[0]} in {COUNTED}"
    assert spent[1] <= COUNTED * row.redis_round_trips, f"Redis: {spent[1]} in {COUNTED}"

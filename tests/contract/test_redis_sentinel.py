"""A primary behind Sentinels: finding it, leaving it after a demotion, and replays across failovers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

import pytest

from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.tokens.handle import Kind, digest
from shared.store import Unavailable
from shared.store.redis.transport.client import RedisClient
from shared.store.redis.transport.limits import Limits
from tests.builders import World
from tests.certificates import a_certificate
from tests.deployment import TokenService, open_world, serve_tokens, settings_for
from tests.flow.processes import running
from tests.redis_layouts import HOST, IN_MEMORY, SERVICE, Node, Watched, open_redis, watched

MINUTE = timedelta(minutes=1)
PUSHED = {"client_id": "c", "parameters": {}, "expires_at": 1.5}


@pytest.fixture
def watched_redis(tmp_path: Path) -> Iterator[Watched]:
    """A primary, its replica and a Sentinel."""
    with watched(tmp_path) as opened:
        yield opened


@pytest.fixture
async def service(
    database_url: str, watched_redis: Watched, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TokenService]:
    """A token service over them, which gives up a server that hangs."""
    opening = RedisClient.open
    monkeypatch.setattr(RedisClient, "open", lambda url: opening(url, Limits(silence=2, deadline=4)))
    settings = settings_for(database_url, watched_redis.url)
    async with open_world(settings) as world, serve_tokens(settings, world) as opened:
        yield opened


async def _is_new(world: World, jti: str) -> bool:
    now = clock.now()
    return await world.stores.replay_marks.add("dpop", "client", jti, now, now + MINUTE)


@pytest.mark.parametrize("end", [SIGKILL, SIGSTOP])
async def test_after_a_failover_the_new_primary_serves_and_nothing_counts_twice(
    service: TokenService, watched_redis: Watched, end: Signals
) -> None:
    """The primary dies or hangs: 503 until the replica is promoted, and spent values stay spent."""
    world, stores = service.world, service.world.stores
    client, pushed = await world.client(), digest(new_handle(Kind.AUTHORIZATION_CODE))
    spent, unspent = [await world.add_code((await world.sign_in()).code(client.client_id)) for _ in range(2)]
    assert (await service.redeem(client, spent)).status == 200
    await stores.pushed_requests.add(pushed, PUSHED, MINUTE)
    assert await stores.pushed_requests.end(pushed)
    assert await _is_new(world, "jti")
    assert watched_redis.primary.ask("WAIT", 1, 5000) == 1

    watched_redis.signal_primary(end)
    answer = await service.redeem(client, unspent)
    assert answer.status == 503
    assert "Retry-After" in answer.headers
    with pytest.raises(Unavailable):
        await stores.pushed_requests.end(pushed)

    async with asyncio.timeout(30):
        while (answer := await service.redeem(client, unspent)).status == 503:
            await asyncio.sleep(0.05)
    assert answer.status == 200
    assert watched_redis.replica.ask("ROLE")[0] == b"master"
    watched_redis.signal_primary(SIGCONT)  # one that hung still takes itself for the primary
    for code in (spent, unspent):
        assert (await (await service.redeem(client, code)).json())["error"] == "invalid_grant"
    assert not await stores.pushed_requests.end(pushed)
    assert not await _is_new(world, "jti")
    with pytest.raises(Unavailable):  # its mark may have been lost with the old primary
        await _is_new(world, "another")


class FakeSentinel:
    """A fake Sentinel that names a chosen primary."""

    def __init__(self, named: Node | None, host: bytes = HOST.encode()) -> None:
        self.named = named
        self.asked = 0
        self.passwords: set[bytes] = set()
        self._host = host

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while data := await reader.read(4096):
            if b"AUTH" in data:
                self.passwords.add(data.split()[-1])
                writer.write(b"+OK\r\n")
            writer.write(b"+OK\r\n" * data.count(b"SETINFO"))
            if b"GET-MASTER-ADDR-BY-NAME" in data:
                self.asked += 1
                writer.write(self._name())
        writer.close()

    def _name(self) -> bytes:
        if self.named is None:
            return b"*-1\r\n"
        port = str(self.named.port).encode()
        return b"*2\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(self._host), self._host, len(port), port)


@asynccontextmanager
async def _sentinels(*fakes: FakeSentinel, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of the Sentinels."""
    servers = [await asyncio.start_server(fake.answer, HOST, 0, ssl=tls) for fake in fakes]
    try:
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        yield f"redis+sentinel://{','.join(f'{HOST}:{port}' for port in ports)}/{SERVICE}"
    finally:
        for server in servers:
            server.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    """Two primaries."""
    one, other = Node(tmp_path / "one", IN_MEMORY), Node(tmp_path / "other", IN_MEMORY)
    with running(one.command(), other.command()):
        yield one, other


async def test_the_first_sentinel_that_leads_to_a_primary_is_believed(pair: tuple[Node, Node]) -> None:
    """Sentinels without the service or with a replica are skipped; the right one is asked first later."""
    primary, replica = pair
    replica.ask("REPLICAOF", HOST, primary.port)
    fakes = FakeSentinel(None), FakeSentinel(replica), FakeSentinel(primary)
    async with _sentinels(*fakes) as url, open_redis(f"{url}/3") as redis:
        assert await redis.execute("SET", "{a}", 1) == b"OK"
        assert [fake.asked for fake in fakes] == [1, 1, 1]
        primary.ask("CLIENT", "KILL", "TYPE", "normal")
        async with asyncio.timeout(10):
            while [fake.asked for fake in fakes] == [1, 1, 1]:
                with suppress(Unavailable):
                    assert await redis.execute("GET", "{a}") == b"1"
        assert [fake.asked for fake in fakes] == [1, 1, 2]


@asynccontextmanager
async def _over_tls(node: Node, tls: ssl.SSLContext) -> AsyncIterator[Node]:
    """The same node over TLS."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(HOST, node.port)
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))

    async with await asyncio.start_server(relay, HOST, 0, ssl=tls) as server:
        yield Node(node.folder, port=server.sockets[0].getsockname()[1])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


async def test_sentinels_and_primary_are_spoken_to_over_tls(pair: tuple[Node, Node], tmp_path: Path) -> None:
    """Both use TLS with the CA of the options, each with its own password."""
    primary, _ = pair
    primary.ask("ACL", "SETUSER", "one", "on", ">p@ss", "~*", "+@all")
    primary.ask("ACL", "SETUSER", "default", "off")
    files = a_certificate("localhost", tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.chain_file, files.key_file)
    async with _over_tls(primary, tls) as reached:
        fake = FakeSentinel(reached, b"localhost")
        async with _sentinels(fake, tls=tls) as url:
            known = url.replace("redis+", "rediss+").replace(f"//{HOST}", "//one:p%40ss@localhost")
            async with open_redis(f"{known}?ssl_ca_certs={files.ca_file}&sentinel_password=other") as redis:
                assert await redis.execute("SET", "{a}", 1) == b"OK"
                assert fake.passwords == {b"other"}
            async with open_redis(known) as stranger:
                with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
                    await stranger.execute("PING")


async def test_no_primary_is_unavailable(pair: tuple[Node, Node]) -> None:
    """Sentinels that are down, know no primary, or name a replica."""
    primary, replica = pair
    replica.ask("REPLICAOF", HOST, primary.port)
    async with (
        _sentinels(FakeSentinel(None), FakeSentinel(replica)) as url,
        open_redis(url.replace("//", f"//{HOST}:1,")) as redis,
    ):
        with pytest.raises(Unavailable, match="no Sentinel leads to a primary of ostiary"):
            await redis.execute("GET", "{a}")


async def test_a_primary_that_is_demoted_is_left(pair: tuple[Node, Node]) -> None:
    """The first refused write ends the connection to a demoted primary."""
    old, new = pair
    fake = FakeSentinel(old)
    async with _sentinels(fake) as url, open_redis(url) as redis:
        await redis.execute("SET", "{a}", 1)
        fake.named = new
        old.ask("REPLICAOF", HOST, new.port)
        with pytest.raises(Unavailable, match="READONLY"):
            await redis.execute("SET", "{a}", 2)
        assert await redis.execute("SET", "{a}", 3) == b"OK"
        assert new.ask("GET", "{a}") == b"3"

"""A relay to a store's unix socket that breaks on command, while the store itself stays healthy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

POSTGRESQL_SOCKET = ".s.PGSQL.5432"


class FaultProxy:
    """It relays until a method breaks it."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._is_up = True
        self._needle: bytes | None = None
        self._faults_left = 0
        self._is_delivered = True
        self._garbled = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[object]] = set()

    def break_off(self) -> None:
        """Close every connection, and refuse new ones."""
        self._is_up = False
        for writer in self._writers:
            writer.close()

    def heal(self) -> None:
        """Relay again."""
        self._is_up = True

    def lose_answer_to(self, needle: bytes, times: int = 1, *, is_delivered: bool = True) -> None:
        """Cut the connection instead of answering the next messages with *needle*.

        *is_delivered*: the server gets them and answers. Otherwise it does not, which the client cannot know.
        """
        self._needle, self._faults_left, self._is_delivered = needle, times, is_delivered

    def garble_answers(self, times: int) -> None:
        """Answer the next messages with bytes that no server sends. The server does not get them."""
        self._garbled = times

    @property
    def has_lost_it(self) -> bool:
        """Whether the requested number of answers has been lost."""
        return self._faults_left == 0

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task
        self._relays.add(task)
        self._writers.add(writer)
        try:
            if self._is_up:
                await self._relay(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.remove(writer)
            self._relays.remove(task)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(str(self._target))
        self._writers.add(server_writer)
        answers = asyncio.create_task(_copy(server_reader, writer))
        try:
            while self._is_up and (data := await reader.read(65536)):
                if self._faults_left and self._needle and self._needle in data:
                    self._faults_left -= 1
                    answers.cancel()
                    if self._is_delivered:
                        server_writer.write(data)
                        await server_writer.drain()
                        await server_reader.read(65536)  # it was done, and the answer is lost
                    break
                if self._garbled:
                    self._garbled -= 1
                    writer.write(b"?\r\n")
                    continue
                server_writer.write(data)
        finally:
            for end in (writer, server_writer):
                end.close()
            self._writers.remove(server_writer)
            with suppress(asyncio.CancelledError):
                await answers

    async def end(self) -> None:
        """Close every connection, including those that were just accepted."""
        self.break_off()
        await asyncio.sleep(0)  # the relays of connections accepted in this turn begin
        while self._relays:
            await asyncio.wait(self._relays)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def _listening(target: Path, path: Path) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(target)
    server = await asyncio.start_unix_server(proxy.relay, str(path))
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
        await server.wait_closed()


@asynccontextmanager
async def postgresql_proxy(url: str, folder: Path) -> AsyncIterator[tuple[FaultProxy, str]]:
    """A proxy before the PostgreSQL of *url*, and the URL that leads through it."""
    host = parse_qs(urlsplit(url).query)["host"][0]
    async with _listening(Path(host) / POSTGRESQL_SOCKET, folder / POSTGRESQL_SOCKET) as proxy:
        assert quote(host) in url or host in url
        yield proxy, url.replace(quote(host), quote(str(folder))).replace(host, str(folder))


@asynccontextmanager
async def redis_proxy(url: str, folder: Path) -> AsyncIterator[tuple[FaultProxy, str]]:
    """A proxy before the Redis of *url*, and the URL that leads through it."""
    async with _listening(Path(unquote(urlsplit(url).path)), folder / "redis.sock") as proxy:
        yield proxy, f"unix://{folder / 'redis.sock'}"

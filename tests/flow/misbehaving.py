"""A proxy between a client and services that misbehave: the client, the services, and the proxy."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.local.child import Child
from deploy.local.folders import run_folder
from shared.paths import PATHS, Service
from shared.paths import Path as MappedPath
from tests.flow.door import HttpResponse, TlsDoor, send
from tests.flow.proxies import ProxyServer
from tests.flow.starter import free_port

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Replicas = Mapping[Service, Sequence[Serve | None]]


@asynccontextmanager
async def proxied(
    kind: str,
    folder: Path,
    replicas: Replicas,
    paths: Sequence[MappedPath] = PATHS,
    *,
    has_mtls: bool = False,
) -> AsyncIterator[ProxyServer]:
    """A proxy of this kind in front of *replicas*. None stands for a missing one."""
    proxy = ProxyServer.new(folder, kind)
    assert proxy.program  # otherwise the test skips before anything is started
    upstreams = {service: [f"127.0.0.1:{free_port()}"] for service in Service}
    async with AsyncExitStack() as closing:
        sockets = closing.enter_context(run_folder())
        for service, serves in replicas.items():
            upstreams[service] = [f"unix:{sockets}/{service}-{n}" for n in range(len(serves))]
            for n, serve in enumerate(serves):
                if serve is not None:
                    await closing.enter_async_context(
                        await asyncio.start_unix_server(serve, sockets / f"{service}-{n}")
                    )
        proxy.write(upstreams, paths, has_mtls=has_mtls)
        child = Child(proxy.command())
        closing.push_async_callback(child.stop)
        await child.start()
        yield proxy


async def ask(
    door: TlsDoor,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> HttpResponse:
    """Sends one request without blocking the services."""
    return await asyncio.to_thread(send, door, method, target, headers, body)


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """The head of a request, whose body is read too and forgotten."""
    head = await reader.readuntil(b"\r\n\r\n")
    if length := re.search(rb"(?i)\r\nContent-Length: (\d+)", head):
        await reader.readexactly(int(length[1]))
    return head


def answer_with(
    writer: asyncio.StreamWriter, body: bytes, headers: bytes = b"", status: bytes = b"200 OK"
) -> None:
    """Answers and closes; *headers* end in CRLF."""
    line = b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: %d\r\n%b\r\n%b"
    writer.write(line % (status, len(body), headers, body))
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that answers with the head that it has seen."""
    answer_with(writer, await read_head(reader))


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that answers 404."""
    await read_head(reader)
    answer_with(writer, b"", status=b"404 Not Found")


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that closes the connection after reading a request."""
    await read_head(reader)
    writer.close()

"""One of the project's services as a child of `ostiary run`."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.child import Command
from shared.paths import Service


def socket_of(sockets: Path, service: Service) -> Path:
    """The socket of *service*."""
    return sockets / f"{service}.sock"


def command(
    service: Service, sockets: Path, environment: Mapping[str, str], log: Path, *, workers: int = 1
) -> Command:
    """The command that starts *service* with so many worker processes.

    *environment* has its settings, so no secret is in its arguments.
    """
    socket = socket_of(sockets, service)

    async def is_ready(_pid: int) -> bool:
        return await _answers(socket)

    return Command(
        name=f"The {service} service",
        # -P: the working directory of the user must not be searched for modules
        argv=(
            *(sys.executable, "-P", "-m", "services.cli", "serve", service),
            *("--listen", f"unix:{socket}", "--workers", str(workers)),
        ),
        env=environment,
        log=log,
        is_ready=is_ready,
    )


async def _answers(socket: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status = (await reader.readline()).split()
        writer.close()
    except OSError:
        return False
    return len(status) > 1 and int(status[1]) < 500

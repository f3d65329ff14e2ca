"""Whether a service is ready that listens on a Unix socket."""

import asyncio
from pathlib import Path


async def is_ready(socket: Path) -> bool:
    """Whether `/readyz` answers 200."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    status = await reader.readline()
    writer.close()
    return b" 200 " in status

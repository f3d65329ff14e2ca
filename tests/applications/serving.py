"""An application as a process of its own, with the environment that an operator gives it."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.child import Child, Command
from tests.applications.catalogue import APPLICATIONS, Application
from tests.flow.op import Op
from tests.tools import LACKING, required

HANG_GUARD = 300.0  # seconds


def needs_application(name: str) -> Application:
    """The application of that name. Where it is not installed, the test skips, or fails if it is required."""
    application = APPLICATIONS[name]
    if application.is_installed:
        return application
    reason = (
        f"{LACKING}{name}"
        if application.is_quick
        else f"lacks what `make application-tools` installs: {name}"
    )
    if "applications" in required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@asynccontextmanager
async def serving(
    op: Op,
    argv: tuple[str, ...],
    folder: Path,
    port: int,
    environment: Mapping[str, str] | None = None,
    *,
    greeting: bytes = b"HTTP/",
) -> AsyncIterator[Path]:
    """Runs *argv* in *folder*, which trusts the CA of *op*; gives the file of its output.

    It is ready once *port* answers with the *greeting*.
    """
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), str(op.ca_file))
    basics = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONUNBUFFERED": "1", **trust}

    async def answers(_pid: int) -> bool:
        try:
            reader, writer = await asyncio.open_connection("localhost", port)
            writer.write(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            said = await reader.read(len(greeting))
            writer.close()
        except OSError:
            return False
        return said == greeting  # a socket that is connected with itself hears what it says

    log = folder / "output.log"
    given = basics | dict(environment or {})
    child = Child(Command(argv[0], argv, given, log, answers, folder, start_within=HANG_GUARD))
    try:
        await child.start()
        yield log
    finally:
        await child.stop()

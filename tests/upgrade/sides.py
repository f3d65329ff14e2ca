"""One release: a process with every service, and the `ostiary` command."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import ClientSession, DummyCookieJar, UnixConnector

from deploy.local.child import Child
from deploy.local.service import command, socket_of
from shared.paths import Service
from tests.upgrade.releases import Tree

LATE = "the event loop was late"  # the log's reason for a 503 that only says that the machine is busy


@dataclass(slots=True)
class Side:
    """One release of a deployment. *settings*: the environment, by full names."""

    tree: Tree
    folder: Path  # of its socket and its log
    settings: Mapping[str, str]
    session: ClientSession | None = None
    child: Child | None = None

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OSTIARY_")}
        return {**inherited, **self.settings, "PYTHONPATH": str(self.tree.folder)}

    async def ostiary(self, *arguments: str, given: str = "") -> str:
        """The output of `ostiary ARGUMENTS`. *given*: its standard input."""
        process = await asyncio.create_subprocess_exec(
            *(self.tree.python, "-P", "-m", "services.cli", *arguments),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(given.encode())
        assert process.returncode == 0, errors.decode()
        return output.decode()

    async def start(self) -> None:
        """Every service in one process, ready."""
        socket = socket_of(self.folder, Service.TOKEN)
        present = command(Service.TOKEN, self.folder, self.environment, self.folder / "log")
        serve = ("-P", "-m", "services.cli", "serve", "all", "--listen", f"unix:{socket}")
        self.child = Child(replace(present, name="ostiary serve all", argv=(self.tree.python, *serve)))
        await self.child.start()
        self.session = ClientSession(
            connector=UnixConnector(str(socket), limit=0), cookie_jar=DummyCookieJar(), auto_decompress=False
        )

    async def stop(self) -> None:
        """Stop the process, if there is one."""
        if self.session:
            await self.session.close()
        if self.child:
            await self.child.stop()

    def log(self) -> Sequence[str]:
        """The lines of its log."""
        return (self.folder / "log").read_text("utf-8").splitlines()

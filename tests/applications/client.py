"""What an operator of an application has: the client that a preset makes, and the lines to paste."""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any

from tests.flow.op import Op
from tests.flow.starter import free_port

HANG_GUARD = 60  # seconds


@dataclass(frozen=True, slots=True)
class AddedClient:
    """What `ostiary client add --for NAME --url URL --json` printed."""

    url: str
    client_id: str
    client_secret: str
    lines: tuple[str, ...]  # for each place in the application, in the order of the preset

    @classmethod
    def of_preset(cls, op: Op, name: str, **values: str) -> "AddedClient":
        """Adds the client of an application that its users find at a free port of this machine."""
        url = f"http://localhost:{free_port()}"
        assignments = [f"{member}={value}" for member, value in values.items()]
        printed = op.ostiary("client", "add", "--for", name, "--url", url, "--json", *assignments)
        client: dict[str, Any] = json.loads(printed)
        lines = tuple(setting["lines"] for setting in client["settings"])
        return cls(url, client["client_id"], client.get("client_secret", ""), lines)

    @property
    def port(self) -> int:
        """That of the URL."""
        return int(self.url.rpartition(":")[2])

    def mistyped(self) -> "AddedClient":
        """The same with another secret in the lines."""
        assert self.client_secret
        wrong = self.client_secret[::-1]
        lines = tuple(each.replace(self.client_secret, wrong) for each in self.lines)
        assert lines != self.lines
        return replace(self, client_secret=wrong, lines=lines)

    async def refusal(self, op: Op) -> str:
        """The last error that `ostiary client check` tells of, once it is written: within a second."""
        async with asyncio.timeout(HANG_GUARD):
            while True:
                arguments = ("client", "check", self.client_id, "--json")
                told = json.loads(await asyncio.to_thread(op.ostiary, *arguments, statuses=(0, 1)))
                if told:
                    error: str = told[0]["error"]
                    return error
                await asyncio.sleep(0.1)

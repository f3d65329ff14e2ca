"""What an operator of an application has: the client that a preset makes, and the lines to paste."""

import json
from dataclasses import dataclass, replace
from typing import Any

from tests.flow.op import Op
from tests.flow.starter import free_port


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

    def refusals(self, op: Op) -> list[str]:
        """The errors that `ostiary client check` tells of, the last first."""
        told = json.loads(op.ostiary("client", "check", self.client_id, "--json", statuses=(0, 1)))
        return [refusal["error"] for refusal in told]

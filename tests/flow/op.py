"""A running Ostiary, as its operator and its clients see it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.paths import OPENID_CONFIGURATION
from tests.flow.door import Door, TlsDoor, send
from tests.flow.starter import environment, free_port, started
from tests.flow.user_agent import UserAgent


@dataclass(frozen=True, slots=True)
class Op:
    """One deployment: its issuer, who may sign in, and the environment of its command line."""

    issuer: str
    ca_file: Path
    username: str
    password: str
    environment: Mapping[str, str]
    door: Door

    def ostiary(self, *arguments: str, given: str | None = None, statuses: Collection[int] = (0,)) -> str:
        """The output of `ostiary ARGUMENTS`. *given*: its standard input."""
        done = subprocess.run(
            (sys.executable, "-P", "-m", "services.cli", *arguments),
            env=dict(self.environment),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode in statuses, done.stderr
        return done.stdout

    def add_client(self, **metadata: Any) -> dict[str, Any]:
        """Registers a client with this metadata. Returns the client with its secret."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(metadata, file)
            file.flush()
            client: dict[str, Any] = json.loads(self.ostiary("client", "add", file.name, "--json"))
        return client

    def metadata(self) -> dict[str, Any]:
        """The provider metadata."""
        answer = send(self.door, "GET", str(OPENID_CONFIGURATION))
        assert answer.status == 200, answer.text
        metadata: dict[str, Any] = answer.json()
        return metadata

    def sign_in(self, url: str) -> str:
        """Signs the user in and consents; the URL at the client."""
        return UserAgent(self.door).sign_in(url, self.username, self.password)


@contextmanager
def embedded(folder: Path, **others: str) -> Iterator[Op]:
    """`ostiary run` over https with its own CA, in *folder*; *others*: settings by their full names."""
    port = free_port()
    issuer = f"https://localhost:{port}/oidc"
    data = folder / "data"
    settings = {"OSTIARY_ISSUER": issuer, **others}
    with started(data, folder / "output", port, **settings):
        demo = json.loads((data / "demo.json").read_text("utf-8"))
        ca_file = data / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        yield Op(
            issuer,
            ca_file,
            demo["username"],
            demo["password"],
            environment(data, port, **settings),
            TlsDoor(issuer.removesuffix("/oidc"), ca_file),
        )

"""Relying parties that we did not write, as programs that talk in lines of JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.tools import needs

HERE = Path(__file__).parent
PACKAGES = HERE / "node" / "node_modules"
HANG_GUARD = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """A program, and the environment variable by which it is told what CA to trust."""

    name: str
    command: Callable[[], tuple[str, ...]]  # skips the test when its tool is missing
    trust: str
    refuses_issuer: str  # what it says when the issuer is another than the one it was configured with
    refuses_nonce: str
    token_endpoint_auth_method: str = "client_secret_basic"


def node_program(script: str, package: str) -> Callable[[], tuple[str, ...]]:
    """A script beside the packages of npm; skips the test where *package* is not installed."""
    return lambda: (needs("node", PACKAGES / package), str(HERE / "node" / script))


def _go() -> tuple[str, ...]:
    program = HERE / "go" / "build" / "relying-party"
    needs("go", program)
    return (str(program),)


def _authlib() -> tuple[str, ...]:
    return (sys.executable, "-P", str(HERE / "authlib_rp.py"))


RELYING_PARTIES = (
    RelyingParty("Authlib", _authlib, "REQUESTS_CA_BUNDLE", "invalid_claim: .*'iss'", "'nonce'"),
    RelyingParty(
        "openid-client",
        node_program("openid_client.mjs", "openid-client"),
        "NODE_EXTRA_CA_CERTS",
        'unexpected "iss"',
        '"nonce"',
    ),
    RelyingParty(
        "oauth4webapi",
        node_program("oauth4webapi.mjs", "oauth4webapi"),
        "NODE_EXTRA_CA_CERTS",
        'unexpected "iss"',
        '"nonce"',
        "client_secret_post",
    ),
    RelyingParty("go-oidc", _go, "SSL_CERT_FILE", "id token issued by a different provider", "another nonce"),
)


@dataclass(slots=True)
class Conversation:
    """A running relying party."""

    process: "subprocess.Popen[str]"

    def say(self, line: str) -> None:
        """One line to its standard input."""
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next object that it prints."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "it ended without a word"
        return cast(dict[str, Any], json.loads(line))


@contextmanager
def conversation(
    relying_party: RelyingParty, ca_file: Path, configuration: Mapping[str, Any]
) -> Iterator[Conversation]:
    """Starts it, with *configuration* as its first line."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        relying_party.trust: str(ca_file),
    }
    process = subprocess.Popen(
        relying_party.command(), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            talk = Conversation(process)
            talk.say(json.dumps(configuration))
            yield talk
        finally:
            process.kill()

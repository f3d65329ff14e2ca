"""Third-party relying parties, as programs that exchange lines of JSON with the test."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.tools import needs

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = HERE / "node" / "node_modules"


@dataclass(frozen=True, slots=True)
class Program:
    """A relying party's program, and the environment variable for the CA to trust."""

    name: str
    command: Callable[[], tuple[str, ...]]  # skips the test when its tool is missing
    trust: str


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """A program that signs a user in by the code flow, and its messages when it refuses."""

    program: Program
    refuses_issuer: str  # when the issuer is another than the one it was configured with
    refuses_nonce: str
    token_endpoint_auth_method: str = "client_secret_basic"


def node_program(script: str, package: str) -> Program:
    """A script beside the packages of npm; skips the test where *package* is not installed."""
    return Program(
        package,
        lambda: (needs("node", PACKAGES / package), str(HERE / "node" / script)),
        "NODE_EXTRA_CA_CERTS",
    )


def python_program(module: str, package: str) -> Program:
    """A module beside this one that uses *package*."""
    return Program(
        package,
        lambda: (sys.executable, "-m", f"{__package__}.{module}"),
        "REQUESTS_CA_BUNDLE",
    )


def _go() -> tuple[str, ...]:
    program = HERE / "go" / "build" / "relying-party"
    needs("go", program)
    return (str(program),)


def _java() -> tuple[str, ...]:
    classes, libraries = HERE / "java" / "build" / "classes", HERE / "java" / "build" / "dependency"
    program = needs("java", classes / "RelyingParty.class", libraries)
    return (program, "-cp", f"{classes}:{libraries}/*", "RelyingParty")


AUTHLIB = RelyingParty(
    python_program("authlib_rp", "Authlib"),
    refuses_issuer="invalid_claim: .*'iss'",
    refuses_nonce="'nonce'",
)
OPENID_CLIENT = RelyingParty(
    node_program("openid_client.mjs", "openid-client"),
    refuses_issuer='unexpected (JWT )?"iss"',
    refuses_nonce='"nonce"',
)
OAUTH4WEBAPI = RelyingParty(
    node_program("oauth4webapi.mjs", "oauth4webapi"),
    refuses_issuer='unexpected "iss"',
    refuses_nonce='"nonce"',
    token_endpoint_auth_method="client_secret_post",
)
GO_OIDC = RelyingParty(
    Program("go-oidc", _go, "SSL_CERT_FILE"),
    refuses_issuer="id token issued by a different provider",
    refuses_nonce="another nonce",
)
NIMBUS = RelyingParty(
    Program("Nimbus", _java, "CA_FILE"),
    refuses_issuer="Unexpected JWT issuer",
    refuses_nonce="Unexpected JWT nonce",
)
RELYING_PARTIES = (AUTHLIB, OPENID_CLIENT, OAUTH4WEBAPI, GO_OIDC, NIMBUS)


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


def _environment(program: Program, ca_file: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        program.trust: str(ca_file),
    }


def program_output(
    program: Program, ca_file: Path, arguments: Sequence[str], on_line: Callable[[str], None]
) -> tuple[int, str]:
    """Run it to its end: its status and its output. *on_line* is called for each line."""
    with subprocess.Popen(
        (*program.command(), *arguments),
        cwd=ROOT,
        env=_environment(program, ca_file),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                on_line(line)
        finally:
            process.terminate()
    return process.returncode, "".join(lines)


@contextmanager
def conversation(program: Program, ca_file: Path, configuration: Mapping[str, Any]) -> Iterator[Conversation]:
    """Start it, with *configuration* as its first line."""
    process = subprocess.Popen(
        program.command(),
        cwd=ROOT,
        env=_environment(program, ca_file),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            talk = Conversation(process)
            talk.say(json.dumps(configuration))
            yield talk
        finally:
            process.kill()

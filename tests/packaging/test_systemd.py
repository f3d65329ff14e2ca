"""The units of systemd, held against systemd's own tools."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.systemd.render import MIGRATE, TARGET, WORKER, Machine, unit_of, units
from shared.paths import Service
from tests.flow.starter import ROOT
from tests.tools import needs

MOST_EXPOSED = 2.0
PROCESSES = (*(unit_of(str(service)) for service in Service), unit_of(WORKER), MIGRATE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units for an account and a program that this machine has."""
    for name, text in units(Machine(program=sys.executable, user="daemon")):
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def _analyze(folder: Path, *arguments: str) -> str:
    command = (needs("systemd-analyze"), *arguments)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", [*PROCESSES, TARGET])
def test_systemd_finds_nothing_wrong(folder: Path, name: str) -> None:
    """No unknown section, option, value or specifier."""
    assert _analyze(folder, "verify", "--man=no", f"./{name}") == ""


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_confined(folder: Path, name: str) -> None:
    """systemd rates what it may still do, from 10 (unsafe) to 0."""
    rated = _analyze(folder, "security", "--offline=true", "--no-pager", f"./{name}")
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", rated)
    assert exposure
    assert float(exposure[1]) < MOST_EXPOSED, rated


def test_the_command_writes_every_unit(tmp_path: Path) -> None:
    """With the program and the account it is given."""
    command = (sys.executable, "-m", "deploy.systemd", str(tmp_path), "--program", "/usr/bin/ostiary")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {path.name for path in tmp_path.iterdir()} == {*PROCESSES, TARGET}
    starts = "".join((tmp_path / name).read_text() for name in PROCESSES)
    assert set(re.findall(r"^ExecStart=(\S+)", starts, re.MULTILINE)) == {"/usr/bin/ostiary"}
    assert set(re.findall(r"^User=(.+)$", starts, re.MULTILINE)) == {"ostiary"}

"""The parts of `ostiary run` that need no server."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deploy.local import logs
from deploy.local.caddy import site_of
from deploy.local.child import Child, Command, RunError, guard
from deploy.local.demo import credentials
from deploy.local.folders import data_folder, is_first_start, run_folder, secret_key, write_private
from deploy.local.presets import write_presets
from deploy.local.run import served_groups
from deploy.local.supervisor import Supervisor
from services.authorization.pages.start import presets
from shared.config.environment import read_settings
from shared.config.settings import Settings
from shared.paths import Group


async def _at_once(_pid: int) -> bool:
    return True


async def _never(_pid: int) -> bool:
    return False


def _command(log: Path, script: str, ready: bool = True) -> Command:
    return Command("It", ("/bin/sh", "-c", script), {}, log, _at_once if ready else _never)


def test_a_guard_ends_the_child_of_a_starter_that_died() -> None:
    """If the kernel cannot end a child with its parent, the end of a pipe does."""
    with subprocess.Popen(("/bin/sh", "-c", "read never"), stdin=subprocess.PIPE) as child:
        watching = guard(child.pid, signal.SIGKILL)
        assert watching.stdin
        watching.stdin.close()  # as the kernel does when the starter dies
        assert child.wait(50) == -signal.SIGKILL
        watching.wait(50)


async def test_a_child_that_will_not_start_says_why(tmp_path: Path) -> None:
    """The error has the relevant line of the log, and its path."""
    child = Child(
        _command(tmp_path / "log", "echo first; echo FATAL: no luck; echo last; exit 1", ready=False)
    )
    with pytest.raises(RunError, match=r"It did not start: FATAL: no luck; its log: .*log"):
        await child.start()


async def test_what_passes_is_tried_again(tmp_path: Path) -> None:
    """A start that fails because a previous server is just exiting succeeds a moment later."""
    script = f"test -e {tmp_path}/gone && exec sleep 50; touch {tmp_path}/gone; echo still there; exit 1"

    async def is_ready(pid: int) -> bool:
        arguments = subprocess.run(
            ("ps", "-o", "args=", "-p", str(pid)), capture_output=True, check=False
        ).stdout
        return arguments.startswith(b"sleep")

    argv, environment = ("/bin/sh", "-c", script), {"PATH": os.defpath}
    child = Child(Command("It", argv, environment, tmp_path / "log", is_ready, passing=("still there",)))
    await child.start()
    assert child.is_running
    await child.stop()
    assert not child.is_running


async def test_a_group_fails_with_its_first_fault(tmp_path: Path) -> None:
    """If one of two children fails to start, its error is reported and both are stopped."""
    supervisor = Supervisor(say=lambda _: None)
    stays, fails = _command(tmp_path / "a", "read never"), _command(tmp_path / "b", "exit 1", ready=False)
    with pytest.raises(RunError, match="It did not start"):
        await supervisor.start([stays, fails])
    await supervisor.stop()


def test_a_data_folder_is_held_by_one(tmp_path: Path) -> None:
    """A second run gets an error, until the first one ends."""
    with data_folder(tmp_path / "data") as data:
        assert is_first_start(data)
        with pytest.raises(RunError, match="Another `ostiary run` uses"), data_folder(tmp_path / "data"):
            pass
    with data_folder(tmp_path / "data"):
        pass


def test_a_data_folder_keeps_its_mode(tmp_path: Path) -> None:
    """A folder that is there stays as it is; a new one is private."""
    (tmp_path / "old").mkdir(mode=0o755)
    with data_folder(tmp_path / "old") as old, data_folder(tmp_path / "new") as new:
        assert [folder.stat().st_mode & 0o777 for folder in (old, new)] == [0o755, 0o700]


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The error of an unwritable folder names the folder and the remedy."""
    (tmp_path / "data").write_text("")
    with pytest.raises(RunError, match="OSTIARY_DATA_DIR"), data_folder(tmp_path / "data"):
        pass


def test_folders_of_dead_runs_are_swept_and_of_living_ones_not() -> None:
    """The next run removes folders whose lock is free."""
    with run_folder() as living:
        dead = Path(tempfile.mkdtemp(prefix="ostiary-", dir=living.parent))
        (dead / "lock").touch()
        unborn = Path(tempfile.mkdtemp(prefix="ostiary-", dir=living.parent))
        with run_folder() as other:
            assert living.exists()
            assert not dead.exists()
            assert unborn.exists()  # its starter is about to lock it
        assert not other.exists()
        unborn.rmdir()


def test_a_run_folder_is_locked_by_the_kernel() -> None:
    """A lock shows whether a run is alive, also across PID namespaces."""
    with run_folder() as folder, (folder / "lock").open("r+") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    """The secret is the same at every start, in a file that only its owner can read."""
    path = tmp_path / "secret-key"
    first = secret_key(path, is_needed=False)
    assert len(first) >= 32
    assert secret_key(path, is_needed=True) == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_missing_secret_is_not_replaced_where_keys_depend_on_it(tmp_path: Path) -> None:
    """If data exist, a missing secret is an error instead of a new secret."""
    with pytest.raises(RunError, match="holds a database, but not secret-key, the secret"):
        secret_key(tmp_path / "secret-key", is_needed=True)


def test_a_private_file_replaces_whole(tmp_path: Path) -> None:
    """The same after an interrupted first start."""
    (tmp_path / "file.new").write_text("half")
    write_private(tmp_path / "file", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_log_that_grows_is_moved_aside(tmp_path: Path) -> None:
    """A child continues to append, and its previous output is kept beside."""
    log = tmp_path / "it.log"
    with log.open("ab") as child:
        child.write(b"x" * 100)
        child.flush()
        logs.bound(tmp_path, limit=50)
        child.write(b"next")
    assert log.read_bytes() == b"next"
    assert (tmp_path / "it.log.1").read_bytes() == b"x" * 100


def test_the_presets_for_the_start_page_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command for each, as it is called in the folder where it runs, with another folder of data."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my venv/bin/python"))
    monkeypatch.chdir(tmp_path)
    listed = {each["title"]: each for each in json.loads(write_presets(tmp_path).read_text())}
    grafana, kubernetes = listed["Grafana"], listed["Kubernetes (API server and kubelogin)"]
    command = f"OSTIARY_DATA_DIR={tmp_path} 'my venv/bin/ostiary' client add --for"
    assert grafana["command"] == f"{command} grafana --url https://app.example.org"
    assert kubernetes["command"] == f"{command} kubernetes"
    assert grafana["documentation"].startswith("https://grafana.com/")
    assert list(listed) == sorted(listed, key=str.casefold)
    monkeypatch.chdir(tempfile.gettempdir())
    monkeypatch.setattr(sys, "executable", "/opt/my venv/bin/python")
    assert "'/opt/my venv/bin/ostiary' client" in write_presets(tmp_path).read_text()
    (tmp_path / ".ostiary").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "\"'/opt/my venv/bin/ostiary' client" in write_presets(tmp_path / ".ostiary").read_text()
    assert presets(Settings(data_dir=tmp_path))[0].title == next(iter(listed))


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"title": "x"}]', "{}"])
def test_a_damaged_list_of_presets_is_none(tmp_path: Path, text: str) -> None:
    """The start page shows the rest."""
    (tmp_path / "presets.json").write_text(text)
    assert presets(Settings(data_dir=tmp_path)) == ()
    assert presets(Settings(data_dir=tmp_path / "nowhere")) == ()


def test_credentials_are_made_on_the_first_start_only(tmp_path: Path) -> None:
    """Demo credentials are random, kept between starts, and not recreated after deletion."""
    path = tmp_path / "demo.json"
    first = credentials(path, "http://localhost:8080", is_first=True)
    assert first
    assert "http://localhost:8080/oidc/oauth2/oob" in first.redirect_uris
    assert credentials(path, "http://localhost:8080", is_first=False) == first
    path.unlink()
    assert credentials(path, "http://localhost:8080", is_first=False) is None


@pytest.mark.parametrize(
    ("origin", "binds"),
    [
        ("http://127.0.0.1:8080", {"127.0.0.1"}),
        ("http://[::1]:8080", {"[::1]"}),
        ("https://id.example.org", {"id.example.org"}),
    ],
)
def test_the_proxy_listens_where_the_issuer_is(origin: str, binds: set[str]) -> None:
    """The proxy listens only on the issuer's host and port."""
    assert set(site_of(origin).binds) == binds


@pytest.mark.parametrize(
    ("issuer", "is_served"), [("http://localhost:8080/oidc", True), ("https://id.example.org/oidc", False)]
)
def test_administration_is_served_on_loopback_alone(issuer: str, is_served: bool) -> None:
    """Administration is not mapped if other machines can reach the proxy."""
    settings = read_settings({"OSTIARY_ISSUER": issuer})
    assert (Group.ADMINISTRATION in served_groups(settings)) == is_served


def test_localhost_is_loopback_alone() -> None:
    """A loopback name uses only loopback interfaces."""
    assert set(site_of("http://localhost:8080").binds) <= {"127.0.0.1", "[::1]"}

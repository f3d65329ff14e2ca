"""`ostiary run`, as a user runs it."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest

from deploy.applications.library import presets
from deploy.local import valkey
from deploy.local.child import Child
from deploy.local.folders import run_folder
from deploy.local.postgres import Postgres, find_binaries
from deploy.local.unprivileged import account_for, runnable
from shared.store.migrate import migrate
from tests.certificates import a_certificate
from tests.flow.op import Op
from tests.flow.starter import (
    HANG_GUARD,
    Starter,
    alive,
    descendants,
    eventually,
    free_port,
    launched,
    run_to_its_end,
    started,
)
from tests.planted import planted
from tests.planted.process import (
    hands_its_environment_to_postgresql,
    leaves_the_port_to_the_environment,
    writes_the_data_folder_into_valkeys_configuration,
)

CHILDREN = {
    "discovery": "serve discovery",
    "authorization": "serve authorization",
    "token": "serve token",
    "client-registry": "serve client-registry",
    "accounts": "serve accounts",
    "PostgreSQL": "bin/postgres -D",
    "Valkey": "valkey-server",
    "Caddy": "caddy run",
}


KEPT = ("PG_VERSION", "pg_control", "secret-key", "demo.json")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    """A run for tests that do not change it."""
    folder = tmp_path_factory.mktemp("run")
    with started(folder / "data", folder / "output") as starter:
        yield starter


@dataclass(frozen=True, slots=True)
class Stopped:
    """A data folder of a run that was stopped, and the port of its issuer."""

    data: Path
    port: int


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A data folder to copy."""
    folder, port = tmp_path_factory.mktemp("stopped"), free_port()
    with started(folder / "data", folder / "output", port):
        pass
    return Stopped(folder / "data", port)


@pytest.fixture
def stopped(stopped_once: Stopped, tmp_path: Path) -> Stopped:
    """A data folder that the test may change."""
    subprocess.run(("cp", "-a", stopped_once.data, tmp_path / "data"), check=True)
    return Stopped(tmp_path / "data", stopped_once.port)


def _pings(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64) == b"+PONG\r\n"
        except OSError:
            return False


async def _selects(sockets: Path) -> bool:
    try:
        connection = await asyncpg.connect(f"postgresql://ostiary@/ostiary?host={sockets / 'postgres'}")
        try:
            return bool(await connection.fetchval("SELECT 1"))
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def _kill(starter: Starter, words: str) -> None:
    before = starter.child(words)
    assert before, words
    os.kill(before.pid, signal.SIGKILL)

    def is_back() -> bool:
        after = starter.child(words)
        return after is not None and after.pid != before.pid and after.args == before.args

    eventually(is_back, f"{words} is started again with the same arguments")


def test_it_prints_what_a_newcomer_needs(running: Starter) -> None:
    """The issuer, the data folder, the credentials and two things to try."""
    said = running.said
    assert running.issuer in said
    assert str(running.data) in said
    assert "demo, password " in said
    assert said.partition("Try next:")[2].count(running.issuer.removesuffix("oidc")) == 2


def test_the_start_page_leads_to_the_recipe_of_each_application(running: Starter) -> None:
    """The command that registers it, and its documentation."""
    responses = [running.get(path) for path in ("/oidc", "/oidc/", "/")]
    assert [response and response[0] for response in responses] == [200] * 3
    assert responses[-1]
    _, page = responses[-1]
    for preset in presets().values():
        assert f"client add --for {preset.name}".encode() in page
        assert preset.documentation[0].encode() in page


def test_discovery_answers_through_the_proxy(running: Starter) -> None:
    """The metadata come from the issuer's host and port."""
    assert running.discovers()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/OIDC/login", "/oidc/../healthz"])
def test_the_proxy_maps_no_path_of_the_inside(running: Starter, path: str) -> None:
    """Health, metrics and similar paths are not mapped."""
    assert running.get(path) == (404, b"Not found")


def test_secrets_lie_in_private_files(running: Starter) -> None:
    """Only the owner can read the data folder, the credentials and the secret."""
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
    assert {stat.S_IMODE((running.data / name).stat().st_mode) for name in ("demo.json", "secret-key")} == {
        0o600
    }


def test_no_secret_stands_in_a_command_line(running: Starter) -> None:
    """ps shows command lines to every user of the machine."""
    secret = (running.data / "secret-key").read_text().strip()
    lines = [child.args for words in CHILDREN.values() if (child := running.child(words))]
    assert len(lines) == len(CHILDREN)
    assert not any(secret in line for line in lines)


@pytest.mark.parametrize("name", CHILDREN)
async def test_a_killed_child_comes_back_in_place(running: Starter, name: str) -> None:
    """After kill -9, a child is restarted on the same socket, and the others recover."""
    sockets = running.sockets()
    _kill(running, CHILDREN[name])
    match name:
        case "PostgreSQL":
            while not await _selects(sockets):  # bounded by pytest-timeout
                await asyncio.sleep(0.02)
        case "Valkey":
            eventually(lambda: _pings(sockets / "valkey.sock"), "Valkey answers")
        case "Caddy":
            pass
        case _:
            eventually(lambda: _listens(sockets / f"{name}.sock"), f"{name} listens")
    eventually(running.discovers, "discovery answers")
    assert running.process.poll() is None, running.said


def test_ctrl_c_leaves_nothing_behind_and_the_data_stay(tmp_path: Path) -> None:
    """Exit status 0, no process and no socket folder; the next run has the same credentials."""
    port = free_port()
    with started(tmp_path / "data", tmp_path / "first", port) as starter:
        below = descendants(starter.process.pid)
        sockets = starter.sockets()
        credentials = (tmp_path / "data" / "demo.json").read_text()
        assert len(below) >= len(CHILDREN)
        assert starter.stop(signal.SIGINT) == 0
        assert alive(below) == set()
        assert not sockets.exists()
        assert not (tmp_path / "data" / "presets.json").exists()
    with started(tmp_path / "data", tmp_path / "second", port) as starter:
        assert starter.discovers()
        assert (tmp_path / "data" / "demo.json").read_text() == credentials


@pytest.mark.parametrize("has_another", [False, True], ids=["alone", "beside another"])
def test_the_doctor_trusts_the_local_ca(op: Op, tmp_path: Path, has_another: bool) -> None:
    """The doctor trusts the local CA, even if OSTIARY_FETCH_CA_FILE names another one."""
    theirs = {"OSTIARY_FETCH_CA_FILE": str(a_certificate("rp.test", tmp_path).ca_file)}
    examined = replace(op, environment={**op.environment, **(theirs if has_another else {})})
    # What else it finds, such as notices that no client takes, is other tests' doing.
    findings = json.loads(examined.ostiary("doctor", "--json", statuses=(0, 1)))
    (public,) = (finding["sentence"] for finding in findings if finding["subject"] == "Public URL")
    assert "answers with this issuer" in public


def test_deleted_credentials_are_shown_no_more(stopped: Stopped, tmp_path: Path) -> None:
    """After the file is deleted, credentials are neither printed nor created again."""
    (stopped.data / "demo.json").unlink()
    with started(stopped.data, tmp_path / "output", stopped.port) as starter:
        assert "password" not in starter.said
    assert not (stopped.data / "demo.json").exists()


def test_a_folder_belongs_to_its_issuer(stopped: Stopped, tmp_path: Path) -> None:
    """Another issuer is refused with both names; `issuer set` changes it while the old one runs."""
    data, port, other = stopped.data, stopped.port, free_port()
    old, new = f"http://localhost:{port}/oidc", f"http://localhost:{other}/oidc"
    refused = run_to_its_end(data, other)
    assert refused.returncode == 1
    assert old in refused.stderr
    assert f"ostiary issuer set {new}" in refused.stderr
    with started(data, tmp_path / "old", port) as starter:
        changed = subprocess.run(
            [sys.executable, "-m", "services.cli", "issuer", "set", new],
            env={**os.environ, "OSTIARY_DATA_DIR": str(starter.data)},
            capture_output=True,
            timeout=HANG_GUARD,
            check=False,
        )
        assert changed.returncode == 0
    with started(data, tmp_path / "new", other) as starter:
        assert starter.discovers()


HOSTILE = {"PGPORT": "1", "PGTARGETSESSIONATTRS": "standby", "PGSSLMODE": "require", "PGUSER": "nobody"}


@pytest.mark.parametrize("name", ['a "quoted" name, back\\slash,\nnew line, größe \\', "\udcff"], ids=ascii)
def test_any_name_of_a_data_folder_will_do(tmp_path: Path, name: str) -> None:
    """Any name works, also with libpq's variables for another PostgreSQL."""
    data = tmp_path / name
    with started(data, tmp_path / "output", port=None, **HOSTILE) as starter:
        assert starter.discovers()
        assert (data / "valkey").is_dir()


@planted(hands_its_environment_to_postgresql, leaves_the_port_to_the_environment)
async def test_the_embedded_postgresql_takes_nothing_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the server nor the way to it: the variables are libpq's, and the server reads two of them."""
    for name, value in {**HOSTILE, "PGDATESTYLE": "nonsense"}.items():
        monkeypatch.setenv(name, value)
    with run_folder() as sockets, run_folder(0o755) as copies:
        cluster = tmp_path / "cluster"
        account = account_for(cluster)
        binaries = runnable(find_binaries(), account, copies)
        server = Postgres(binaries, cluster, sockets, tmp_path / "log", account, is_durable=False)
        server.prepare()
        child = Child(server.command())
        try:
            await child.start()
            await migrate(server.url)
        finally:
            await child.stop()


@planted(writes_the_data_folder_into_valkeys_configuration)
async def test_valkey_starts_in_a_folder_of_any_name(tmp_path: Path) -> None:
    """Its configuration does not quote the name."""
    data = tmp_path / 'a "quoted\\ name'
    with run_folder() as sockets:
        server = valkey.Valkey(valkey.find_binary(), data, sockets, tmp_path / "log", is_durable=False)
        server.prepare()
        child = Child(server.command())
        try:
            await child.start()
            assert _pings(server.socket)
        finally:
            await child.stop()


def test_the_same_child_twice_ends_the_run(tmp_path: Path) -> None:
    """A child that exits twice within 30 s ends the run with one sentence and exit status 1."""
    with started(tmp_path / "data", tmp_path / "output") as starter:
        below = descendants(starter.process.pid)
        _kill(starter, "serve token")
        eventually(lambda: _listens(starter.sockets() / "token.sock"), "token listens")
        again = starter.child("serve token")
        assert again
        os.kill(again.pid, signal.SIGKILL)
        assert starter.process.wait(50) == 1
        eventually(lambda: alive(below) == set(), "all are gone")
        last = starter.said.splitlines()[-1]
        assert "The token service" in last
        assert str(tmp_path / "data" / "log" / "token.log") in last


def test_killing_the_starter_leaves_no_orphan(tmp_path: Path) -> None:
    """kill -9 of `ostiary run` ends all children, and the next run continues with the same data."""
    port = free_port()
    with started(tmp_path / "data", tmp_path / "first", port) as starter:
        below = descendants(starter.process.pid)
        sockets = starter.sockets()
        starter.stop(signal.SIGKILL)
        eventually(lambda: alive(below) == set(), "all are gone")
    with started(tmp_path / "data", tmp_path / "second", port) as starter:
        assert starter.discovers()
        assert not sockets.exists()  # swept, if not by another run before


def test_a_start_right_after_the_kill_waits_for_what_is_leaving(tmp_path: Path) -> None:
    """The next run waits for servers of a killed run that are still stopping."""
    port = free_port()
    with started(tmp_path / "data", tmp_path / "first", port) as starter:
        starter.stop(signal.SIGKILL)
        with started(tmp_path / "data", tmp_path / "second", port) as following:
            assert following.discovers()


def test_two_runs_stand_side_by_side(running: Starter, tmp_path: Path) -> None:
    """Another port and another data folder: neither knows of the other."""
    with started(tmp_path / "other data", tmp_path / "output") as other:
        assert other.discovers()
        assert running.discovers()
        assert other.sockets() != running.sockets()
    assert running.discovers()


def _is_one_sentence(said: str) -> bool:
    return said.startswith("Error: ") and said.count("\n") == 1 and "Traceback" not in said


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """If another program listens on the port, the error names it and a remedy."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_to_its_end(tmp_path / "data", port)
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert _is_one_sentence(done.stderr)


def test_a_second_start_on_the_same_data_is_refused(running: Starter) -> None:
    """A second run on the same data folder is refused, as it would destroy the data."""
    done = run_to_its_end(running.data, free_port())
    assert done.returncode == 1
    assert str(running.data) in done.stderr
    assert _is_one_sentence(done.stderr)
    assert running.discovers()


@pytest.mark.point(1)
@pytest.mark.parametrize(
    "issuer",
    [
        "ftp://x",
        "http://id.example.org/oidc",
        "https://id.example.org/oidc?x=1",
        "https://id.example.org/oidc#x",
        "https://id.example.org/oidc/",
    ],
)
def test_wrong_settings_are_all_named(tmp_path: Path, issuer: str) -> None:
    """All faults are reported at once, without a traceback, including a malformed issuer."""
    done = run_to_its_end(tmp_path / "data", 1, OSTIARY_ISSUER=issuer, OSTIARY_NO_SUCH="1")
    assert done.returncode == 1
    assert "OSTIARY_ISSUER: " in done.stderr
    assert "OSTIARY_NO_SUCH: there is no such setting" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    """An unreachable database is reported with the setting that names it."""
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    done = run_to_its_end(tmp_path / "data", free_port(), OSTIARY_DATABASE_URL=url)
    assert done.returncode == 1
    assert "OSTIARY_DATABASE_URL" in done.stderr
    assert _is_one_sentence(done.stderr)


def test_ctrl_c_while_starting_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C during the start leaves no process, and the next start works."""
    port = free_port()
    with launched(tmp_path / "data", tmp_path / "first", port) as starter:
        eventually(lambda: "Starting the services" in starter.said, "the services start")
        below = descendants(starter.process.pid)
        assert starter.stop(signal.SIGINT) == 0
        assert alive(below) == set()
        assert "ready" not in starter.said
    with started(tmp_path / "data", tmp_path / "second", port) as starter:
        assert starter.discovers()


def _other_major(data: Path) -> None:
    (data / "postgres" / "PG_VERSION").write_text("15\n")


def _no_version(data: Path) -> None:
    (data / "postgres" / "PG_VERSION").unlink()


def _truncated(data: Path) -> None:
    os.truncate(data / "postgres" / "global" / "pg_control", 100)


def _no_secret(data: Path) -> None:
    (data / "secret-key").unlink()


def _cut_secret(data: Path) -> None:
    (data / "secret-key").write_text("short")


def _cut_credentials(data: Path) -> None:
    (data / "demo.json").write_text('{"username": ')


def test_a_damaged_data_folder_is_told_in_a_sentence(stopped: Stopped, tmp_path: Path) -> None:
    """Any damage gives one sentence that names the place, exit status 1, and no traceback."""
    data, port = stopped.data, stopped.port
    for damage in (_no_secret, _cut_secret, _cut_credentials, _truncated, _other_major, _no_version):
        kept = {path: path.read_bytes() for path in data.rglob("*") if path.name in KEPT}
        damage(data)
        done = run_to_its_end(data, free_port())
        assert done.returncode == 1, damage
        assert str(data) in done.stderr, damage
        assert done.stderr.startswith("Error: "), done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        for path, content in kept.items():
            _put_back(path, content)
    with started(data, tmp_path / "mended", port) as starter:
        assert starter.discovers()


def _put_back(path: Path, content: bytes) -> None:
    owner = path.parent.stat()
    path.write_bytes(content)
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)

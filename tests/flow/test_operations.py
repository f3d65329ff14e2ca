"""A service in operation: workers, metrics, logs, and no leaked secrets."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import ClientError, ClientSession, CookieJar, UnixConnector
from redis.asyncio import Redis

from shared.config.settings import Settings
from shared.identity.passwords import FAST, hash_password
from shared.operations.clients import add_client, allowed_by
from shared.operations.users import add_user
from tests.builders import World
from tests.deployment import SECRET_KEY, open_world, settings_for
from tests.flow.visitor import Visitor, members

ISSUER = "http://localhost:8080/oidc"
BASE = "http://localhost:8080"
ROOT = Path(__file__).parents[2]
HANG = 30  # seconds
CANARY = "canary"
PASSWORD = f"{CANARY}-password-1"
CLIENT_SECRET = f"{CANARY}-client-secret-of-forty-characters-or-so"
STATE = f"{CANARY}-state-value"
REDIRECT_URI = "https://rp.test/cb"


@dataclass(frozen=True, slots=True)
class ServeAll:
    """`ostiary serve all`, and how to talk to it."""

    process: "subprocess.Popen[bytes]"
    http: ClientSession
    log: Path
    metrics: Path

    def children(self) -> set[int]:
        """The processes of its workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in path.read_text().split()}

    async def status(self, path: str) -> int:
        """The status of a GET; 0 without a response."""
        try:
            async with self.http.get(BASE + path) as response:
                return response.status
        except (ClientError, OSError):
            return 0


async def until(holds: Callable[[], object]) -> None:
    """Poll a condition, with a hang guard."""
    async with asyncio.timeout(HANG):
        while not holds():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(
    settings: Settings, folder: Path, *options: str, stderr: int | None = None
) -> AsyncIterator[ServeAll]:
    """All services in processes of their own; *stderr* may replace the log file."""
    assert settings.database_url
    assert settings.redis_url
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "OSTIARY_ISSUER": settings.issuer,
        "OSTIARY_DATABASE_URL": settings.database_url.get_secret_value(),
        "OSTIARY_REDIS_URL": settings.redis_url.get_secret_value(),
        "OSTIARY_SECRET_KEY": SECRET_KEY,
        "OSTIARY_LOG_LEVEL": "debug",
        "OSTIARY_DRAIN_DELAY": "0s",
        "OSTIARY_METRICS_LISTEN": f"unix:{folder}/metrics",
    }
    arguments = ("serve", "all", "--listen", f"unix:{folder}/all", *options)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *arguments],
            env=environment,
            stderr=stderr or log,
            cwd=folder,
        )
    connector = UnixConnector(f"{folder}/all", force_close=True)
    try:
        async with ClientSession(connector=connector, cookie_jar=CookieJar(unsafe=True)) as http:
            running = ServeAll(process, http, folder / "log", folder / "metrics")
            async with asyncio.timeout(HANG):
                while await running.status("/readyz") != 200:
                    assert process.poll() is None, (folder / "log").read_text()
                    await asyncio.sleep(0.05)
            yield running
    finally:
        process.terminate()
        process.wait(HANG)


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[tuple[World, Settings]]:
    """A deployment with keys."""
    settings = settings_for(database_url, redis_url, issuer=ISSUER)
    async with open_world(settings) as opened:
        yield opened, settings


async def test_workers_share_a_socket_are_replaced_and_leave_together(
    world: tuple[World, Settings], tmp_path: Path
) -> None:
    """kill -9 of one costs one process; SIGTERM to the parent ends all of them."""
    async with serving(world[1], tmp_path, "--workers", "2") as running:
        await until(lambda: len(running.children()) == 2)
        before = running.children()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        await until(lambda: len(running.children() - {victim}) == 2)
        assert await running.status("/healthz") == 200
        await until(lambda: Path(f"{running.metrics}.1").exists())
        left = running.children()
        running.process.terminate()
        assert await asyncio.to_thread(running.process.wait, HANG) == 0
        assert not [pid for pid in left if Path(f"/proc/{pid}").exists()]
    events = [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()]
    assert "worker_died" in events


async def test_metrics_have_a_listener_of_their_own(world: tuple[World, Settings], tmp_path: Path) -> None:
    """Metrics have their own listener, and are not served elsewhere."""
    async with serving(world[1], tmp_path) as running:
        assert await running.status("/metrics") == 404
        async with (
            ClientSession(connector=UnixConnector(str(running.metrics))) as http,
            http.get(f"{BASE}/metrics") as response,
        ):
            assert "ostiary_request_seconds_bucket" in await response.text()


async def everything_stored(world: World, settings: Settings) -> bytes:
    """Every row of every table, and every value in Redis."""
    tables = await world.database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    parts: list[bytes] = []
    for table in tables:
        name = table["tablename"]
        rows = await world.database.rows(f'SELECT t::text AS row FROM "{name}" t')
        for row in rows:
            text: str = row["row"]
            parts.append(text.encode())
            parts.extend(bytes.fromhex(run) for run in _hexadecimal(text))
    assert settings.redis_url
    redis = Redis.from_url(settings.redis_url.get_secret_value())
    async for key in redis.scan_iter():
        kind = await redis.type(key)
        match kind:
            case b"hash":
                value: object = await redis.hgetall(key)
            case b"zset":
                value = await redis.zrange(key, 0, -1)
            case b"list":
                value = await redis.lrange(key, 0, -1)
            case _:
                value = await redis.get(key)
        parts.append(key + repr(value).encode())
    await redis.aclose()
    return b"\n".join(parts)


def _hexadecimal(text: str) -> list[str]:
    """The bytea values in a row's text."""
    runs = [part.split('"')[0].split(",")[0].rstrip(")") for part in text.split("\\x")[1:]]
    return [run for run in runs if len(run) % 2 == 0 and all(digit in "0123456789abcdef" for digit in run)]


async def test_no_secret_of_a_whole_flow_is_in_logs_or_stores(
    world: tuple[World, Settings], tmp_path: Path
) -> None:
    """Codes, tokens, secrets and passwords are stored only as hashes, and `state` is not logged."""
    opened, settings = world
    await add_user(opened.stores.users, "ada", {"email": "ada@x.test"}, hash_password(PASSWORD, FAST))
    entry = {
        "client_id": "rp",
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
    }
    await add_client(opened.stores.clients, entry, allowed_by(settings))
    own = {"client_id": "rp", "client_secret": CLIENT_SECRET}
    async with serving(settings, tmp_path) as running:
        visitor = Visitor(running.http, BASE, "ada", PASSWORD)
        wrong = Visitor(running.http, BASE, "ada", f"{CANARY}-wrong")
        request = f"redirect_uri={quote(REDIRECT_URI, safe='')}&response_type=code&state={STATE}"
        path = f"/oidc/oauth2/auth?client_id=rp&{request}&scope=openid%20offline_access&prompt=consent"
        with pytest.raises(AssertionError):
            await wrong.authorize(path)
        response = await visitor.authorize(path)
        assert response["state"] == STATE
        form = {"grant_type": "authorization_code", "code": response["code"], "redirect_uri": REDIRECT_URI}
        tokens = await members(await running.http.post(f"{BASE}/oidc/oauth2/token", data=form | own))
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        newer = await members(await running.http.post(f"{BASE}/oidc/oauth2/token", data=refresh | own))
        bearer = {"Authorization": f"Bearer {newer['access_token']}"}
        await members(await running.http.get(f"{BASE}/oidc/userinfo", headers=bearer))
        await running.http.post(f"{BASE}/oidc/oauth2/token", data=form | own)  # a replay
        await running.http.get(f"{BASE}/oidc/userinfo?access_token={newer['access_token']}")
        cookies = [cookie.value for cookie in running.http.cookie_jar]
        stored = await everything_stored(opened, settings)
        hint = f"/oidc/oauth2/sessions/logout?id_token_hint={newer['id_token']}&state={STATE}"
        await running.status(hint)
    log = (tmp_path / "log").read_bytes()
    secrets = [PASSWORD, f"{CANARY}-wrong", CLIENT_SECRET, response["code"], *cookies]
    secrets += [each[name] for each in (tokens, newer) for name in tokens if name.endswith("_token")]
    assert len(cookies) > 0
    for secret in secrets:
        assert secret.encode() not in log
        assert secret.encode() not in stored
        assert secret[3:].encode() not in log, "the handle without its kind"
        assert secret[3:].encode() not in stored
    assert STATE.encode() not in log
    assert CANARY.encode() not in log
    assert b"canary-" not in stored.replace(STATE.encode(), b"")
    assert b'"event":"request"' in log
    for line in log.splitlines():
        json.loads(line)

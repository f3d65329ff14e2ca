"""After a restore, ended sessions stay ended, and a lost rotation does not count as reuse."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from services.cli import main
from shared.live import clock
from shared.oauth.client.record import Client
from shared.operations.deployment import BadMoment, end_after_restore
from shared.store.ports.deployment import NOTHING
from tests.builders import SignIn, World
from tests.deployment import ISSUER, SECRET_KEY, TokenService
from tests.personal_access_tokens import a_token
from tests.planted import planted
from tests.planted.deployment import (
    ends_a_backup_silently,
    lets_a_backup_live_on,
    takes_a_lost_rotation_for_reuse,
)

TABLES = (
    *("users", "sessions", "grants", "refresh_families", "revoked_access_tokens", "deployment"),
    "personal_access_tokens",
)

Act = Callable[[TokenService, SignIn, Client, dict[str, str]], Awaitable[object]]


async def _back_up(world: World) -> datetime:
    """When it was made."""
    for table in TABLES:
        await world.database.row(f"DROP TABLE IF EXISTS backup_of_{table}")
        await world.database.row(f"CREATE TABLE backup_of_{table} AS TABLE {table}")
    return await world.stores.probe.database_time()


async def _restore(world: World) -> None:
    """Every row is as it was then."""
    async with world.database.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")  # no foreign keys meanwhile
        for table in TABLES:
            await connection.execute(f"DELETE FROM {table}")
            await connection.execute(f"INSERT INTO {table} TABLE backup_of_{table}")


async def _log_out(tokens: TokenService, sign_in: SignIn, _: Client, __: dict[str, str]) -> None:
    await tokens.world.stores.sessions.end(sign_in.sid, "logout")


async def _revoke(tokens: TokenService, _: SignIn, client: Client, issued: dict[str, str]) -> None:
    assert (await tokens.revoke(client, issued["refresh_token"])).status == 200


async def _disable(tokens: TokenService, sign_in: SignIn, _: Client, __: dict[str, str]) -> None:
    await tokens.world.stores.users.disable(sign_in.user.user_id)


@planted(lets_a_backup_live_on)
@pytest.mark.parametrize("act", [_log_out, _revoke, _disable], ids=["logout", "revoke", "disable"])
async def test_what_ended_since_the_backup_stays_ended(tokens: TokenService, act: Act) -> None:
    """Sessions and tokens of the backup end when the operator gives its time."""
    world, client, sign_in = tokens.world, await tokens.world.client(), await tokens.world.sign_in()
    scope = ("openid", "offline_access") if act is not _log_out else ("openid",)
    issued = await tokens.tokens(client, sign_in.code(client.client_id, scope=scope))
    made_at = await _back_up(world)
    await act(tokens, sign_in, client, issued)
    assert not (await tokens.introspect(client, issued["access_token"]))["active"]
    await _restore(world)
    assert (await tokens.introspect(client, issued["access_token"]))["active"], "nobody has said so yet"
    ended = await end_after_restore(world.stores.deployment, made_at, clock.now())
    assert min(ended.sessions, ended.grants) >= 1
    assert not (await tokens.introspect(client, issued["access_token"]))["active"]
    row = await world.database.row("SELECT ended_at FROM sessions WHERE sid = $1", sign_in.sid)
    assert row
    assert row["ended_at"] is not None
    if refresh_token := issued.get("refresh_token"):
        assert (await tokens.refresh(client, refresh_token)).status == 400
    assert await end_after_restore(world.stores.deployment, made_at, clock.now()) == NOTHING
    assert (await tokens.tokens(client))["access_token"], "whoever signs in again is served"


@planted(ends_a_backup_silently)
async def test_clients_are_told_of_sessions_that_end_after_a_restore(tokens: TokenService) -> None:
    """Those with a `backchannel_logout_uri`, once for each session; not of sessions that had ended."""
    world, sign_in, ended = tokens.world, await tokens.world.sign_in(), await tokens.world.sign_in()
    client = await world.client(backchannel_logout_uri="https://rp1.test/logout")
    for each in (sign_in, ended):
        for listener in (client, await world.client()):
            await tokens.tokens(listener, each.code(listener.client_id))
    await world.database.row("UPDATE sessions SET ended_at = now() WHERE sid = $1", ended.sid)
    made_at = await world.stores.probe.database_time()
    for _ in range(2):
        await end_after_restore(world.stores.deployment, made_at, clock.now())
    notices = await world.stores.outbox.list(1000)
    assert [notice.sid for notice in notices if notice.client_id == client.client_id] == [sign_in.sid]


@planted(lets_a_backup_live_on)
async def test_a_personal_access_token_of_the_backup_ends(tokens: TokenService) -> None:
    """It may have been revoked since; one that is made afterwards works."""
    world, user = tokens.world, await tokens.world.user()
    made = await a_token(world, user)
    made_at = await world.stores.probe.database_time()
    ended = await end_after_restore(world.stores.deployment, made_at, clock.now())
    assert ended.personal_access_tokens >= 1
    assert (await tokens.userinfo(made.value)).status == 401
    assert (await tokens.userinfo((await a_token(world, user)).value)).status == 200


@planted(takes_a_lost_rotation_for_reuse)
async def test_a_token_that_the_backup_lacks_is_refused_and_ends_nothing(tokens: TokenService) -> None:
    """The token of the backup still works, and after its next rotation reuse is reuse again."""
    world, client = tokens.world, await tokens.world.client()
    long_ago = await world.stores.probe.database_time()
    first = (await tokens.tokens(client))["refresh_token"]
    await _back_up(world)
    second = (await (await tokens.refresh(client, first)).json())["refresh_token"]
    third = (await (await tokens.refresh(client, second)).json())["refresh_token"]
    await _restore(world)
    await end_after_restore(world.stores.deployment, long_ago, clock.now())
    for lost in (third, second):
        response = await tokens.refresh(client, lost)
        assert (response.status, (await response.json())["error"]) == (400, "invalid_grant")
    response = await tokens.refresh(client, first)
    assert response.status == 200
    newest = (await response.json())["refresh_token"]
    assert (await tokens.refresh(client, third)).status == 400
    assert (await tokens.refresh(client, newest)).status == 400


async def test_a_restore_is_audited_and_has_a_time_that_has_passed(world: World) -> None:
    """A restore is audited, and its time must be in the past."""
    before = await world.audited("restored")
    with pytest.raises(BadMoment):
        await end_after_restore(world.stores.deployment, clock.now() + timedelta(hours=1), clock.now())
    await end_after_restore(world.stores.deployment, clock.now() - timedelta(days=900), clock.now())
    assert await world.audited("restored") == before + 1


def test_the_command_takes_a_time_and_says_what_ended(database_url: str, redis_url: str) -> None:
    """A time without a zone is UTC; what is no time is wrong usage, and one that is to come fails."""
    environment = {
        "OSTIARY_ISSUER": ISSUER,
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_REDIS_URL": redis_url,
        "OSTIARY_SECRET_KEY": SECRET_KEY,
    }
    runs = [
        CliRunner().invoke(main, ["restored", "--at", at, "--json"], env=environment)
        for at in ("2026-01-01T03:00:00", "2026-01-01T03:00:00Z", "9999-01-01T00:00:00Z", "yesterday")
    ]
    assert [run.exit_code for run in runs] == [0, 0, 1, 2]
    assert (
        json.loads(runs[0].output)
        == json.loads(runs[1].output)
        == {
            "sessions": 0,
            "grants": 0,
            "personal_access_tokens": 0,
        }
    )

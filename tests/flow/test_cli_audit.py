"""`ostiary audit list`, `ostiary audit export` and `ostiary audit verify`."""

import asyncio
import json
from pathlib import Path

from shared.config.settings import Settings
from shared.live.keyring import open_keys
from shared.operations.audit.chain import checkpoint_key
from shared.operations.audit.seal import seal_next
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary
from tests.planted import planted
from tests.planted.audit import checkpoints_are_not_compared


async def _seal(settings: Settings) -> None:
    """What the worker does every few seconds."""
    async with open_world(settings) as world:
        secret_keys = [key.get_secret_value() for key in settings.secret_key]
        salt = open_keys(await world.stores.keys.load(), secret_keys).salt
        assert salt
        assert await seal_next(world.stores.audit_log, checkpoint_key(salt)) > 0


async def _cut_off(settings: Settings) -> None:
    async with open_world(settings) as world:
        await world.database.rows("DELETE FROM audit RETURNING 1")
        await world.database.rows("DELETE FROM audit_segments RETURNING 1")


@planted(checkpoints_are_not_compared)
def test_an_export_shows_what_was_cut_off(
    ostiary: Ostiary, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Rows are listed and exported; with an export kept elsewhere, an emptied log does not verify."""
    settings = settings_for(database_url, redis_url)
    assert ostiary("user", "add", "ada").exit_code == 0
    asyncio.run(_seal(settings))
    listed = ostiary("audit", "list", "--event", "user_added", "--json")
    (row,) = json.loads(listed.stdout)
    assert row["event"] == "user_added"
    assert "user_added" in ostiary("audit", "list").output
    exported = ostiary("audit", "export")
    assert [json.loads(line) for line in exported.stdout.splitlines()][-1]["segment"] == 1
    kept = tmp_path / "audit.jsonl"
    kept.write_text(exported.stdout)
    verified = ostiary("audit", "verify", "--checkpoints", str(kept), "--json")
    assert verified.exit_code == 0, verified.output
    assert json.loads(verified.stdout)["faults"] == []
    asyncio.run(_cut_off(settings))
    assert ostiary("audit", "verify").exit_code == 0
    missed = ostiary("audit", "verify", "--checkpoints", str(kept))
    assert (missed.exit_code, "segment 1: it was cut off" in missed.stdout) == (1, True)

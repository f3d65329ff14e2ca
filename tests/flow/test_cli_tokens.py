"""`ostiary user token`."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary


async def _record(database_url: str, redis_url: str) -> None:
    """Let a running deployment have a shorter limit than the shell of the commands."""
    settings = settings_for(database_url, redis_url, secret_key="s" * 32)
    async with open_world(settings) as world:
        await world.stores.deployment.issuer(settings.issuer)
        shorter = {"personal_access_token_lifetime": "864000s"}
        await world.stores.deployment.note_settings(settings.issuer, shorter)


def test_tokens_are_added_listed_and_revoked(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """The token is printed once; lists show everything else. Faults are sentences."""
    assert ostiary("user", "add", "ada").exit_code == 0
    made = ostiary("user", "token", "add", "ada", "--name", "backup", "--scope", "openid email", "--json")
    assert made.exit_code == 0, made.output
    token: dict[str, Any] = json.loads(made.stdout)
    assert token.pop("token").startswith("ostp_")
    assert (token["name"], token["scope"], token["last_used_at"]) == ("backup", "openid email", None)
    assert json.loads(ostiary("user", "token", "list", "ada", "--json").stdout) == [token]
    assert token["token_id"] in ostiary("user", "token", "list", "ada").stdout
    refused = ostiary("user", "token", "add", "ada", "--name", "x", "--scope", "offline_access")
    assert (refused.exit_code, "cannot have the scope" in refused.stderr) == (1, True)
    assert ostiary("user", "token", "add", "ada", "--name", "x", "--expires", "soon").exit_code == 2
    assert ostiary("user", "token", "add", "bob", "--name", "x").exit_code == 1
    asyncio.run(_record(database_url, redis_url))
    assert (
        "at most 10 days" in ostiary("user", "token", "add", "ada", "--name", "x", "--expires", "11d").stderr
    )
    longest = json.loads(ostiary("user", "token", "add", "ada", "--name", "x", "--json").stdout)
    end = datetime.fromisoformat(longest["expires_at"])
    assert end - datetime.now(UTC) <= timedelta(days=10)
    assert ostiary("user", "token", "revoke", "ada", token["token_id"]).exit_code == 0
    again = ostiary("user", "token", "revoke", "ada", token["token_id"])
    assert (again.exit_code, "no personal access token" in again.stderr) == (1, True)
    assert ostiary("user", "disable", "ada").exit_code == 0
    assert "the user is disabled" in ostiary("user", "token", "add", "ada", "--name", "x").stderr
    assert json.loads(ostiary("user", "token", "list", "ada", "--json").stdout) == []

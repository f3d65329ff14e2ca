"""`ostiary user reset-factors`, and `ostiary keys rewrap` for second factors."""

import asyncio

from shared.store import NewSecondFactor
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary

NEW = NewSecondFactor(secret=b"12345678901234567890", step=0, recovery_hashes=("a" * 64,))


async def _add(database_url: str, redis_url: str) -> None:
    """Give ada an authenticator app, as the deployment of the commands encrypts it."""
    settings = settings_for(database_url, redis_url, secret_key="s" * 32)
    async with open_world(settings) as world:
        user = await world.stores.users.find_by_name("ada")
        assert user
        await world.stores.second_factors.add(user.user_id, NEW)


def test_factors_are_reset_and_encrypted_again(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """A user who has lost both adds another app; who has none is said to have none."""
    assert ostiary("user", "add", "ada").exit_code == 0
    assert "ada has no second factor" in ostiary("user", "reset-factors", "ada").stderr
    asyncio.run(_add(database_url, redis_url))
    rewrapped = ostiary("keys", "rewrap", OSTIARY_SECRET_KEY="n" * 32 + "," + "s" * 32)
    assert rewrapped.exit_code == 0, rewrapped.output
    assert "1 second factors encrypted again" in rewrapped.output
    assert ostiary("user", "reset-factors", "ada").exit_code == 0
    assert ostiary("user", "reset-factors", "ada").exit_code == 1

"""What `ostiary doctor` reads from the stores."""

from shared.store.postgres.transport.database import Database
from shared.store.probe import Probe
from shared.store.redis.transport.client import RedisClient
from tests.contract.conftest import in_every_layout


async def test_the_limit_of_connections_is_what_is_left_for_this_role(
    database_url: str, redis: RedisClient
) -> None:
    """The server's, less what it reserves; a limit of the database lowers it."""
    database = Database.open(database_url, size=2)
    probe = Probe(database, redis, database_url)
    row = await database.row(
        "SELECT current_setting('max_connections')::int AS most, current_database() AS own"
    )
    assert row is not None
    assert 0 < await probe.connection_limit() < row["most"]
    await database.row(f'ALTER DATABASE "{row["own"]}" CONNECTION LIMIT 7')
    assert await probe.connection_limit() == 7
    database.close()


@in_every_layout
async def test_the_eviction_policy_is_that_of_the_server(database_url: str, redis: RedisClient) -> None:
    """The tests run without eviction, as production must."""
    database = Database.open(database_url, size=2)
    assert await Probe(database, redis, database_url).eviction_policy() == "noeviction"
    database.close()

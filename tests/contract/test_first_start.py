"""What `ostiary run` puts into an empty database for a newcomer."""

from shared.admin.first_start import Newcomer, prepare
from shared.oauth.claims import claims_of_scope, released
from tests.deployment import open_world, settings_for

NEWCOMER = Newcomer(
    username="demo",
    password="a long enough password",
    client_id="demo",
    client_secret="s" * 32,
    redirect_uris=("http://127.0.0.1/callback",),
)


async def test_the_newcomers_user_has_every_standard_claim(database_url: str, redis_url: str) -> None:
    """OpenID Connect Core 1.0 §5.1: whatever a newcomer's client asks for, it sees an example of."""
    settings = settings_for(database_url, redis_url)
    async with open_world(settings) as world:
        stores = world.stores
        await prepare(stores.keys, stores.users, stores.clients, settings, NEWCOMER)
        user = await stores.users.find_by_name(NEWCOMER.username)
    assert user
    names = claims_of_scope(("profile", "email", "address", "phone"))
    assert set(released(user, names, {})) == set(names)

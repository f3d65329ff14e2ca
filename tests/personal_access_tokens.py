"""Personal access tokens for tests."""

from datetime import timedelta

from shared.live import clock
from shared.model import User
from shared.operations.personal_access_tokens import NewToken, PersonalTokenRequest, add_token, checked_token
from tests.builders import World

YEAR = timedelta(days=365)


async def a_token(world: World, user: User, scope: str = "openid", lifetime: timedelta = YEAR) -> NewToken:
    """A token of the user, who is as they were read."""
    request = PersonalTokenRequest(name="backup of the laptop", scope=scope, lifetime=lifetime)
    token = checked_token(request, YEAR, clock.now())
    return await add_token(world.stores.personal_access_tokens, user.user_id, user.epoch, token)

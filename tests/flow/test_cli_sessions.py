"""`ostiary session list` and `ostiary session end`."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

from shared.live import clock
from shared.model import Authentication, Session
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary
from tests.planted import planted
from tests.planted.accounts import ends_anybodys_session


async def _sign_in(database_url: str, redis_url: str, name: str) -> None:
    """Begin a session of the user."""
    async with open_world(settings_for(database_url, redis_url)) as world:
        user = await world.stores.users.find_by_name(name)
        assert user
        session = Session(
            session_key=uuid4().bytes * 2,
            sid=uuid4(),
            user_id=user.user_id,
            username=user.username,
            epoch=user.epoch,
            authentication=Authentication(auth_time=clock.now(), acr="urn:ostiary:acr:pwd", amr=("pwd",)),
            expires_at=clock.now() + timedelta(hours=12),
        )
        assert await world.stores.sessions.begin(session, None, {"address": "192.0.2.1"})


def _sids(ostiary: Ostiary, name: str) -> list[str]:
    listed = ostiary("session", "list", name, "--json")
    assert listed.exit_code == 0, listed.output
    return [row["sid"] for row in json.loads(listed.stdout)]


@planted(ends_anybodys_session)
def test_sessions_are_listed_and_ended(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """One or all, of the named user alone; what is not there is said to be missing."""
    for name in ("ada", "bob"):
        assert ostiary("user", "add", name).exit_code == 0
        for _ in range(3):
            asyncio.run(_sign_in(database_url, redis_url, name))
    sids = _sids(ostiary, "ada")
    assert len(sids) == 3
    assert "192.0.2.1" in ostiary("session", "list", "ada").output
    wrong = ostiary("session", "end", "bob", sids[0])
    assert (wrong.exit_code, f"no session {sids[0]}" in wrong.stderr) == (1, True)
    assert ostiary("session", "end", "ada", sids[0]).exit_code == 0
    assert _sids(ostiary, "ada") == sids[1:]
    assert ostiary("session", "end", "ada").exit_code == 2
    assert ostiary("session", "end", "ada", sids[1], "--all").exit_code == 2
    assert ostiary("session", "end", "ada", "--all").exit_code == 0
    assert _sids(ostiary, "ada") == []
    assert len(_sids(ostiary, "bob")) == 3

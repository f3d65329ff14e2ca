"""What goes on when a user ends everything else: a session, its grants, or connected clients."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from shared.model import User
from shared.oauth.client.record import Client
from shared.store import SignOutExemption
from tests.builders import SignIn, World
from tests.contract.test_consents import redeem, stands
from tests.planted import planted
from tests.planted.accounts import keeps_every_grant, keeps_every_session

Act = Callable[[World, UUID, SignOutExemption], Awaitable[None]]


async def _end_all(world: World, user_id: UUID, kept: SignOutExemption) -> None:
    await world.stores.users.end_all(user_id, kept)


async def _set_password(world: World, user_id: UUID, kept: SignOutExemption) -> None:
    await world.stores.credentials.set_password(user_id, "a hash", kept)


@dataclass(frozen=True, slots=True)
class Scene:
    """A user with two sessions, and a grant of each kind in each."""

    world: World
    user: User
    client: Client
    here: SignIn
    there: SignIn
    grants: dict[str, UUID]

    async def alive(self) -> set[str]:
        """The names of the sessions and grants that are alive."""
        keys = {"here": self.here.sid.bytes * 2, "there": self.there.sid.bytes * 2}
        rows = {name: await self.world.stores.sessions.owner(key) for name, key in keys.items()}
        epoch = await self.world.database.row("SELECT epoch FROM users WHERE user_id = $1", self.user.user_id)
        sessions = await self.world.database.rows(
            "SELECT sid, epoch FROM sessions WHERE user_id = $1", self.user.user_id
        )
        assert epoch
        current = {row["sid"] for row in sessions if row["epoch"] == epoch["epoch"]}
        live = {name for name, owner in rows.items() if owner and owner.sid in current}
        return live | {
            name
            for name, grant_id in self.grants.items()
            if await stands(self.world, self.client.client_id, grant_id)
        }


async def a_scene(world: World) -> Scene:
    """A fresh one."""
    client = await world.client(backchannel_logout_uri="https://rp1.test/logout")
    user = await world.user()
    here, there = SignIn(user, await world.session(user)), SignIn(user, await world.session(user))
    grants = {}
    for place, sign_in in (("here", here), ("there", there)):
        for kind, scope in (("online", ("openid",)), ("offline", ("openid", "offline_access"))):
            grants[f"{kind} {place}"] = grant_id = uuid4()
            assert await redeem(world, sign_in.code(client.client_id, scope=scope), grant_id)
    return Scene(world, user, client, here, there, grants)


@planted(keeps_every_session, keeps_every_grant)
@pytest.mark.parametrize("act", [_end_all, _set_password])
async def test_a_session_goes_on_with_its_grants(world: World, act: Act) -> None:
    """The other session and all of its grants end, and its client is told of that session alone."""
    scene = await a_scene(world)
    await act(world, scene.user.user_id, SignOutExemption(sid=scene.here.sid))
    assert await scene.alive() == {"here", "online here", "offline here"}
    told = [each for each in await world.stores.outbox.list(100) if each.user_id == scene.user.user_id]
    assert [each.sid for each in told] == [scene.there.sid]


async def test_connected_clients_go_on(world: World) -> None:
    """Grants that outlive their sessions may be kept when the other sessions end."""
    scene = await a_scene(world)
    kept = SignOutExemption(sid=scene.here.sid, has_offline_grants=True)
    await world.stores.users.end_all(scene.user.user_id, kept)
    alive = await scene.alive()
    assert {"here", "online here", "offline here", "offline there"} <= alive
    assert "there" not in alive


async def test_everything_goes_on_except_what_is_pending(world: World) -> None:
    """A password may change without ending anything; a code from before it is not redeemed."""
    scene = await a_scene(world)
    pending = scene.here.code(scene.client.client_id)
    await world.stores.credentials.set_password(scene.user.user_id, "a hash", SignOutExemption())
    assert await scene.alive() == {"here", "there", *scene.grants}
    assert await redeem(world, pending) is None
    assert not [each for each in await world.stores.outbox.list(100) if each.user_id == scene.user.user_id]

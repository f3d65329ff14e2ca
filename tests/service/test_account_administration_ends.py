"""What ends the sessions and tokens of users through the administration."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from shared.model import User
from shared.paths import (
    ADMIN_GROUP,
    ADMIN_GROUP_MEMBER,
    ADMIN_NESTED_GROUP,
    ADMIN_ROLE,
    ADMIN_ROLE_GROUP,
    ADMIN_ROLE_USER,
    ADMIN_USER,
    ADMIN_USER_DISABLE,
    ADMIN_USER_ENABLE,
    ADMIN_USER_LOGOUT,
    ADMIN_USER_PASSWORD,
    Path,
)
from tests.administered_people import Person, a_person
from tests.administration import AdministrationApi, AdministrationResponse
from tests.planted import planted
from tests.planted.groups import who_leaves_stays_signed_in

PASSWORD = "correct horse battery staple"


def _of(path: Path, user: User, **more: str) -> str:
    return path.of(sub=str(user.user_id), **more)


End = Callable[[Person], Awaitable[AdministrationResponse]]


def _asks(method: str, path: Path, sent: Any = None, **more: str) -> End:
    async def end(person: Person) -> AdministrationResponse:
        headers = {"If-Match": "*"} if method == "PUT" else {}
        return await person.admin.ask(method, _of(path, person.user, **more), sent, **headers)

    return end


ENDS: Mapping[str, End] = {
    "disable": _asks("POST", ADMIN_USER_DISABLE),
    "delete": _asks("DELETE", ADMIN_USER),
    "password": _asks("POST", ADMIN_USER_PASSWORD, {"password": PASSWORD}),
    "generated password": _asks("POST", ADMIN_USER_PASSWORD),
    "logout": _asks("POST", ADMIN_USER_LOGOUT),
}
LEAVES: Mapping[str, End] = {
    "leave": _asks("DELETE", ADMIN_GROUP_MEMBER, group="staff"),
    "replaced groups": _asks("PUT", ADMIN_USER, {"username": "new", "groups": []}),
    "deleted group": _asks("DELETE", ADMIN_GROUP, group="Staff"),
    "ended nesting": _asks("DELETE", ADMIN_NESTED_GROUP, group="all", member="staff"),
    "deleted parent": _asks("DELETE", ADMIN_GROUP, group="All"),
    "role": _asks("DELETE", ADMIN_ROLE_USER, role="reader"),
    "replaced roles": _asks("PUT", ADMIN_USER, {"username": "new", "roles": []}),
    "role of the group above": _asks("DELETE", ADMIN_ROLE_GROUP, role="editor", group="all"),
    "deleted role": _asks("DELETE", ADMIN_ROLE, role="Reader"),
    "deleted role of the group above": _asks("DELETE", ADMIN_ROLE, role="Editor"),
}


async def _check_end(admin: AdministrationApi, end: End) -> None:
    """The session, the tokens and the pending code are dead with the answer, and clients are told."""
    person = await a_person(admin)
    assert (await end(person)).status in (200, 204)
    assert await person.notices() == {person.client.client_id}
    assert await person.is_signed_in() == set()


@pytest.mark.parametrize("name", ENDS)
async def test_what_ends_a_user_ends_everything_at_once(admin: AdministrationApi, name: str) -> None:
    """And nothing of another user."""
    other = await a_person(admin)
    await _check_end(admin, ENDS[name])
    assert await other.is_signed_in() == {"session", "access token", "refresh token", "code"}


@planted(who_leaves_stays_signed_in)
@pytest.mark.parametrize("name", LEAVES)
async def test_who_leaves_a_group_is_signed_out(admin: AdministrationApi, name: str) -> None:
    """By an end of the membership, by a replacement of the user, and with the group."""
    await _check_end(admin, LEAVES[name])


@pytest.mark.parametrize("name", ["join", "enable", "same groups", "stale delete"])
async def test_other_changes_end_nothing(admin: AdministrationApi, name: str) -> None:
    """A user who joins a group, or is written back as they are, stays signed in."""
    person = await a_person(admin)
    await admin.world.stores.groups.add("Others")
    read = (await admin.ask("GET", _of(ADMIN_USER, person.user))).body
    if name == "stale delete":
        refused = await admin.ask("DELETE", _of(ADMIN_USER, person.user), **{"If-Match": '"7"'})
        assert refused.status == 412
    else:
        ask = {
            "join": _asks("PUT", ADMIN_GROUP_MEMBER, group="others"),
            "enable": _asks("POST", ADMIN_USER_ENABLE),
            "same groups": _asks("PUT", ADMIN_USER, read),
        }[name]
        assert (await ask(person)).status in (200, 204)
    assert await person.notices() == set()
    assert await person.is_signed_in() == {"session", "access token", "refresh token", "code"}

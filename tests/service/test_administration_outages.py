"""The administration in an outage: 503 whichever statement fails, then the same request succeeds."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.live import clock
from shared.model import Authentication
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.oauth.resource.own import WRITE_USERS
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENT_SECRET,
    ADMIN_CLIENTS,
    ADMIN_GRANT,
    ADMIN_GROUP,
    ADMIN_GROUP_MEMBER,
    ADMIN_GROUPS,
    ADMIN_INVITATIONS,
    ADMIN_NESTED_GROUP,
    ADMIN_RESOURCE,
    ADMIN_RESOURCES,
    ADMIN_ROLE,
    ADMIN_ROLE_GROUP,
    ADMIN_ROLE_USER,
    ADMIN_ROLES,
    ADMIN_SESSION,
    ADMIN_SESSIONS,
    ADMIN_USER,
    ADMIN_USER_DISABLE,
    ADMIN_USER_ENABLE,
    ADMIN_USER_LOGOUT,
    ADMIN_USER_PASSWORD,
    ADMIN_USER_RECOVERY,
    ADMIN_USERS,
)
from tests.administered_people import a_session
from tests.administration import AdministrationApi, AdministrationResponse
from tests.builders import REDIRECT_URI, SignIn, an_attempt
from tests.deployment import bearer
from tests.outages import MOST, failing_from
from tests.planted import planted
from tests.planted.groups import reads_what_it_has_committed
from tests.service.test_administrators import a_console, an_administrator

CHANGED = {"If-Match": '"1"'}


@dataclass(frozen=True, slots=True)
class Act:
    """A request that changes something, and the status of its success."""

    path: str
    body: Any = None
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)


Prepare = Callable[[AdministrationApi, SignIn], Awaitable[Act]]
"""Makes what the act is about. The user is in group `low`, has role `r`, and is signed in."""


def _about(path: str, body: Any = None, status: int = 204, **headers: str) -> Prepare:
    """An act on what every test has; the path may name the user by `{sub}`."""

    async def prepare(_: AdministrationApi, sign_in: SignIn) -> Act:
        return Act(path.format(sub=sign_in.user.user_id), body, status, headers)

    return prepare


async def _client(admin: AdministrationApi) -> str:
    return (await admin.world.client()).client_id


async def _changed_client(admin: AdministrationApi, _: SignIn) -> Act:
    path = ADMIN_CLIENT.for_client(await _client(admin))
    return Act(path, {"redirect_uris": [REDIRECT_URI]}, 200, CHANGED)


async def _deleted_client(admin: AdministrationApi, _: SignIn) -> Act:
    return Act(ADMIN_CLIENT.for_client(await _client(admin)))


async def _rotated_secret(admin: AdministrationApi, _: SignIn) -> Act:
    return Act(ADMIN_CLIENT_SECRET.for_client(await _client(admin)), status=200)


async def _resource(admin: AdministrationApi) -> str:
    described = {"resource": "https://notes.example.org/", "name": "notes"}
    created = await admin.ask("POST", ADMIN_RESOURCES.path, described)
    return created.headers["Location"]


async def _changed_resource(admin: AdministrationApi, _: SignIn) -> Act:
    return Act(await _resource(admin), {"name": "notes", "scopes": ["x"]}, 200, CHANGED)


async def _deleted_resource(admin: AdministrationApi, _: SignIn) -> Act:
    return Act(await _resource(admin))


async def _ended_session(admin: AdministrationApi, sign_in: SignIn) -> Act:
    session = a_session(sign_in.user)
    await admin.world.stores.sessions.begin(session, None, {})
    return Act(ADMIN_SESSION.of(sid=str(session.sid)))


async def _revoked_grant(admin: AdministrationApi, _: SignIn) -> Act:
    client, sign_in = await admin.world.client(), await admin.world.sign_in()
    code = await admin.world.issued_code(sign_in.code(client.client_id))
    expires_at = clock.now() + timedelta(days=1)
    made = await admin.world.stores.grants.redeem(an_attempt(), uuid4().bytes, code, expires_at, None)
    assert made
    return Act(ADMIN_GRANT.of(grant_id=str(made.grant_id)))


async def _recovery_link(admin: AdministrationApi, of: SignIn) -> Act:
    """By an administrator who has just shown several factors."""
    now = clock.now().replace(microsecond=0)
    authentication = Authentication(auth_time=now, acr=ACR_MULTIPLE_FACTORS, amr=("mfa", "otp", "pwd"))
    sign_in = await an_administrator(admin, WRITE_USERS)
    token = await admin.user_token(await a_console(admin), sign_in, authentication=authentication)
    return Act(ADMIN_USER_RECOVERY.of(sub=str(of.user.user_id)), status=200, headers=bearer(token))


NEW_PASSWORD = {"password": "four words nobody guesses"}

ACTS: Mapping[tuple[str, str], Prepare] = {
    ("POST", ADMIN_CLIENTS.path): _about(ADMIN_CLIENTS.path, {"redirect_uris": [REDIRECT_URI]}, 201),
    ("PUT", ADMIN_CLIENT.path): _changed_client,
    ("DELETE", ADMIN_CLIENT.path): _deleted_client,
    ("POST", ADMIN_CLIENT_SECRET.path): _rotated_secret,
    ("POST", ADMIN_INVITATIONS.path): _about(ADMIN_INVITATIONS.path, status=201),
    ("POST", ADMIN_RESOURCES.path): _about(
        ADMIN_RESOURCES.path, {"resource": "https://notes.example.org/", "name": "notes"}, 201
    ),
    ("PUT", ADMIN_RESOURCE.path): _changed_resource,
    ("DELETE", ADMIN_RESOURCE.path): _deleted_resource,
    ("POST", ADMIN_USERS.path): _about(ADMIN_USERS.path, {"username": "new", **NEW_PASSWORD}, 201),
    ("PUT", ADMIN_USER.path): _about(ADMIN_USER.path, {"username": "renamed"}, 200, **CHANGED),
    ("DELETE", ADMIN_USER.path): _about(ADMIN_USER.path),
    ("POST", ADMIN_USER_DISABLE.path): _about(ADMIN_USER_DISABLE.path, status=200),
    ("POST", ADMIN_USER_ENABLE.path): _about(ADMIN_USER_ENABLE.path, status=200),
    ("POST", ADMIN_USER_PASSWORD.path): _about(ADMIN_USER_PASSWORD.path, NEW_PASSWORD, 200),
    ("POST", ADMIN_USER_RECOVERY.path): _recovery_link,
    ("POST", ADMIN_USER_LOGOUT.path): _about(ADMIN_USER_LOGOUT.path),
    ("POST", ADMIN_GROUPS.path): _about(ADMIN_GROUPS.path, {"name": "new"}, 201),
    ("PUT", ADMIN_GROUP.path): _about(ADMIN_GROUP.of(group="low"), {"name": "renamed"}, 200, **CHANGED),
    ("DELETE", ADMIN_GROUP.path): _about(ADMIN_GROUP.of(group="low")),
    ("PUT", ADMIN_GROUP_MEMBER.path): _about(ADMIN_GROUP_MEMBER.path.replace("{group}", "high")),
    ("DELETE", ADMIN_GROUP_MEMBER.path): _about(ADMIN_GROUP_MEMBER.path.replace("{group}", "low")),
    ("PUT", ADMIN_NESTED_GROUP.path): _about(ADMIN_NESTED_GROUP.of(group="high", member="low")),
    ("DELETE", ADMIN_NESTED_GROUP.path): _about(ADMIN_NESTED_GROUP.of(group="top", member="low")),
    ("POST", ADMIN_ROLES.path): _about(ADMIN_ROLES.path, {"name": "new"}, 201),
    ("PUT", ADMIN_ROLE.path): _about(ADMIN_ROLE.of(role="r"), {"name": "renamed"}, 200, **CHANGED),
    ("DELETE", ADMIN_ROLE.path): _about(ADMIN_ROLE.of(role="r")),
    ("PUT", ADMIN_ROLE_USER.path): _about(ADMIN_ROLE_USER.path.replace("{role}", "other")),
    ("DELETE", ADMIN_ROLE_USER.path): _about(ADMIN_ROLE_USER.path.replace("{role}", "r")),
    ("PUT", ADMIN_ROLE_GROUP.path): _about(ADMIN_ROLE_GROUP.of(role="other", group="low")),
    ("DELETE", ADMIN_ROLE_GROUP.path): _about(ADMIN_ROLE_GROUP.of(role="r", group="low")),
    ("DELETE", ADMIN_SESSIONS.path): _about(f"{ADMIN_SESSIONS.path}?sub={{sub}}"),
    ("DELETE", ADMIN_SESSION.path): _ended_session,
    ("DELETE", ADMIN_GRANT.path): _revoked_grant,
}
"""By method and path: every request of the administration that changes something."""


async def _patiently(ask: Callable[[], Awaitable[AdministrationResponse]]) -> AdministrationResponse:
    """Ask again, each time with one statement more that does not fail: 503 until enough succeed."""
    for number in itertools.count(1):
        with failing_from(number) as failed:
            answer = await ask()
        if not failed:
            return answer
        if answer.status in (200, 201, 204):  # without what only helps, such as a warning
            return answer
        assert answer.status == 503, (number, answer.body, failed)
        assert "Retry-After" in answer.headers
        assert number < MOST
    raise AssertionError


async def _a_deployment(admin: AdministrationApi) -> SignIn:
    """Groups and roles of every kind, and a user of whom there is all that may be taken away."""
    stores = admin.world.stores
    for name in ("low", "high", "top"):
        await stores.groups.add(name)
    top = await stores.groups.find("top")
    assert top
    await stores.groups.nest(top, "low")
    for name in ("r", "other"):
        await stores.roles.add(name)
    await stores.roles.give_group("r", "low")
    sign_in = await admin.world.sign_in()
    await stores.groups.join("low", sign_in.user.user_id)
    await stores.roles.give("r", sign_in.user.user_id)
    await admin.world.database.row("UPDATE users SET claims_version = 1")
    await admin.world.database.row("UPDATE groups SET version = 1")
    return sign_in


@pytest.mark.parametrize(("method", "path"), ACTS, ids=map(" ".join, ACTS))
async def test_an_act_waits_for_its_stores(admin: AdministrationApi, method: str, path: str) -> None:
    """503 with Retry-After, and nothing is half done that the same request does not finish."""
    act = await ACTS[method, path](admin, await _a_deployment(admin))
    answer = await _patiently(lambda: admin.ask(method, act.path, act.body, **act.headers))
    assert answer.status == act.status, answer.body


@planted(reads_what_it_has_committed)
async def test_nothing_is_read_once_an_act_is_committed(admin: AdministrationApi) -> None:
    """Otherwise 503 may follow, and the same request finds the name taken by itself."""
    answer = await _patiently(lambda: admin.ask("POST", ADMIN_GROUPS.path, {"name": "new"}))
    assert answer.status == 201


async def test_every_act_is_tried(admin: AdministrationApi) -> None:
    """Also one that is added tomorrow."""
    assert {each for each in admin.inventory() if each[0] not in ("GET", "HEAD")} == set(ACTS)

"""Administrators: users whose groups have scopes of the administration, and the limits of their rights."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.live import clock
from shared.model import Authentication, Scope, User
from shared.oauth.client.record import Client
from shared.oauth.resource.own import (
    ADMINISTRATION_SCOPES,
    READ_CLIENTS,
    READ_GROUPS,
    READ_USERS,
    WRITE_CLIENTS,
    WRITE_GROUPS,
    WRITE_USERS,
)
from shared.operations.rights import rights_in
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENT_SECRET,
    ADMIN_CLIENTS,
    ADMIN_GROUP,
    ADMIN_GROUP_MEMBER,
    ADMIN_GROUPS,
    ADMIN_NESTED_GROUP,
    ADMIN_ROLE,
    ADMIN_ROLE_GROUP,
    ADMIN_ROLE_USER,
    ADMIN_USER,
    ADMIN_USER_ENABLE,
    ADMIN_USER_PASSWORD,
    ADMIN_USER_RECOVERY,
    ADMIN_USERS,
    TOKEN,
)
from tests.administration import AdministrationApi, AdministrationResponse
from tests.builders import REDIRECT_URI, SECRET, VERIFIER, SignIn
from tests.deployment import basic, bearer
from tests.planted import planted
from tests.planted.groups import (
    rights_are_not_compared,
    rights_of_groups_above_are_forgotten,
    rights_outlive_memberships,
)
from tests.planted.recovery import holds_nobody_here
from tests.second_factors import A_NEW_APP

CONSOLE_SCOPE = ("openid", *ADMINISTRATION_SCOPES)


async def a_console(admin: AdministrationApi, **fields: Any) -> Client:
    """A client that an operator has marked for administration."""
    return await admin.world.client(**{"scope": CONSOLE_SCOPE, "allow_administration": True, **fields})


async def an_administrator(admin: AdministrationApi, *scopes: str, **fields: Any) -> SignIn:
    """A user in a group with these scopes, signed in."""
    name = f"group-{uuid4().hex[:8]}"
    await admin.world.stores.groups.add(name, scopes)
    user = await admin.world.user(groups=(name,), **fields)
    return SignIn(user, await admin.world.session(user))


async def _status(admin: AdministrationApi, token: str, path: str = ADMIN_USERS.path) -> int:
    return (await admin.ask_with(bearer(token), "GET", path)).status


async def test_an_administrator_acts_through_a_marked_client(admin: AdministrationApi) -> None:
    """With the scopes of their groups alone; the audit log names the client and the user."""
    console, sign_in = await a_console(admin), await an_administrator(admin, READ_USERS, WRITE_USERS)
    headers = bearer(await admin.user_token(console, sign_in))
    created = await admin.ask_with(headers, "POST", ADMIN_USERS.path, {"username": "new"})
    assert created.status == 201
    (row,) = [row async for row in admin.world.audit_rows() if row["detail"].get("by") == console.client_id]
    author = {"by": console.client_id, "by_user": str(sign_in.user.user_id)}
    assert (row["event"], row["detail"]) == ("user_added", author)
    for path in (ADMIN_GROUPS.path, ADMIN_CLIENTS.path):
        refused = await admin.ask_with(headers, "GET", path)
        assert (refused.status, refused.body["error"]) == (403, "insufficient_scope")


@planted(rights_outlive_memberships)
async def test_rights_are_those_of_this_moment(admin: AdministrationApi) -> None:
    """A group that loses a scope takes it from tokens at once; whoever leaves it is signed out."""
    groups, console = admin.world.stores.groups, await a_console(admin)
    sign_in = await an_administrator(admin, READ_USERS)
    (name,) = sign_in.user.groups or ()
    token = await admin.user_token(console, sign_in)
    assert await _status(admin, token) == 200
    group = await groups.find(name)
    assert group
    await groups.replace(group, name, ())
    assert await _status(admin, token) == 403
    await groups.replace(replace(group, version=2), name, (READ_USERS,))
    assert await _status(admin, token) == 200
    await groups.leave(name, sign_in.user.user_id)
    assert await _status(admin, token) == 401


async def test_other_clients_and_other_users_administer_nothing(admin: AdministrationApi) -> None:
    """Neither a client without the mark, nor a user without the scope, nor a client without it."""
    console, unmarked = await a_console(admin), await admin.world.client(scope=CONSOLE_SCOPE)
    limited = await a_console(admin, scope=("openid", READ_GROUPS))
    sign_in = await an_administrator(admin, READ_USERS)
    nobody = await admin.world.sign_in()
    for client, who in ((unmarked, sign_in), (console, nobody), (limited, sign_in)):
        assert await _status(admin, await admin.user_token(client, who)) == 403
    assert await _status(admin, await admin.user_token(console, sign_in, scope=("openid",))) == 403
    assert await _status(admin, await admin.user_token(console, sign_in)) == 200


def _signed_in(age: timedelta, *amr: str) -> Authentication:
    auth_time = clock.now().replace(microsecond=0) - age
    return Authentication(auth_time=auth_time, acr="urn:ostiary:acr:pwd", amr=amr)


async def test_an_administrator_has_signed_in_recently(admin: AdministrationApi) -> None:
    """RFC 9470: otherwise the challenge says how old a sign-in may be."""
    console, sign_in = await a_console(admin), await an_administrator(admin, READ_USERS)
    for age, status in ((timedelta(minutes=59), 200), (timedelta(minutes=61), 401)):
        token = await admin.user_token(console, sign_in, authentication=_signed_in(age, "pwd"))
        answer = await admin.ask_with(bearer(token), "GET", ADMIN_USERS.path)
        assert answer.status == status
    assert answer.body["error"] == "insufficient_user_authentication"
    assert 'max_age="3600"' in answer.headers["WWW-Authenticate"]


async def test_an_administrator_with_a_second_factor_has_used_it(admin: AdministrationApi) -> None:
    """RFC 9470: otherwise the challenge names the authentication context."""
    console, sign_in = await a_console(admin), await an_administrator(admin, READ_USERS)
    await admin.world.stores.second_factors.add(sign_in.user.user_id, A_NEW_APP)
    now = timedelta(0)
    for amr, status in ((("mfa", "otp", "pwd"), 200), (("pwd",), 401)):
        token = await admin.user_token(console, sign_in, authentication=_signed_in(now, *amr))
        answer = await admin.ask_with(bearer(token), "GET", ADMIN_USERS.path)
        assert answer.status == status
    assert 'acr_values="urn:ostiary:acr:mfa"' in answer.headers["WWW-Authenticate"]


async def test_an_administrator_whose_group_requires_a_second_factor_has_used_one(
    admin: AdministrationApi,
) -> None:
    """Also one who has none yet: the challenge leads to a sign-in where it is added."""
    console, sign_in = await a_console(admin), await an_administrator(admin, READ_USERS)
    (name,) = sign_in.user.groups or ()
    token = await admin.user_token(console, sign_in)
    assert await _status(admin, token) == 200
    group = await admin.world.stores.groups.find(name)
    assert group
    await admin.world.stores.groups.replace(group, name, group.scopes, requires_second_factor=True)
    assert await _status(admin, token) == 401


@planted(holds_nobody_here)
async def test_a_recovered_administrator_changes_no_user(admin: AdministrationApi) -> None:
    """Neither their own address or password nor another user's, nor do they add one or make a link."""
    console = await a_console(admin)
    sign_in = await an_administrator(admin, READ_USERS, WRITE_USERS)
    headers = {**bearer(await admin.user_token(console, sign_in)), "If-Match": "*"}
    recovered = "UPDATE users SET recovered_at = now() WHERE user_id = $1"
    await admin.world.database.row(recovered, sign_in.user.user_id)
    other = await admin.world.user()
    for user in (sign_in.user, other):
        sub = str(user.user_id)
        for method, path in (
            ("PUT", ADMIN_USER.of(sub=sub)),
            ("POST", ADMIN_USER_PASSWORD.of(sub=sub)),
            ("POST", ADMIN_USER_RECOVERY.of(sub=sub)),
        ):
            refused = await admin.ask_with(
                headers, method, path, {"username": "x"} if method == "PUT" else None
            )
            assert (refused.status, refused.body["error"]) == (403, "account_held")
    assert (await admin.ask_with(headers, "POST", ADMIN_USERS.path, {"username": "x"})).status == 403
    path = ADMIN_USER.of(sub=str(sign_in.user.user_id))
    read = await admin.ask_with(headers, "GET", path)
    assert (read.status, bool(read.body["held_until"])) == (200, True)
    assert (await admin.ask("GET", path)).body["recovery_codes"] == 0
    await admin.world.stores.recovery_links.lift_hold(sign_in.user.user_id, {"by": "operator"})
    assert (await admin.ask_with(headers, "POST", ADMIN_USERS.path, {"username": "y"})).status == 201


@planted(rights_are_not_compared, rights_of_groups_above_are_forgotten)
async def test_nobody_touches_more_rights_than_they_have(admin: AdministrationApi) -> None:
    """Neither users, nor groups, nor clients; the challenge names the missing scopes."""
    console = await a_console(admin)
    sign_in = await an_administrator(admin, WRITE_USERS, WRITE_GROUPS, WRITE_CLIENTS)
    headers = {**bearer(await admin.user_token(console, sign_in)), "If-Match": "*"}
    superior = (await an_administrator(admin, READ_USERS)).user
    (group,) = superior.groups or ()
    sub, own = str(superior.user_id), str(sign_in.user.user_id)
    for name in ("below", "weak"):
        await admin.world.stores.groups.add(name)
    above = await admin.world.stores.groups.find(group)
    assert above
    await admin.world.stores.groups.nest(above, "below")
    for role in ("of the group", "of the user", "of nobody"):
        await admin.world.stores.roles.add(role)
    await admin.world.stores.roles.give_group("of the group", "below")
    await admin.world.stores.roles.give("of the user", superior.user_id)
    metadata = {"redirect_uris": [REDIRECT_URI], "grant_types": ["client_credentials"], "response_types": []}
    strong = await admin.world.client(scope=(READ_USERS,))
    for method, path, sent in (
        ("POST", ADMIN_USER_PASSWORD.of(sub=sub), {"password": "correct horse battery staple"}),
        ("POST", ADMIN_USER_RECOVERY.of(sub=sub), None),
        ("PUT", ADMIN_USER.of(sub=sub), {"username": "new"}),
        ("DELETE", ADMIN_USER.of(sub=sub), None),
        ("POST", ADMIN_USERS.path, {"username": "x", "groups": [group]}),
        ("PUT", ADMIN_USER.of(sub=own), {"username": "x", "groups": [group]}),
        ("PUT", ADMIN_GROUP_MEMBER.of(group=group, sub=own), None),
        ("DELETE", ADMIN_GROUP_MEMBER.of(group=group, sub=sub), None),
        ("POST", ADMIN_GROUPS.path, {"name": "x", "scopes": [READ_USERS]}),
        ("PUT", ADMIN_GROUP.of(group=group), {"name": group}),
        ("DELETE", ADMIN_GROUP.of(group=group), None),
        ("PUT", ADMIN_NESTED_GROUP.of(group=group, member="weak"), None),
        ("DELETE", ADMIN_NESTED_GROUP.of(group=group, member="below"), None),
        ("POST", ADMIN_USERS.path, {"username": "x", "groups": ["below"]}),
        ("PUT", ADMIN_GROUP_MEMBER.of(group="below", sub=own), None),
        ("PUT", ADMIN_NESTED_GROUP.of(group="below", member="weak"), None),
        ("PUT", ADMIN_GROUP.of(group="below"), {"name": "below"}),
        ("DELETE", ADMIN_GROUP.of(group="below"), None),
        ("PUT", ADMIN_ROLE_USER.of(role="of nobody", sub=sub), None),
        ("DELETE", ADMIN_ROLE_USER.of(role="of the user", sub=sub), None),
        ("PUT", ADMIN_ROLE_GROUP.of(role="of nobody", group="below"), None),
        ("DELETE", ADMIN_ROLE_GROUP.of(role="of the group", group="below"), None),
        *(("PUT", ADMIN_ROLE.of(role=f"of the {held}"), {"name": "x"}) for held in ("group", "user")),
        *(("DELETE", ADMIN_ROLE.of(role=f"of the {held}"), None) for held in ("group", "user")),
        ("POST", ADMIN_CLIENTS.path, {**metadata, "scope": READ_USERS}),
        ("PUT", ADMIN_CLIENT.for_client(strong.client_id), {**metadata, "scope": "openid"}),
        ("POST", ADMIN_CLIENT_SECRET.for_client(strong.client_id), None),
        ("DELETE", ADMIN_CLIENT.for_client(strong.client_id), None),
    ):
        answer = await admin.ask_with(headers, method, path, sent)
        assert (method, path, answer.status) == (method, path, 403)
        assert f'scope="{READ_USERS}"' in answer.headers["WWW-Authenticate"]


Kind = Literal["user", "client"]


@dataclass(slots=True)
class Attacker:
    """Everything that an attacker controls, and what they have met."""

    admin: AdministrationApi
    console: Client
    granted: frozenset[str]
    users: list[UUID] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    known_users: list[UUID] = field(default_factory=list)
    known_groups: list[str] = field(default_factory=list)
    known_clients: list[str] = field(default_factory=list)

    async def token(self, choice: int) -> str | None:
        """The access token of one of the controlled users and clients."""
        of_all: Sequence[tuple[Kind, UUID | str]] = [
            *(("user", each) for each in self.users),
            *(("client", each) for each in self.secrets),
        ]
        match of_all[choice % len(of_all)]:
            case "user", UUID() as user_id:
                return await self._user_token(user_id)
            case _, client_id:
                form = {"grant_type": "client_credentials"}
                return await self._token(form, str(client_id), self.secrets[str(client_id)])

    async def _user_token(self, user_id: UUID) -> str | None:
        user = await self.admin.world.stores.users.find(user_id)
        if user is None or user.disabled_at:
            return None
        sign_in = SignIn(user, await self.admin.world.session(user))
        authentication = _signed_in(timedelta(0), "mfa", "otp", "pwd")
        code = sign_in.code(self.console.client_id, scope=CONSOLE_SCOPE, authentication=authentication)
        form = {
            "grant_type": "authorization_code",
            "code": await self.admin.world.add_code(code),
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return await self._token(form, self.console.client_id, SECRET)

    async def _token(self, form: dict[str, str], client_id: str, secret: str) -> str | None:
        response = await self.admin.http.post(TOKEN.path, data=form, headers=basic(client_id, secret))
        answer: Mapping[str, str] = await response.json()
        return answer.get("access_token")

    async def rights(self) -> frozenset[str]:
        """The rights of everything that the attacker controls."""
        stores = self.admin.world.stores
        rights = set[str]()
        for user_id in self.users:
            rights |= await stores.groups.rights_of_user(user_id)
        for client_id in self.secrets:
            client = await stores.clients.find(client_id)
            rights |= rights_in(client.scope if client else ())
        return frozenset(rights)


@dataclass(frozen=True, slots=True)
class Move:
    """What the attacker does next. The numbers choose among what there is."""

    kind: str
    actor: int
    one: int
    other: int
    scopes: frozenset[str]


Ask = Callable[[str, str, Any], Awaitable[AdministrationResponse]]


def _pick(some: Sequence[Any], number: int) -> Any:
    return some[number % len(some)]


async def _play(attacker: Attacker, move: Move, ask: Ask) -> None:
    """One call, and what the attacker controls after its success."""
    group, scopes = str(_pick(attacker.known_groups, move.one)), sorted(move.scopes)
    user_id = _pick(attacker.known_users, move.one)
    sub, client_id = str(user_id), str(_pick(attacker.known_clients, move.one))
    another = str(_pick(attacker.known_groups, move.other))
    name = uuid4().hex[:10]
    secret = {"client_secret": f"{name * 5}", "scope": " ".join(["openid", *scopes])}
    metadata = {"redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "client_credentials"]}
    match move.kind:
        case "add user":
            body = {"username": name, "password": f"a password of {name}", "groups": [group]}
            answer = await ask("POST", ADMIN_USERS.path, body)
            if answer.status == 201:
                attacker.users.append(UUID(answer.body["sub"]))
        case "password":
            answer = await ask("POST", ADMIN_USER_PASSWORD.of(sub=sub), {})
            if answer.status == 200:
                attacker.users.append(user_id)
        case "recover":
            if (await ask("POST", ADMIN_USER_RECOVERY.of(sub=sub), None)).status == 200:
                attacker.users.append(user_id)
        case "replace user":
            await ask("PUT", ADMIN_USER.of(sub=sub), {"username": name, "groups": [another]})
        case "enable":
            await ask("POST", ADMIN_USER_ENABLE.of(sub=sub), None)
        case "add group":
            if (await ask("POST", ADMIN_GROUPS.path, {"name": name, "scopes": scopes})).status == 201:
                attacker.known_groups.append(name)
        case "replace group":
            await ask("PUT", ADMIN_GROUP.of(group=group), {"name": group, "scopes": scopes})
        case "join":
            await ask("PUT", ADMIN_GROUP_MEMBER.of(group=another, sub=sub), None)
        case "join oneself" if attacker.users:
            mine = str(_pick(attacker.users, move.other))
            await ask("PUT", ADMIN_GROUP_MEMBER.of(group=group, sub=mine), None)
        case "nest":
            await ask("PUT", ADMIN_NESTED_GROUP.of(group=another, member=group), None)
        case "unnest":
            await ask("DELETE", ADMIN_NESTED_GROUP.of(group=another, member=group), None)
        case "give role":
            await ask("PUT", ADMIN_ROLE_USER.of(role="role", sub=sub), None)
        case "give group role":
            await ask("PUT", ADMIN_ROLE_GROUP.of(role="role", group=group), None)
        case "leave":
            await ask("DELETE", ADMIN_GROUP_MEMBER.of(group=another, sub=sub), None)
        case "add client":
            marked = {**metadata, **secret, "allow_administration": True}
            answer = await ask("POST", ADMIN_CLIENTS.path, marked)
            if answer.status == 201:
                attacker.secrets[answer.body["client_id"]] = secret["client_secret"]
                attacker.known_clients.append(answer.body["client_id"])
        case "replace client":
            answer = await ask("PUT", ADMIN_CLIENT.for_client(client_id), {**metadata, **secret})
            if answer.status == 200:
                attacker.secrets[client_id] = secret["client_secret"]
        case "rotate":
            answer = await ask("POST", ADMIN_CLIENT_SECRET.for_client(client_id), None)
            if answer.status == 200:
                attacker.secrets[client_id] = answer.body["client_secret"]


KINDS = (
    *(
        "add user",
        "password",
        "recover",
        "replace user",
        "enable",
        "add group",
        "replace group",
        "join",
        "join oneself",
    ),
    *(
        "nest",
        "nest",
        "unnest",
        "give role",
        "give group role",
        "leave",
        "add client",
        "replace client",
        "rotate",
    ),
)
NO_SHRINKING = (Phase.explicit, Phase.generate)  # it takes minutes
SOME_SCOPES = st.frozensets(st.sampled_from(ADMINISTRATION_SCOPES[:8]), max_size=3)
WRITES = (WRITE_USERS, WRITE_GROUPS, WRITE_CLIENTS)
MOVES = st.lists(
    st.builds(
        Move,
        kind=st.sampled_from(KINDS),
        actor=st.integers(0, 7),
        one=st.integers(0, 7),
        other=st.integers(0, 7),
        scopes=SOME_SCOPES,
    ),
    min_size=4,
    max_size=14,
)


async def _attacker(admin: AdministrationApi, granted: frozenset[str], *, is_user: bool) -> Attacker:
    """An attacker among users, groups and clients with no, some and all rights."""
    scopes: Sequence[Scope] = ((), (READ_CLIENTS, WRITE_USERS), ADMINISTRATION_SCOPES)
    attacker = Attacker(admin, await a_console(admin), granted)
    if await admin.world.stores.roles.find("role") is None:
        await admin.world.stores.roles.add("role")
    others: list[User] = [(await an_administrator(admin, *each)).user for each in scopes]
    clients = [await admin.world.client(scope=("openid", *each)) for each in scopes]
    attacker.known_users += [user.user_id for user in others]
    attacker.known_groups += [name for user in others for name in user.groups or ()]
    attacker.known_clients += [client.client_id for client in (*clients, attacker.console)]
    if is_user:
        attacker.users.append((await an_administrator(admin, *granted)).user.user_id)
    else:
        client = await admin.world.client(scope=tuple(granted) or ("openid",))
        attacker.secrets[client.client_id] = SECRET
    return attacker


@planted(rights_are_not_compared)
@settings(max_examples=25, deadline=None, phases=NO_SHRINKING, suppress_health_check=list(HealthCheck))
@given(
    writes=st.frozensets(st.sampled_from(WRITES), min_size=1),
    more=SOME_SCOPES,
    is_user=st.booleans(),
    moves=MOVES,
)
async def test_no_sequence_of_calls_raises_the_rights_of_a_caller(
    admin: AdministrationApi,
    writes: frozenset[str],
    more: frozenset[str],
    *,
    is_user: bool,
    moves: Sequence[Move],
) -> None:
    """Whatever they call: neither theirs, nor those of a user or client whose secrets they have set."""
    attacker = await _attacker(admin, writes | more, is_user=is_user)
    for move in moves:
        token = await attacker.token(move.actor)
        if token is None:
            continue

        async def ask(method: str, path: str, sent: Any, token: str = token) -> AdministrationResponse:
            headers = {**bearer(token), **({"If-Match": "*"} if method == "PUT" else {})}
            return await admin.ask_with(headers, method, path, sent)

        await _play(attacker, move, ask)
        assert await attacker.rights() <= attacker.granted, move


@pytest.mark.parametrize("path", [ADMIN_CLIENTS.path, ADMIN_GROUPS.path, ADMIN_USERS.path])
async def test_a_client_for_itself_needs_no_mark(admin: AdministrationApi, path: str) -> None:
    """Its own token with its own scopes is accepted, as is that of a marked client."""
    console = await a_console(admin)
    assert (await admin.ask("GET", path)).status == 200
    assert await _status(admin, await admin.token_of(console), path) == 200

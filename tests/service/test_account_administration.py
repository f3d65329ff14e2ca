"""The administration of users, groups, sessions and grants over HTTP, each response checked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from openapi_spec_validator import validate

from services.accounts.administration.openapi.document import document
from shared.live import clock
from shared.model import User
from shared.oauth.resource.own import ADMINISTRATION_SCOPES, READ_USERS, WRITE_USERS
from shared.paths import (
    ADMIN_ACCOUNTS_OPENAPI,
    ADMIN_GRANT,
    ADMIN_GRANTS,
    ADMIN_GROUP,
    ADMIN_GROUP_MEMBER,
    ADMIN_GROUPS,
    ADMIN_NESTED_GROUP,
    ADMIN_ROLE,
    ADMIN_ROLE_GROUP,
    ADMIN_ROLE_USER,
    ADMIN_ROLES,
    ADMIN_SESSION,
    ADMIN_SESSIONS,
    ADMIN_USER,
    ADMIN_USER_DISABLE,
    ADMIN_USER_ENABLE,
    ADMIN_USER_PASSWORD,
    ADMIN_USERS,
    Path,
)
from tests.administered_people import a_person, a_session
from tests.administration import AdministrationApi
from tests.deployment import ISSUER, bearer

PASSWORD = "correct horse battery staple"
NEW_USER = {"username": "ada", "claims": {"email": "ada@example.org", "name": "Ada"}, "groups": ["Staff"]}


def _of(path: Path, user: User, **more: str) -> str:
    return path.of(sub=str(user.user_id), **more)


async def _events(admin: AdministrationApi, *prefixes: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The audited events whose names begin so, with their details."""
    rows = [row async for row in admin.world.audit_rows()]
    return [(row["event"], row["detail"]) for row in rows if row["event"].startswith(prefixes)]


async def test_a_user_lives_its_life(admin: AdministrationApi) -> None:
    """A user is created, read, replaced, disabled, enabled and deleted, each audited with its author."""
    created = await admin.ask("POST", ADMIN_USERS.path, {**NEW_USER, "password": PASSWORD})
    assert (created.status, created.body["groups"], created.etag) == (201, ["Staff"], '"0"')
    path, sub = created.headers["Location"], created.body["sub"]
    read = await admin.ask("GET", path)
    assert (read.status, read.body, read.etag) == (200, created.body, '"0"')
    assert PASSWORD not in json.dumps(read.body)
    changed = {**read.body, "claims": {"name": "Ada L."}, "username": "lovelace"}
    replaced = await admin.ask("PUT", path, changed, **{"If-Match": read.etag})
    assert (replaced.status, replaced.body, replaced.etag) == (200, changed, '"1"')
    disabled = await admin.ask("POST", ADMIN_USER_DISABLE.of(sub=sub))
    assert (disabled.status, disabled.body["is_disabled"], disabled.etag) == (200, True, '"2"')
    enabled = await admin.ask("POST", ADMIN_USER_ENABLE.of(sub=sub))
    assert (enabled.status, enabled.body["is_disabled"], enabled.etag) == (200, False, '"3"')
    assert (await admin.ask("DELETE", path, **{"If-Match": '"3"'})).status == 204
    assert (await admin.ask("GET", path)).status == 404
    by = {"by": admin.client_id}
    assert await _events(admin, "user_", "group_") == [
        ("user_added", by),
        ("group_added", {"group": "Staff", **by}),
        ("group_joined", {"group": "Staff", **by}),
        ("user_claims_changed", {"former_username": "ada", **by}),
        ("user_disabled", by),
        ("user_enabled", by),
        ("user_deleted", by),
    ]


async def test_a_replacement_says_what_it_replaces(admin: AdministrationApi) -> None:
    """428 without If-Match, 412 for another version, and nothing changes, for users and for groups."""
    user = (await admin.ask("POST", ADMIN_USERS.path, NEW_USER)).headers["Location"]
    group = ADMIN_GROUP.of(group="Staff")
    for path, body, current in ((user, NEW_USER, '"0"'), (group, {"name": "Staff"}, '"1"')):
        assert (await admin.ask("PUT", path, body)).status == 428
        assert (await admin.ask("PUT", path, body, **{"If-Match": '"7"'})).status == 412
        assert (await admin.ask("DELETE", path, **{"If-Match": '"7"'})).status == 412
        assert (await admin.ask("GET", path)).etag == current
    sub = user.rpartition("/")[2]
    for acting in (ADMIN_USER_DISABLE, ADMIN_USER_PASSWORD):
        assert (await admin.ask("POST", acting.of(sub=sub), **{"If-Match": '"7"'})).status == 412
    member = ADMIN_GROUP_MEMBER.of(group="staff", sub=sub)
    assert (await admin.ask("DELETE", member)).status == 204
    assert (await admin.ask("GET", user)).etag == '"1"'
    assert (await admin.ask("PUT", member)).status == 204
    assert (await admin.ask("GET", user)).etag == '"2"'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": ""}, 400),
        ({"username": "x", "email": "x@example.org"}, 400),
        ({"username": "x", "claims": {"email": "nowhere"}}, 400),
        ({"username": "x", "claims": {"groups": ["Staff"]}}, 400),
        ({"username": "x", "claims": {"roles": ["ADMIN"]}}, 400),
        ({"username": "x", "roles": [" "]}, 400),
        ({"username": "x", "claims": {"sub": "1"}}, 400),
        ({"username": "x", "groups": ["a\u200b"]}, 400),
        ({"username": "x", "password": "short"}, 400),
        ({"username": "x", "totp": "a secret"}, 400),
        ({"username": "x", "is_disabled": True}, 400),
        ({"username": "ADA"}, 409),
        ({"username": "x", "claims": {"email": "Ada@example.org"}}, 409),
        (b"[]", 400),
    ],
)
async def test_what_is_no_user_is_not_created(admin: AdministrationApi, body: Any, status: int) -> None:
    """A fault names the member; a name or an address is taken once."""
    await admin.ask("POST", ADMIN_USERS.path, NEW_USER)
    assert (await admin.ask("POST", ADMIN_USERS.path, body)).status == status
    assert len((await admin.ask("GET", ADMIN_USERS.path)).body["users"]) == 1


async def test_users_are_listed_page_by_page_and_filtered(admin: AdministrationApi) -> None:
    """By name, by group and by state; each user once."""
    for name in ("b", "D", "a", "c"):
        await admin.world.user(username=name, claims={}, groups=("Staff",) if name in "ab" else ())
    gone = await admin.world.user(username="e", claims={"email": "e@example.org"}, groups=("Staff",))
    await admin.world.stores.users.disable(gone.user_id)

    async def names(query: str) -> Sequence[str]:
        seen, cursor = [], ""
        while True:
            answer = await admin.ask("GET", f"{ADMIN_USERS.path}?limit=2&{query}{cursor}")
            seen += [user["username"] for user in answer.body["users"]]
            if "next_cursor" not in answer.body:
                return seen
            cursor = f"&cursor={answer.body['next_cursor']}"

    assert await names("") == ["a", "b", "c", "D", "e"]
    assert await names("is_disabled=false") == ["a", "b", "c", "D"]
    assert await names("is_disabled=true") == ["e"]
    assert await names("group=STAFF") == ["a", "b", "e"]
    assert await names("group=staff&is_disabled=true") == ["e"]
    assert await names("group=nobody") == []
    assert await names("name=E@example.org") == ["e"]
    assert await names("name=z") == []
    for query in ("text=x", "is_disabled=yes", "limit=0", "cursor=%21", "group=%00"):
        assert (await admin.ask("GET", f"{ADMIN_USERS.path}?{query}")).status == 400


async def test_a_group_lives_its_life(admin: AdministrationApi) -> None:
    """A group is created, renamed and deleted; its members stay members through a new name."""
    created = await admin.ask("POST", ADMIN_GROUPS.path, {"name": "A/B ü"})
    path = created.headers["Location"]
    assert (created.status, created.body["name"], created.etag) == (201, "A/B ü", '"1"')
    user = await admin.world.user(groups=("A/B ü",))
    read = await admin.ask("GET", path)
    assert read.body["member_count"] == 1
    renamed = await admin.ask("PUT", path, {"name": "C"}, **{"If-Match": read.etag})
    assert (renamed.status, renamed.body["name"], renamed.etag) == (200, "C", '"2"')
    assert (await admin.ask("GET", path)).status == 404
    assert (await admin.ask("GET", _of(ADMIN_USER, user))).body["groups"] == ["C"]
    await admin.ask("POST", ADMIN_GROUPS.path, {"name": "D"})
    path = ADMIN_GROUP.of(group="c")
    assert (await admin.ask("PUT", path, {"name": "d"}, **{"If-Match": "*"})).status == 409
    assert (await admin.ask("POST", ADMIN_GROUPS.path, {"name": " "})).status == 400
    page = await admin.ask("GET", f"{ADMIN_GROUPS.path}?limit=1")
    assert [group["name"] for group in page.body["groups"]] == ["C"]
    rest = await admin.ask("GET", f"{ADMIN_GROUPS.path}?cursor={page.body['next_cursor']}")
    assert [group["name"] for group in rest.body["groups"]] == ["D"]
    assert (await admin.ask("DELETE", path, **{"If-Match": '"2"'})).status == 204
    assert (await admin.ask("DELETE", path)).status == 404
    by = {"by": admin.client_id}
    assert [detail for _, detail in await _events(admin, "group_changed", "group_deleted")] == [
        {"group": "C", "former_name": "A/B ü", "scopes": [], "requires_second_factor": False, **by},
        {"group": "C", **by},
    ]


async def test_groups_are_nested_and_taken_out_again(admin: AdministrationApi) -> None:
    """A user is in the groups above; each act is of the version that If-Match names, and is audited."""
    user = await admin.world.user(username="ada", claims={}, groups=("Team",))
    for name in ("Staff", "all"):
        await admin.ask("POST", ADMIN_GROUPS.path, {"name": name})
    for path, version in (
        (ADMIN_NESTED_GROUP.of(group="staff", member="team"), '"1"'),
        (ADMIN_NESTED_GROUP.of(group="all", member="staff"), "*"),
    ):
        assert (await admin.ask("PUT", path, **{"If-Match": '"7"'})).status == 412
        assert (await admin.ask("PUT", path, **{"If-Match": version})).status == 204
        assert (await admin.ask("PUT", path)).status == 204
    read = (await admin.ask("GET", _of(ADMIN_USER, user))).body
    assert (read["groups"], read["effective_groups"]) == (["Team"], ["Staff", "Team", "all"])
    staff = (await admin.ask("GET", ADMIN_GROUP.of(group="staff"))).body
    assert (staff["groups"], staff["parents"]) == (["Team"], ["all"])
    assert (staff["member_count"], staff["effective_member_count"]) == (0, 1)
    users = (await admin.ask("GET", f"{ADMIN_USERS.path}?group=all")).body["users"]
    assert [each["username"] for each in users] == ["ada"]
    for member, status in (("team", 204), ("nobody", 404)):
        path = ADMIN_NESTED_GROUP.of(group="staff", member=member)
        assert (await admin.ask("DELETE", path, **{"If-Match": '"7"'})).status == 412
        assert (await admin.ask("DELETE", path)).status == status
    assert (await admin.ask("PUT", ADMIN_NESTED_GROUP.of(group="staff", member="all"))).status == 400
    assert (await admin.ask("PUT", ADMIN_NESTED_GROUP.of(group="nobody", member="all"))).status == 404
    by = {"by": admin.client_id}
    assert await _events(admin, "group_nested", "group_unnested") == [
        ("group_nested", {"group": "Staff", "member": "Team", **by}),
        ("group_nested", {"group": "all", "member": "Staff", **by}),
        ("group_unnested", {"group": "Staff", "member": "Team", **by}),
    ]


async def test_what_was_read_is_written_back_unchanged(admin: AdministrationApi) -> None:
    """A user and a group with every member that can be read: the version and the time differ."""
    users, groups = admin.world.stores.users, admin.world.stores.groups
    claims = {
        "email": "ada@example.org",
        "email_verified": True,
        "address": {"country": "GB"},
    }
    user = await admin.world.user(username="Ada  Ünïcode", claims=claims, groups=("b", "A"), roles=("ADMIN",))
    await users.disable(user.user_id)
    await groups.add("Admins", ADMINISTRATION_SCOPES)
    before = await users.find(user.user_id), await groups.find("admins")
    for path in (_of(ADMIN_USER, user), ADMIN_GROUP.of(group="admins")):
        read = await admin.ask("GET", path)
        written = await admin.ask("PUT", path, read.body, **{"If-Match": read.etag})
        assert (written.status, written.body) == (200, read.body)
    after = await users.find(user.user_id), await groups.find("admins")
    assert before[0]
    assert before[1]
    assert after[0]
    assert after[0] == replace(before[0], claims_version=2, updated_at=after[0].updated_at)
    assert after[1] == replace(before[1], version=2)


async def test_a_role_lives_its_life(admin: AdministrationApi) -> None:
    """A role is created, renamed, given to users and groups, taken from them and deleted, each audited."""
    created = await admin.ask("POST", ADMIN_ROLES.path, {"name": "Editor"})
    assert (created.status, created.body["name"], created.etag) == (201, "Editor", '"1"')
    assert (await admin.ask("POST", ADMIN_ROLES.path, {"name": "EDITOR"})).status == 409
    assert (await admin.ask("POST", ADMIN_ROLES.path, {"name": " "})).status == 400
    path = created.headers["Location"]
    for tag, status in (({}, 428), ({"If-Match": '"7"'}, 412), ({"If-Match": '"1"'}, 200)):
        assert (await admin.ask("PUT", path, {"name": "editor"}, **tag)).status == status
    user = await admin.world.user(username="ada", claims={}, groups=("Staff",))
    other = await admin.world.user(username="bob", claims={})
    to_user, to_group = (
        _of(ADMIN_ROLE_USER, other, role="EDITOR"),
        ADMIN_ROLE_GROUP.of(role="editor", group="staff"),
    )
    for given in (to_user, to_user, to_group, to_group):
        assert (await admin.ask("PUT", given)).status == 204
    read = (await admin.ask("GET", ADMIN_ROLE.of(role="Editor"))).body
    assert (read["groups"], read["user_count"], read["effective_user_count"]) == (["Staff"], 1, 2)
    ada, bob = [(await admin.ask("GET", _of(ADMIN_USER, each))).body for each in (user, other)]
    assert (ada["roles"], ada["effective_roles"], bob["roles"]) == ([], ["editor"], ["editor"])
    for taken in (to_group, to_group, to_user):
        assert (await admin.ask("DELETE", taken)).status == 204
    listed = (await admin.ask("GET", ADMIN_ROLES.path)).body["roles"]
    assert [(each["name"], each["effective_user_count"]) for each in listed] == [("editor", 0)]
    for missing in (ADMIN_ROLE.of(role="x"), ADMIN_ROLE_GROUP.of(role="editor", group="x")):
        assert (await admin.ask("DELETE", missing)).status == 404
    assert (await admin.ask("DELETE", path, **{"If-Match": '"1"'})).status == 412
    assert (await admin.ask("DELETE", path)).status == 204
    by = {"by": admin.client_id}
    assert await _events(admin, "role_") == [
        ("role_added", {"role": "Editor", **by}),
        ("role_changed", {"role": "editor", "former_name": "Editor", **by}),
        ("role_given", {"role": "editor", **by}),
        ("role_given", {"role": "editor", "group": "Staff", **by}),
        ("role_taken", {"role": "editor", "group": "Staff", **by}),
        ("role_taken", {"role": "editor", **by}),
        ("role_deleted", {"role": "editor", **by}),
    ]


async def test_memberships_need_the_scope_of_groups(admin: AdministrationApi) -> None:
    """Whoever may change users may not change memberships by the way."""
    operator = await admin.world.client(scope=(READ_USERS, WRITE_USERS))
    headers = bearer(await admin.token_of(operator))
    refused = await admin.ask_with(headers, "POST", ADMIN_USERS.path, NEW_USER)
    assert (refused.status, refused.body["error"]) == (403, "insufficient_scope")
    user = await admin.world.user(groups=("Staff",))
    path = _of(ADMIN_USER, user)
    read = (await admin.ask_with(headers, "GET", path)).body
    assert (await admin.ask_with({**headers, "If-Match": "*"}, "PUT", path, read)).status == 200
    for groups, status in (([], 403), (["Others"], 403), (["Staff"], 200)):
        body = {**read, "groups": groups}
        assert (await admin.ask_with({**headers, "If-Match": "*"}, "PUT", path, body)).status == status
    roles = {**read, "roles": ["ADMIN"]}
    assert (await admin.ask_with({**headers, "If-Match": "*"}, "PUT", path, roles)).status == 403
    new = {"username": "new", "roles": ["ADMIN"]}
    assert (await admin.ask_with(headers, "POST", ADMIN_USERS.path, new)).status == 403


async def test_a_generated_password_is_shown_once_and_works(admin: AdministrationApi) -> None:
    """It is in that answer and nowhere else."""
    user = await admin.world.user()
    answer = await admin.ask("POST", _of(ADMIN_USER_PASSWORD, user), {})
    assert set(answer.body) == {"sub", "password"}
    found = await admin.world.stores.credentials.find_user_and_password(user.username)
    assert found
    assert found.password
    assert answer.body["password"] not in json.dumps(found.password.data)
    assert found.is_temporary
    for bad in ({"password": "short"}, {"password": user.username}, {"totp": 1}, {"password": 1}):
        assert (await admin.ask("POST", _of(ADMIN_USER_PASSWORD, user), bad)).status == 400


@pytest.mark.parametrize(("sent", "is_temporary"), [({}, True), ({"is_temporary": False}, False)])
async def test_a_password_is_temporary_unless_the_request_says_otherwise(
    admin: AdministrationApi, sent: Mapping[str, bool], *, is_temporary: bool
) -> None:
    """That of a new user, and another one."""
    credentials, name = admin.world.stores.credentials, f"grace-{uuid4().hex}"
    body = {"username": name, "password": "four words nobody guesses", **sent}
    assert (await admin.ask("POST", ADMIN_USERS.path, body)).status == 201
    added = await credentials.find_user_and_password(name)
    assert added
    assert added.is_temporary == is_temporary
    await credentials.set_password(added.user.user_id, "a hash", is_temporary=not is_temporary)
    assert (await admin.ask("POST", _of(ADMIN_USER_PASSWORD, added.user), sent)).status == 200
    changed = await credentials.find_user_and_password(name)
    assert changed
    assert changed.is_temporary == is_temporary


async def test_a_user_is_told_of_what_others_have_changed(admin: AdministrationApi) -> None:
    """Of a new password and a new address, at the address that they had."""
    user = await admin.world.user(claims={"email": "ada@example.org", "email_verified": True})
    await admin.ask("POST", _of(ADMIN_USER_PASSWORD, user))
    for claims in ({**user.claims, "name": "Ada"}, {"email": "new@example.org"}):
        body = {"username": user.username, "claims": claims}
        assert (await admin.ask("PUT", _of(ADMIN_USER, user), body, **{"If-Match": "*"})).status == 200
    mails = await admin.world.stores.mails.take(10, timedelta(minutes=1), clock.now())
    assert {(mail.kind, mail.contents.recipient) for mail in mails} == {
        ("password_changed", "ada@example.org"),
        ("address_changed", "ada@example.org"),
    }


async def test_sessions_are_listed_and_ended(admin: AdministrationApi) -> None:
    """All of them or one user's, page by page; an end names its author."""
    users = [await admin.world.user() for _ in range(2)]
    sessions = [a_session(user) for user in users for _ in range(2)]
    for session in sessions:
        assert await admin.world.stores.sessions.begin(session, None, {})

    async def listed(query: str = "") -> list[str]:
        seen, cursor = [], ""
        while True:
            answer = await admin.ask("GET", f"{ADMIN_SESSIONS.path}?limit=1{query}{cursor}")
            seen += [session["sid"] for session in answer.body["sessions"]]
            if "next_cursor" not in answer.body:
                return seen
            cursor = f"&cursor={answer.body['next_cursor']}"

    assert await listed() == sorted(str(session.sid) for session in sessions)
    first, second = sessions[:2]
    of_first = f"&sub={users[0].user_id}"
    assert set(await listed(of_first)) == {str(first.sid), str(second.sid)}
    path = ADMIN_SESSION.of(sid=str(first.sid))
    assert (await admin.ask("GET", path)).body["sub"] == str(users[0].user_id)
    assert (await admin.ask("DELETE", path)).status == 204
    for method in ("GET", "DELETE"):
        assert (await admin.ask(method, path)).status == 404
        assert (await admin.ask(method, ADMIN_SESSION.of(sid="x"))).status == 404
    assert await listed(of_first) == [str(second.sid)]
    assert (await admin.ask("DELETE", ADMIN_SESSIONS.path)).status == 400
    assert (await admin.ask("DELETE", f"{ADMIN_SESSIONS.path}?sub={uuid4()}")).status == 404
    assert (await admin.ask("DELETE", f"{ADMIN_SESSIONS.path}?sub={users[0].user_id}")).status == 204
    assert await listed(of_first) == []
    assert len(await listed()) == 2
    assert [detail["by"] for _, detail in await _events(admin, "session_ended", "user_logged_out")] == [
        admin.client_id
    ] * 2


async def test_grants_are_listed_and_revoked(admin: AdministrationApi) -> None:
    """By user and client; the tokens of a revoked grant are dead, and the session goes on."""
    person, other = await a_person(admin), await a_person(admin)
    for query in (f"sub={person.user.user_id}", f"client_id={person.client.client_id}"):
        (grant,) = (await admin.ask("GET", f"{ADMIN_GRANTS.path}?{query}")).body["grants"]
        assert (grant["sub"], grant["sid"]) == (str(person.user.user_id), str(person.session.sid))
        assert (grant["client_id"], grant["is_offline"]) == (person.client.client_id, True)
    await other.redeem(other.code)
    page = await admin.ask("GET", f"{ADMIN_GRANTS.path}?limit=1&sub={other.user.user_id}")
    cursor = f"limit=1&cursor={page.body['next_cursor']}&client_id={other.client.client_id}"
    rest = await admin.ask("GET", f"{ADMIN_GRANTS.path}?{cursor}")
    assert len({each.body["grants"][0]["grant_id"] for each in (page, rest)}) == 2
    assert "next_cursor" not in rest.body
    path = ADMIN_GRANT.of(grant_id=grant["grant_id"])
    assert (await admin.ask("GET", path)).body == grant
    assert (await admin.ask("DELETE", path)).status == 204
    assert (await admin.ask("DELETE", path)).status == 404
    assert (await admin.ask("GET", ADMIN_GRANT.of(grant_id="x"))).status == 404
    assert await person.is_signed_in() == {"session", "code"}
    for query in ("", "sub=x", "cursor=eA&client_id=x", "client_id=%00"):
        assert (await admin.ask("GET", f"{ADMIN_GRANTS.path}?{query}")).status == 400


async def test_the_description_is_valid_and_public(admin: AdministrationApi) -> None:
    """OpenAPI 3.1."""
    response = await admin.http.get(ADMIN_ACCOUNTS_OPENAPI.path)
    described = await response.json()
    validate(described)
    assert described == json.loads(json.dumps(document(ISSUER)))


async def test_no_program_sees_or_sets_a_second_factor(admin: AdministrationApi) -> None:
    """No path nor member speaks of them, but for what a group requires, and how many codes are left."""
    schemas = document(ISSUER)["components"]["schemas"].values()
    members = {name for schema in schemas for name in schema.get("properties", {})}
    words = ("factor", "totp", "passkey", "recovery", "hash", "code", "secret")
    spoken_of = {name for name in members if any(word in name for word in words)}
    assert spoken_of == {"requires_second_factor", "recovery_codes"}
    assert not any("factor" in path or "passkey" in path for _, path in admin.inventory())

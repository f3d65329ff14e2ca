"""The claim `groups`: its release, and current memberships."""

from typing import Any

import pytest

from shared.model import ClaimsRequest, User
from shared.oauth.client.metadata.kinds import Constant
from shared.oauth.client.record import Client
from shared.store.postgres import grants, refresh_families
from shared.store.postgres.transport.connection import Row
from shared.store.postgres.user_rows import user_of
from tests.builders import SignIn
from tests.deployment import TokenService, unverified
from tests.planted import planted
from tests.planted.groups import attributes_are_groups, groups_are_always_read, no_groups_are_no_claim

GROUPS = ("b", "A", "Ärzte", "a b")
SORTED = ["A", "a b", "b", "Ärzte"]
WITH_GROUPS = ("openid", "groups", "offline_access")
WITHOUT_GROUPS = ("openid", "profile", "offline_access")


async def _sign_in(tokens: TokenService, **fields: Any) -> SignIn:
    user: User = await tokens.world.user(**{"groups": GROUPS, **fields})
    return SignIn(user, await tokens.world.session(user))


async def _tokens(tokens: TokenService, client: Client, user: SignIn, **fields: Any) -> Any:
    return await tokens.tokens(client, user.code(client.client_id, **fields))


async def _userinfo(tokens: TokenService, answer: Any) -> Any:
    response = await tokens.userinfo(answer["access_token"])
    assert response.status == 200
    return await response.json()


async def test_userinfo_releases_groups_with_the_scope_alone(tokens: TokenService) -> None:
    """Userinfo has a sorted list, only with the scope."""
    client, user = await tokens.world.client(), await _sign_in(tokens)
    assert (await _userinfo(tokens, await _tokens(tokens, client, user, scope=WITH_GROUPS)))[
        "groups"
    ] == SORTED
    assert "groups" not in await _userinfo(tokens, await _tokens(tokens, client, user, scope=WITHOUT_GROUPS))


@planted(no_groups_are_no_claim)
async def test_a_user_without_groups_has_an_empty_list(tokens: TokenService) -> None:
    """The list is empty instead of absent, so that applications remove old memberships."""
    client, user = await tokens.world.client(), await _sign_in(tokens, groups=())
    assert (await _userinfo(tokens, await _tokens(tokens, client, user, scope=WITH_GROUPS)))["groups"] == []


@planted(attributes_are_groups)
async def test_an_attribute_of_that_name_is_no_membership(tokens: TokenService) -> None:
    """A claim `groups` of the user's record is ignored."""
    client, user = await tokens.world.client(), await _sign_in(tokens, claims={"groups": ["admins"]})
    assert (await _userinfo(tokens, await _tokens(tokens, client, user, scope=WITH_GROUPS)))[
        "groups"
    ] == SORTED


async def test_groups_above_are_groups_of_the_user(tokens: TokenService) -> None:
    """In userinfo, at redemption and at refresh; and they admit the user to a client."""
    groups, user = tokens.world.stores.groups, await _sign_in(tokens, groups=("Bottom",))
    for parent, member in (("Middle", "Bottom"), ("Top", "Middle")):
        await groups.add(parent)
        above = await groups.find(parent)
        assert above
        await groups.nest(above, member)
    client = await tokens.world.client(id_token_claims=("groups",), allowed_groups=("top",))
    answer = await _tokens(tokens, client, user, scope=WITH_GROUPS)
    refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
    expected = ["Bottom", "Middle", "Top"]
    for claims in (
        await _userinfo(tokens, answer),
        unverified(answer["id_token"]),
        unverified(refreshed["id_token"]),
    ):
        assert claims["groups"] == expected
    await groups.unnest("top", "middle")
    assert (await tokens.refresh(client, refreshed["refresh_token"])).status == 400


async def test_joining_and_leaving_show_at_once(tokens: TokenService) -> None:
    """A new member has the group in userinfo and in the next ID token. A former one must sign in again."""
    client = await tokens.world.client(id_token_claims=("groups",))
    user = await _sign_in(tokens, groups=("one",))
    answer = await _tokens(tokens, client, user, scope=WITH_GROUPS)
    assert unverified(answer["id_token"])["groups"] == ["one"]
    await tokens.world.stores.groups.add("two")
    await tokens.world.stores.groups.join("two", user.user.user_id)
    assert (await _userinfo(tokens, answer))["groups"] == ["one", "two"]
    refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
    assert unverified(refreshed["id_token"])["groups"] == ["one", "two"]
    await tokens.world.stores.groups.leave("one", user.user.user_id)
    assert (await tokens.userinfo(refreshed["access_token"])).status == 401
    assert (await tokens.refresh(client, refreshed["refresh_token"])).status == 400


@pytest.mark.parametrize("rotation", [True, False])
async def test_id_tokens_contain_groups_where_the_record_says_so(
    tokens: TokenService, rotation: bool
) -> None:
    """`id_token_claims` and `claims_mapping`, at redemption and at refresh, whatever the scope is."""
    client = await tokens.world.client(
        id_token_claims=("groups", "memberOf"),
        claims_mapping={"memberOf": "groups"},
        refresh_token_rotation=rotation,
    )
    answer = await _tokens(tokens, client, await _sign_in(tokens), scope=WITHOUT_GROUPS)
    refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
    for issued in (answer, refreshed):
        claims = unverified(issued["id_token"])
        assert (claims["groups"], claims["memberOf"]) == (SORTED, SORTED)


async def test_the_scope_alone_leaves_id_tokens_lean(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §5.4: an access token is issued, so userinfo has them."""
    client = await tokens.world.client()
    answer = await _tokens(tokens, client, await _sign_in(tokens), scope=WITH_GROUPS)
    assert "groups" not in unverified(answer["id_token"])


async def test_groups_may_be_asked_for_by_name(tokens: TokenService) -> None:
    """The `claims` parameter: each place gets what was asked for there."""
    client, user = await tokens.world.client(), await _sign_in(tokens)
    for asked, in_userinfo in (
        (ClaimsRequest(userinfo={"groups": None}), True),
        (ClaimsRequest(id_token={"groups": {"essential": True}}), False),
    ):
        answer = await _tokens(tokens, client, user, scope=WITHOUT_GROUPS, claims=asked)
        refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
        assert ("groups" in await _userinfo(tokens, answer)) is in_userinfo
        for issued in (answer, refreshed):
            assert unverified(issued["id_token"]).get("groups") == (None if in_userinfo else SORTED)


async def test_a_mapping_gives_groups_another_name_and_another_source(tokens: TokenService) -> None:
    """`roles` may be the groups, and `groups` an attribute of the operator's."""
    user = await _sign_in(tokens, claims={"teams": ["x"]})
    for mapping, scope, expected in (
        ({"roles": "groups"}, ("openid", "pydio"), {"roles": SORTED}),
        ({"groups": "teams"}, ("openid", "groups"), {"groups": ["x"]}),
        ({"groups": Constant(["y"])}, ("openid", "groups"), {"groups": ["y"]}),
    ):
        client = await tokens.world.client(claims_mapping=mapping)
        claims = await _userinfo(tokens, await _tokens(tokens, client, user, scope=scope))
        assert {name: claims.get(name) for name in expected} == expected


@planted(groups_are_always_read)
async def test_groups_that_nobody_asks_for_are_not_read(
    tokens: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statements that read the user skip them, at redemption, refresh and userinfo."""
    read: list[User] = []

    def noted(row: Row) -> User:
        read.append(user_of(row))
        return read[-1]

    for module in (grants, refresh_families):
        monkeypatch.setattr(module, "user_of", noted)
    client, user = await tokens.world.client(), await _sign_in(tokens)
    for scope, expected in ((WITHOUT_GROUPS, None), (WITH_GROUPS, tuple(SORTED))):
        answer = await _tokens(tokens, client, user, scope=scope)
        await tokens.refresh(client, answer["refresh_token"])
        await _userinfo(tokens, answer)
        assert [each.groups for each in read] == [expected] * 3
        read.clear()

"""The claim `roles`: its release, and the roles of this moment."""

from typing import Any

import pytest

from shared.model import ClaimsRequest
from tests.builders import SignIn
from tests.deployment import TokenService, unverified
from tests.planted import planted
from tests.planted.groups import attributes_are_roles

SCOPE = ("openid", "roles", "offline_access")
LEAN = ("openid", "offline_access")


async def _sign_in(tokens: TokenService, **fields: Any) -> SignIn:
    user = await tokens.world.user(**fields)
    return SignIn(user, await tokens.world.session(user))


async def _userinfo(tokens: TokenService, answer: Any) -> Any:
    response = await tokens.userinfo(answer["access_token"])
    assert response.status == 200
    return await response.json()


@planted(attributes_are_roles)
async def test_roles_come_with_their_scope_from_nowhere_else(tokens: TokenService) -> None:
    """An attribute of that name is ignored; without roles the list is empty; other scopes release none."""
    client = await tokens.world.client()
    for roles in ((), ("reader", "Auditor")):
        sign_in = await _sign_in(tokens, roles=roles, claims={"roles": ["ADMIN"]})
        answer = await tokens.tokens(client, sign_in.code(client.client_id, scope=SCOPE))
        assert (await _userinfo(tokens, answer))["roles"] == sorted(roles)
        assert "roles" not in unverified(answer["id_token"])
    lean = await tokens.tokens(client, sign_in.code(client.client_id, scope=("openid", "profile", "groups")))
    assert "roles" not in await _userinfo(tokens, lean)


@pytest.mark.parametrize("rotation", [True, False])
@pytest.mark.parametrize("by", [{"id_token_claims": ("scope",)}, {"id_token_claims": ("roles",)}])
async def test_id_tokens_contain_roles_where_the_record_says_so(
    tokens: TokenService, by: dict[str, Any], rotation: bool
) -> None:
    """At redemption and at refresh, with the roles of groups; a lost role shows at the next sign-in."""
    client = await tokens.world.client(refresh_token_rotation=rotation, **by)
    sign_in = await _sign_in(tokens, roles=("reader",), groups=("Writers",))
    if await tokens.world.stores.roles.find("editor") is None:
        await tokens.world.stores.roles.add("editor")
    await tokens.world.stores.roles.give_group("editor", "writers")
    answer = await tokens.tokens(client, sign_in.code(client.client_id, scope=SCOPE))
    refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
    for issued in (answer, refreshed):
        assert unverified(issued["id_token"])["roles"] == ["editor", "reader"]
    await tokens.world.stores.roles.take("reader", sign_in.user.user_id)
    assert (await tokens.refresh(client, refreshed["refresh_token"])).status == 400


async def test_roles_may_be_asked_for_by_name_and_mapped(tokens: TokenService) -> None:
    """By the `claims` parameter; and as the value of another claim."""
    sign_in = await _sign_in(tokens, roles=("reader",), claims={})
    client = await tokens.world.client(claims_mapping={"groups": "roles"}, id_token_claims=("groups",))
    asked = ClaimsRequest(userinfo={"roles": None})
    answer = await tokens.tokens(client, sign_in.code(client.client_id, scope=LEAN, claims=asked))
    assert (await _userinfo(tokens, answer))["roles"] == ["reader"]
    assert unverified(answer["id_token"])["groups"] == ["reader"]

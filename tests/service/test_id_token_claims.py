"""The claims of granted scopes in ID tokens, by client and endpoint."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
import structlog

from shared.oauth.client.record import Client
from shared.oauth.tokens.jwt import unverified_claims
from tests.builders import CLAIMS, SignIn
from tests.front_channel import Services
from tests.planted import planted
from tests.planted.issuing import every_id_token_has_the_claims_of_the_scope

SCOPE = ("openid", "profile", "email", "address", "phone", "pydio", "offline_access")
ADDRESSED = {**CLAIMS, "address": {"country": "GB"}, "phone_number": "+44 1"}
BY_SCOPE = ("scope",)


async def _answer(
    provider: Services,
    client: Client,
    user_claims: dict[str, Any],
    *groups: str,
    roles: Sequence[str] = ("ADMIN",),
) -> dict[str, Any]:
    email = f"{uuid4().hex}@example.org"
    user = await provider.world.user(claims={**user_claims, "email": email}, roles=tuple(roles))
    for group in groups:
        await provider.world.stores.groups.add(group)
        await provider.world.stores.groups.join(group, user.user_id)
    sign_in = SignIn(user, await provider.world.session(user))
    code = sign_in.code(client.client_id, scope=client.scope)
    answer: dict[str, Any] = await provider.tokens.tokens(client, code)
    return answer


def _claims(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(unverified_claims(answer["id_token"]))


async def test_the_claims_of_the_scopes_are_in_the_id_token(provider: Services) -> None:
    """Profile, e-mail and roles, after a refresh too; never address and phone."""
    client = await provider.world.client(scope=SCOPE, id_token_claims=BY_SCOPE)
    answer = await _answer(provider, client, ADDRESSED)
    refreshed = await (await provider.tokens.refresh(client, answer["refresh_token"])).json()
    for claims in (_claims(answer), _claims(refreshed)):
        assert (claims["name"], claims["roles"]) == (ADDRESSED["name"], ["ADMIN"])
        assert claims["email"].endswith("@example.org")
        assert claims["email_verified"] is True
        assert not claims.keys() & {"address", "phone_number", "groupPath", "scope"}
    narrow = await provider.tokens.refresh(client, refreshed["refresh_token"], scope="openid email")
    assert "email" in _claims(await narrow.json())
    assert "name" not in _claims(await narrow.json())


async def test_groups_of_the_scope_are_in_the_id_token(provider: Services) -> None:
    """ID tokens have the groups unless they would be too large, which is logged."""
    client = await provider.world.client(scope=(*SCOPE, "groups"), id_token_claims=BY_SCOPE)
    few, many = sorted(uuid4().hex for _ in range(2)), sorted(uuid4().hex for _ in range(120))
    assert _claims(await _answer(provider, client, ADDRESSED, *few))["groups"] == few
    with structlog.testing.capture_logs() as lines:
        answer = await _answer(provider, client, ADDRESSED, *many)
    assert "groups" not in _claims(answer)
    [line] = [line for line in lines if line["event"] == "id_token_claims_left_out"]
    assert "groups" in line["claims"]
    info = await (await provider.tokens.userinfo(answer["access_token"])).json()
    assert info["groups"] == many


async def test_other_clients_have_lean_id_tokens(provider: Services) -> None:
    """OpenID Connect Core 1.0 §5.4."""
    client = await provider.world.client(scope=SCOPE)
    assert not _claims(await _answer(provider, client, ADDRESSED)).keys() & ADDRESSED.keys()


async def test_roles_are_left_out_of_a_large_id_token(provider: Services) -> None:
    """Roles are left out of ID tokens above 4 KiB, which is logged; userinfo has them."""
    client = await provider.world.client(scope=SCOPE, id_token_claims=BY_SCOPE)
    roles = sorted(f"ROLE_{number}" for number in range(500))
    with structlog.testing.capture_logs() as lines:
        answer = await _answer(provider, client, ADDRESSED, roles=roles)
    claims = _claims(answer)
    assert "roles" not in claims
    assert claims["name"] == ADDRESSED["name"]
    [line] = [line for line in lines if line["event"] == "id_token_claims_left_out"]
    assert (line["client_id"], line["claims"]) == (client.client_id, ["roles"])
    info = await (await provider.tokens.userinfo(answer["access_token"])).json()
    assert info["roles"] == roles
    named = await provider.world.client(scope=SCOPE, id_token_claims=("scope", "roles"))
    assert _claims(await _answer(provider, named, ADDRESSED, roles=roles))["roles"] == roles


@planted(every_id_token_has_the_claims_of_the_scope)
@pytest.mark.parametrize("response_type", ["code id_token", "id_token token"])
async def test_id_tokens_from_the_authorization_endpoint_are_lean(
    provider: Services, response_type: str
) -> None:
    """Front-channel ID tokens have no such claims, as they stay in the browser's history."""
    client = await provider.client(id_token_claims=BY_SCOPE, skip_consent=True)
    page = await provider.op.browser().sign_in(
        client, await provider.op.user(), response_type=response_type, nonce="n-1"
    )
    claims = await provider.signed(page.answer["id_token"])
    assert not claims.keys() & CLAIMS.keys()

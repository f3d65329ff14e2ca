"""Refreshing over HTTP: scopes, policies and ownership."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.token.endpoints import token
from shared.oauth.client.record import Client
from shared.oauth.sender.sender import Certificate, DpopKey, Sender
from shared.oauth.tokens.refresh_token import parse_refresh_token
from tests.builders import SignIn
from tests.deployment import TokenService
from tests.planted import planted
from tests.planted.issuing import believes_a_client_by_its_name
from tests.planted.senders import rotates_bound_families, uses_unbound_families_too

Change = Callable[[TokenService, SignIn, Client], Awaitable[None]]


async def _refusal(tokens: TokenService, client: Client, refresh_token: str, **form: str) -> str:
    response = await tokens.refresh(client, refresh_token, **form)
    assert response.status == 400, await response.text()
    return str((await response.json())["error"])


async def test_a_lost_answer_costs_nothing(tokens: TokenService) -> None:
    """After a lost answer, the old token gets the same successor, and both access tokens are valid."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    answers = [await (await tokens.refresh(client, first["refresh_token"])).json() for _ in range(3)]
    assert len({answer["refresh_token"] for answer in answers}) == 1
    for answer in answers:
        assert (await tokens.introspect(client, answer["access_token"]))["active"]


async def test_a_reused_token_ends_everything(tokens: TokenService) -> None:
    """A token two generations back revokes every token of the grant."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    second = await (await tokens.refresh(client, first["refresh_token"])).json()
    third = await (await tokens.refresh(client, second["refresh_token"])).json()
    assert await _refusal(tokens, client, first["refresh_token"]) == "invalid_grant"
    for answer in (first, second, third):
        assert not (await tokens.introspect(client, answer["access_token"]))["active"]
        assert await _refusal(tokens, client, answer["refresh_token"]) == "invalid_grant"


async def test_many_at_once_get_one_successor(tokens: TokenService) -> None:
    """Concurrent requests get one and the same successor."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    responses = await asyncio.gather(*(tokens.refresh(client, first["refresh_token"]) for _ in range(30)))
    answers = [await response.json() for response in responses]
    assert {response.status for response in responses} == {200}
    assert len({answer["refresh_token"] for answer in answers}) == 1


@pytest.mark.point(16)
async def test_scope_may_shrink_and_never_grows(tokens: TokenService) -> None:
    """RFC 6749 §6: less for one access token, the whole grant for the next; more costs nothing."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    too_much = await _refusal(tokens, client, first["refresh_token"], scope="openid api:write")
    assert too_much == "invalid_scope"
    less = await (await tokens.refresh(client, first["refresh_token"], scope="openid")).json()
    assert less["scope"] == "openid"
    assert (await tokens.introspect(client, less["access_token"]))["scope"] == "openid"
    assert set(await (await tokens.userinfo(less["access_token"])).json()) == {"sub"}
    whole = await (await tokens.refresh(client, less["refresh_token"])).json()
    assert whole["scope"] == first["scope"]


@pytest.mark.point(16)
async def test_less_than_openid_means_no_id_token(tokens: TokenService) -> None:
    """Without openid there is no ID token, but a refresh token."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    answer = await (await tokens.refresh(client, first["refresh_token"], scope="profile")).json()
    assert "id_token" not in answer
    assert "refresh_token" in answer


@pytest.mark.point(16)
async def test_another_clients_token_is_refused_and_lives_on(tokens: TokenService) -> None:
    """Another client is refused, and the token stays valid."""
    client, other = await tokens.world.client(), await tokens.world.client()
    first = await tokens.tokens(client)
    assert await _refusal(tokens, other, first["refresh_token"]) == "invalid_grant"
    assert await _refusal(tokens, other, first["refresh_token"], scope="none such") == "invalid_grant"
    assert (await tokens.refresh(client, first["refresh_token"])).status == 200


@pytest.mark.parametrize("mangle", [str.lower, lambda t: t[:-1], lambda t: t + "A", lambda t: "at_" + t[3:]])
async def test_a_mangled_token_ends_nothing(tokens: TokenService, mangle: Callable[[str], str]) -> None:
    """A malformed token is unknown, not reused."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    assert await _refusal(tokens, client, mangle(first["refresh_token"])) == "invalid_grant"
    assert (await tokens.refresh(client, first["refresh_token"])).status == 200


async def _disable_user(tokens: TokenService, sign_in: SignIn, _: Client) -> None:
    await tokens.world.stores.users.disable(sign_in.user.user_id)


async def _change_password(tokens: TokenService, sign_in: SignIn, _: Client) -> None:
    await tokens.world.stores.credentials.set_password(sign_in.user.user_id, "hash")


async def _delete_user(tokens: TokenService, sign_in: SignIn, _: Client) -> None:
    await tokens.world.stores.users.delete(sign_in.user.user_id)


@pytest.mark.parametrize("change", [_disable_user, _change_password, _delete_user])
@pytest.mark.parametrize("is_rotating", [True, False])
async def test_a_refresh_asks_again_who_the_user_is(
    tokens: TokenService, change: Change, is_rotating: bool
) -> None:
    """After an end, a refresh gets invalid_grant, and every token of the grant is invalid."""
    client = await tokens.world.client(refresh_token_rotation=is_rotating)
    sign_in = await tokens.world.sign_in()
    first = await tokens.tokens(client, sign_in.code(client.client_id))
    await change(tokens, sign_in, client)
    assert await _refusal(tokens, client, first["refresh_token"]) == "invalid_grant"
    assert (await tokens.userinfo(first["access_token"])).status == 401
    assert not (await tokens.introspect(client, first["access_token"]))["active"]
    assert not (await tokens.introspect(client, first["refresh_token"]))["active"]


async def test_a_client_may_keep_its_refresh_token(tokens: TokenService) -> None:
    """`refresh_token_rotation` false: the token never changes."""
    client = await tokens.world.client(refresh_token_rotation=False)
    first = await tokens.tokens(client)
    for _ in range(3):
        answer = await (await tokens.refresh(client, first["refresh_token"])).json()
        assert answer["refresh_token"] == first["refresh_token"]
    assert await _refusal(tokens, client, first["refresh_token"], scope="openid api:write") == "invalid_scope"


@planted(rotates_bound_families)
@pytest.mark.parametrize("sender", [DpopKey("k" * 43), Certificate("c" * 43)])
async def test_a_bound_refresh_token_stays(
    tokens: TokenService, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9700 §4.14.2: binding takes the place of rotation. Another sender uses neither."""
    client = await tokens.world.client()
    with monkeypatch.context() as patched:
        patched.setattr(token, "UNBOUND", sender)
        first = await tokens.tokens(client)
        for _ in range(3):
            answer = await (await tokens.refresh(client, first["refresh_token"])).json()
            assert (answer["refresh_token"], answer["token_type"]) == (
                first["refresh_token"],
                sender.token_type,
            )
    assert await _refusal(tokens, client, first["refresh_token"]) == "invalid_grant"


@planted(uses_unbound_families_too)
async def test_a_key_does_not_keep_an_unbound_refresh_token(
    tokens: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It rotates, is forgiven a lost answer, and ends its grant when it is reused."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    monkeypatch.setattr(token, "UNBOUND", DpopKey("k" * 43))
    second = await (await tokens.refresh(client, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    again = await (await tokens.refresh(client, first["refresh_token"])).json()
    assert again["refresh_token"] == second["refresh_token"]
    await tokens.refresh(client, second["refresh_token"])
    assert await _refusal(tokens, client, first["refresh_token"]) == "invalid_grant"
    assert await _refusal(tokens, client, second["refresh_token"]) == "invalid_grant"


@pytest.mark.point(14)
async def test_a_public_client_refreshes_by_its_name(tokens: TokenService) -> None:
    """Cells' clients: form fields alone, or Basic with an empty secret; a refresh token each time."""
    client = await tokens.world.public_client()
    first: Any = await tokens.tokens(client)
    second = await (await tokens.refresh(client, first["refresh_token"])).json()
    assert second["refresh_token"].startswith("rt_")


@planted(believes_a_client_by_its_name)
async def test_a_confidential_client_refreshes_by_more_than_its_name(tokens: TokenService) -> None:
    """RFC 6749 §6: invalid_client for the name alone, and the refresh token lives on."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "client_id": client.client_id,
    }
    refused = await tokens.token(None, form)
    assert (refused.status, (await refused.json())["error"]) == (401, "invalid_client")
    assert (await tokens.refresh(client, first["refresh_token"])).status == 200


@pytest.mark.parametrize(
    ("fields", "idle", "expires_in"),
    [
        ({}, 60 * 86400, 365 * 86400),
        ({"refresh_token_idle_lifetime": timedelta(hours=2)}, 7200, 365 * 86400),
        ({"refresh_token_lifetime": timedelta(days=1)}, 86400, 86400),
        ({"refresh_token_rotation": False}, 60 * 86400, 365 * 86400),
    ],
)
async def test_a_client_is_told_how_long_it_may_refresh(
    tokens: TokenService, fields: dict[str, Any], idle: int, expires_in: int
) -> None:
    """draft-ietf-oauth-refresh-token-expiration: with the first refresh token and with each later one."""
    client = await tokens.world.client(**fields)
    first = await tokens.tokens(client)
    await tokens.world.database.row(
        """UPDATE refresh_families SET expires_at = expires_at - interval '1 hour'
            WHERE family_hash = $1""",
        _family_hash(first["refresh_token"]),
    )
    second = await (await tokens.refresh(client, first["refresh_token"])).json()
    for answer, passed in ((first, 0), (second, 3600)):
        left = expires_in - passed
        assert left - 60 <= answer["authorization_expires_in"] <= left
        assert min(idle, left) - 60 <= answer["refresh_token_timeout"] <= min(idle, left)
        assert answer["refresh_token_timeout"] <= answer["authorization_expires_in"]


async def test_without_a_refresh_token_nothing_is_told(tokens: TokenService) -> None:
    """Without a refresh token, its lifetime is not sent."""
    answer = await tokens.tokens(await tokens.world.client(), scope=("openid",))
    assert not {"refresh_token_timeout", "authorization_expires_in"} & answer.keys()


def _family_hash(value: str) -> bytes:
    token = parse_refresh_token(value)
    assert token
    return token.family_hash

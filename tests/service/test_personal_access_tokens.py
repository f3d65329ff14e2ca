"""Personal access tokens at the endpoints: who is told of them, and what they open."""

import base64
from typing import Any

import pytest

from shared.paths import INTROSPECTION, USERINFO
from shared.store.postgres.transport.database import Database
from tests.deployment import ISSUER, TokenService, basic, bearer, unverified
from tests.personal_access_tokens import a_token
from tests.planted import planted
from tests.planted.personal_access_tokens import (
    admits_everybody,
    looks_up_any_text,
    takes_any_user_name,
    tells_every_client,
)

INACTIVE = {"active": False}
NODE = "node:0b6f1d2e-93a4-4c0a-8a51-2f1f0c9d7e55:rw"


def password(username: str, token: str) -> dict[str, str]:
    """A token as a password: RFC 7617 §2."""
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{token}'.encode()).decode()}"}


async def test_an_allowed_client_is_told_in_one_response(tokens: TokenService) -> None:
    """Whose token it is, its scopes unchanged, and its end."""
    client = await tokens.world.client(allow_personal_access_tokens=True)
    user = await tokens.world.user()
    made = await a_token(tokens.world, user, f"openid {NODE}")
    assert await tokens.introspect(client, made.value) == {
        "active": True,
        "iss": ISSUER,
        "sub": str(user.user_id),
        "username": user.username,
        "scope": f"openid {NODE}",
        "token_type": "Bearer",
        "iat": int(made.token.created_at.timestamp()),
        "exp": int(made.token.expires_at.timestamp()),
        "jti": str(made.token.token_id),
    }
    headers = {**basic(client.client_id), "Accept": "application/token-introspection+jwt"}
    signed = await tokens.post(INTROSPECTION.path, {"token": made.value}, headers=headers)
    assert unverified(await signed.text())["token_introspection"]["sub"] == str(user.user_id)
    await tokens.world.stores.users.disable(user.user_id)
    assert await tokens.introspect(client, made.value) == INACTIVE


@planted(tells_every_client)
async def test_other_clients_are_told_nothing(tokens: TokenService) -> None:
    """Whatever else they may introspect; public ones are refused as ever."""
    made = await a_token(tokens.world, await tokens.world.user())
    other = await tokens.world.client(resource_identifiers=(ISSUER,))
    assert await tokens.introspect(other, made.value) == INACTIVE
    public = await tokens.world.public_client(allow_personal_access_tokens=True)
    assert (await tokens.post(INTROSPECTION.path, {"token": made.value}, public)).status == 401


@planted(admits_everybody)
async def test_a_client_for_some_groups_is_told_of_their_members_alone(tokens: TokenService) -> None:
    """Whoever may not sign in to it cannot use it by a token either."""
    client = await tokens.world.client(allow_personal_access_tokens=True, allowed_groups=("Staff",))
    member, other = await tokens.world.user(groups=("Staff",)), await tokens.world.user(groups=("Guests",))
    assert (await tokens.introspect(client, (await a_token(tokens.world, member)).value))["active"]
    for user in (other, await tokens.world.user()):
        assert await tokens.introspect(client, (await a_token(tokens.world, user)).value) == INACTIVE


async def test_a_mistyped_token_is_inactive(tokens: TokenService) -> None:
    """With a wrong checksum, and with a right one that nobody has."""
    client = await tokens.world.client(allow_personal_access_tokens=True)
    made = await a_token(tokens.world, await tokens.world.user())
    for other in ("ostp_", made.value[:-1] + "!", made.value.swapcase(), "ostp_" + "0" * 49):
        assert await tokens.introspect(client, other) == INACTIVE


@planted(looks_up_any_text)
async def test_each_token_costs_one_statement_at_most(
    tokens: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of an ordinary access token is its own; a mistyped one, or one for another client, costs none."""
    client = await tokens.world.client(allow_personal_access_tokens=True)
    other = await tokens.world.client()
    made = await a_token(tokens.world, await tokens.world.user())
    ordinary = (await tokens.tokens(client))["access_token"]
    for each in (client, other):
        await tokens.introspect(each, "x")  # from now on the client is cached
    sent: list[str] = []
    row = Database.row

    async def noting(self: Database, sql: str, *arguments: Any) -> Any:
        if "personal_access_tokens" in sql or "FROM grants" in sql:  # none of the background work
            sent.append(sql)
        return await row(self, sql, *arguments)

    monkeypatch.setattr(Database, "row", noting)
    mistyped = made.value[:-1] + ("0" if made.value[-1] != "0" else "1")
    for asking, token, table in (
        (client, made.value, "personal_access_tokens"),
        (client, ordinary, "grants"),
        (client, mistyped, None),
        (other, made.value, None),
    ):
        sent.clear()
        await tokens.introspect(asking, token)
        assert [table in sql for sql in sent if table] == ([True] if table else [])
        assert len(sent) == (1 if table else 0), sent


async def test_a_pairwise_client_does_not_recognise_the_user(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §8.1: it gets its own `sub`, and no user name without scope `profile`."""
    client = await tokens.world.client(allow_personal_access_tokens=True, subject_type="pairwise")
    user = await tokens.world.user()
    described = await tokens.introspect(client, (await a_token(tokens.world, user)).value)
    assert described["sub"] != str(user.user_id)
    assert "username" not in described


async def test_userinfo_takes_it_as_bearer_and_as_password(tokens: TokenService) -> None:
    """The claims of its scopes; groups, too."""
    user = await tokens.world.user(groups=("Staff",))
    made = await a_token(tokens.world, user, "openid email groups")
    expected = {
        "sub": str(user.user_id),
        "email": user.claims["email"],
        "email_verified": True,
        "groups": ["Staff"],
    }
    for headers in (bearer(made.value), password(user.username, made.value)):
        response = await tokens.http.get(USERINFO.path, headers=headers)
        assert (response.status, await response.json()) == (200, expected)
    posted = await tokens.http.post(USERINFO.path, data={"access_token": made.value})
    assert (posted.status, await posted.json()) == (200, expected)


async def test_userinfo_needs_openid(tokens: TokenService) -> None:
    """Without it the challenge says what is missing (RFC 6750 §3.1)."""
    made = await a_token(tokens.world, await tokens.world.user(), f"profile {NODE}")
    response = await tokens.userinfo(made.value)
    assert response.status == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert 'scope="openid"' in response.headers["WWW-Authenticate"]


@planted(takes_any_user_name)
async def test_a_password_belongs_to_its_user_name(tokens: TokenService) -> None:
    """Another user's name, or none, does not fit; case does not matter."""
    user, other = await tokens.world.user(), await tokens.world.user()
    made = await a_token(tokens.world, user)
    for username, status in (("", 401), (other.username, 401), (user.username.upper(), 200)):
        response = await tokens.http.get(USERINFO.path, headers=password(username, made.value))
        assert response.status == status, username


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic b3N0cF8=", "Basic /w==", "Basic YTpvc3RwXw==", "Bearer ostp_"]
)
async def test_a_broken_header_is_a_wrong_token(tokens: TokenService, header: str) -> None:
    """401, never a server error."""
    response = await tokens.http.get(USERINFO.path, headers={"Authorization": header})
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_token_opens_nothing(tokens: TokenService) -> None:
    """As soon as the revocation is committed."""
    user = await tokens.world.user()
    made = await a_token(tokens.world, user)
    assert (await tokens.userinfo(made.value)).status == 200
    await tokens.world.stores.personal_access_tokens.revoke(user.user_id, made.token.token_id)
    assert (await tokens.userinfo(made.value)).status == 401

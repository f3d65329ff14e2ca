"""Introspection and revocation: access, responses and effects."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.paths import INTROSPECTION, REVOCATION
from tests.builders import SECRET
from tests.deployment import ISSUER, TokenService, basic
from tests.planted import planted
from tests.planted.groups import everybody_sees_usernames, nobody_sees_usernames

INACTIVE = {"active": False}


async def test_a_foreign_client_is_told_nothing(tokens: TokenService) -> None:
    """Tokens of others are exactly `inactive`."""
    client, other = await tokens.world.client(), await tokens.world.client()
    answer = await tokens.tokens(client)
    for name in ("access_token", "refresh_token", "id_token"):
        assert await tokens.introspect(other, answer[name]) == INACTIVE
    assert await tokens.introspect(client, answer["id_token"]) == INACTIVE


async def test_a_resource_server_is_told_of_its_tokens(tokens: TokenService) -> None:
    """Clients that are the audience or introspect for it see the token."""
    api = f"https://api-{id(tokens)}.example.org"
    server = await tokens.world.client(resource_identifiers=(api, "https://more.example.org"))
    named = await tokens.world.client()
    for audience, asking in ((api, server), (named.client_id, named)):
        client = await tokens.world.client(audience=(audience,))
        answer = await tokens.tokens(client)
        described = await tokens.introspect(asking, answer["access_token"])
        assert described["active"]
        assert described["aud"] == [ISSUER, audience]
        assert await tokens.introspect(asking, answer["refresh_token"]) == INACTIVE


async def test_the_client_itself_is_told_of_its_refresh_token(tokens: TokenService) -> None:
    """RFC 7662 §2.2; until its grant is revoked."""
    client = await tokens.world.client()
    answer = await tokens.tokens(client)
    described = await tokens.introspect(client, answer["refresh_token"])
    assert (described["active"], described["client_id"]) == (True, client.client_id)
    assert "token_type" not in described
    await tokens.revoke(client, answer["refresh_token"])
    assert await tokens.introspect(client, answer["refresh_token"]) == INACTIVE


@planted(nobody_sees_usernames)
async def test_the_user_name_is_told_with_every_token_of_a_user(tokens: TokenService) -> None:
    """RFC 7662 §2.2: for access and refresh tokens, as JSON and as a JWT (RFC 9701); no client has one."""
    client, user = await tokens.world.client(access_token_format="jwt"), await tokens.world.sign_in()
    answer = await tokens.tokens(client, user.code(client.client_id))
    for name in ("access_token", "refresh_token"):
        assert (await tokens.introspect(client, answer[name]))["username"] == user.user.username
    headers = {**basic(client.client_id), "Accept": "application/token-introspection+jwt"}
    form = {"token": answer["access_token"]}
    response = await tokens.post(INTROSPECTION.path, form, client, headers=headers)
    described = jwt.decode(await response.text(), options={"verify_signature": False})
    assert described["token_introspection"]["username"] == user.user.username


async def test_a_token_that_a_client_has_for_itself_names_no_user(tokens: TokenService) -> None:
    """RFC 6749 §4.4."""
    client = await tokens.world.client(grant_types=("client_credentials",), scope=("api",))
    answer = await (await tokens.token(client, {"grant_type": "client_credentials"})).json()
    described = await tokens.introspect(client, answer["access_token"])
    assert described["active"]
    assert "username" not in described


@planted(everybody_sees_usernames)
async def test_a_pairwise_subject_is_not_undone_by_the_user_name(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §8.1: unless scope `profile`, which releases the name, was granted."""
    client, user = await tokens.world.client(subject_type="pairwise"), await tokens.world.sign_in()
    for scope, expected in (("openid",), None), (("openid", "profile"), user.user.username):
        answer = await tokens.tokens(client, user.code(client.client_id, scope=(*scope, "offline_access")))
        for name in ("access_token", "refresh_token"):
            described = await tokens.introspect(client, answer[name])
            assert (described["active"], described.get("username")) == (True, expected)


async def test_a_public_client_introspects_nothing(tokens: TokenService) -> None:
    """RFC 7662 §2.1: the endpoint is protected."""
    client = await tokens.world.public_client()
    answer = await tokens.tokens(client)
    response = await tokens.post(INTROSPECTION.path, {"token": answer["access_token"]}, client)
    assert (response.status, (await response.json())["error"]) == (401, "invalid_client")
    assert "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("path", [INTROSPECTION, REVOCATION], ids=str)
async def test_strange_input_is_no_fault_of_ours(tokens: TokenService, path: object) -> None:
    """GET, queries, missing tokens, NUL, wrong types, long bodies and unknown hints cause no server error."""
    client, url = await tokens.world.client(), str(path)
    headers = basic(client.client_id)
    assert (await tokens.http.get(url, headers=headers)).status == 405
    assert (await tokens.post(f"{url}?token=x", {}, client)).status == 400
    assert (await tokens.post(url, {"token": ""}, client)).status == 400
    assert (await tokens.post(url, {"token": "a\0b"}, client)).status == 400
    assert (await tokens.http.post(url, json={"token": "x"}, headers=headers)).status == 400
    assert (await tokens.post(url, {"token": "x" * 100_000}, client)).status == 413
    for token in ("x", "at_" + "A" * 300, "rt_" + "A" * 72, "e30.e30.e30", "é" * 500, "at_", "."):
        response = await tokens.post(url, {"token": token, "token_type_hint": "bogus"}, client)
        assert response.status == 200, token
        if path == INTROSPECTION:
            assert await response.json() == INACTIVE


async def test_a_revoked_access_token_is_revoked_alone(tokens: TokenService) -> None:
    """RFC 7009 §2: the token is revoked at once, the grant continues, and a repetition succeeds."""
    client = await tokens.world.client()
    answer = await tokens.tokens(client)
    for _ in range(2):
        assert (await tokens.revoke(client, answer["access_token"])).status == 200
    assert await tokens.introspect(client, answer["access_token"]) == INACTIVE
    assert (await tokens.userinfo(answer["access_token"])).status == 401
    assert (await tokens.refresh(client, answer["refresh_token"])).status == 200


@pytest.mark.parametrize("generation", ["current", "older"])
async def test_a_revoked_refresh_token_takes_its_grant_with_it(tokens: TokenService, generation: str) -> None:
    """A refresh token of any generation revokes its grant."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    second = await (await tokens.refresh(client, first["refresh_token"])).json()
    named = second if generation == "current" else first
    assert (await tokens.revoke(client, named["refresh_token"])).status == 200
    for answer in (first, second):
        assert await tokens.introspect(client, answer["access_token"]) == INACTIVE
    assert (await tokens.refresh(client, second["refresh_token"])).status == 400


async def test_revoking_touches_no_other_grant(tokens: TokenService) -> None:
    """Other grants of the same user and client continue."""
    client, sign_in = await tokens.world.client(), await tokens.world.sign_in()
    one, other = [await tokens.tokens(client, sign_in.code(client.client_id)) for _ in range(2)]
    await tokens.revoke(client, one["refresh_token"])
    assert (await tokens.introspect(client, other["access_token"]))["active"]
    assert (await tokens.refresh(client, other["refresh_token"])).status == 200


async def test_another_clients_token_cannot_be_revoked(tokens: TokenService) -> None:
    """Another client's token stays valid, and the response does not reveal it."""
    client, other = await tokens.world.client(), await tokens.world.client()
    answer = await tokens.tokens(client)
    for name in ("access_token", "refresh_token"):
        assert (await tokens.revoke(other, answer[name])).status == 200
    assert (await tokens.introspect(client, answer["access_token"]))["active"]
    assert (await tokens.refresh(client, answer["refresh_token"])).status == 200


async def test_a_public_client_revokes_its_own(tokens: TokenService) -> None:
    """RFC 7009 §2.1: it names itself."""
    client = await tokens.world.public_client()
    answer = await tokens.tokens(client)
    assert (await tokens.revoke(client, answer["refresh_token"])).status == 200
    assert (await tokens.userinfo(answer["access_token"])).status == 401


async def test_a_client_credentials_token_can_be_revoked(tokens: TokenService) -> None:
    """A client_credentials token can be revoked although it has no grant."""
    client = await tokens.world.client()
    answer = await (await tokens.token(client, {"grant_type": "client_credentials"})).json()
    await tokens.revoke(client, answer["access_token"])
    assert await tokens.introspect(client, answer["access_token"]) == INACTIVE


async def test_a_revocation_by_the_wrong_secret_does_nothing(tokens: TokenService) -> None:
    """A wrong secret gets 401, and the token stays valid."""
    client = await tokens.world.client()
    answer = await tokens.tokens(client)
    response = await tokens.post(
        REVOCATION.path, {"token": answer["refresh_token"]}, headers=basic(client.client_id, SECRET + "x")
    )
    assert response.status == 401
    assert (await tokens.introspect(client, answer["access_token"]))["active"]


@pytest.mark.parametrize("grant", ["user", "client"])
async def test_jwt_access_tokens_are_known_here_too(tokens: TokenService, grant: str) -> None:
    """RFC 9068: typed, signed with ES256, and revocable at our endpoints."""
    client = await tokens.world.client(access_token_format="jwt")
    if grant == "user":
        answer = await tokens.tokens(client)
    else:
        answer = await (await tokens.token(client, {"grant_type": "client_credentials"})).json()
    header = jwt.get_unverified_header(answer["access_token"])
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    described = await tokens.introspect(client, answer["access_token"])
    assert described["active"]
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(claims)
    assert claims["jti"] == described["jti"]
    await tokens.revoke(client, answer["access_token"])
    assert await tokens.introspect(client, answer["access_token"]) == INACTIVE


async def test_a_forged_jwt_is_inactive(tokens: TokenService) -> None:
    """Another key with a known kid, an altered sub, or another type is inactive."""
    client = await tokens.world.client(access_token_format="jwt")
    answer = await tokens.tokens(client)
    genuine = answer["access_token"]
    header = jwt.get_unverified_header(genuine)
    claims = jwt.decode(genuine, options={"verify_signature": False})
    forged = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers=header)
    unsigned = jwt.encode(claims, "", "none", headers={**header, "alg": "none"})
    unknown = jwt.encode(
        claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={**header, "kid": "../x"}
    )
    for token in (forged, unsigned, unknown, genuine[:-4] + "AAAA", answer["id_token"]):
        assert await tokens.introspect(client, token) == INACTIVE
        assert (await tokens.userinfo(token)).status == 401

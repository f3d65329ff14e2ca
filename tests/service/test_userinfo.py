"""Userinfo: whose claims, to which token, and what a token that does not hold is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.token.userinfo import USERINFO_ENDPOINT, check_token
from shared import clock
from shared.issue import TokenIssuer
from shared.model import AccessToken, ClaimsRequest
from shared.oauth.access_token import seal, sealing_kid, to_claims
from shared.oauth.errors import InsufficientScope, InvalidToken
from shared.oauth.jwt import sign
from shared.paths import USERINFO
from shared.web.app import SETTINGS
from shared.web.resources import KEYRING
from tests.deployment import ISSUER, TokenService, bearer, unverified


async def test_without_a_token_there_is_a_bare_challenge(tokens: TokenService) -> None:
    """RFC 6750 §3.1: no error code, for it has not been tried. Nor does the query count."""
    answer = await tokens.tokens(await tokens.world.client())
    for response in (
        await tokens.http.get(USERINFO.path),
        await tokens.http.get(USERINFO.path, headers={"Authorization": "Basic eDp5"}),
        await tokens.http.get(f"{USERINFO.path}?access_token={answer['access_token']}"),
        await tokens.http.post(USERINFO.path, data={"x": "y"}),
    ):
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="ostiary"'
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.text() == ""


@pytest.mark.parametrize(
    "value", ["", "x", "at_" + "A" * 200, "rt_" + "A" * 72, "e30.e30.e30", "a b", "x" * 5000]
)
async def test_a_token_that_is_none_is_invalid(tokens: TokenService, value: str) -> None:
    """401 invalid_token, and no claim."""
    response = await tokens.userinfo(value)
    answer = await response.json()
    assert (response.status, answer["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert "sub" not in answer


async def test_other_tokens_are_not_access_tokens(tokens: TokenService) -> None:
    """An ID token and a refresh token are signed and issued by us, for something else."""
    answer = await tokens.tokens(await tokens.world.client())
    for name in ("id_token", "refresh_token"):
        assert (await tokens.userinfo(answer[name])).status == 401


async def test_two_authorization_headers_are_refused(tokens: TokenService) -> None:
    """Neither is preferred."""
    answer = await tokens.tokens(await tokens.world.client())
    headers = [("Authorization", f"Bearer {answer['access_token']}"), ("Authorization", "Bearer x")]
    response = await tokens.http.get(USERINFO.path, headers=headers)
    assert response.status == 400


@pytest.mark.parametrize("access_token_format", ["opaque", "jwt"])
async def test_an_expired_token_is_invalid(tokens: TokenService, access_token_format: str) -> None:
    """By the clock alone, whatever the stores say."""
    client = await tokens.world.client(
        access_token_format=access_token_format, access_token_lifetime=timedelta(seconds=1)
    )
    answer = await tokens.tokens(client)
    assert answer["expires_in"] == 1
    read = await _app(tokens)[USERINFO_ENDPOINT].access_tokens.read(answer["access_token"], clock.now())
    assert read is not None
    issuer = TokenIssuer(_app(tokens)[SETTINGS], _app(tokens)[KEYRING])
    for age, status in ((0, 200), (2, 401)):
        iat = clock.now() - timedelta(seconds=age)
        token = issuer.access_token(client, read.sub, read.scope, read.grant_id, iat)
        assert (await tokens.userinfo(token.value)).status == status


def _app(tokens: TokenService) -> Any:
    server: Any = tokens.http.server
    return server.app


@pytest.mark.parametrize("access_token_format", ["opaque", "jwt"])
async def test_a_token_of_another_issuer_is_invalid(tokens: TokenService, access_token_format: str) -> None:
    """Also when both deployments share their keys."""
    client = await tokens.world.client(access_token_format=access_token_format)
    elsewhere = _app(tokens)[SETTINGS].model_copy(update={"issuer": "https://other.example.org/oidc"})
    issuer = TokenIssuer(elsewhere, _app(tokens)[KEYRING])
    foreign = issuer.access_token(client, "x", ("openid",), uuid4(), clock.now())
    assert (await tokens.userinfo(foreign.value)).status == 401


@pytest.mark.parametrize(("typ", "status"), [("at+jwt", 200), ("application/at+jwt", 200), ("JWT", 401)])
async def test_a_jwt_is_an_access_token_by_its_type(tokens: TokenService, typ: str, status: int) -> None:
    """RFC 9068 §4: whatever else we come to sign with the same keys is none."""
    client = await tokens.world.client(access_token_format="jwt")
    claims = unverified((await tokens.tokens(client))["access_token"])
    key = _app(tokens)[KEYRING].confirmed().signer("ES256", clock.now())
    assert (await tokens.userinfo(sign(key, claims, typ))).status == status


@pytest.mark.parametrize("access_token_format", ["opaque", "jwt"])
async def test_a_token_for_another_resource_opens_nothing_here(
    tokens: TokenService, access_token_format: str
) -> None:
    """Made with our own keys, of a grant that stands, and yet not for us: no caller can have it made."""
    client = await tokens.world.client(access_token_format=access_token_format)
    value = (await tokens.tokens(client))["access_token"]
    token = await _app(tokens)[USERINFO_ENDPOINT].access_tokens.read(value, clock.now())
    assert token is not None
    keys = _app(tokens)[KEYRING].confirmed()
    for aud, status in (((ISSUER,), 200), (("https://api.test",), 401), ((ISSUER + "/",), 401), ((), 401)):
        made = replace(token, aud=aud)
        if access_token_format == "opaque":
            key = keys.unsealer(sealing_kid(value))
            assert key is not None
            presented = seal(made, key, ISSUER, b"n" * 12)
        else:
            presented = sign(keys.signer("ES256", clock.now()), to_claims(made, ISSUER), "at+jwt")
        assert (aud, (await tokens.userinfo(presented)).status) == (aud, status)


TOKEN = AccessToken(
    token_id=UUID(int=1),
    grant_id=UUID(int=2),
    client_id="c",
    sub="s",
    scope=("openid",),
    aud=(ISSUER,),
    iat=clock.now(),
    exp=clock.now(),
)


def test_a_token_for_another_resource_is_invalid() -> None:
    """RFC 9068 §4: this endpoint must be among its audience."""
    check_token(TOKEN, ISSUER)
    with pytest.raises(InvalidToken):
        check_token(replace(TOKEN, aud=("https://api.example.org",)), ISSUER)
    for lacking in (replace(TOKEN, scope=("profile",)), replace(TOKEN, grant_id=None)):
        with pytest.raises(InsufficientScope):
            check_token(lacking, ISSUER)


async def test_what_is_short_of_scope_says_which(tokens: TokenService) -> None:
    """RFC 6750 §3.1."""
    client = await tokens.world.client()
    answer = await (await tokens.token(client, {"grant_type": "client_credentials"})).json()
    response = await tokens.userinfo(answer["access_token"])
    assert response.status == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert 'scope="openid"' in response.headers["WWW-Authenticate"]


async def test_claims_asked_for_by_name_are_given(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §5.5, from the request through code and grant to the answer."""
    request = ClaimsRequest(userinfo={"email": {"essential": True}}, id_token={"name": None})
    client = await tokens.world.client()
    answer = await tokens.tokens(client, scope=("openid",), claims=request)
    info = await (await tokens.userinfo(answer["access_token"])).json()
    assert set(info) == {"sub", "email"}


async def test_cells_clients_find_what_they_look_for(tokens: TokenService) -> None:
    """The login in `name`, roles by the marker scope `pydio`, and in the ID token what its record lists."""
    client = await tokens.world.public_client(
        claims_mapping={"name": "username"},
        id_token_claims=("name", "email", "sid", "rat"),
        require_pkce=False,
    )
    scope = ("openid", "email", "profile", "pydio", "offline")
    sign_in = await tokens.world.sign_in()
    answer = await tokens.tokens(client, sign_in.code(client.client_id, scope=scope))
    info = await (await tokens.userinfo(answer["access_token"])).json()
    assert info["name"] == sign_in.user.username
    assert (info["roles"], info["groupPath"]) == (["ADMIN"], "/")
    claims = unverified(answer["id_token"])
    assert claims["name"] == sign_in.user.username
    assert isinstance(claims["rat"], int)
    assert isinstance(claims["aud"], list)


@pytest.mark.parametrize(("origin", "is_allowed"), [("https://spa.test", True), ("https://evil.test", False)])
async def test_a_client_may_name_the_origins_that_read_its_answers(
    tokens: TokenService, origin: str, is_allowed: bool
) -> None:
    """`allowed_cors_origins`: the others get an answer that a browser does not show them."""
    client = await tokens.world.client(allowed_cors_origins=("https://spa.test",))
    answer = await tokens.tokens(client)
    for response in (
        await tokens.http.get(USERINFO.path, headers={**bearer(answer["access_token"]), "Origin": origin}),
        await tokens.revoke(client, "x"),
    ):
        allowed = response.headers.get("Access-Control-Allow-Origin")
        assert response.headers["Vary"] == "Origin"
        assert allowed == (origin if is_allowed and response.method == "GET" else None)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "HEAD"])
async def test_other_methods_are_refused(tokens: TokenService, method: str) -> None:
    """405, and an override header overrides nothing."""
    response = await tokens.http.request(
        method, USERINFO.path, headers={"X-HTTP-Method-Override": "GET", "Authorization": "Bearer x"}
    )
    assert response.status == 405

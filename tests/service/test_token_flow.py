"""The token service, from a code to the end of a grant."""

import base64
import hashlib
from datetime import timedelta

import pytest

from shared.live import clock
from shared.paths import DEVICE_AUTHORIZATION, INTROSPECTION, REVOCATION, TOKEN, USERINFO
from tests.builders import SCOPE
from tests.deployment import ISSUER, TokenService, basic, bearer, unverified


@pytest.mark.point(13, 15)
async def test_a_code_gives_all_tokens(tokens: TokenService) -> None:
    """RFC 6749 §5.1 and OpenID Connect Core 1.0 §3.1.3.3: the whole answer, and no cache keeps it."""
    client = await tokens.world.client()
    sign_in = await tokens.world.sign_in()
    code = await tokens.world.add_code(sign_in.code(client.client_id))
    response = await tokens.redeem(client, code)
    answer = await response.json()
    assert response.status == 200, answer
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    assert answer["scope"] == " ".join(SCOPE)
    assert answer["access_token"].startswith("at_")
    assert answer["refresh_token"].startswith("rt_")
    claims = unverified(answer["id_token"])
    half = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
    assert claims["iss"] == ISSUER
    assert claims["sub"] == str(sign_in.user.user_id)
    assert claims["aud"] == [client.client_id]
    assert claims["sid"] == str(sign_in.sid)
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["auth_time"] < claims["iat"]
    assert "name" not in claims
    assert "email" not in claims


@pytest.mark.point(13)
@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "none such"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials", "scope": 'a"b\\c'}, 400, "invalid_scope"),
        ({"grant_type": "client_credentials", "client_id": "another"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "é": "1"}, 200, None),
    ],
)
async def test_every_answer_is_json_that_no_cache_keeps(
    tokens: TokenService, form: dict[str, str], status: int, error: str | None
) -> None:
    """RFC 6749 §5.1 and §5.2: refusals too, and in them only the characters that a client may expect."""
    response = await tokens.token(await tokens.world.client(), form)
    answer = await response.json()
    assert (response.status, response.content_type, answer.get("error")) == (
        status,
        "application/json",
        error,
    )
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")
    described = answer.get("error_description", "")
    assert all(" " <= character <= "~" and character not in '"\\' for character in described)


@pytest.mark.point(13)
async def test_who_cannot_be_authenticated_is_told_how(tokens: TokenService) -> None:
    """RFC 6749 §5.2: 401, with a challenge of the scheme that the client has used."""
    client = await tokens.world.client()
    response = await tokens.token(None, {"grant_type": "x"}, headers=basic(client.client_id, "wrong"))
    assert (response.status, (await response.json())["error"]) == (401, "invalid_client")
    assert response.headers["WWW-Authenticate"].startswith("Basic ")
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")


@pytest.mark.point(13)
async def test_other_methods_are_refused(tokens: TokenService) -> None:
    """RFC 6749 §3.2: POST alone."""
    response = await tokens.http.get(TOKEN.path, params={"grant_type": "client_credentials"})
    assert (response.status, response.headers["Cache-Control"]) == (405, "no-store")


@pytest.mark.point(17)
async def test_userinfo_and_introspection_know_the_access_token(tokens: TokenService) -> None:
    """Userinfo and introspection describe the issued token."""
    client = await tokens.world.client()
    answer = await tokens.tokens(client)
    response = await tokens.userinfo(answer["access_token"])
    info = await response.json()
    assert response.status == 200
    assert info["sub"] == unverified(answer["id_token"])["sub"]
    assert info["name"] == "Ada Lovelace"
    assert info["email_verified"] is True
    assert "roles" not in info
    described = await tokens.introspect(client, answer["access_token"])
    assert described["active"] is True
    assert described["client_id"] == client.client_id
    assert described["aud"] == [ISSUER]
    assert described["sub"] == info["sub"]


@pytest.mark.point(17)
async def test_userinfo_reads_a_token_from_a_form(tokens: TokenService) -> None:
    """RFC 6750 §2.2."""
    answer = await tokens.tokens(await tokens.world.client())
    response = await tokens.http.post(USERINFO.path, data={"access_token": answer["access_token"]})
    assert response.status == 200
    both = await tokens.http.post(
        USERINFO.path,
        data={"access_token": answer["access_token"]},
        headers=bearer(answer["access_token"]),
    )
    assert both.status == 400
    twice = await tokens.http.post(USERINFO.path, data=[("access_token", answer["access_token"])] * 2)
    assert (twice.status, (await twice.json())["error"]) == (400, "invalid_request")


@pytest.mark.point(16)
async def test_a_refresh_gives_new_tokens_of_the_same_sign_in(
    tokens: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenID Connect Core 1.0 §12.2: the same iss, sub, aud and auth_time, a later iat, no other nonce."""
    client = await tokens.world.client()
    first = await tokens.tokens(client)
    later = clock.now() + timedelta(seconds=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    response = await tokens.refresh(client, first["refresh_token"])
    second = await response.json()
    assert response.status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    before, after = unverified(first["id_token"]), unverified(second["id_token"])
    assert [before[name] for name in ("iss", "sub", "aud", "auth_time", "sid")] == [
        after[name] for name in ("iss", "sub", "aud", "auth_time", "sid")
    ]
    assert after["iat"] == int(later.timestamp()) > before["iat"]
    assert after.get("nonce", before["nonce"]) == before["nonce"]
    half = hashlib.sha256(second["access_token"].encode()).digest()[:16]
    assert after["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert (await tokens.userinfo(second["access_token"])).status == 200


async def test_a_client_gets_a_token_for_itself(tokens: TokenService) -> None:
    """RFC 6749 §4.4.3: no refresh token, no ID token."""
    client = await tokens.world.client()
    response = await tokens.token(client, {"grant_type": "client_credentials", "scope": "api:read unknown"})
    answer = await response.json()
    assert response.status == 200
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer["scope"] == "api:read"
    described = await tokens.introspect(client, answer["access_token"])
    assert (described["active"], described["sub"]) == (True, client.client_id)
    assert (await tokens.userinfo(answer["access_token"])).status == 403


@pytest.mark.point(17)
async def test_a_browser_client_may_ask_across_origins(tokens: TokenService) -> None:
    """A page of another origin reads answers and refusals, without credentials."""
    origin = {"Origin": "https://spa.example.org"}
    for response in (
        await tokens.http.options(TOKEN.path, headers=origin),
        await tokens.http.post(TOKEN.path, headers=origin, data={"grant_type": "none such"}),
        await tokens.http.get(USERINFO.path, headers=origin),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
    methods = (await tokens.http.options(USERINFO.path)).headers["Access-Control-Allow-Methods"]
    assert methods == "GET, OPTIONS, POST"
    for path in (DEVICE_AUTHORIZATION, REVOCATION, INTROSPECTION):
        preflight = await tokens.http.options(path.path, headers=origin)
        refused = await tokens.http.post(path.path, headers=origin, data={})
        is_open = path is not INTROSPECTION  # which no public client may use
        assert (preflight.status == 204) == is_open
        assert ("Access-Control-Allow-Origin" in refused.headers) == is_open

"""Userinfo: claims by token, and refusals."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.token.endpoints.userinfo import USERINFO_ENDPOINT, check_token
from shared.issuing.tokens import TokenIssuer
from shared.live import clock
from shared.model import ClaimsRequest
from shared.oauth.errors import InsufficientScope, InvalidToken
from shared.oauth.resource.metadata import metadata_uri
from shared.oauth.resource.own import userinfo_resource
from shared.oauth.sender.sender import UNBOUND, Certificate, DpopKey, Sender
from shared.oauth.tokens.access_token import AccessToken, to_claims
from shared.oauth.tokens.jwt import sign
from shared.oauth.tokens.opaque_access_token import parse_sealed, seal
from shared.paths import USERINFO
from shared.server.app import SETTINGS
from shared.server.resources import KEYRING
from shared.web.bearer import NoCredentials, challenge, check_audience
from tests.builders import SignIn
from tests.deployment import ISSUER, TokenService, bearer, unverified
from tests.planted import planted
from tests.planted.senders import opens_for_any_sender


@pytest.mark.point(17)
async def test_without_a_token_there_is_a_bare_challenge(tokens: TokenService) -> None:
    """RFC 6750 §3.1: no error code, for it has not been tried. Nor does the query count."""
    answer = await tokens.tokens(await tokens.world.client())
    metadata = metadata_uri(userinfo_resource(ISSUER))
    for response in (
        await tokens.http.get(USERINFO.path),
        await tokens.http.get(USERINFO.path, headers={"Authorization": "Basic eDp5"}),
        await tokens.http.get(f"{USERINFO.path}?access_token={answer['access_token']}"),
        await tokens.http.post(USERINFO.path, data={"x": "y"}),
    ):
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == challenge(NoCredentials(), metadata)
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.text() == ""


@pytest.mark.point(17)
@pytest.mark.parametrize(
    "value", ["", "x", "at_" + "A" * 200, "rt_" + "A" * 72, "e30.e30.e30", "a b", "x" * 5000]
)
async def test_a_token_that_is_none_is_invalid(tokens: TokenService, value: str) -> None:
    """A malformed token gets 401 invalid_token."""
    response = await tokens.userinfo(value)
    answer = await response.json()
    assert (response.status, answer["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert "sub" not in answer


@pytest.mark.point(17)
async def test_other_tokens_are_not_access_tokens(tokens: TokenService) -> None:
    """ID tokens and refresh tokens are not access tokens."""
    answer = await tokens.tokens(await tokens.world.client())
    for name in ("id_token", "refresh_token"):
        assert (await tokens.userinfo(answer[name])).status == 401


async def test_two_authorization_headers_are_refused(tokens: TokenService) -> None:
    """Neither is preferred."""
    answer = await tokens.tokens(await tokens.world.client())
    headers = [("Authorization", f"Bearer {answer['access_token']}"), ("Authorization", "Bearer x")]
    response = await tokens.http.get(USERINFO.path, headers=headers)
    assert response.status == 400


@pytest.mark.point(17)
@pytest.mark.parametrize("access_token_format", ["opaque", "jwt"])
async def test_an_expired_token_is_invalid(tokens: TokenService, access_token_format: str) -> None:
    """An expired token is invalid, whatever the stores contain."""
    client = await tokens.world.client(
        access_token_format=access_token_format, access_token_lifetime=timedelta(minutes=5)
    )
    answer = await tokens.tokens(client)
    assert answer["expires_in"] == 300
    read = await _app(tokens)[USERINFO_ENDPOINT].guard.access_tokens.read(answer["access_token"], clock.now())
    assert read is not None
    issuer = TokenIssuer(_app(tokens)[SETTINGS], _app(tokens)[KEYRING])
    for age, status in ((0, 200), (301, 401)):
        iat = clock.now() - timedelta(seconds=age)
        token = issuer.access_token(client, read.sub, read.scope, read.grant_id, iat, sender=UNBOUND)
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
    foreign = issuer.access_token(client, "x", ("openid",), uuid4(), clock.now(), sender=UNBOUND)
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
    token = await _app(tokens)[USERINFO_ENDPOINT].guard.access_tokens.read(value, clock.now())
    assert token is not None
    keys = _app(tokens)[KEYRING].confirmed()
    for aud, status in (((ISSUER,), 200), (("https://api.test",), 401), ((ISSUER + "/",), 401), ((), 401)):
        made = replace(token, aud=aud)
        if access_token_format == "opaque":
            key = keys.unsealer(parse_sealed(value).kid)
            assert key is not None
            presented = seal(made, key, ISSUER, b"n" * 12)
        else:
            presented = sign(keys.signer("ES256", clock.now()), to_claims(made, ISSUER), "at+jwt")
        assert (aud, (await tokens.userinfo(presented)).status) == (aud, status)


@planted(opens_for_any_sender)
@pytest.mark.parametrize("access_token_format", ["opaque", "jwt"])
@pytest.mark.parametrize("sender", [DpopKey("k" * 43), Certificate("c" * 43)])
async def test_a_bound_token_is_no_bearer_token(
    tokens: TokenService, access_token_format: str, sender: Sender
) -> None:
    """RFC 9449 §7.1, RFC 8705 §3. Introspection names the key, for resource servers to compare."""
    client = await tokens.world.client(access_token_format=access_token_format)
    value = (await tokens.tokens(client))["access_token"]
    token = await _app(tokens)[USERINFO_ENDPOINT].guard.access_tokens.read(value, clock.now())
    assert token is not None
    bound, keys = replace(token, sender=sender), _app(tokens)[KEYRING].confirmed()
    if access_token_format == "opaque":
        presented = seal(bound, keys.sealer(clock.now()), ISSUER, b"n" * 12)
    else:
        presented = sign(keys.signer("ES256", clock.now()), to_claims(bound, ISSUER), "at+jwt")
    description = await tokens.introspect(client, presented)
    assert (description["token_type"], description["cnf"]) == (sender.token_type, sender.cnf)
    assert "cnf" not in await tokens.introspect(client, value)
    response = await tokens.userinfo(presented)
    assert (response.status, (await response.json())["error"]) == (401, "invalid_token")


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
    check_audience(TOKEN, {ISSUER})
    check_token(TOKEN)
    with pytest.raises(InvalidToken):
        check_audience(replace(TOKEN, aud=("https://api.example.org",)), {ISSUER})
    for lacking in (replace(TOKEN, scope=("profile",)), replace(TOKEN, grant_id=None)):
        with pytest.raises(InsufficientScope):
            check_token(lacking)


async def test_what_is_short_of_scope_says_which(tokens: TokenService) -> None:
    """RFC 6750 §3.1."""
    client = await tokens.world.client()
    answer = await (await tokens.token(client, {"grant_type": "client_credentials"})).json()
    response = await tokens.userinfo(answer["access_token"])
    assert response.status == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert 'scope="openid"' in response.headers["WWW-Authenticate"]


@pytest.mark.point(10)
async def test_claims_asked_for_by_name_are_given(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §5.5, from the request through code and grant to the answer."""
    request = ClaimsRequest(userinfo={"email": {"essential": True}}, id_token={"name": None})
    client = await tokens.world.client()
    answer = await tokens.tokens(client, scope=("openid",), claims=request)
    info = await (await tokens.userinfo(answer["access_token"])).json()
    assert set(info) == {"sub", "email"}
    claims = unverified(answer["id_token"])
    assert claims["name"] == "Ada Lovelace"
    assert "email" not in claims


@pytest.mark.point(10)
async def test_a_claim_may_be_asked_for_with_a_value(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §5.5.1: `value` and `values`; one that the user does not have is left out."""
    request = ClaimsRequest(
        userinfo={"name": {"value": "Ada Lovelace"}, "email": {"values": ["eve@example.org"]}},
        id_token={"name": {"values": ["Eve", "Ada Lovelace"]}, "email_verified": {"value": False}},
    )
    client = await tokens.world.client()
    answer = await tokens.tokens(client, scope=("openid",), claims=request)
    info = await (await tokens.userinfo(answer["access_token"])).json()
    assert set(info) == {"sub", "name"}
    assert "name" in unverified(answer["id_token"])
    assert "email_verified" not in unverified(answer["id_token"])


async def test_cells_clients_find_what_they_look_for(tokens: TokenService) -> None:
    """The login in `name`, roles by the marker scope `pydio`, and in the ID token what its record lists."""
    client = await tokens.world.public_client(
        claims_mapping={"name": "username"},
        id_token_claims=("name", "email", "sid", "rat"),
        require_pkce=False,
    )
    scope = ("openid", "email", "profile", "pydio", "offline")
    user = await tokens.world.user(roles=("ADMIN",))
    sign_in = SignIn(user, await tokens.world.session(user))
    answer = await tokens.tokens(client, sign_in.code(client.client_id, scope=scope))
    info = await (await tokens.userinfo(answer["access_token"])).json()
    assert info["name"] == sign_in.user.username
    assert (info["roles"], info["groupPath"]) == (["ADMIN"], "/")
    claims = unverified(answer["id_token"])
    assert claims["name"] == sign_in.user.username
    assert isinstance(claims["rat"], int)
    assert isinstance(claims["aud"], list)


STANDARD_CLAIMS: dict[str, dict[str, Any]] = {
    "profile": {
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "middle_name": "Augusta",
        "nickname": "Ada",
        "profile": "https://ada.example.org/",
        "picture": "https://ada.example.org/ada.png",
        "website": "https://example.org/",
        "gender": "female",
        "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
    },
    "email": {"email": "ada@example.org", "email_verified": True},
    "address": {"address": {"formatted": "12 St James's Square\nLondon", "country": "GB"}},
    "phone": {"phone_number": "+44 20 7946 0000", "phone_number_verified": False},
}


async def _sign_in(tokens: TokenService, claims: dict[str, Any], **fields: Any) -> SignIn:
    """Of a user with these claims, and an e-mail address of their own."""
    user = await tokens.world.user(claims={**claims, "email": f"{uuid4().hex}@example.org"}, **fields)
    return SignIn(user, await tokens.world.session(user))


@pytest.mark.point(10, 17)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scope", [*STANDARD_CLAIMS, "profile email address phone"])
async def test_a_scope_gives_all_of_its_standard_claims(
    tokens: TokenService, scope: str, method: str
) -> None:
    """OpenID Connect Core 1.0 §5.1 and §5.4: every claim, as the JSON type that it has, and no other's."""
    whole = {name: value for claims in STANDARD_CLAIMS.values() for name, value in claims.items()}
    sign_in = await _sign_in(tokens, whole, roles=("ADMIN",))
    client = await tokens.world.client(scope=("openid", *STANDARD_CLAIMS))
    answer = await tokens.tokens(client, sign_in.code(client.client_id, scope=("openid", *scope.split(" "))))
    response = await tokens.http.request(method, USERINFO.path, headers=bearer(answer["access_token"]))
    info = await response.json()
    names = [name for each in scope.split(" ") for name in STANDARD_CLAIMS[each]]
    expected = {"sub": str(sign_in.user.user_id), **{name: sign_in.user.claims[name] for name in names}}
    if "profile" in scope:
        assert isinstance(info.pop("updated_at"), int)
        expected["preferred_username"] = sign_in.user.username
    assert (response.status, response.content_type, info) == (200, "application/json", expected)
    assert not {*whole} & {*unverified(answer["id_token"])}


@pytest.mark.point(10)
async def test_what_a_user_does_not_have_is_absent(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §5.3.2: not empty and not null, nor of a wrong type; also within an address."""
    claims: dict[str, Any] = {
        "name": "",
        "nickname": None,
        "website": [],
        "email_verified": "true",
        "address": {"locality": "London", "region": "", "country": None},
        "phone_number": 442079460000,
    }
    client, scope = await tokens.world.client(), ("openid", *STANDARD_CLAIMS)
    code = (await _sign_in(tokens, claims)).code(client.client_id, scope=scope)
    answer = await tokens.tokens(client, code)
    info = await (await tokens.userinfo(answer["access_token"])).json()
    assert info.keys() == {"sub", "preferred_username", "updated_at", "email", "address"}
    assert info["address"] == {"locality": "London"}


@pytest.mark.point(17)
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


@pytest.mark.point(17)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "HEAD"])
async def test_other_methods_are_refused(tokens: TokenService, method: str) -> None:
    """405, and an override header overrides nothing."""
    response = await tokens.http.request(
        method, USERINFO.path, headers={"X-HTTP-Method-Override": "GET", "Authorization": "Bearer x"}
    )
    assert response.status == 405

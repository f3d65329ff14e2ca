"""Implicit and hybrid responses (OpenID Connect Core 1.0 §3.2, §3.3), and JARM."""

import hashlib
import time
from urllib.parse import parse_qsl

import pytest

from shared.codec.base64url import base64url
from shared.live import clock
from tests.authorization import (
    LOCAL_ISSUER,
    STATE,
    AuthorizationService,
    Page,
    is_error_page,
    is_login,
)
from tests.builders import REDIRECT_URI
from tests.front_channel import RESPONSE_TYPES, Services

FRONT_CHANNEL = RESPONSE_TYPES[1:]
WITH_ID_TOKEN = tuple(name for name in FRONT_CHANNEL if "id_token" in name)
WITH_TOKEN = tuple(name for name in FRONT_CHANNEL if name.endswith("token token") or name == "code token")
MEMBERS = {
    "code": {"code"},
    "id_token": {"id_token"},
    "token": {"access_token", "token_type", "expires_in", "scope"},
}


def half(value: str, name: str = "sha256") -> str:
    """§3.1.3.6, written a second time: the left half of a hash."""
    hashed = hashlib.new(name, value.encode()).digest()
    return base64url(hashed[: len(hashed) // 2])


@pytest.mark.point(5, 25)
@pytest.mark.parametrize("response_type", RESPONSE_TYPES)
async def test_each_response_type_gives_what_it_names(provider: Services, response_type: str) -> None:
    """In the query for `code`, else in the fragment; beside it what every response has."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type)
    mark = "?" if response_type == "code" else "#"
    assert page.location.startswith(f"{REDIRECT_URI}{mark}")
    expected = set().union(*(MEMBERS[part] for part in response_type.split(" ")))
    assert page.answer.keys() == expected | {"state", "iss", "session_state"}
    assert (page.answer["state"], page.answer["iss"]) == (STATE, LOCAL_ISSUER)
    if "access_token" in page.answer:
        assert page.answer["token_type"] == "Bearer"
        assert int(page.answer["expires_in"]) == 600
        assert page.answer["scope"] == "openid email"


@pytest.mark.point(15)
@pytest.mark.parametrize("response_type", WITH_ID_TOKEN)
async def test_an_id_token_is_bound_to_what_comes_with_it(provider: Services, response_type: str) -> None:
    """Core 1.0 §3.3.2.11: `nonce` as sent, and `at_hash`, `c_hash`, `s_hash` of what is there."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type, nonce="n-1")
    claims = await provider.signed(page.answer["id_token"])
    assert claims["nonce"] == "n-1"
    assert (claims["iss"], claims["aud"]) == (LOCAL_ISSUER, [client.client_id])
    assert claims["s_hash"] == half(STATE)
    for name, member in (("at_hash", "access_token"), ("c_hash", "code")):
        assert claims.get(name) == (half(page.answer[member]) if member in page.answer else None)
    assert {"auth_time", "acr", "amr", "sid", "exp", "iat"} <= claims.keys()


@pytest.mark.point(15)
@pytest.mark.parametrize(("alg", "name"), [("RS256", "sha256"), ("ES256", "sha256"), ("EdDSA", "sha512")])
async def test_what_binds_an_id_token_is_hashed_as_its_algorithm_hashes(
    provider: Services, alg: str, name: str
) -> None:
    """Core 1.0 §3.3.2.11: Ed25519 is over SHA-512, the others here over SHA-256."""
    client = await provider.client(id_token_signed_response_alg=alg)
    page = await provider.op.browser().sign_in(
        client, await provider.op.user(), response_type="code id_token token"
    )
    claims = await provider.signed(page.answer["id_token"])
    assert claims["at_hash"] == half(page.answer["access_token"], name)
    assert claims["c_hash"] == half(page.answer["code"], name)
    assert claims["s_hash"] == half(STATE, name)


@pytest.mark.point(10)
@pytest.mark.parametrize("response_type", WITH_ID_TOKEN)
async def test_claims_of_the_scope_are_where_no_access_token_is(
    provider: Services, response_type: str
) -> None:
    """Core 1.0 §5.4: in an ID token that comes alone; else at userinfo, and here only by `claims`."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type)
    claims = await provider.signed(page.answer["id_token"])
    assert ("email" in claims) == (response_type == "id_token")
    asked = '{"id_token": {"email": null}, "userinfo": {"nickname": null}}'
    page = await browser.sign_in(client, user, response_type=response_type, claims=asked)
    claims = await provider.signed(page.answer["id_token"])
    assert claims["email"] == user.claims["email"]


async def test_an_id_token_of_the_front_channel_contains_groups(provider: Services) -> None:
    """Those of the scope where no access token is issued, and where `id_token_claims` names them."""
    user, scope = await provider.op.user(groups=("b", "A")), "openid groups"
    for fields, asked, expected in (
        ({}, {"response_type": "id_token", "scope": scope}, ["A", "b"]),
        ({}, {"response_type": "id_token token", "scope": scope}, None),
        ({"id_token_claims": ("groups",)}, {"response_type": "code id_token"}, ["A", "b"]),
    ):
        client = await provider.client(scope=("openid", "groups"), **fields)
        page = await provider.op.browser().sign_in(client, user, **asked)
        assert (await provider.signed(page.answer["id_token"])).get("groups") == expected


@pytest.mark.point(15, 17)
@pytest.mark.parametrize("response_type", WITH_TOKEN)
async def test_an_access_token_of_the_front_channel_opens_userinfo(
    provider: Services, response_type: str
) -> None:
    """As one from the token endpoint does, and `sub` agrees with every ID token."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type)
    response = await provider.tokens.userinfo(page.answer["access_token"])
    assert response.status == 200
    told = await response.json()
    assert told == {"sub": str(user.user_id), "email": user.claims["email"]}
    if "id_token" in page.answer:
        assert (await provider.signed(page.answer["id_token"]))["sub"] == told["sub"]
    if "code" in page.answer:
        answer = await (await provider.tokens.redeem(client, page.answer["code"])).json()
        assert (await provider.signed(answer["id_token"]))["sub"] == told["sub"]


@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
async def test_every_front_channel_answer_has_a_grant_of_its_own(
    provider: Services, response_type: str
) -> None:
    """One for the answer; the code makes its own when it is redeemed."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type)

    async def count() -> int:
        row = await provider.world.database.row(
            "SELECT count(*) AS n FROM grants WHERE client_id = $1", client.client_id
        )
        assert row is not None
        return int(row["n"])

    assert await count() == 1
    if "code" in page.answer:
        assert (await provider.tokens.redeem(client, page.answer["code"])).status == 200
        assert await count() == 2


async def test_what_ends_a_session_ends_its_front_channel_tokens(provider: Services) -> None:
    """State is compared at use; only the code has `offline_access`."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(
        client, user, response_type="code id_token token", scope="openid offline_access"
    )
    answer = await (await provider.tokens.redeem(client, page.answer["code"])).json()
    assert "refresh_token" in answer
    assert page.answer["scope"] == "openid"
    sid = (await provider.signed(page.answer["id_token"]))["sid"]
    await provider.world.database.row("UPDATE sessions SET ended_at = now() WHERE sid = $1", sid)
    assert (await provider.tokens.userinfo(page.answer["access_token"])).status == 401
    assert (await provider.tokens.userinfo(answer["access_token"])).status == 200


@pytest.mark.parametrize("response_type", ["id_token", "id_token token"])
async def test_offline_access_without_a_code_is_ignored(provider: Services, response_type: str) -> None:
    """Core 1.0 §11."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(
        client, user, response_type=response_type, scope="openid email offline_access"
    )
    assert "error" not in page.answer
    assert page.answer.get("scope", "openid email") == "openid email"


@pytest.mark.point(7)
@pytest.mark.parametrize("response_type", RESPONSE_TYPES)
async def test_a_nonce_is_demanded_where_an_id_token_comes_back(
    provider: Services, response_type: str
) -> None:
    """Core 1.0 §3.2.2.1: refused without one, in the fragment; `code` and `code token` need none."""
    client = await provider.client()
    page = await provider.op.browser().authorize(client, response_type=response_type, nonce="")
    if "id_token" not in response_type:
        assert is_login(page)
        return
    assert page.location.startswith(f"{REDIRECT_URI}#")
    assert page.answer["error"] == "invalid_request"


@pytest.mark.parametrize("response_type", WITH_ID_TOKEN)
async def test_an_id_token_needs_the_scope_openid(provider: Services, response_type: str) -> None:
    """Core 1.0 §3.2.2.1: an ID token needs the scope openid."""
    page = await provider.op.browser().authorize(
        await provider.client(), response_type=response_type, scope="email"
    )
    assert page.answer["error"] == "invalid_request"


@pytest.mark.point(2)
@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
async def test_they_are_off_unless_the_deployment_turns_them_on(
    op: AuthorizationService, response_type: str
) -> None:
    """The error is sent in the default mode of the requested type."""
    client = await op.client(
        response_types=("code", response_type), grant_types=("authorization_code", "implicit")
    )
    page = await op.browser().authorize(client, response_type=response_type)
    assert page.location.startswith(f"{REDIRECT_URI}#")
    assert page.answer["error"] == "unsupported_response_type"


@pytest.mark.point(2)
@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
@pytest.mark.parametrize(
    "registered",
    [
        {"response_types": ("code",)},
        {"grant_types": ("authorization_code",)},
        {"grant_types": ("refresh_token",)},
    ],
)
async def test_they_are_off_unless_the_client_is_registered_for_them(
    provider: Services, response_type: str, registered: dict[str, tuple[str, ...]]
) -> None:
    """By `response_types`, and by the grant types that they need."""
    page = await provider.op.browser().authorize(
        await provider.client(**registered), response_type=response_type
    )
    assert page.answer["error"] == "unauthorized_client"


async def test_the_order_of_the_values_means_nothing(provider: Services) -> None:
    """Multiple Response Types §3: `token id_token code` is `code id_token token`."""
    client, user = await provider.client(), await provider.op.user()
    page = await provider.op.browser().sign_in(client, user, response_type="token id_token code")
    assert {"code", "id_token", "access_token"} <= page.answer.keys()


@pytest.mark.point(5)
@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
@pytest.mark.parametrize("mode", ["query", "query.jwt"])
async def test_no_token_is_ever_put_into_a_query(provider: Services, response_type: str, mode: str) -> None:
    """Case 55: response_mode=query with a token is refused, with the error in the fragment."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type, response_mode=mode)
    assert page.location.startswith(f"{REDIRECT_URI}#error=invalid_request")
    assert "?" not in page.location


@pytest.mark.point(5)
@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
async def test_form_post_carries_all_of_it(provider: Services, response_type: str) -> None:
    """Form Post Response Mode: as hidden fields of a page, which works by its button too."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type, response_mode="form_post")
    expected = set().union(*(MEMBERS[part] for part in response_type.split(" ")))
    assert page.hidden.keys() == expected | {"state", "iss", "session_state"}
    assert f'action="{REDIRECT_URI}"' in page.text
    assert 'id="form-post-submit"' in page.text


def response_of(page: Page) -> str:
    """The one parameter of a JARM answer."""
    answer = page.hidden if page.status == 200 else page.answer
    assert answer.keys() == {"response"}
    return answer["response"]


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize(
    ("mode", "start"),
    [
        ("jwt", f"{REDIRECT_URI}?response="),
        ("query.jwt", f"{REDIRECT_URI}?response="),
        ("fragment.jwt", f"{REDIRECT_URI}#response="),
        ("form_post.jwt", ""),
    ],
)
async def test_an_answer_as_a_jwt(provider: Services, mode: str, start: str, alg: str) -> None:
    """JARM §2.1 and §2.3: success and error, signed with the client's registered algorithm."""
    client = await provider.client(authorization_signed_response_alg=alg)
    user, browser = await provider.op.user(), provider.op.browser()
    refused = await browser.authorize(client, response_mode=mode, prompt="none")
    given = await browser.sign_in(client, user, response_mode=mode)
    for page, members in ((refused, {"error", "error_description"}), (given, {"code", "session_state"})):
        assert page.location.startswith(start)
        claims = await provider.signed(response_of(page))
        assert claims.keys() == members | {"state", "iss", "aud", "exp"}
        assert (claims["iss"], claims["aud"], claims["state"]) == (LOCAL_ISSUER, client.client_id, STATE)
        assert time.time() < claims["exp"] <= time.time() + 600


@pytest.mark.parametrize("response_type", FRONT_CHANNEL)
async def test_jwt_alone_means_the_fragment_for_tokens(provider: Services, response_type: str) -> None:
    """JARM §2.3.4: the default of the response type, as a JWT."""
    client, user, browser = await provider.client(), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user, response_type=response_type, response_mode="jwt")
    assert page.location.startswith(f"{REDIRECT_URI}#response=")
    claims = await provider.signed(response_of(page))
    expected = set().union(*(MEMBERS[part] for part in response_type.split(" ")))
    assert claims.keys() == expected | {"state", "iss", "aud", "exp", "session_state"}


async def test_a_login_page_of_a_signed_answer_offers_no_stale_cancel(provider: Services) -> None:
    """The login page has no cancel link for signed responses, as the signature would expire."""
    client, browser = await provider.client(), provider.op.browser()
    assert "error=access_denied" in (await browser.authorize(client)).text
    assert "response=" not in (await browser.authorize(client, response_mode="jwt")).text


async def test_a_user_who_is_disabled_meanwhile_gets_no_token(provider: Services) -> None:
    """The statement that makes the grant decides, not what was read before."""
    client, user = await provider.client(), await provider.op.user()
    sign_in = await provider.world.sign_in()
    await provider.world.stores.users.disable(sign_in.user.user_id)
    authorization = sign_in.authorization(client.client_id)
    made = await provider.world.stores.grants.add(
        sign_in.sid, authorization, REDIRECT_URI, sign_in.user.epoch, clock.now()
    )
    assert made is None
    assert user.disabled_at is None


@pytest.mark.point(5)
async def test_a_fragment_keeps_state_byte_for_byte(provider: Services) -> None:
    """1000 characters of every kind."""
    state = ("aB1 &=#?%+/\"'<>é✓" * 60)[:1000]
    page = await provider.op.browser().authorize(
        await provider.client(), response_type="id_token", prompt="none", state=state
    )
    assert dict(parse_qsl(page.location.partition("#")[2]))["state"] == state
    assert not is_error_page(page)

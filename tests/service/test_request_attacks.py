"""Malformed and hostile authorization requests."""

import json
from urllib.parse import urlencode

import pytest

from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.paths import AUTHORIZATION
from tests.authorization import (
    LOCAL_ISSUER,
    STATE,
    AuthorizationService,
    Page,
    a_request,
    is_consent,
    is_error_page,
    is_login,
)
from tests.builders import REDIRECT_URI
from tests.planted import planted
from tests.planted.protocol import (
    claims_without_limits,
    defaults_are_ignored,
    depth_without_limit,
    nobody_is_asked,
)
from tests.second_factors import A_NEW_APP, is_second_factor

TEXT = "text/html"


def is_refused(page: Page, error: str) -> bool:
    """A redirect to the registered URI with the error, `state` and `iss`, and nothing else."""
    return (
        page.status == 303
        and page.location.startswith(f"{REDIRECT_URI}?")
        and page.answer["error"] == error
        and page.answer["state"] == STATE
        and page.answer["iss"] == LOCAL_ISSUER
        and page.answer.keys() <= {"error", "error_description", "state", "iss"}
    )


@pytest.mark.point(5, 7, 9)
@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "bogus"}, "unsupported_response_type"),
        ({"response_mode": "bogus"}, "invalid_request"),
        ({"scope": "nothing-registered"}, "invalid_scope"),
        ({"scope": 'open"id'}, "invalid_scope"),
        ({"scope": " ".join(f"s{n}" for n in range(1000))}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "bogus"}, "invalid_request"),
        ({"prompt": "LOGIN"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e9"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "abc"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "9" * 20}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"),
        ({"request_uri": "https://rp1.test/request"}, "invalid_request_uri"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"code_challenge": "x" * 42 + "="}, "invalid_request"),
        ({"code_challenge": "x" * 42 + "~"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"id_token": []}'}, "invalid_request"),
        ({"claims": '{"id_token": {"email": 1}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"email": {"value": "\\u0000"}}}'}, "invalid_request"),
        ({"claims": '{"id_token": {"email": {"value": "\\ud800"}}}'}, "invalid_request"),
        ({"claims": "[" * 1500}, "invalid_request"),
        (
            {"claims": '{"id_token":{"acr":{"essential":true,"values":["bogus"]}}}'},
            "unmet_authentication_requirements",
        ),
        ({"id_token_hint": "bogus"}, "invalid_request"),
        ({"id_token_hint": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
    ],
)
async def test_a_fault_goes_to_the_client(
    op: AuthorizationService, parameters: dict[str, str], error: str
) -> None:
    """RFC 6749 §4.1.2.1, by GET and by POST alike."""
    client = await op.client()
    assert is_refused(await op.browser().authorize(client, **parameters), error)
    page = await op.browser().post(AUTHORIZATION.path, a_request(client, **parameters))
    assert is_refused(page, error)


@planted(claims_without_limits, depth_without_limit)
@pytest.mark.parametrize("depth", [21, 100, 254])
async def test_claims_nested_too_deeply_are_the_clients_fault(op: AuthorizationService, depth: int) -> None:
    """Deeply nested claims are the client's error (OpenID Connect Core 1.0 §5.5)."""
    claims = '{"id_token":' + '{"x":' * depth + "null" + "}" * depth + "}"
    client = await op.client()
    page = await op.browser().authorize(client, claims=claims)
    assert is_refused(page, "invalid_request")


@pytest.mark.point(2)
@pytest.mark.parametrize("response_mode", ["", "query", "bogus", "fragment"])
@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token", "id_token token"])
async def test_a_front_channel_response_type_is_off(
    op: AuthorizationService, response_type: str, response_mode: str
) -> None:
    """Refused in the mode of that response type: a token would never stand in a query."""
    client = await op.client()
    page = await op.browser().authorize(client, response_type=response_type, response_mode=response_mode)
    assert page.location.startswith(f"{REDIRECT_URI}#")
    assert page.answer["error"] == "unsupported_response_type"


@pytest.mark.point(12)
@pytest.mark.parametrize("challenge", [{}, {"code_challenge_method": "S256"}])
async def test_a_public_client_needs_pkce(op: AuthorizationService, challenge: dict[str, str]) -> None:
    """RFC 9700 §2.1.1, for whom the record demands it."""
    client = await op.world.public_client(redirect_uris=(REDIRECT_URI,), require_pkce=True)
    absent = {"code_challenge": "", "code_challenge_method": ""}
    page = await op.browser().authorize(client, **{**absent, **challenge})
    assert is_refused(page, "invalid_request")


@pytest.mark.parametrize("method", ["plain", "s256", "S512", ""])
@pytest.mark.parametrize("challenge", ["x" * 43, "x" * 42, "x" * 129, "x" * 42 + "="])
async def test_a_public_client_needs_good_pkce(op: AuthorizationService, method: str, challenge: str) -> None:
    """Only S256 with 43 characters is accepted."""
    client = await op.world.public_client(redirect_uris=(REDIRECT_URI,), require_pkce=True)
    page = await op.browser().authorize(client, code_challenge=challenge, code_challenge_method=method)
    assert is_refused(page, "invalid_request")


async def test_a_client_may_be_exempt_from_pkce(op: AuthorizationService) -> None:
    """Cells' CLI sends neither challenge nor nonce."""
    client = await op.world.public_client(redirect_uris=(REDIRECT_URI,), require_pkce=False)
    page = await op.browser().authorize(client, code_challenge="", code_challenge_method="", nonce="")
    assert is_login(page)


REPEATED = {
    "response_type": "code",
    "scope": "openid",
    "state": STATE,
    "nonce": "n",
    "code_challenge": "x" * 43,
    "code_challenge_method": "S256",
    "prompt": "none",
    "max_age": "1",
    "claims": "{}",
    "id_token_hint": "x",
    "login_hint": "ada",
    "acr_values": "x",
    "display": "page",
    "ui_locales": "en",
}


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("values", ["same", "good first", "good last"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_repeated_parameter_is_refused(
    op: AuthorizationService, name: str, values: str, method: str
) -> None:
    """RFC 6749 §3.1: repeated parameters are refused, even with the same value."""
    client, good = await op.client(), REPEATED[name]
    first, last = {"same": (good, good), "good first": (good, "other"), "good last": ("other", good)}[values]
    pairs = [*a_request(client, **{name: first}).items(), (name, last)]
    part = {"params": pairs} if method == "GET" else {"data": pairs}
    page = await op.browser().request(method, AUTHORIZATION.path, **part)
    assert page.answer["error"] == "invalid_request"
    assert page.answer.get("state") == (None if name == "state" else STATE)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_parameter_may_be_repeated(op: AuthorizationService, method: str) -> None:
    """It is ignored (RFC 6749 §3.1)."""
    client, browser = await op.client(), op.browser()
    pairs = [*a_request(client).items(), ("x", "1"), ("x", "2")]
    part = {"params": pairs} if method == "GET" else {"data": pairs}
    page = await browser.follow(await browser.request(method, AUTHORIZATION.path, **part))
    assert is_login(page)


@pytest.mark.parametrize("name", ["response_mode", "request", "request_uri"])
@pytest.mark.parametrize("is_good_first", [True, False])
async def test_where_an_answer_would_go_is_not_said_twice(
    op: AuthorizationService, name: str, is_good_first: bool
) -> None:
    """A repeated parameter that decides on the response's transport is refused, without a code."""
    client = await op.client()
    values = ("query", "fragment") if is_good_first else ("fragment", "query")
    pairs = [*a_request(client).items(), *((name, value) for value in values)]
    page = await op.browser().request("GET", AUTHORIZATION.path, params=pairs)
    assert is_error_page(page) or page.answer["error"] == "invalid_request"


async def test_a_repeated_client_id_is_a_page(op: AuthorizationService) -> None:
    """A repeated client_id gives a page, as no redirect URI is known."""
    client, other = await op.client(), await op.client()
    for one, two in ((client, other), (other, client), (client, client)):
        pairs = [*a_request(one).items(), ("client_id", two.client_id)]
        assert is_error_page(await op.browser().request("GET", AUTHORIZATION.path, params=pairs))
        assert is_error_page(await op.browser().request("POST", AUTHORIZATION.path, data=pairs))


@pytest.mark.parametrize("bad", ["%00", "%ff", "%c0%af", "%ed%a0%80"])
@pytest.mark.parametrize(
    "name",
    [
        "client_id", "redirect_uri", "scope", "state", "nonce", "login_hint", "ui_locales", "acr_values",
        "code_challenge", "request_uri", "interaction", "unknown",
    ],
)  # fmt: skip
async def test_bytes_that_are_no_text(op: AuthorizationService, name: str, bad: str) -> None:
    """NUL and malformed UTF-8 give a page."""
    client = await op.client()
    query = "&".join(f"{key}={value}" for key, value in a_request(client).items() if key != name)
    for value in (f"{bad}x", f"x{bad}x", f"x{bad}"):
        url = op.server.make_url("/").joinpath("oidc/oauth2/auth")
        page = await op.browser().request("GET", f"{url.path}?{query}&{name}={value}")
        assert page.status == 400
        assert not page.location


@pytest.mark.parametrize("bad", ["%00", "%00x", "%0a", "%20", "%09", "%e2%80%8b", "%ef%bb%bf"])
async def test_a_client_id_and_more_is_no_client_id(op: AuthorizationService, bad: str) -> None:
    """A client_id with additional characters is unknown."""
    client = await op.client()
    query = urlencode(a_request(client)).replace(client.client_id, client.client_id + bad)
    page = await op.browser().request("GET", f"{op.server.make_url(str(AUTHORIZATION))}?{query}")
    assert is_error_page(page)


@pytest.mark.point(5)
@pytest.mark.parametrize("length", [128, 1000, 2048])
async def test_a_long_state_comes_back_byte_for_byte(op: AuthorizationService, length: int) -> None:
    """A long state is returned byte for byte."""
    client, state = await op.client(), ("aé&=+ %/?#\"<>'ü" * length)[:length]
    page = await op.browser().request(
        "POST", AUTHORIZATION.path, data=a_request(client, state=state, scope="none-such")
    )
    assert page.answer["state"] == state


@pytest.mark.point(15)
async def test_a_long_nonce_reaches_the_code(op: AuthorizationService) -> None:
    """64 characters and more."""
    client, user = await op.client(), await op.user()
    page = await op.browser().sign_in(client, user, nonce="n" * 1000)
    assert (await op.code(page)).authorization.nonce == "n" * 1000


@pytest.mark.parametrize(
    "extra",
    [
        {"state": "s" * 65_536},
        {"state": "s" * 7_169},
        {"state": "é" * 1_195},
        {"nonce": "n" * 65_536},
        {"scope": " ".join(f"s{n}" for n in range(10_000))},
        {"unknown": "x" * 1_000_000},
        {f"parameter-{n}": "1" for n in range(2000)},
        {"x" * 100: "1"},
    ],
    ids=["state", "state for an answer", "state as spelt", "nonce", "scope", "everything", "many", "name"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_too_much_is_refused(op: AuthorizationService, extra: dict[str, str], method: str) -> None:
    """400, 413, 414 or 431, and no redirect."""
    client = await op.client()
    whole = a_request(client, **extra)
    part = {"params": whole} if method == "GET" else {"data": whole}
    page = await op.browser().request(method, AUTHORIZATION.path, **part)
    assert page.status in (400, 413, 414, 431)
    assert not page.location


@pytest.mark.point(7, 26)
async def test_what_is_only_a_wish_never_fails(op: AuthorizationService) -> None:
    """Core 1.0 §3.1.2.1: `display`, `claims_locales`, `acr_values` and unknown parameters."""
    client = await op.client()
    page = await op.browser().authorize(
        client,
        display="popup",
        claims_locales="xx",
        acr_values="urn:unknown",
        audience_id="1",
        ui_locales="de tlh",
        login_hint="ada@example.org",
    )
    assert is_login(page)
    assert 'lang="de"' in page.text
    assert 'value="ada@example.org"' in page.text


@pytest.mark.parametrize(
    "name", ["state", "login_hint", "ui_locales", "scope", "nonce", "error", "error_description", "error_uri"]
)
async def test_markup_is_escaped(op: AuthorizationService, name: str) -> None:
    """Pages show untrusted text only as text."""
    client = await op.client()
    markup = "\"><script>alert(1)</script>'"
    page = await op.browser().authorize(client, **{name: f"openid {markup}"})
    assert is_login(page) or page.is_at_client
    assert "<script>alert" not in page.text
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
async def test_other_methods(op: AuthorizationService, method: str) -> None:
    """405; HEAD creates no code and stores nothing."""
    client, user, browser = await op.client(skip_consent=True), await op.user(), op.browser()
    await browser.sign_in(client, user)
    page = await browser.request(method, AUTHORIZATION.path, params=a_request(client))
    assert page.status == 405
    assert page.headers["Allow"] == "GET,POST"
    assert not page.location


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "https://rp1.test"])
async def test_no_other_origin_may_read(op: AuthorizationService, origin: str) -> None:
    """The authorization endpoint has no CORS."""
    client = await op.client()
    for page in (
        await op.browser().request(
            "GET", AUTHORIZATION.path, params=a_request(client), headers={"Origin": origin}
        ),
        await op.browser().request("OPTIONS", AUTHORIZATION.path, headers={"Origin": origin}),
    ):
        assert not any(name.lower().startswith("access-control") for name in page.headers)


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""]
)
async def test_other_content_types(op: AuthorizationService, content_type: str) -> None:
    """Only a form is read."""
    headers = {"Content-Type": content_type} if content_type else {}
    page = await op.browser().request("POST", AUTHORIZATION.path, data=b"client_id=x", headers=headers)
    assert page.status == 400


async def test_a_program_gets_json(op: AuthorizationService) -> None:
    """A client that does not accept HTML gets JSON."""
    page = await op.browser().request("GET", AUTHORIZATION.path, headers={"Accept": "*/*"})
    assert (page.status, page.headers["Content-Type"]) == (400, "application/json")


async def test_offline_access_belongs_to_refresh_tokens(op: AuthorizationService) -> None:
    """Core 1.0 §11: ignored for clients without refresh tokens; otherwise it needs consent."""
    user = await op.user()
    without = await op.client(grant_types=("authorization_code",))
    page = await op.browser().sign_in(without, user, scope="openid offline_access")
    assert (await op.code(page)).authorization.scope == ("openid",)
    page = await op.browser().sign_in(await op.client(), user, scope="openid offline")
    assert (await op.code(page)).authorization.scope == ("openid", "offline")


async def test_without_scope_the_registered_one_counts(op: AuthorizationService) -> None:
    """Without a requested scope, the registered one applies, without offline access."""
    client = await op.client(scope=("openid", "email", "offline_access"))
    page = await op.browser().sign_in(client, await op.user(), scope="")
    assert (await op.code(page)).authorization.scope == ("openid", "email")


_ALL_BY_NAME = json.dumps(
    {
        "userinfo": {"email": None, "phone_number": {"essential": True}, "address": None, "name": None},
        "id_token": {"email": {"essential": True}, "phone_number": None, "auth_time": None, "sub": None},
    }
)


@planted(nobody_is_asked)
async def test_where_nobody_is_asked_no_claim_goes_beyond_the_registered_scope(
    op: AuthorizationService,
) -> None:
    """Core 1.0 §5.5: without a consent page, claims beyond the registered scope are left out."""
    client = await op.client(skip_consent=True, scope=("openid", "profile"))
    user, browser = await op.user(), op.browser()
    page = await browser.sign_in(client, user, scope="openid", claims=_ALL_BY_NAME)
    for answered in (
        page,
        await browser.authorize(client, scope="openid", claims=_ALL_BY_NAME, prompt="none"),
    ):
        authorization = (await op.code(answered)).authorization
        assert authorization.claims.userinfo.keys() == {"name"}
        assert authorization.claims.id_token.keys() == {"auth_time", "sub"}


async def test_where_consent_is_asked_claims_by_name_are_shown_and_given(op: AuthorizationService) -> None:
    """Core 1.0 §5.5: claims by name are shown on the consent page and released."""
    for fields, prompt in (({}, ""), ({"skip_consent": True}, "consent")):
        client = await op.client(scope=("openid",), **fields)
        user, browser = await op.user(), op.browser()
        page = await browser.authorize(client, scope="openid", claims=_ALL_BY_NAME, prompt=prompt)
        page = await browser.log_in(page, user)
        assert is_consent(page)
        page = await browser.decide(page)
        assert "phone_number" in (await op.code(page)).authorization.claims.userinfo


@planted(defaults_are_ignored)
async def test_default_acr_values_are_asked_for_by_default(op: AuthorizationService) -> None:
    """Registration 1.0 §2: a session without them steps up, unless nothing reaches them."""
    client = await op.client(skip_consent=True, default_acr_values=(ACR_MULTIPLE_FACTORS,))
    wishing = await op.client(skip_consent=True, default_acr_values=("urn:unknown",))
    user, browser = await op.user(), op.browser()
    await browser.sign_in(client, user)
    await op.world.stores.second_factors.add(user.user_id, A_NEW_APP)
    assert is_second_factor(await browser.authorize(client))
    assert (await browser.authorize(client, acr_values="urn:unknown")).is_at_client
    assert (await browser.authorize(wishing)).is_at_client
    both = f"urn:unknown {ACR_MULTIPLE_FACTORS}"
    assert is_second_factor(await browser.authorize(wishing, acr_values=both))

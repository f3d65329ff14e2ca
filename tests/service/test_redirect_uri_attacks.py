"""Redirect URIs that resemble a registered one give an error page, never a redirect."""

from dataclasses import replace
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest

from shared.oauth.client.faults import Capabilities
from shared.oauth.client.rules import read_registration
from shared.paths import AUTHORIZATION
from tests.authorization import AuthorizationService, a_request, is_error_page, is_login
from tests.builders import REDIRECT_URI

EVIL = "https://evil.test/cb"
FOREIGN = [
    "https://evil.test/cb",
    "https://evil.test\\@rp1.test/cb",
    "https://rp1.test\\.evil.test/cb",
    "https://rp1.test@evil.test/cb",
    "https:/\\evil.test/cb",
    "https:evil.test/cb",
    "//evil.test/cb",
    "https:///evil.test/cb",
    "https://rp1.test/cb/../x",
    "https://rp1.test/cb/..;/x",
    "https://rp1.test/cb/%2e%2e/x",
    "https://rp1.test/./cb",
    "https://rp1.test/x/..%2fcb",
    "https://rp1.test/cb;a=b",
    "https://rp1.test/cb%2f",
    "https://rp1.test/%63b",
    "https://rp1.test/cb%252f",
    "https://rp1.test/%2fcb",
    "https://rp1.test%2fcb",
    "https://rp1.test/cb/",
    "https://rp1.test/cb?",
    "https://rp1.test/cb#x",
    "https://rp1.test/cb#",
    "https://rp1.test/cb%23x",
    "https://rp1.test/cb?code=X&state=Y&iss=Z",
    "https://rp1.test/cb#code=X&state=Y&iss=Z",
    "https://rp1.test/cb&code=X&state=Y&iss=Z",
    "https://rp1.test/cb%3Fcode=X&state=Y",
    "http://rp1.test/cb",
    "HTTPS://rp1.test/cb",
    "https://RP1.test/cb",
    "https://rp1.test:443/cb",
    "https://rp1.test./cb",
    "https://ｒｐ1.test/cb",
    "https://рp1.test/cb",
    "https://rp1。test/cb",
    "https://rp1.te\u00adst/cb",
    "https://xn--p1-6kc.test/cb",
    "https://rp1xtest/cb",
    "https://rp1.test/cb ",
    " https://rp1.test/cb",
    "https://rp1.test/cb\t",
    "https://rp1.test/cb\r\nLocation: https://evil.test",
    "https://*.test/cb",
    "javascript:alert(1)//https://rp1.test/cb",
    "data:text/html,hello",
    "/oidc/oauth2/oob",
]


@pytest.mark.point(6)
@pytest.mark.parametrize("redirect_uri", FOREIGN)
async def test_another_uri_is_never_a_target(op: AuthorizationService, redirect_uri: str) -> None:
    """RFC 9700 §2.1: byte for byte, whatever a browser or a parser would make of it."""
    client = await op.client()
    assert is_error_page(await op.browser().authorize(client, redirect_uri=redirect_uri))


@pytest.mark.parametrize("response_mode", ["query", "fragment", "form_post", "jwt", "query.jwt", "bogus"])
@pytest.mark.parametrize("mark", ["?", "#", "&"])
async def test_no_response_mode_adds_to_a_response_that_is_there(
    op: AuthorizationService, mark: str, response_mode: str
) -> None:
    """There are never two codes in one response."""
    client = await op.client()
    uri = f"{REDIRECT_URI}{mark}code=X&state=Y&iss=Z"
    assert is_error_page(await op.browser().authorize(client, redirect_uri=uri, response_mode=response_mode))


@pytest.mark.parametrize(
    "path", ["caf%c3%a9", "cafe%CC%81", "café", "cafe\u0301", "caf%E9", "cafe", "CAF%C3%A9", "caf%25C3%25A9"]
)
async def test_a_path_in_another_form_is_another_path(op: AuthorizationService, path: str) -> None:
    """Neither normal forms nor the case of percent-encoding make two URIs one."""
    client = await op.client(redirect_uris=("https://rp1.test/caf%C3%A9",))
    assert is_login(await op.browser().authorize(client))
    assert is_error_page(await op.browser().authorize(client, redirect_uri=f"https://rp1.test/{path}"))


@pytest.mark.point(6)
@pytest.mark.parametrize(
    "parameters",
    [
        {"response_type": "bogus"},
        {"response_type": ""},
        {"scope": "nothing-registered"},
        {"prompt": "none"},
        {"code_challenge_method": "plain"},
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        {"response_mode": "form_post"},
        {"claims": '{"id_token":{"acr":{"essential":true,"value":"bogus"}}}'},
        {"max_age": "-1"},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
async def test_a_second_fault_opens_no_way(op: AuthorizationService, parameters: dict[str, str]) -> None:
    """With a foreign redirect URI, every other fault is a page, too."""
    client = await op.client()
    page = await op.browser().authorize(client, redirect_uri="https://evil.test/cb", **parameters)
    assert is_error_page(page)
    assert "evil.test" not in str(page.headers)


@pytest.mark.point(6)
@pytest.mark.parametrize("registered", [(REDIRECT_URI,), (REDIRECT_URI, "https://rp1.test/other")])
async def test_a_redirect_uri_is_always_required(
    op: AuthorizationService, registered: tuple[str, ...]
) -> None:
    """Core 1.0 §3.1.2.1: a lone registered one is no default."""
    client = await op.client(redirect_uris=registered)
    assert is_error_page(await op.browser().authorize(client, redirect_uri=""))


@pytest.mark.parametrize(
    "order", [(REDIRECT_URI, "https://evil.test/cb"), ("https://evil.test/cb", REDIRECT_URI)]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_two_redirect_uris_lead_nowhere(
    op: AuthorizationService, order: tuple[str, str], method: str
) -> None:
    """RFC 6749 §3.1: two redirect URIs are refused, even if one is valid."""
    client = await op.client()
    pairs = [*a_request(client, redirect_uri="").items(), *(("redirect_uri", uri) for uri in order)]
    part = {"params": pairs} if method == "GET" else {"data": pairs}
    assert is_error_page(await op.browser().request(method, AUTHORIZATION.path, **part))


async def test_a_redirect_uri_in_the_query_and_one_in_the_form(op: AuthorizationService) -> None:
    """A form's parameters are only in its body."""
    client = await op.client()
    page = await op.browser().request(
        "POST",
        AUTHORIZATION.path,
        params={"redirect_uri": "https://evil.test/cb"},
        data=a_request(client),
    )
    assert is_error_page(page)


@pytest.mark.point(7)
@pytest.mark.parametrize(
    "name", ["redirect_uri[]", "redirect_uri ", "\ufeffredirect_uri", "amp;redirect_uri"]
)
async def test_names_that_look_like_it_are_unknown(op: AuthorizationService, name: str) -> None:
    """Unknown parameters are ignored: RFC 6749 §3.1."""
    client = await op.client()
    page = await op.browser().authorize(client, **{name: "https://evil.test/cb"})
    assert is_login(page)
    assert "evil.test" not in page.text


@pytest.mark.parametrize(
    "extra",
    [
        "&x=1;redirect_uri=EVIL",
        "&amp;redirect_uri=EVIL",
        "&x=1%26redirect_uri=EVIL",
        "&redirect_uri%5B0%5D=EVIL",
        "&redirect_uri.x=EVIL",
        "&REDIRECT_URI=EVIL",
        "&redirect%5Furi%20=EVIL",
        "&redirect_uri%00=EVIL",
        "&%00redirect_uri=EVIL",
        "&%EF%BB%BFredirect_uri=EVIL",
        "&redirect%5Furi=EVIL",
        "&redirect_uri=EVIL",
    ],
)
async def test_no_separator_makes_another_parameter(op: AuthorizationService, extra: str) -> None:
    """Unknown and ignored, or refused; an encoded name is the name, and twice is twice."""
    client = await op.client()
    query = urlencode(a_request(client)) + extra.replace("EVIL", quote(EVIL, safe=""))
    page = await op.browser().request("GET", f"{op.server.make_url(str(AUTHORIZATION))}?{query}")
    assert page.location.startswith("/oidc/login?") or is_error_page(page)
    assert "evil.test" not in f"{page.headers}{page.text}"


@pytest.mark.point(6)
@pytest.mark.parametrize(
    ("redirect_uri", "is_allowed"),
    [
        ("http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:0/cb", False),
        ("http://127.0.0.1:65536/cb", False),
        ("http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1:51004/cb?x=1", False),
        ("http://localhost:51004/cb", False),
        ("http://[::1]:51004/cb", False),
        ("https://127.0.0.1:51004/cb", False),
        ("http://127.0.0.1:51004@evil.test/cb", False),
        ("http://127.0.0.1.evil.test:51004/cb", False),
        ("http://127.1:51004/cb", False),
    ],
)
@pytest.mark.parametrize("application_type", ["native", "web"])
async def test_the_port_of_a_loopback_literal(
    op: AuthorizationService, redirect_uri: str, is_allowed: bool, application_type: str
) -> None:
    """RFC 8252 §7.3: any port, for native clients, and nothing else may differ."""
    client = await op.world.public_client(
        redirect_uris=("http://127.0.0.1/cb",), application_type=application_type
    )
    is_same = redirect_uri == client.redirect_uris[0]
    page = await op.browser().authorize(client, redirect_uri=redirect_uri)
    expected = is_same or (is_allowed and application_type == "native")
    assert is_login(page) is expected
    assert is_error_page(page) is not expected


@pytest.mark.point(6)
@pytest.mark.parametrize("port", ["", ":51004"])
async def test_the_port_of_an_ipv6_loopback_literal(op: AuthorizationService, port: str) -> None:
    """RFC 8252 §7.3: the same there."""
    client = await op.world.public_client(redirect_uris=("http://[::1]/cb",), application_type="native")
    assert is_login(await op.browser().authorize(client, redirect_uri=f"http://[::1]{port}/cb"))
    assert is_error_page(await op.browser().authorize(client, redirect_uri=f"http://127.0.0.1{port}/cb"))


@pytest.mark.point(6)
@pytest.mark.parametrize("client_id", ["", "nobody", "C1\0x", "<script>alert(1)</script>", "x" * 5000])
async def test_a_stranger_gets_a_page(op: AuthorizationService, client_id: str) -> None:
    """An unknown client gets a page."""
    page = await op.browser().get(
        AUTHORIZATION.path, {"client_id": client_id, "redirect_uri": REDIRECT_URI, "response_type": "code"}
    )
    assert is_error_page(page)
    assert "<script>alert" not in page.text


async def test_a_disabled_client_gets_a_page(op: AuthorizationService) -> None:
    """A disabled client gets the same page as an unknown one."""
    client = await op.client()
    await op.world.stores.clients.disable(client.client_id)
    assert is_error_page(await op.browser().authorize(client))


@pytest.mark.point(5)
@pytest.mark.parametrize(("mode", "mark"), [("query", "&"), ("fragment", "#"), ("form_post", "")])
async def test_parameters_of_the_registered_uri_are_kept(
    op: AuthorizationService, mode: str, mark: str
) -> None:
    """RFC 6749 §3.1.2: the query of a registered URI stays, and the answer follows it."""
    client = await op.client(redirect_uris=(f"{REDIRECT_URI}?tenant=1&x=%20y",))
    page = await op.browser().authorize(client, prompt="none", response_mode=mode)
    if mode == "form_post":
        assert f'action="{REDIRECT_URI}?tenant=1&amp;x=%20y"' in page.text
        assert page.hidden["error"] == "login_required"
        return
    assert page.location.startswith(f"{REDIRECT_URI}?tenant=1&x=%20y{mark}error=login_required&")


async def test_each_redirect_uri_is_judged_by_itself(op: AuthorizationService) -> None:
    """RFC 8252 §7.3: a loopback URI takes any port beside a web URI, which takes none but its own."""
    members = {
        "redirect_uris": ["https://e.example/r", "http://127.0.0.1/"],
        "token_endpoint_auth_method": "none",
    }
    allowed = Capabilities(response_types=("code",), signing_algorithms=("RS256",))
    client = read_registration(members, f"client-{uuid4().hex}", allowed)
    await op.world.stores.clients.add(replace(client, is_dynamically_registered=True))
    for redirect_uri, is_accepted in (
        ("https://e.example/r", True),
        ("http://127.0.0.1:51004/", True),
        ("https://e.example:8443/r", False),
        ("http://127.0.0.1:51004/other", False),
    ):
        page = await op.browser().authorize(client, redirect_uri=redirect_uri, scope="openid")
        assert (is_login(page), is_error_page(page)) == (is_accepted, not is_accepted), redirect_uri

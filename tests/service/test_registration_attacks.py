"""Hostile registrations: every URI member with every kind of forbidden URI."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from tests.registry import URI, Registry, serve_registry

FETCHED = ("jwks_uri", "sector_identifier_uri", "request_uris", "backchannel_logout_uri")
PAGES = ("frontchannel_logout_uri", "initiate_login_uri", "client_uri", "logo_uri", "policy_uri", "tos_uri")
REDIRECTS = ("redirect_uris", "post_logout_redirect_uris")
LISTS = frozenset({"request_uris", *REDIRECTS})

NOT_A_WEB_URI = (
    "",
    "rp.test",
    "//rp.test/x",
    "https:rp.test/x",
    "https:///x",
    "https:/rp.test/x",
    "http://rp.test/x",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://rp.test/x",
    "file:///etc/passwd",
    "https://user@rp.test/x",
    "https://rp.test\\@evil.test/x",
    "https://rp.test/%0d%0aSet-Cookie:%20a=b",
    "https://rp.test%0d%0a.evil.test/x",
    "https://rp.test/a b",
    "https://rp.test/\u202e",
    "https://*.rp.test/x",
    "https://[v1.x]/x",
    "https://[127.0.0.1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[::1/x",
    "https://rp.test:0/x",
    "https://rp.test:/x",
    "https://rp.test:99999/x",
    "https://rp.test/../x",
    "https://rp.test/" + "x" * 2000,
)
NOT_TO_BE_FETCHED = (
    *(uri for uri in NOT_A_WEB_URI if uri),
    *(
        f"https://{host}/x"
        for host in (
            "127.0.0.1", "127.1", "127.0.0.1.", "0.0.0.0", "[::1]", "[::]", "169.254.169.254",
            "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1",
            "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1]", "2130706433", "0x7f000001",
            "0177.0.0.1", "0x7f.1", "224.0.0.1", "255.255.255.255",
        )
    ),
    *(f"https://rp.test:{port}/x" for port in (22, 25, 5432, 6379, 11211)),
    "gopher://rp.test/x",
    "redis://rp.test:6379/",
    "unix:/run/valkey.sock",
    "ftp://rp.test/x",
)  # fmt: skip
NOT_A_REDIRECT = (
    *(uri for uri in NOT_A_WEB_URI if uri),
    "http://localhost.evil.test/",
    "http://127.0.0.1.evil.test/",
    "https://rp.test/cb#fragment",
    "https://rp.test/cb#",
    "https://rp.test/cb?code=x",
    "https://rp.test/cb?a=b&state=x",
    "https://rp.test/cb?iss=x",
    "com.example.app:/cb",
)
CASES = [
    *((name, uri) for name in FETCHED for uri in NOT_TO_BE_FETCHED),
    *((name, uri) for name in PAGES for uri in NOT_A_WEB_URI),
    *((name, uri) for name in REDIRECTS for uri in NOT_A_REDIRECT),
    *(("frontchannel_logout_uri", uri) for uri in ("https://other.test/x", "https://rp.test:8443/x")),
    *((f"{kind}channel_logout_uri", "https://rp.test/x#fragment") for kind in ("back", "front")),
]


@pytest.mark.point(19)
async def test_no_member_takes_a_uri_that_is_not_for_it(registry: Registry) -> None:
    """400 with the name of the member; nothing is registered, and the token is not spent."""
    token, accepted = await registry.token(), []
    for name, uri in CASES:
        members = {**URI, name: [uri] if name in LISTS else uri}
        answer = await registry.post(members, token)
        told = await answer.json()
        error = "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"
        if (answer.status, told.get("error")) != (400, error) or name not in told["error_description"]:
            accepted.append((name, uri, answer.status, told))
    assert accepted == []
    assert await registry.world.stores.clients.list(None, 1) == []
    assert (await registry.post(URI, token)).status == 201


URL = "https://rp.test/"
SHAPES: list[Any] = [URL, {"0": URL}, [[URL]], [None], [1], 1, True, [URL] * 101]


async def test_a_list_of_uris_has_one_shape_and_an_end(registry: Registry) -> None:
    """Not a string, an object, nested, sparse, of other things, or too many."""
    token = await registry.token()
    for name in sorted(LISTS):
        for shape in SHAPES:
            answer = await registry.post({**URI, name: shape}, token)
            assert answer.status == 400, (name, shape)
            assert name in (await answer.json())["error_description"]
    nothings: list[dict[str, Any]] = [{"redirect_uris": []}, {"redirect_uris": None}, {}]
    for nothing in nothings:
        answer = await registry.post({**nothing, "client_name": "x"}, token)
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_redirect_uri")


async def test_ten_thousand_redirect_uris_are_too_much_to_read(registry: Registry) -> None:
    """The limit of every body."""
    many = [f"https://rp.test/{each}" for each in range(10_000)]
    assert (await registry.post({"redirect_uris": many}, await registry.token())).status == 413


async def test_a_stranger_gets_no_scope_of_the_administration(registry: Registry) -> None:
    """Scopes of the administration are never given; other scopes are."""
    asked = {**URI, "scope": "openid ostiary.clients:read ostiary.clients:write unheard-of"}
    made = await registry.register(asked)
    assert made["scope"] == "openid"
    client_id, token = made["client_id"], made["registration_access_token"]
    changed = await registry.ask("PUT", client_id, token, {**asked, "client_id": client_id})
    assert (await changed.json())["scope"] == "openid"
    alone = await registry.post({**URI, "scope": "ostiary.clients:read"}, await registry.token())
    assert (alone.status, (await alone.json())["error"]) == (400, "invalid_client_metadata")


async def test_a_stranger_says_nothing_that_is_an_operators_to_say(registry: Registry) -> None:
    """Members for operators are ignored (RFC 7591 §2)."""
    own = {
        "skip_consent": True,
        "audience": ["https://api.test"],
        "client_id": "chosen",
        "client_secret": "x" * 40,
    }
    made = await registry.register({**URI, **own, "resource_identifiers": ["https://api.test"]})
    assert not {"skip_consent", "audience", "resource_identifiers"} & made.keys(), "and is not shown it"
    stored = await registry.world.stores.clients.find(made["client_id"])
    assert stored
    assert (stored.skip_consent, tuple(stored.audience), tuple(stored.resource_identifiers)) == (
        False,
        (),
        (),
    )
    assert made["client_id"] != "chosen"
    assert made["client_secret"] != "x" * 40


@pytest.mark.parametrize("character", "\0\n\x7f\x85\u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069\ufeff")
async def test_a_name_reads_as_it_is_written(registry: Registry, character: str) -> None:
    """Names with invisible or directional characters are refused."""
    token = await registry.token()
    answer = await registry.post({**URI, "client_name": f"Bank{character}knaB"}, token)
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_client_metadata")
    for name in ("Näme", "日本語", "עברית", "👩‍💻", "می‌خواهم"):
        shown = await registry.post({**URI, "client_name": name}, await registry.token())
        assert (await shown.json())["client_name"] == name


# sector_identifier_uri


class _SectorHost:
    """A web server that several relying parties share."""

    def __init__(self) -> None:
        self.answer = web.json_response([])

    async def __call__(self, _: web.BaseRequest) -> web.StreamResponse:
        kept = self.answer
        return web.Response(body=kept.body, status=kept.status, headers=kept.headers)


@pytest.fixture
async def host() -> AsyncIterator[tuple[_SectorHost, str]]:
    """It, and the sector's URI on it."""
    host = _SectorHost()
    server = RawTestServer(host)
    await server.start_server()
    yield host, f"http://127.0.0.1:{server.port}/sector"
    await server.close()


@pytest.fixture
async def reaching(
    database_url: str, redis_url: str, host: tuple[_SectorHost, str]
) -> AsyncIterator[Registry]:
    """A registry that may reach it."""
    allowed = host[1].removeprefix("http://").removesuffix("/sector")
    async for opened in serve_registry(database_url, redis_url, "token", fetch_allow=allowed):
        yield opened


@pytest.mark.point(19)
async def test_a_sector_that_names_every_redirect_uri_is_registered(
    reaching: Registry, host: tuple[_SectorHost, str]
) -> None:
    """OpenID Connect Registration §5: also of two hosts, which have no sector in common otherwise."""
    uris = ["https://a.test/cb", "https://b.test/cb"]
    host[0].answer = web.json_response([*uris, "https://c.test/cb"])
    members = {"redirect_uris": uris, "sector_identifier_uri": host[1], "subject_type": "pairwise"}
    made = await reaching.register(members)
    assert made["sector_identifier_uri"] == host[1]
    client_id, token = made["client_id"], made["registration_access_token"]
    more = {**members, "client_id": client_id, "redirect_uris": [*uris, "https://d.test/cb"]}
    refused = await reaching.ask("PUT", client_id, token, more)
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_client_metadata")
    assert "redirect_uris.2" in (await refused.json())["error_description"]


@pytest.mark.point(19)
@pytest.mark.parametrize(
    "answer",
    [
        web.json_response(["https://rp.test/other"]),
        web.json_response([]),
        web.json_response({"redirect_uris": ["https://rp.test/cb"]}),
        web.json_response("https://rp.test/cb"),
        web.Response(text="<html>https://rp.test/cb"),
        web.json_response(["https://rp.test/cb"], status=500),
        web.Response(status=302, headers={"Location": "https://rp.test/sector"}),
        web.Response(body=b'["https://rp.test/cb"' + b" " * 300_000 + b"]"),
        web.Response(body=b"[" * 100_000),
    ],
    ids=range(9),
)
async def test_a_sector_that_does_not_speak_for_the_client_is_refused(
    reaching: Registry, host: tuple[_SectorHost, str], answer: web.Response
) -> None:
    """400 without the content of the document, and the token is not spent."""
    host[0].answer, token = answer, await reaching.token()
    refused = await reaching.post({**URI, "sector_identifier_uri": host[1]}, token)
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_client_metadata")
    assert (await reaching.post(URI, token)).status == 201

"""Each proxy with its rendered configuration, in front of services that are down, crash or hang."""

import asyncio
from pathlib import Path

import pytest

from shared.paths import AUTHORIZATION, JWKS, OPENID_CONFIGURATION, TOKEN, USERINFO, Service
from shared.paths import Path as MappedPath
from tests.flow.misbehaving import answer_with, ask, echo, hang_up, proxied, read_head
from tests.flow.proxies import RENDERERS


@pytest.fixture(params=RENDERERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each proxy."""
    kind: str = request.param
    return kind


@pytest.mark.parametrize(("method", "path"), [("POST", TOKEN), ("GET", USERINFO)])
async def test_a_post_that_was_sent_is_not_sent_again(
    kind: str, tmp_path: Path, method: str, path: MappedPath
) -> None:
    """A POST whose service crashes is not repeated; a GET goes to another replica, but not behind Envoy."""
    seen: list[bytes] = []

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        writer.close()

    async with proxied(kind, tmp_path, {Service.TOKEN: [die, die]}) as proxy:
        answer = await ask(proxy.door, method, path.path, body=b"a=b" if method == "POST" else None)
    assert answer.status == 503
    assert len(seen) == 1 if method == "POST" or kind == "envoy" else len(seen) > 1


async def test_a_replica_that_is_away_costs_nobody_a_request(kind: str, tmp_path: Path) -> None:
    """A request that could not be sent goes to another replica, POST or not."""
    async with proxied(kind, tmp_path, {Service.TOKEN: [None, echo]}) as proxy:
        answers = [await ask(proxy.door, "POST", TOKEN.path, body=b"a=b") for _ in range(4)]
    assert [answer.status for answer in answers] == [200] * 4


async def test_its_own_faults_are_503(kind: str, tmp_path: Path) -> None:
    """A service that is down or silent gives 503 with Retry-After, which must not be cached."""
    async with proxied(kind, tmp_path, {Service.TOKEN: [hang_up], Service.AUTHORIZATION: [None]}) as proxy:
        for path in (TOKEN, AUTHORIZATION, OPENID_CONFIGURATION):
            answer = await ask(proxy.door, "GET", path.path)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            assert answer.headers.get_all("Cache-Control") == ["no-store"]
            assert answer.json() == {"error": "temporarily_unavailable"}


async def test_a_services_own_503_is_left_as_it_is(kind: str, tmp_path: Path) -> None:
    """A service's own 503 is passed on unchanged."""

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        answer_with(writer, b"mine", b"Retry-After: 7\r\n", b"503 Service Unavailable")

    async with proxied(kind, tmp_path, {Service.TOKEN: [busy]}) as proxy:
        answer = await ask(proxy.door, "POST", TOKEN.path, body=b"a=b")
    assert (answer.status, answer.headers["Retry-After"], answer.body) == (503, "7", b"mine")


async def test_discovery_is_cached_and_outlives_its_service(tmp_path: Path) -> None:
    """nginx: one request in five seconds reaches discovery; while it is down, the cached response is used."""
    asked: list[str] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await read_head(reader)).split()[1].decode()
        if path in asked:
            writer.close()
        else:
            answer_with(writer, path.encode(), b"Cache-Control: public, max-age=300\r\n")
        asked.append(path)

    paths = [OPENID_CONFIGURATION.path, JWKS.path]
    async with proxied("nginx", tmp_path, {Service.DISCOVERY: [once]}) as proxy:
        answers = [await ask(proxy.door, "GET", path) for path in paths * 5]
        assert asked == paths
        while set(asked[2:]) != set(paths):  # bounded by pytest-timeout
            answers += [await ask(proxy.door, "GET", path) for path in paths]
            await asyncio.sleep(0.05)
    assert all(answer.status == 200 and answer.url.endswith(answer.text) for answer in answers)


@pytest.mark.parametrize("path", [OPENID_CONFIGURATION, JWKS], ids=str)
async def test_nothing_of_a_request_gets_into_the_cache(tmp_path: Path, path: MappedPath) -> None:
    """nginx: the request that fills the cache is forwarded without query and headers."""
    headers = {
        "Host": "evil.example",
        "Origin": "https://evil.example",
        "X-Original-URL": "/evil",
        "Accept-Language": "evil",
        "Cookie": "a=evil",
        "Range": "bytes=0-0",
        "X-HTTP-Method-Override": "DELETE",
    }
    async with proxied("nginx", tmp_path, {Service.DISCOVERY: [echo]}) as proxy:
        await ask(proxy.door, "GET", f"{path}?evil=1", headers)
        answer = await ask(proxy.door, "GET", path.path)
    assert answer.status == 200
    assert answer.text.startswith(f"GET {path} HTTP/1.1\r\nHost: localhost:{proxy.port}\r\n")
    assert not any(word in answer.text for word in ("evil", "DELETE", "bytes"))

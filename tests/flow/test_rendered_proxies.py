"""Each proxy with its rendered configuration: accepted requests, and forwarded headers."""

import asyncio
import re
import ssl
import subprocess
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.live import clock
from shared.paths import PATHS, TOKEN, Group, Service
from shared.paths import Path as MappedPath
from shared.web.request_age import parse_stamp
from tests.certificates import a_client_certificate
from tests.flow.misbehaving import Replicas, answer_with, ask, echo, proxied, read_head, refuse
from tests.flow.proxies import RENDERERS, ProxyServer
from tests.flow.tls import wrong_handshakes

DRAIN = timedelta(seconds=5)
FAULTS = ("[warn", "[emerg", "[alert", '"level":"warn', '"level":"error')
SHORT_LIVED = "certificate expires within 1 day"  # that of the test


@pytest.fixture(params=RENDERERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each proxy."""
    kind: str = request.param
    return kind


def test_it_accepts_the_rendered_configuration(kind: str, tmp_path: Path) -> None:
    """Its own check has no error and no warning."""
    proxy = ProxyServer.new(tmp_path, kind)
    proxy.write(
        {service: ["127.0.0.1:8101", "unix:/run/ostiary.sock"] for service in Service}, drain_delay=DRAIN
    )
    done = subprocess.run(
        proxy.checked(), capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    said = (done.stdout + done.stderr).lower().splitlines()
    faults = [line for line in said if any(mark in line for mark in FAULTS) and SHORT_LIVED not in line]
    assert faults == []


async def test_what_a_client_claims_of_itself_is_dropped(kind: str, tmp_path: Path) -> None:
    """A service sees the proxy's Host, forwarding headers and request id."""
    spoofed = {
        "Client-Cert": ":ZXZpbA==:",
        "Traceparent": "evil",
        "Host": "evil.example",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=192.0.2.1;host=evil.example",
        "X-Real-IP": "192.0.2.1",
        "X-Request-Id": "chosen-by-a-stranger",
        "X-Request-Start": "t=4102444800.000",
    }
    async with proxied(kind, tmp_path, {Service.TOKEN: [echo]}) as proxy:
        answer = await ask(proxy.door, "POST", TOKEN.path, spoofed, b"a=b")
    seen = dict(line.lower().split(": ", 1) for line in answer.text.strip().split("\r\n")[1:])
    assert seen["host"] == f"localhost:{proxy.port}"
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "https")
    assert seen["x-request-id"] != spoofed["X-Request-Id"]
    stamp = parse_stamp(seen["x-request-start"])
    assert stamp
    assert abs(stamp - clock.now()) < timedelta(minutes=5)
    assert not any("evil" in value or "192.0.2.1" in value for value in seen.values())


async def test_a_client_certificate_is_passed_on_where_one_is_asked_for(kind: str, tmp_path: Path) -> None:
    """As RFC 9440 §2.2 has it, also a self-signed one; what a client writes itself is dropped everywhere."""
    spoofed = {"Client-Cert": ":ZXZpbA==:", "Client-Cert-Chain": ":ZXZpbA==:"}
    certificate = a_client_certificate(tmp_path)
    der = ssl.PEM_cert_to_DER_cert(certificate[0].read_text())
    async with proxied(kind, tmp_path, {Service.TOKEN: [echo]}, has_mtls=True) as proxy:
        for door, expected in (
            (replace(proxy.mtls_door, certificate=certificate), [f":{b64encode(der).decode()}:"]),
            (proxy.mtls_door, []),
            (replace(proxy.door, certificate=certificate), []),
        ):
            answer = await ask(door, "POST", TOKEN.path, spoofed, b"a=b")
            assert re.findall(r"(?im)^client-cert[^:]*: (.*)\r$", answer.text) == expected


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b"x" * (64 * 1024 + 1), 413),
        ({"X-Long": "x" * 40_000}, b"", 431),
        ({"X-Long": "x" * 70_000}, b"", 431),
    ],
)
async def test_what_is_too_much_never_arrives(
    kind: str, tmp_path: Path, headers: dict[str, str], body: bytes, expected: int
) -> None:
    """It refuses a body over 64 KiB and header fields over 32 KiB before a service sees them."""
    seen: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        answer_with(writer, b"")

    async with proxied(kind, tmp_path, {Service.TOKEN: [listen]}) as proxy:
        answer = await ask(proxy.door, "POST", TOKEN.path, headers, body)
    assert (answer.status, seen) == (expected, [])
    if (kind, expected) != ("caddy", 431):  # Go's server answers that by itself
        assert answer.headers["Cache-Control"] == "no-store"


AMBIGUOUS = (
    "/oidc/../healthz",
    "/oidc/x/..",
    "/oidc/%2e%2E/healthz",
    "/oidc/./login",
    "/oidc/.?x",
    "/.%2e/oidc/login",
    "/oidc//login",
    "/oidc/static/a%2fb",
    "/oidc/static/..%5chealthz",
    "/healthz%3f/../oidc/oauth2/token",
    "/oidc/userinfo%00",
)
FOREIGN = ("/healthz", "/readyz", "/metrics", "/OIDC/login", "/oidcs", "/x?/oidc/login", "/oidc", "/")


async def test_a_target_that_could_be_read_in_two_ways_goes_nowhere(kind: str, tmp_path: Path) -> None:
    """Ambiguous targets and other paths are 404."""
    async with proxied(kind, tmp_path, {service: [echo] for service in Service}) as proxy:
        answers = [await ask(proxy.door, "GET", target) for target in (*AMBIGUOUS, *FOREIGN)]
    assert {answer.url: answer.status for answer in answers if answer.status not in (400, 404)} == {}
    assert not any(b"HTTP/1.1" in answer.body for answer in answers)


async def test_administration_is_for_the_inside(kind: str, tmp_path: Path) -> None:
    """Administration is reachable only at the internal listener, which has nothing else."""
    private = MappedPath("/oidc/private/{name}", Service.CLIENT_REGISTRY, group=Group.ADMINISTRATION)
    replicas: Replicas = {
        Service.CLIENT_REGISTRY: [echo],
        Service.TOKEN: [echo],
        Service.AUTHORIZATION: [refuse],
    }
    async with proxied(kind, tmp_path, replicas, [*PATHS, private]) as proxy:
        public = await ask(proxy.door, "GET", "/oidc/private/x")
        internal = await ask(proxy.internal_door, "GET", "/oidc/private/x")
        others = [await ask(proxy.internal_door, "GET", path) for path in (TOKEN.path, "/oidc/x", "/metrics")]
    assert internal.status == 200
    assert public.status == 404
    assert {other.status for other in others} == {404}


async def test_tls_is_modern(kind: str, tmp_path: Path) -> None:
    """1.3, or 1.2 with ECDHE and GCM; nothing older, nothing weaker; and HTTP/2."""
    async with proxied(kind, tmp_path, {}, has_mtls=True) as proxy:
        for door in (proxy.door, proxy.internal_door, proxy.mtls_door):
            assert await asyncio.to_thread(wrong_handshakes, door) == []

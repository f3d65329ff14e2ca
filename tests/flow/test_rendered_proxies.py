"""Each proxy with its rendered configuration: accepted requests, and forwarded headers."""

import asyncio
import socket
import ssl
import subprocess
import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from shared.live import clock
from shared.paths import PATHS, TOKEN, Group, Service
from shared.paths import Path as MappedPath
from shared.web.request_age import parse_stamp
from tests.flow.door import HANG_GUARD
from tests.flow.misbehaving import Replicas, answer_with, ask, echo, proxied, read_head, refuse
from tests.flow.proxies import RENDERERS, ProxyServer

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


def _handshake(
    proxy: ProxyServer, version: ssl.TLSVersion, ciphers: str, protocols: Sequence[str]
) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=proxy.files.ca_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is what is to be refused
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    context.set_alpn_protocols(list(protocols))
    connection = socket.create_connection(("127.0.0.1", proxy.port), HANG_GUARD)
    try:
        return context.wrap_socket(connection, server_hostname="localhost")
    except BaseException:
        connection.close()
        raise


async def test_tls_is_modern(kind: str, tmp_path: Path) -> None:
    """1.3, or 1.2 with ECDHE and GCM; nothing older, nothing weaker."""
    async with proxied(kind, tmp_path, {}) as proxy:
        for version, ciphers, is_welcome in (
            (ssl.TLSVersion.TLSv1_3, "DEFAULT", True),
            (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256", True),
            (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-GCM-SHA384", True),
            (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384", False),
            (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA", False),
            (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305", False),
            (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256", False),
            (ssl.TLSVersion.TLSv1_1, "DEFAULT:@SECLEVEL=0", False),
        ):
            shake = asyncio.to_thread(_handshake, proxy, version, ciphers, ["h2", "http/1.1"])
            if is_welcome:
                with await shake as connection:
                    assert connection.selected_alpn_protocol() == "h2"
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await shake

"""Hostile HTTP: forged hosts, cache poisoning, methods, and internal paths."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from urllib.parse import urlencode, urlsplit

import pytest

from shared.paths import (
    AUTHORIZATION,
    CONSENT,
    INTROSPECTION,
    JWKS,
    LOGIN,
    LOGOUT,
    OPENID_CONFIGURATION,
    PATHS,
    REGISTRATION,
    REVOCATION,
    TOKEN,
    USERINFO,
    Group,
    Path,
)
from tests.flow.door import QUIET, HttpResponse, exchange, send
from tests.flow.op import Op
from tests.flow.user_agent import UserAgent

REDIRECT_URI = "https://rp.example.org/callback"
CLIENT = {"client_id": "http-layer", "client_secret": "s3cret-of-http-layer-0123456789abcdef"}


@pytest.fixture(scope="module")
def registered() -> set[str]:
    """The issuers that know CLIENT."""
    return set()


@pytest.fixture
def any_op(any_op: Op, registered: set[str]) -> Op:
    """Ostiary by each of its doors, with CLIENT."""
    if any_op.issuer not in registered:
        any_op.add_client(
            **CLIENT,
            redirect_uris=[REDIRECT_URI],
            grant_types=["authorization_code"],
            token_endpoint_auth_method="client_secret_post",
        )
        registered.add(any_op.issuer)
    return any_op


FORGED: Mapping[str, Mapping[str, str]] = {
    "Host": {"Host": "evil.example"},
    "Host with a port": {"Host": "localhost:1@evil.example"},
    "X-Forwarded-Host": {"X-Forwarded-Host": "evil.example"},
    "X-Forwarded-Proto": {"X-Forwarded-Proto": "evil"},
    "X-Forwarded-Port": {"X-Forwarded-Port": "66"},
    "X-Forwarded-Prefix": {"X-Forwarded-Prefix": "/evil"},
    "X-Forwarded-Server": {"X-Forwarded-Server": "evil.example"},
    "Forwarded": {"Forwarded": "for=evil.example;host=evil.example;proto=evil"},
    "X-Original-URL": {"X-Original-URL": "/evil"},
    "X-Rewrite-URL": {"X-Rewrite-URL": "/evil"},
    "X-Original-Host": {"X-Original-Host": "evil.example"},
    "X-HTTP-Method-Override": {"X-HTTP-Method-Override": "EVIL"},
}
AUTHORIZATION_REQUEST = f"{AUTHORIZATION}?" + urlencode(
    {
        "client_id": CLIENT["client_id"],
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "prompt": "none",
    }
)
ASKED = (str(OPENID_CONFIGURATION), str(JWKS), str(USERINFO), AUTHORIZATION_REQUEST, str(LOGIN))


def _telling(answer: HttpResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    """The parts of a response that must not depend on the request's headers."""
    passing = {"date", "x-request-id", "set-cookie"}
    body = b"" if answer.status >= 400 and "html" in answer.headers.get("Content-Type", "") else answer.body
    kept = sorted((name.lower(), value) for name, value in answer.headers.items())
    return answer.status, body, [(name, value) for name, value in kept if name not in passing]


@pytest.mark.parametrize("target", ASKED, ids=lambda target: target.partition("?")[0])
def test_no_header_gets_into_an_answer(any_op: Op, target: str) -> None:
    """Issuer, links and redirects come from the settings, also in cached responses."""
    before = _telling(send(any_op.door, "GET", target))
    separator = "&" if "?" in target else "?"
    for name, headers in FORGED.items():
        forged = send(any_op.door, "GET", f"{target}{separator}x=evil", headers)
        assert b"evil" not in forged.body.lower(), name
        assert "evil" not in str(forged.headers).lower(), name
        assert forged.status in (400, 421) or _telling(forged) == before, name
        assert _telling(send(any_op.door, "GET", target)) == before, name


@pytest.mark.parametrize("target", ASKED[:2])
def test_neither_does_a_second_host_or_an_absolute_target(any_op: Op, target: str) -> None:
    """Two Host headers are refused; an absolute target is refused or answered with the own issuer."""
    good = send(any_op.door, "GET", target).body
    host = any_op.door.origin.partition("//")[2]
    twice = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert b" 400 " in exchange(any_op.door, target, twice.encode()).partition(b"\r\n")[0]
    absolute = f"GET https://evil.example{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    received = exchange(any_op.door, target, absolute.encode())
    assert b"evil" not in received
    assert good in received or received.split()[1] in (b"400", b"404", b"421")


def test_public_documents_may_be_cached_and_nothing_else(any_op: Op) -> None:
    """Metadata and keys may be cached for a while; refusals and pages may not."""
    for path in (OPENID_CONFIGURATION, JWKS):
        assert send(any_op.door, "GET", str(path)).headers["Cache-Control"].startswith("public, max-age=")
    for path in (
        TOKEN,
        USERINFO,
        INTROSPECTION,
        REVOCATION,
        REGISTRATION,
        LOGIN,
        CONSENT,
        LOGOUT,
        AUTHORIZATION,
    ):
        for method in ("GET", "POST", "PUT"):
            answer = send(any_op.door, method, str(path))
            assert "no-store" in answer.headers.get("Cache-Control", ""), (method, path, answer.status)


DECEIVING = (
    "/oidc/userinfo/x.css",
    "/oidc/userinfo;x.css",
    "/oidc/userinfo%2fx.css",
    "/oidc/userinfo%00.css",
    "/oidc/oauth2/auth;.js",
    "/oidc/oauth2/auth/x.js",
    "/oidc/oauth2/token%2fx.png",
    "/oidc/login/x.css",
    "/oidc/login%0a.css",
    "/oidc/static/..%2flogin",
    "/oidc/static/x/..%2f..%2flogin",
    "/oidc/static/%2e%2e/login",
    "/oidc/logout/..%2fstatic/a.css",
    "/oidc/.well-known/jwks.json/x.css",
    "/oidc//login",
)


def test_no_page_hides_behind_a_file_name(any_op: Op) -> None:
    """Web cache deception: a path with a file name is 404 and must not be stored."""
    agent = UserAgent(any_op.door)
    request = AUTHORIZATION_REQUEST.replace("prompt=none", "prompt=login")
    agent.sign_in(any_op.door.origin + request, any_op.username, any_op.password)
    cookie = "; ".join(f"{name}={value}" for name, value in agent.cookies.items())
    assert cookie
    for target in DECEIVING:
        for accept in ("text/html", "*/*"):
            answer = send(any_op.door, "GET", target, {"Cookie": cookie, "Accept": accept})
            assert answer.status in (400, 404), (target, answer.text)
            assert "no-store" in answer.headers.get("Cache-Control", ""), target
            assert "Set-Cookie" not in answer.headers, target
            assert any_op.username not in answer.text, target


INSIDE = (
    "/metrics",
    "/healthz",
    "/readyz",
    "/debug",
    "/debug/pprof/",
    "/openapi.json",
    "/docs",
    "/admin",
    "/config/",
    "/nginx_status",
    "/server-status",
    "/.git/config",
    "/.env",
    "/oidc/metrics",
    "/oidc/healthz",
    "/oidc/readyz",
    "/oidc/debug",
    "/oidc/admin",
    "/oidc/admin/clients",
    "/oidc/static/0/../../../shared/settings.py",
    "/oidc/static/x/pages.py",
)
TELLING = ("aiohttp", "Python/", "Traceback", "postgres", "redis", "unix:", "nginx/", "Caddy", ".py")


def test_the_inside_stays_inside(op: Op, behind_each: Sequence[Op]) -> None:
    """Health, metrics and administration are not public, and refusals name no software."""
    for target in INSIDE:
        for each in (op, *behind_each):
            for accept in ("text/html", "application/json"):
                answer = send(each.door, "GET", target, {"Accept": accept})
                assert answer.status in (401, 403, 404), (target, answer.status)
                said = f"{answer.headers}{answer.text.replace(target, '')}"
                assert not [word for word in TELLING if word in said], (target, said)


METHODS: Mapping[Path, tuple[str, ...]] = {
    OPENID_CONFIGURATION: ("POST", "PUT", "DELETE", "PATCH"),
    JWKS: ("POST", "PUT", "DELETE", "PATCH"),
    AUTHORIZATION: ("HEAD", "PUT", "DELETE", "PATCH"),
    LOGIN: ("PUT", "DELETE", "PATCH"),
    TOKEN: ("GET", "HEAD", "PUT", "DELETE", "PATCH"),
    INTROSPECTION: ("GET", "HEAD", "PUT", "DELETE", "PATCH"),
    REVOCATION: ("GET", "HEAD", "PUT", "DELETE", "PATCH"),
    USERINFO: ("PUT", "DELETE", "PATCH"),
    REGISTRATION: ("GET", "PUT", "DELETE", "PATCH"),
}


@pytest.mark.parametrize("path", METHODS, ids=str)
def test_a_method_that_means_nothing_is_refused(any_op: Op, path: Path) -> None:
    """405 with Allow; TRACE echoes nothing, and no header makes another method of one."""
    for method in (*METHODS[path], "PROPFIND"):
        for override in (
            {},
            {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"},
        ):
            answer = send(any_op.door, method, str(path), override)
            assert answer.status == 405, (method, answer.status)
            assert answer.headers["Allow"], method
    assert send(any_op.door, "BREW", str(path)).status in (400, 405, 501)
    trace = send(any_op.door, "TRACE", str(path), {"X-Canary": "canary"})
    assert trace.status in (400, 405)
    assert b"canary" not in trace.body


@pytest.mark.parametrize("path", [OPENID_CONFIGURATION, JWKS, LOGIN], ids=str)
def test_head_is_answered_like_get_without_a_body(any_op: Op, path: Path) -> None:
    """RFC 9110 §9.3.2."""
    shown, head = send(any_op.door, "GET", str(path)), send(any_op.door, "HEAD", str(path))
    assert (head.status, head.body) == (shown.status, b"")
    assert head.headers["Content-Type"] == shown.headers["Content-Type"]


@pytest.mark.parametrize("path", [path for path in PATHS if path.group is Group.PUBLIC], ids=str)
def test_no_field_comes_twice(any_op: Op, path: Path) -> None:
    """No header field is repeated: browsers reject two `Access-Control-Allow-Origin`."""
    for method in ("GET", "POST", "OPTIONS"):
        answer = send(any_op.door, method, str(path), {"Origin": "https://app.example"})
        names = [name.lower() for name in answer.headers if name.lower() not in ("set-cookie", "via")]
        assert len(names) == len(set(names)), (method, answer.headers.items())


@pytest.mark.parametrize("line", ["CONNECT evil.example:443", "CONNECT /oidc/userinfo", "OPTIONS *", "PRI *"])
def test_it_is_no_ones_proxy(any_op: Op, line: str) -> None:
    """Requests for a proxy, or for the server as a whole, are refused."""
    sent = f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    received = exchange(any_op.door, str(OPENID_CONFIGURATION), sent.encode(), QUIET)
    assert b"Traceback" not in received
    assert not received or received.split()[1] in (b"200", b"204", b"400", b"404", b"405", b"421")
    assert not line.startswith("CONNECT") or not received.startswith(b"HTTP/1.1 2")


def test_too_long_a_body_is_refused_by_who_reads_it_first(any_op: Op) -> None:
    """413 from the proxy or the service, which must not be stored."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in (TOKEN, INTROSPECTION, AUTHORIZATION):
        answer = send(any_op.door, "POST", str(path), headers, b"a=" + b"x" * 70_000)
        assert (path, answer.status) == (path, 413)
        assert "no-store" in answer.headers.get("Cache-Control", "")


def test_half_a_head_is_not_waited_for(op: Op, behind_each: Sequence[Op]) -> None:
    """A client that sends a header byte by byte is disconnected, without an effect on others."""
    ops = (op, *behind_each)
    with ExitStack() as open_ones:
        slow = [open_ones.enter_context(each.door.open("/")) for each in ops]
        for connection in slow:
            connection.sendall(b"GET /oidc/login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        for each in ops:
            assert send(each.door, "GET", str(OPENID_CONFIGURATION)).status == 200
        for connection in slow:
            assert not connection.recv(65536).startswith(b"HTTP/1.1 2")  # the end, or 408; HANG_GUARD at most


def test_a_handshake_may_leave_out_the_name(op: Op, behind_each: Sequence[Op]) -> None:
    """Some clients name no host without a dot (RFC 6066 §3), Java for one: the certificate is the same."""
    for each in (op, *behind_each):
        context = ssl.create_default_context(cafile=each.ca_file)
        context.check_hostname = False  # for lack of a name to check
        address = ("127.0.0.1", urlsplit(each.issuer).port)
        with socket.create_connection(address) as connection, context.wrap_socket(connection) as tls:
            certificate = tls.getpeercert()
        assert certificate
        assert ("DNS", "localhost") in certificate["subjectAltName"]

"""HTTP framing: request smuggling, and limits."""

import re
from collections.abc import Mapping

import pytest

from shared.paths import JWKS, OPENID_CONFIGURATION, TOKEN, USERINFO
from tests.flow.door import QUIET, Door, exchange, send
from tests.flow.op import Op

SMUGGLED = f"GET {USERINFO} HTTP/1.1\r\nHost: localhost\r\n\r\n"
MARKER = b"Bearer"  # stands in the answer to SMUGGLED alone
CHUNKED = f"0\r\n\r\n{SMUGGLED}"
ALL = len(CHUNKED)

# Header lines and body of a POST in which one reader sees the smuggled request where another sees a body.
SMUGGLING: Mapping[str, tuple[str, str]] = {
    "CL.TE": (f"Content-Length: {ALL}\r\nTransfer-Encoding: chunked", CHUNKED),
    "TE.CL": ("Transfer-Encoding: chunked\r\nContent-Length: 0", f"{ALL:x}\r\n{SMUGGLED}\r\n0\r\n\r\n"),
    "TE xchunked": ("Transfer-Encoding: xchunked", CHUNKED),
    "TE chunked, identity": ("Transfer-Encoding: chunked, identity", CHUNKED),
    "TE identity": ("Transfer-Encoding: identity", SMUGGLED),
    "TE with a tab": (f"Transfer-Encoding:\tchunked\r\nContent-Length: {ALL}", CHUNKED),
    "TE with a vertical tab": (f"Transfer-Encoding: \x0bchunked\r\nContent-Length: {ALL}", CHUNKED),
    "TE twice": (
        f"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: {ALL}",
        CHUNKED,
    ),
    "TE folded": (f"Transfer-Encoding:\r\n chunked\r\nContent-Length: {ALL}", CHUNKED),
    "TE and a space": (f"Transfer-Encoding : chunked\r\nContent-Length: {ALL}", CHUNKED),
    "TE behind a bare LF": (f"X: y\nTransfer-Encoding: chunked\r\nContent-Length: {ALL}", CHUNKED),
    "TE behind a bare CR": (f"X: y\rTransfer-Encoding: chunked\r\nContent-Length: {ALL}", CHUNKED),
    "CL twice": (f"Content-Length: 0\r\nContent-Length: {len(SMUGGLED)}", SMUGGLED),
    "CL twice, other order": (f"Content-Length: {len(SMUGGLED)}\r\nContent-Length: 0", SMUGGLED),
    "CL as a list": (f"Content-Length: 0, {len(SMUGGLED)}", SMUGGLED),
    "CL with a sign": ("Content-Length: +0", SMUGGLED),
    "CL negative": ("Content-Length: -1", SMUGGLED),
    "CL in other digits": ("Content-Length: ٠", SMUGGLED),
    "CL with an underscore": ("Content-Length: 0_0", SMUGGLED),
    "CL in hexadecimal": ("Content-Length: 0x0", SMUGGLED),
    "CL and a space": (f"Content-Length : {len(SMUGGLED)}", SMUGGLED),
    "chunk size with a sign": ("Transfer-Encoding: chunked", f"+0\r\n\r\n{SMUGGLED}"),
    "chunk size negative": ("Transfer-Encoding: chunked", f"-1\r\n\r\n{SMUGGLED}"),
    "chunk size in 0x": ("Transfer-Encoding: chunked", f"0x0\r\n\r\n{SMUGGLED}"),
    "chunk size with an underscore": ("Transfer-Encoding: chunked", f"0_0\r\n\r\n{SMUGGLED}"),
    "chunk extension with LF": ("Transfer-Encoding: chunked", f"2;a\nxx\r\n{SMUGGLED}\r\n0\r\n\r\n"),
    "chunk with a wrong end": ("Transfer-Encoding: chunked", f"1\r\naXX0\r\n\r\n{SMUGGLED}"),
}


def _post(lines: str, body: str) -> bytes:
    head = f"POST {TOKEN} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n"
    return (head + body).encode()


def _statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", received)]


def _serves_as_before(door: Door) -> None:
    """No response is left over on a connection between the proxy and a service."""
    for _ in range(3):
        answer = send(door, "GET", str(OPENID_CONFIGURATION))
        assert answer.status == 200
        assert answer.json()["jwks_uri"] == door.origin + str(JWKS)
        token = send(door, "POST", str(TOKEN), {"Content-Type": "application/x-www-form-urlencoded"}, b"a=b")
        assert token.status in (400, 401)


@pytest.mark.parametrize("name", SMUGGLING)
def test_no_request_hides_in_another(any_op: Op, name: str) -> None:
    """A smuggling request gets one refusal or a closed connection; the hidden request is never answered."""
    received = exchange(any_op.door, str(TOKEN), _post(*SMUGGLING[name]), QUIET)
    assert MARKER not in received, received
    assert len(_statuses(received)) <= 1 or set(_statuses(received)) == {400}, received
    # 503: Caddy passes a body on while it reads it, and finds its fault when a service has begun to hear it
    assert all(400 <= status < 500 or status in (501, 503) for status in _statuses(received)), received
    _serves_as_before(any_op.door)


def test_what_is_smuggled_here_would_be_seen(any_op: Op) -> None:
    """An honest second request does reach the marker."""
    last = SMUGGLED.replace("localhost", "localhost\r\nConnection: close").encode()
    received = exchange(any_op.door, str(TOKEN), _post("Content-Length: 0", "") + last)
    assert len(_statuses(received)) == 2
    assert MARKER in received


def test_trailers_change_nothing(any_op: Op) -> None:
    """Trailers are neither headers nor another request."""
    trailers = "0\r\nHost: evil.example\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
    lines = (
        "Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close"
    )
    received = exchange(any_op.door, str(TOKEN), _post(lines, f"3\r\na=b\r\n{trailers}"))
    assert len(_statuses(received)) == 1
    assert 400 <= _statuses(received)[0] < 500
    assert b"evil" not in received
    _serves_as_before(any_op.door)


TOO_MUCH: Mapping[str, str] = {
    "a long header": f"X-Long: {'x' * 65536}",
    "many headers": "\r\n".join(f"X-{n}: y" for n in range(300)),
    "a long cookie": f"Cookie: a={'x' * 32768}",
    "NUL in a value": "X-Nul: a\0b",
    "NUL in a name": "X-\0Nul: ab",
    "a long name": f"{'x' * 65536}: y",
    "no name": ": y",
    "no colon": "what is this",
    "CR in a value": "X-Cr: a\rb",
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_headers_have_limits(any_op: Op, name: str) -> None:
    """Malformed and oversized headers are refused or dropped, and never cause a server error."""
    head = f"GET {USERINFO} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{TOO_MUCH[name]}\r\n\r\n"
    statuses = _statuses(exchange(any_op.door, str(USERINFO), head.encode(), QUIET))
    assert len(statuses) <= 1
    assert all(status < 500 for status in statuses)
    if name.startswith(("a long", "NUL")):
        assert all(status in (400, 431) for status in statuses)
    _serves_as_before(any_op.door)


@pytest.mark.parametrize(
    "line",
    [
        "GET",
        "GET /",
        "GET / HTTP/9.9",
        "\0\0\0\0",
        "GET\t/\tHTTP/1.1",
        "get / http/1.1",
        f"GET /{'x' * 70000}",
    ],
)
def test_a_malformed_request_line_is_refused(any_op: Op, line: str) -> None:
    """A malformed request line never causes a server error."""
    received = exchange(any_op.door, str(OPENID_CONFIGURATION), f"{line}\r\n\r\n".encode(), QUIET)
    assert all(status < 500 or status == 505 for status in _statuses(received))
    assert b"Traceback" not in received
    _serves_as_before(any_op.door)


def test_many_requests_on_one_connection_are_answered_in_order(any_op: Op) -> None:
    """Pipelined requests get as many complete responses."""
    one = f"GET {OPENID_CONFIGURATION} HTTP/1.1\r\nHost: localhost\r\n"
    sent = (one + "\r\n") * 99 + one + "Connection: close\r\n\r\n"
    received = exchange(any_op.door, str(OPENID_CONFIGURATION), sent.encode())
    assert len(_statuses(received)) == 100

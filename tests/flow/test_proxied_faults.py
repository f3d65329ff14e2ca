"""Faults of requests that a proxy or a service notices, with clear errors for the client."""

import socket
import ssl
from urllib.parse import urlsplit

import pytest

from shared.paths import OPENID_CONFIGURATION, TOKEN, USERINFO
from tests.flow.door import HANG_GUARD, QUIET, exchange, send
from tests.flow.op import Op

CHUNKED = (
    f"POST {TOKEN} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
)
BROKEN = {
    "no size": "zz\r\na=b\r\n0\r\n\r\n",
    "a later size that is none": "3\r\na=b\r\nzz\r\n",
    "a negative size": "-1\r\n\r\n",
    "a chunk with a wrong end": "1\r\na=b\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_malformed_chunked_body_is_the_clients_fault(any_op: Op, name: str) -> None:
    """400, without Retry-After."""
    received = exchange(any_op.door, str(TOKEN), (CHUNKED + BROKEN[name]).encode())
    assert received.startswith(b"HTTP/1.1 400 "), received
    assert b"Retry-After" not in received


KIB = 1024


def test_header_fields_of_30_kib_are_accepted(any_op: Op) -> None:
    """30 KiB of header fields are accepted, such as cookies of other applications."""
    cookies = "; ".join(f"other{n}={'x' * 4000}" for n in range(7))
    assert send(any_op.door, "GET", str(USERINFO), {"Cookie": cookies}).status == 401
    head = f"GET {OPENID_CONFIGURATION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    several = "".join(f"X-{n}: {'x' * 6000}\r\n" for n in range(5))
    assert (
        exchange(any_op.door, str(OPENID_CONFIGURATION), f"{head}{several}\r\n".encode()).split()[1] == b"200"
    )


@pytest.mark.parametrize("fields", [f"Cookie: a={'x' * 40 * KIB}", "\r\n".join([f"X: {'x' * 15 * KIB}"] * 3)])
def test_larger_ones_are_refused_in_words(any_op: Op, fields: str) -> None:
    """431 from the proxy or the service."""
    head = f"GET {USERINFO} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n\r\n"
    received = exchange(any_op.door, str(USERINFO), head.encode(), QUIET)
    assert received.startswith(b"HTTP/1.1 431 "), received[:200]
    assert b"eader" in received.partition(b"\r\n\r\n")[2]


def test_no_answer_names_the_proxy(op: Op) -> None:
    """Neither a response to an oversized request nor one for another host names the proxy."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    too_long = send(op.door, "POST", str(TOKEN), form, b"a=" + b"x" * 70_000)
    elsewhere = send(op.door, "GET", "/", {"Host": "elsewhere.example"})
    for answer, status in ((too_long, 413), (elsewhere, 421)):
        assert answer.status == status
        assert answer.headers.get("Server") in (None, "Ostiary")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113 §4.1."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _field(name: str, value: str) -> bytes:
    """RFC 7541 §6.2.2: a literal field without indexing, neither part compressed."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _read_frame(connection: ssl.SSLSocket) -> tuple[int, bytes]:
    """The type and payload of the next frame."""
    with connection.makefile("rb", buffering=0) as stream:
        head = stream.read(9)
        assert head
        length, payload = int.from_bytes(head[:3]), b""
        while len(payload) < length:
            payload += stream.read(length - len(payload)) or b""
    return head[3], payload


DATA, HEADERS, SETTINGS, RST_STREAM, GOAWAY = 0x0, 0x1, 0x4, 0x3, 0x7
END_STREAM, END_HEADERS = 0x1, 0x4
STATUS_400 = 0x8C  # RFC 7541 Appendix A, index 12


def test_a_body_over_http_2_that_is_shorter_than_announced_is_the_clients_fault(op: Op) -> None:
    """RFC 9113 §8.1.1: the request is malformed."""
    context = ssl.create_default_context(cafile=op.ca_file)
    context.set_alpn_protocols(["h2"])
    fields = {
        ":method": "POST",
        ":scheme": "https",
        ":path": str(TOKEN),
        ":authority": op.door.origin.partition("//")[2],
        "content-type": "application/x-www-form-urlencoded",
        "content-length": "100",
    }
    address = ("127.0.0.1", urlsplit(op.issuer).port)
    with (
        socket.create_connection(address, HANG_GUARD) as tcp,
        context.wrap_socket(tcp, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + _frame(SETTINGS, 0, 0, b"")
            + _frame(HEADERS, END_HEADERS, 1, b"".join(_field(*field) for field in fields.items()))
            + _frame(DATA, END_STREAM, 1, b"a=b")
        )
        kind, payload = _read_frame(connection)
        while kind not in {HEADERS, RST_STREAM, GOAWAY}:
            kind, payload = _read_frame(connection)
    assert kind == RST_STREAM or (kind == HEADERS and payload[0] == STATUS_400)

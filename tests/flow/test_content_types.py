"""The content type and the charset of a POST."""

import gzip
import zlib
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from shared.paths import INTROSPECTION
from tests.flow.door import HttpResponse, send
from tests.flow.op import Op

FORM = "application/x-www-form-urlencoded"
CLIENT = {"client_id": "content-types", "client_secret": "s3cret-of-content-types-0123456789abcdef"}


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
            redirect_uris=["https://rp.example.org/callback"],
            grant_types=["authorization_code"],
            token_endpoint_auth_method="client_secret_post",
        )
        registered.add(any_op.issuer)
    return any_op


def _introspect(op: Op, content_type: str | None, body: bytes) -> HttpResponse:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return send(op.door, "POST", str(INTROSPECTION), headers, body)


GOOD = urlencode({**CLIENT, "token": "at_x"})


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", FORM.upper()])
def test_a_form_is_a_form(any_op: Op, content_type: str) -> None:
    """A form with the right content type is read."""
    answer = _introspect(any_op, content_type, GOOD.encode())
    assert (answer.status, answer.json()) == (200, {"active": False})


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded-not",
        "nonsense",
        "",
    ],
)
def test_nothing_else_is_a_form(any_op: Op, content_type: str | None) -> None:
    """The same bytes with another content type are not read."""
    answer = _introspect(any_op, content_type, GOOD.encode())
    assert answer.status in (400, 401, 415), answer.text
    assert "active" not in answer.json()


def test_multipart_is_not_read(any_op: Op) -> None:
    """Well-formed multipart is not read either."""
    fields = {**CLIENT, "token": "at_x"}
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    answer = _introspect(any_op, "multipart/form-data; boundary=x", f"{parts}--x--\r\n".encode())
    assert answer.status in (400, 401, 415)


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "bogus", "ibm037", "rot13", "zlib", "idna", "\xff"])
@pytest.mark.parametrize("is_encoded", [False, True])
def test_a_charset_decodes_nothing(any_op: Op, charset: str, is_encoded: bool) -> None:
    """A charset is ignored or refused, and never causes a server error."""
    try:
        body = GOOD.encode(charset) if is_encoded else GOOD.encode()
    except (LookupError, UnicodeError):
        body = GOOD.encode("utf-16")
    answer = _introspect(any_op, f"{FORM}; charset={charset}", body)
    assert answer.status in (400, 401, 415) or (answer.status == 200 and body == GOOD.encode())


def test_a_charset_field_decodes_nothing(any_op: Op) -> None:
    """`_charset_` is an unknown parameter."""
    answer = _introspect(any_op, FORM, f"_charset_=utf-16&{GOOD}".encode())
    assert (answer.status, answer.json()) == (200, {"active": False})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "bogus", "gzip, gzip", "GZIP"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, zlib.compress])
def test_an_encoded_body_is_not_read(any_op: Op, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    """Encoded bodies are refused, whether they are valid or not."""
    headers = {"Content-Type": FORM, "Content-Encoding": encoding}
    answer = send(any_op.door, "POST", str(INTROSPECTION), headers, compress(GOOD.encode()))
    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")
    assert answer.headers["Cache-Control"] == "no-store"

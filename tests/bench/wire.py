"""Requests as bytes, and a minimal parser for HTTP/1.1 responses."""

import re
from base64 import b64encode
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

from shared.paths import Path, Service

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')
_CHALLENGE = re.compile(r"&#34;challenge&#34;: &#34;([\w-]+)&#34;")
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as bytes, and the expected status of its response."""

    to: Service
    data: bytes
    status: int


@dataclass(frozen=True, slots=True)
class WireResponse:
    """A response. `head`: the raw status line and headers."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header. Raises WrongAnswer if it is missing."""
        for line in self.head.split(b"\r\n")[1:]:
            found, _, value = line.partition(b":")
            if found.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        raise WrongAnswer(f"no header {name} in {self.head!r}")

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that it sets."""
        fields = (line.partition(b":") for line in self.head.split(b"\r\n")[1:])
        pairs = (value.partition(b";")[0] for name, _, value in fields if name.lower() == b"set-cookie")
        return dict(pair.strip().decode().split("=", 1) for pair in pairs)

    @property
    def hidden(self) -> Mapping[str, str]:
        """The hidden fields of a page's forms."""
        return {unescape(name): unescape(value) for name, value in _HIDDEN.findall(self.body.decode())}

    @property
    def challenge(self) -> str:
        """What a page asks passkeys to sign, in base64url. Raises WrongAnswer if it asks for none."""
        if found := _CHALLENGE.search(self.body.decode()):
            return found[1]
        raise WrongAnswer(f"no passkey is asked for in {self.body[:500]!r}")

    def member(self, name: str) -> str:
        """A string member of the JSON object in the body, without escapes. Raises WrongAnswer."""
        _, found, rest = self.body.partition(f'"{name}":"'.encode())
        if not found:
            raise WrongAnswer(f"no member {name} in {self.body[:200]!r}")
        return rest.partition(b'"')[0].decode()


class WrongAnswer(Exception):
    """The response is not the expected one, so the measurement is void."""


Script = Generator[WireRequest, WireResponse, None]
"""One operation: each request may depend on the answers before it."""


def get(
    host: str,
    path: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> WireRequest:
    """A GET; *host* is the authority of the issuer."""
    target = f"{path}?{urlencode(parameters)}" if parameters else str(path)
    return WireRequest(path.service, _head(f"GET {target}", host, headers or {}), status)


def post(
    host: str, path: Path, form: Mapping[str, str], headers: Mapping[str, str], *, status: int = 200
) -> WireRequest:
    """A POST of a form."""
    body = urlencode(form).encode()
    framing = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    return WireRequest(path.service, _head(f"POST {path}", host, {**headers, **framing}) + body, status)


def basic(client_id: str, client_secret: str) -> Mapping[str, str]:
    """The header of `client_secret_basic`; neither part needs to be form-encoded."""
    return {"Authorization": f"Basic {b64encode(f'{client_id}:{client_secret}'.encode()).decode()}"}


def bearer(access_token: str) -> Mapping[str, str]:
    """The header of RFC 6750 §2.1."""
    return {"Authorization": f"Bearer {access_token}"}


def _head(line: str, host: str, headers: Mapping[str, str]) -> bytes:
    lines = (f"{line} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items()))
    return "\r\n".join(lines).encode() + _END_OF_HEAD


def read_answer(data: bytes) -> WireResponse | None:
    """The response in *data*. None: it is incomplete.

    Raises WrongAnswer if it has no Content-Length, or if there is more than one response.
    """
    at = data.find(_END_OF_HEAD)
    if at < 0:
        return None
    head = data[:at]
    missing = at + len(_END_OF_HEAD) + _content_length(head) - len(data)
    if missing < 0:
        raise WrongAnswer(f"more than one answer: {data[:500]!r}")
    return None if missing else WireResponse(int(head[9:12]), head, data[at + len(_END_OF_HEAD) :])


def _content_length(head: bytes) -> int:
    if head[9:12] in (b"204", b"304"):
        return 0
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise WrongAnswer(f"no Content-Length: {head!r}")
    return int(rest.partition(b"\r\n")[0])

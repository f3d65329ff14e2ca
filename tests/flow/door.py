"""The endpoints by which requests reach Ostiary: a proxy's TLS port, or the services' own sockets."""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection
from itertools import count
from json import loads
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from shared.paths import PATHS, Service

HANG_GUARD = 30.0  # seconds; nothing is timed
QUIET = 0.3  # seconds without a byte, after which no more is waited for where nothing is expected


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response, read to its end."""

    url: str
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def location(self) -> str:
        """The Location header, empty without one."""
        return self.headers.get("Location", "")

    def json(self) -> Any:
        """The body as JSON."""
        return loads(self.body)


class Door(Protocol):
    """Where connections for a request target are opened."""

    @property
    def origin(self) -> str:
        """The issuer's origin."""

    def open(self, target: str) -> socket.socket:
        """A connection, with TLS if there is any, to the server of *target*."""


@dataclass(frozen=True, slots=True)
class TlsDoor:
    """A reverse proxy, trusted by the certificate of its CA and by nothing else."""

    origin: str
    ca_file: Path
    port: int | None = None  # where the proxy listens, if it is not the origin's
    certificate: tuple[Path, Path] | None = None  # the client's, with its key, if the proxy asks for one

    def open(self, target: str) -> socket.socket:
        """A TLS connection to the origin's host, whatever *target* is."""
        url = urlsplit(self.origin)
        assert url.hostname
        assert url.port
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate:
            context.load_cert_chain(*self.certificate)
        connection = socket.create_connection((url.hostname, self.port or url.port), HANG_GUARD)
        try:
            return context.wrap_socket(connection, server_hostname=url.hostname)
        except BaseException:
            connection.close()
            raise


def _service_of(target: str) -> Service:
    path = target.partition("?")[0]
    for known in PATHS:
        if re.fullmatch("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", known.path))), path):
            return known.service
    return Service.AUTHORIZATION


@dataclass(frozen=True, slots=True)
class DirectDoor:
    """The services' own sockets, without a proxy; the replicas of a service take turns."""

    origin: str
    sockets: Mapping[Service, Sequence[Path]]
    turns: Iterator[int] = field(default_factory=count)

    def open(self, target: str) -> socket.socket:
        """A connection to the service whose path *target* is; to authorization when it is nobody's."""
        replicas = self.sockets[_service_of(target)]
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(HANG_GUARD)
        try:
            connection.connect(str(replicas[next(self.turns) % len(replicas)]))
        except BaseException:
            connection.close()
            raise
        return connection


def send(
    door: Door, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> HttpResponse:
    """Sends one request on a connection of its own."""
    connection = HTTPConnection(urlsplit(door.origin).netloc)
    connection.sock = door.open(target)
    try:
        connection.request(method, target, body, {"Connection": "close"} | dict(headers or {}))
        response = connection.getresponse()
        return HttpResponse(door.origin + target, response.status, response.headers, response.read())
    finally:
        connection.close()


def exchange(door: Door, target: str, sent: bytes, quiet: float = HANG_GUARD) -> bytes:
    """Sends raw bytes, and reads until the other side closes or is *quiet* (seconds)."""
    with door.open(target) as connection:
        received = bytearray()
        try:
            connection.sendall(sent)
            connection.settimeout(quiet)
            while part := connection.recv(65536):
                received += part
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass  # it has closed before all was sent or read, or waits for more: also an answer
        return bytes(received)

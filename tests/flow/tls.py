"""Handshakes of TLS with a proxy: what it must accept, and what it must refuse."""

import socket
import ssl
import warnings
from urllib.parse import urlsplit

from tests.flow.door import HANG_GUARD, TlsDoor

WELCOME = (
    (ssl.TLSVersion.TLSv1_3, "DEFAULT"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"),
)
REFUSED = (
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256"),
    (ssl.TLSVersion.TLSv1_1, "DEFAULT:@SECLEVEL=0"),
)


def wrong_handshakes(door: TlsDoor) -> list[str]:
    """The handshakes that end otherwise than they must: with HTTP/2, or not at all."""
    expected = {**dict.fromkeys(WELCOME, "h2"), **dict.fromkeys(REFUSED, None)}
    return [
        f"{version.name} {ciphers}: not {protocol}"
        for (version, ciphers), protocol in expected.items()
        if _agreed(door, version, ciphers) != protocol
    ]


def _agreed(door: TlsDoor, version: ssl.TLSVersion, ciphers: str) -> str | None:
    """The protocol that the server chose. None: it refused the connection."""
    context = ssl.create_default_context(cafile=door.ca_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is what is to be refused
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(
        ("127.0.0.1", door.port or urlsplit(door.origin).port), HANG_GUARD
    ) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                return connection.selected_alpn_protocol() or "none"
        except (ssl.SSLError, ConnectionError):
            return None

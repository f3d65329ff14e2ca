"""Tampering between a relying party and the OP, to see that a check is on."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from shared.paths import OPENID_CONFIGURATION, PREFIX
from tests.certificates import a_certificate


def with_parameters(url: str, **parameters: str) -> str:
    """*url* with replaced values of its parameters."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    assert query.keys() >= parameters.keys()
    return parts._replace(query=urlencode(query | parameters)).geturl()


@contextmanager
def impostor(metadata: Mapping[str, Any], ca_file: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """A false issuer: serves *metadata* with another issuer's endpoints over https.

    Yields the false issuer, and a file of CAs to trust: its own and those of *ca_file*.
    """
    files = a_certificate("localhost", folder)
    trusted = folder / "trusted.pem"
    trusted.write_bytes(ca_file.read_bytes() + files.ca_file.read_bytes())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_there = self.path == OPENID_CONFIGURATION.path
            body = json.dumps({**metadata, "issuer": issuer}).encode()
            self.send_response(200 if is_there else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain_file, files.key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer = f"https://localhost:{server.server_port}{PREFIX}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer, trusted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

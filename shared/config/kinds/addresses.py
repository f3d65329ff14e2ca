"""Addresses in the network, and where processes listen."""

import ssl
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from shared.config.kinds.lists import listed


def _network(value: str) -> str:
    if value != "unix":
        ip_network(value)
    return value


def _host_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("must be host:port")
    return value


def address(value: str) -> str:
    """The address on which a process listens: `HOST:PORT`, `unix:PATH` or an absolute path.

    Raises ValueError.
    """
    if value.startswith("/"):
        return f"unix:{value}"
    host, _, port = value.rpartition(":")
    is_port = bool(host) and port.isdecimal() and int(port) < 65536
    if not value.removeprefix("unix:") or not (value.startswith("unix:") or is_port):
        raise ValueError("must be HOST:PORT or unix:PATH")
    return value


def _traces_endpoint(value: str) -> str:
    """The URL of OTLP over HTTP, where the path of a collector may be left out."""
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
        raise ValueError("must be an http or https URL such as http://collector:4318")
    return value if url.path.strip("/") else f"{value.rstrip('/')}/v1/traces"


def _ca_file(value: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except OSError as error:
        raise ValueError(f"no certificate can be read from {value}: {error}") from None
    return value


Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(listed)]
HostPorts = Annotated[tuple[Annotated[str, AfterValidator(_host_port)], ...], BeforeValidator(listed)]
Address = Annotated[str, AfterValidator(address)]
CAFile = Annotated[Path, AfterValidator(_ca_file)]
TracesEndpoint = Annotated[str, AfterValidator(_traces_endpoint)]

"""The addresses at which the server fetches or posts to URIs of clients. No name is resolved here.

Targets are public addresses over https, on port 443 or above the well-known ports. A `host:port` that the
operator allows may be private and may use http.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote, urlsplit

from shared.oauth.client.registered_uri import uri_fault

Address = IPv4Address | IPv6Address

_PORTS = {"https": 443, "http": 80}
_LAST_WELL_KNOWN_PORT = 1023
# Services on these ports speak another protocol, and most of them skip lines that they do not understand.
_OTHER_PROTOCOLS = frozenset(
    {
        1433,
        1521,
        1883,
        2049,
        2375,
        2376,
        2379,
        2380,
        3306,
        3389,
        4369,
        5432,
        5672,
        5900,
        5984,
        6000,
        6379,
        6380,
        6432,
        6443,
        6667,
        7000,
        7001,
        8086,
        8500,
        9000,
        9042,
        9092,
        9100,
        9200,
        9300,
        10250,
        11211,
        15672,
        16379,
        26379,
        27017,
        50051,
    }
)
# fmt: on
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(
    r"(?:[0-9]+|0x[0-9a-f]*)"
)  # the last label of a name that some resolvers read as an address
_MAX_NAME = 253

_PROTOCOL_ASSIGNMENTS = IPv4Network("192.0.0.0/24")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_NOT_GLOBAL = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: hides an IPv4 address
        "3fff::/20",
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """A URI that may be requested, as far as that can be decided without resolving its host."""

    uri: str
    host: str  # in lower case, an IPv6 literal without brackets
    port: int
    is_allowed: bool  # by the operator, wherever it leads

    @property
    def address(self) -> Address | None:
        """The host, if it is an address."""
        return _literal(self.host)


class BadTarget(Exception):
    """What is wrong with a URI, as the end of a sentence."""


def is_public(address: Address) -> bool:
    """Whether *address* is reachable from the internet.

    Addresses that translate to IPv4 are judged as IPv4.
    """
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not address.is_reserved
            and address not in _PROTOCOL_ASSIGNMENTS
        )
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(address.packed[-4:]))
    return (
        address in _GLOBAL_UNICAST
        and address.is_global
        and not any(address in network for network in _NOT_GLOBAL)
    )


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _check_host(host: str) -> None:
    if _literal(host) is not None and "%" not in host:
        return
    if len(host) > _MAX_NAME or not _NAME.fullmatch(host):
        raise BadTarget("has a host that is neither a name nor an address")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise BadTarget("has an address that is not in its usual form")


def target(uri: str, allow: tuple[str, ...]) -> Target:
    """The target of *uri*; *allow* contains the operator's `host:port`s. Raises BadTarget."""
    if fault := uri_fault(uri):
        raise BadTarget(fault)
    url = urlsplit(uri)
    host = url.hostname or ""
    if url.scheme not in _PORTS or not uri.startswith(f"{url.scheme}://"):
        raise BadTarget("must be https")
    _check_host(host)
    if url.netloc.endswith(":") or unquote(url.netloc) != url.netloc:
        raise BadTarget("has a malformed authority")
    port = _PORTS[url.scheme] if url.port is None else url.port
    origin = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    target = Target(uri, host, port, is_allowed=origin in allow)
    if target.is_allowed:
        return target
    if url.scheme != "https":
        raise BadTarget("must be https")
    if port != 443 and (port <= _LAST_WELL_KNOWN_PORT or port in _OTHER_PROTOCOLS):
        raise BadTarget("has a port that is not for https")
    if target.address is not None and not is_public(target.address):
        raise BadTarget("has an address that is not public")
    return target


def target_fault(uri: str, allow: tuple[str, ...] = ()) -> str | None:
    """What is wrong with *uri* as a URI that this server would request; used at registration."""
    try:
        target(uri, allow)
    except BadTarget as fault:
        return str(fault)
    return None

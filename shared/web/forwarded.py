"""The client's address and the request id, as trusted reverse proxies report them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

from aiohttp import web

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The peers whose `X-Forwarded-For` and `X-Request-Id` are accepted; `unix` stands for unix sockets."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    unix: bool

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        networks = tuple(ip_network(name) for name in names if name != "unix")
        return cls(networks, "unix" in names)

    def trusts(self, address: str | None) -> bool:
        """Whether the peer at *address* is trusted; None is the peer of a unix socket."""
        if address is None:
            return self.unix
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)

    def client_address(self, peer: str | None, forwarded_for: str | None) -> str:
        """The last address that is not a trusted proxy's; `unknown` if a unix socket hides it."""
        address = peer
        for claimed in reversed((forwarded_for or "").split(",")):
            if not self.trusts(address) or not claimed.strip():
                break
            address = claimed.strip()
        return address or "unknown"


PROXIES = web.AppKey("PROXIES", TrustedProxies)


def peer_address(request: web.Request) -> str | None:
    """The peer's IP address; None on a unix socket."""
    return request.remote or None


def client_address(request: web.Request) -> str:
    """The client's address, as trusted proxies report it."""
    forwarded_for = request.headers.get("X-Forwarded-For")
    return request.app[PROXIES].client_address(peer_address(request), forwarded_for)


def request_id_of(forwarded: str | None) -> str | None:
    """The request id of a trusted proxy, if it is well-formed."""
    return forwarded if forwarded and _REQUEST_ID.fullmatch(forwarded) else None

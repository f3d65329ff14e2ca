"""Hosts that only a private network reaches, as far as their names and addresses say so. Pure."""

from ipaddress import ip_address, ip_network

_NETWORKS = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
        "100.64.0.0/10",  # RFC 6598
        *("169.254.0.0/16", "fe80::/10"),  # RFC 3927, RFC 4291 §2.5.6
        "fc00::/7",  # RFC 4193
    )
)
_TOP_LEVEL = frozenset({"corp", "home", "internal", "intranet", "lan", "local", "private", "test"})
"""RFC 6761 §6.2, RFC 6762 §3 and appendix G, and `internal`, which ICANN has set aside."""
_HOME = ".home.arpa"  # RFC 8375


def is_on_private_network(host: str) -> bool:
    """Whether *host* is a private or link-local address, a name of one label, or a name that the public DNS
    does not have. It is in lower case and has no brackets.
    """
    try:
        address = ip_address(host)
    except ValueError:
        *rest, last = host.split(".")
        is_number = last.isdecimal() or last.startswith("0x")  # browsers read these as IPv4 addresses
        return not is_number and (not rest or last in _TOP_LEVEL or host.endswith(_HOME))
    return any(address in network for network in _NETWORKS)

"""Who tries something, as far as an address tells."""

from ipaddress import IPv6Address, ip_address, ip_network


def source(address: str) -> str:
    """The part of an address that one subscriber has: of IPv6 the first 64 bits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and not parsed.ipv4_mapped:
        return str(ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)

"""The unit by which addresses are rate-limited. Pure."""

from ipaddress import IPv6Address, ip_address, ip_network


def address_block(address: str) -> str:
    """The address block of one subscriber: an IPv4 address, or the first 64 bits of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and not parsed.ipv4_mapped:
        return str(ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)

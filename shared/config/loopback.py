"""Hosts that are always this machine. Pure."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether *host*, a name or an IP literal without brackets, is always this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

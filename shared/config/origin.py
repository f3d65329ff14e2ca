"""Web origins exactly as browsers write them. Pure."""

import re
from ipaddress import IPv4Address, IPv6Address

_LABEL = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_HOST = rf"(?P<name>{_LABEL}(\.{_LABEL})*)|\[(?P<ipv6>[0-9a-f:.]+)\]"
_ORIGIN = re.compile(rf"https?://({_HOST})(:(?P<port>[1-9][0-9]{{0,4}}))?(?![^/?#])")
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")  # a name that browsers read as an IPv4 address


def leading_origin(url: str) -> str | None:
    """The origin at the start of *url*. None: its host or port is not in canonical form."""
    match = _ORIGIN.match(url)
    if not match or int(match["port"] or 1) > 65535:
        return None
    try:
        if match["ipv6"] and str(IPv6Address(match["ipv6"])) != match["ipv6"]:
            return None
        if match["name"] and _NUMERIC.fullmatch(match["name"]):
            IPv4Address(match["name"])
    except ValueError:
        return None
    return match[0]


def has_default_port(origin: str) -> bool:
    """Whether the port is the scheme's default, which browsers leave out."""
    return origin.endswith(":443" if origin.startswith("https:") else ":80")

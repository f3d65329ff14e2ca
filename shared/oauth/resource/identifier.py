"""The identifier of a protected resource: an absolute URI without a fragment, RFC 8707 §2. Pure."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

MAX_IDENTIFIER = 255
"""Characters. An opaque access token with two such audiences stays below its own limit."""

_CHARACTERS = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")  # RFC 3986 §2, without `#`
_DEFAULT_PORTS = {"http": 80, "https": 443}


class BadIdentifier(Exception):
    """The text cannot identify a resource; the message says why."""


@lru_cache(1024)  # requests name the same few
def canonical(identifier: str) -> str:
    """The form in which identifiers are compared and stored. Raises BadIdentifier.

    Scheme and host are in lower case, the default port is left out, and an empty path is `/`
    (RFC 3986 §6.2.2.1, §6.2.3). Path and query are compared as they are.
    """
    if len(identifier) > MAX_IDENTIFIER or not _CHARACTERS.fullmatch(identifier):
        raise BadIdentifier("it is too long, or has a fragment or a character that a URI cannot have")
    try:
        parts = urlsplit(identifier)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadIdentifier("it is malformed") from None
    if not parts.scheme or not (parts.netloc or parts.path):
        raise BadIdentifier("it is not an absolute URI")
    if not parts.netloc:
        return f"{parts.scheme}:{identifier.partition(':')[2]}"
    if host is None or "@" in parts.netloc:
        raise BadIdentifier("it has no host, or user information")
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        authority = f"{authority}:{port}"
    query = f"?{parts.query}" if "?" in identifier else ""
    return f"{parts.scheme}://{authority}{parts.path or '/'}{query}"


def comparable(audience: str) -> str:
    """As `canonical`, for an audience. If it is not a URI, it is compared as it is."""
    try:
        return canonical(audience)
    except BadIdentifier:
        return audience

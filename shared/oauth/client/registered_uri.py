"""The URIs that a client may register. Each rule returns the fault, or None.

Redirect URIs in requests are compared byte for byte. The rules here reject URIs that browsers or clients
might read differently than written, and URIs that should never be a target.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from shared.oauth.client.private_network import is_on_private_network
from shared.oauth.client.uri_schemes import is_denied

MAX_URI = 2000
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_ALTERNATIVE = ", unless an operator sets allow_insecure_redirects for a test network"

_DEFAULT_PORTS = {"https": 443, "http": 80}

# RFC 3986 §2, without the asterisk, which would look like a wildcard. Wildcards are not supported.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_HIDDEN = re.compile(r"[\x00-\x20\x7f\\]")

# RFC 6749 §4.1.2, RFC 9207 §2, JARM, OpenID Connect Core 1.0 §3.2.2.5: a client's URI must not contain the
# parameters that responses add.
RESPONSE_PARAMETERS = frozenset(
    {
        "access_token",
        "code",
        "error",
        "error_description",
        "error_uri",
        "expires_in",
        "id_token",
        "iss",
        "response",
        "session_state",
        "state",
        "token_type",
    }
)


def uri_fault(uri: str) -> str | None:
    """What is wrong with *uri* as an absolute URI without a fragment (RFC 6749 §3.1.2)."""
    return next(_uri_faults(uri), None)


def _uri_faults(uri: str) -> Iterator[str]:
    """Each check relies on the ones before it."""
    if len(uri) > MAX_URI:
        yield f"is longer than {MAX_URI} characters"
    if "*" in uri:
        yield "has a wildcard: there are none"
    if not _CHARACTERS.fullmatch(uri):
        yield "has characters that a URI does not have (RFC 3986)"
    try:
        url = urlsplit(uri)
        _ = url.port
    except ValueError:
        yield "is not a URI"
        return
    if not _SCHEME.fullmatch(url.scheme) or not uri.startswith(url.scheme + ":"):
        yield "is not absolute, or its scheme is not in lower case"
    if "#" in uri:
        yield "has a fragment"
    if "@" in url.netloc:
        yield "has user information"
    if "[" in url.netloc and not _is_ipv6(str(url.hostname)):
        yield "has brackets around what is no IPv6 address"
    if _HIDDEN.search(unquote(url.netloc + url.path + url.query)):
        yield "hides a space, a backslash or a control character"
    if any(unquote(segment.partition(";")[0]) in (".", "..") for segment in url.path.split("/")):
        yield "has dot segments"


def _is_ipv6(host: str) -> bool:
    try:
        return IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _authority_fault(uri: str, url: SplitResult) -> str | None:
    host = url.hostname or ""
    if not uri.startswith(f"{url.scheme}://") or not (_HOST.fullmatch(host) or ":" in host):
        return "has no host"
    if url.port == 0 or url.netloc.endswith(":"):
        return "has no port after the colon"
    return None


def web_uri_fault(uri: str) -> str | None:
    """What is wrong with *uri* as an https page for browsers."""
    if fault := uri_fault(uri):
        return fault
    url = urlsplit(uri)
    return "must be https" if url.scheme != "https" else _authority_fault(uri, url)


def https_or_loopback_fault(uri: str) -> str | None:
    """What is wrong with *uri* as an address of a client's server: https, or http on a loopback host."""
    if fault := uri_fault(uri):
        return fault
    if not is_loopback(uri):
        return web_uri_fault(uri)
    return _authority_fault(uri, urlsplit(uri))


@lru_cache(maxsize=1024)
def origin_of(uri: str) -> str | None:
    """The origin of a web page as browsers write it (RFC 6454 §6.2). None: *uri* is not that of a page."""
    try:
        url = urlsplit(uri)
        host, port = url.hostname, url.port
    except ValueError:
        return None
    if url.scheme not in _DEFAULT_PORTS or not host:
        return None
    authority = f"[{host}]" if ":" in host else host
    is_usual = port in (None, _DEFAULT_PORTS[url.scheme])
    return f"{url.scheme}://{authority}" + ("" if is_usual else f":{port}")


def is_private_use(uri: str) -> bool:
    """Whether *uri* is answered by an app rather than a web server (RFC 8252 §7.1)."""
    return urlsplit(uri).scheme not in ("http", "https")


def opens_a_strangers_app(uri: str, *, is_self_described: bool) -> bool:
    """Whether *uri* starts a program on the user's device for a client that describes itself.

    No redirect may lead there before the user has seen a page about this client (RFC 9700 §4.11.2).
    """
    return is_self_described and is_private_use(uri)


def is_loopback(uri: str) -> bool:
    """Whether *uri* always leads to the user's own machine (RFC 8252 §7.3 and §8.3)."""
    url = urlsplit(uri)
    return url.scheme == "http" and url.hostname in LOOPBACK_HOSTS


def is_insecure(uri: str) -> bool:
    """Whether *uri* is http to another machine: whoever is on the way reads and changes what it carries."""
    return urlsplit(uri).scheme == "http" and not is_loopback(uri)


def redirect_uri_fault(uri: str, application_type: str, *, is_insecure_allowed: bool = False) -> str | None:
    """What is wrong with *uri* as a redirect or post-logout redirect URI of a `web` or `native` client.

    *is_insecure_allowed*: http is accepted for hosts of a private network too.
    """
    if fault := uri_fault(uri):
        return fault
    url = urlsplit(uri)
    if is_private_use(uri):
        return _private_use_fault(url, application_type)
    if fault := _authority_fault(uri, url):
        return fault
    if is_insecure(uri):
        is_private = is_on_private_network(url.hostname or "")
        if not is_private:
            return "must be https: http is for loopback hosts only"
        if not is_insecure_allowed:
            return f"must be https: http is for loopback hosts only{_ALTERNATIVE}"
    return _parameter_fault(url)


def _private_use_fault(url: SplitResult, application_type: str) -> str | None:
    if is_denied(url.scheme):
        return f"has the scheme {url.scheme}, which is not for redirects"
    if application_type != "native":
        return "has a private-use scheme: that needs application_type native"
    if not (url.netloc or url.path):
        return "has nothing after its scheme"
    return _parameter_fault(url)


def _parameter_fault(url: SplitResult) -> str | None:
    reserved = sorted(name for name, _ in parse_qsl(url.query, True) if name in RESPONSE_PARAMETERS)
    return f"has the parameter {reserved[0]}, which responses use" if reserved else None

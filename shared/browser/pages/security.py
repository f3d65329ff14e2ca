"""Limits on what a page may do: the headers of every page, and the URIs it may lead to. Pure."""

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from shared.config.loopback import is_loopback

NEVER = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript"})

_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(?=[/?#]|\Z)", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_UNPRINTED = re.compile(r"[\x00-\x20\x7f\\]")  # browsers drop some of these and read others as a slash


def source(uri: str) -> str | None:
    """The CSP source expression that matches *uri*: its origin, or `scheme:` for a private-use scheme.

    None: no page may lead there. CSP has no IPv6 literals (CSP 3 §2.3.1, host-part), so for those the whole
    scheme is allowed; otherwise the browser would block them.
    """
    if match := _ORIGIN.match(uri):
        scheme, host, port = match[1].lower(), match[2].lower(), match[3] or ""
        return f"{scheme}:" if host.startswith("[") else f"{scheme}://{host}{port}"
    if (match := _SCHEME.match(uri)) and (scheme := match[1].lower()) not in NEVER | {"http", "https"}:
        return f"{scheme}:"
    return None


def https(uri: str | None) -> str | None:
    """*uri* if it is an https URI, else None. Other URIs of clients are not shown."""
    if uri is None or _UNPRINTED.search(uri) or not (source(uri) or "").startswith("https:"):
        return None
    return uri


def frame(uri: str) -> str | None:
    """*uri* if a frame may load it: https, or http on the user's own machine; else None."""
    if _UNPRINTED.search(uri) or not (allowed := source(uri)):
        return None
    url = urlsplit(allowed)
    is_own = url.scheme == "http" and is_loopback(url.hostname or "")
    return uri if url.scheme == "https" or is_own else None


def link(uri: str | None) -> str | None:
    """*uri* if it is a path of this server, or a URI that a redirect may lead to; else None."""
    if uri is None or _UNPRINTED.search(uri):
        return None
    is_path = uri.startswith("/") and not uri.startswith("//")
    return uri if is_path or source(uri) else None


def content_security_policy(
    *,
    forms: Collection[str] = (),
    frames: Iterable[str] = (),
    script: str = "'self'",
    sends: bool = False,
) -> str:
    """The CSP Level 3 policy: only this server's own files, and what the page needs beside them.

    Chromium applies `form-action` to every redirect after a form's POST, including those of the client at the
    end. *forms* are the URIs where the flow may end; if there are any, every https URI is allowed too,
    because a client may redirect further. URIs for which `source` returns None are left out: the browser
    blocks them. *sends*: the page's script sends requests to this server.
    """

    def sources(uris: Iterable[str | None]) -> list[str]:
        return list(dict.fromkeys(filter(None, (source(uri) for uri in uris if uri))))

    ends = [*sources(forms), "https:"] if forms else []
    directives = [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "style-src 'self'",
        f"script-src {script}",
        "img-src 'self'",
        " ".join(["form-action 'self'", *ends]),
    ]
    if sends:
        directives.append("connect-src 'self'")
    if framed := sources(frames):
        directives.append(" ".join(["frame-src", *framed]))
    return "; ".join(directives)


def headers(policy: str, locale: str, *, leads_on: bool = False) -> dict[str, str]:
    """The headers of a page with this Content-Security-Policy and language.

    A page that *leads_on* to a client may be in a popup of that client: any opener policy other than
    `unsafe-none` would detach the popup, and the client would never see the response.
    """
    return {
        "Cache-Control": "no-store",
        "Content-Language": locale,
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "unsafe-none" if leads_on else "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Pragma": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }

"""Header fields that many responses have."""

from types import MappingProxyType

NO_STORE = MappingProxyType({"Cache-Control": "no-store", "Pragma": "no-cache"})  # RFC 6749 §5.1

SAFE = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    }
)
"""For responses that are not pages."""

RETRY_AFTER = MappingProxyType({"Retry-After": "1"})

"""Where the pages get the logos of clients: from this server, which fetches them itself. Pure.

So a client's host does not learn who signs in, and no page loads anything from elsewhere. The URI carries a
MAC, so that this server fetches only what one of its pages shows (OpenID Connect Registration 1.0 §2).
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from shared.paths import CLIENT_LOGO

URI, MAC = "uri", "mac"

_PURPOSE = b"ostiary: logo of a client, version 1\0"
_DIGITS = 32  # 128 bits


@dataclass(frozen=True, slots=True)
class LogoLinks:
    """Makes and checks these URIs. The first of the secret keys makes them."""

    secret_keys: Sequence[str] = field(repr=False)

    def path(self, logo_uri: str | None) -> str | None:
        """Where the pages get the logo at *logo_uri*. None: there is none."""
        if logo_uri is None or not self.secret_keys:
            return None
        return f"{CLIENT_LOGO}?{urlencode({URI: logo_uri, MAC: _mac(self.secret_keys[0], logo_uri)})}"

    def is_shown(self, logo_uri: str, mac: str) -> bool:
        """Whether a page of this deployment shows the logo."""
        return any(
            hmac.compare_digest(_mac(key, logo_uri).encode(), mac.encode()) for key in self.secret_keys
        )


def _mac(secret_key: str, logo_uri: str) -> str:
    return hmac.new(secret_key.encode(), _PURPOSE + logo_uri.encode(), hashlib.sha256).hexdigest()[:_DIGITS]

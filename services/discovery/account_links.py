"""Where credential managers find the pages of a user's account: well-known URIs of the issuer's host."""

from collections.abc import Sequence

from aiohttp import web

from services.discovery.document import Document
from shared.paths import ACCOUNT_PASSKEYS, ACCOUNT_PASSWORD
from shared.web.answers import found


def passkey_endpoints(issuer: str, max_age: int) -> Document:
    """Where a user adds passkeys and manages them. *max_age* in seconds.

    Source: W3C "A Well-Known URL for Relying Party Passkey Endpoints", which forbids redirects.
    """
    page = ACCOUNT_PASSKEYS.at(issuer)
    return Document.of({"enroll": page, "manage": page}, max_age)


def related_origins(origins: Sequence[str], max_age: int) -> Document | None:
    """The origins that may use passkeys of this host. None: no others than its own. *max_age* in seconds.

    Source: WebAuthn Level 3 §5.11.1.
    """
    return Document.of({"origins": list(origins)}, max_age) if origins else None


async def change_password(request: web.Request) -> web.Response:
    """The page that changes the password: W3C "A Well-Known URL for Changing Passwords"."""
    return found(ACCOUNT_PASSWORD.path)

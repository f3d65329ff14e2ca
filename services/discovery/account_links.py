"""Where credential managers find the pages of a user's account: well-known URIs of the issuer's host."""

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


async def change_password(request: web.Request) -> web.Response:
    """The page that changes the password: W3C "A Well-Known URL for Changing Passwords"."""
    return found(ACCOUNT_PASSWORD.path)

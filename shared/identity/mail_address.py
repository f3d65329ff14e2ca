"""E-mail addresses to which this server may send mails. Pure."""

import re

from shared.model import Json

MAX_ADDRESS = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets

_LOCAL = re.compile(r"[^\s@\"<>(),:;\\\[\]]{1,64}")  # no quoted strings, and nothing that ends an address
_DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


def mailable(address: str) -> str | None:
    """*address* with its domain in ASCII; None: it is not one address that a mail can be sent to."""
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    if not address.isprintable() or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain):
        return None
    prepared = f"{local}@{ascii_domain}"
    return prepared if len(prepared) <= MAX_ADDRESS else None


def mail_address(claims: Json) -> str | None:
    """The address of a user with these claims. One that is marked unverified may be somebody else's."""
    email = claims.get("email")
    is_unverified = claims.get("email_verified") is False
    return None if is_unverified or not isinstance(email, str) else mailable(email)

"""Recovery links: a way back in for somebody who has lost their password, over ports."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.tokens.handle import Kind, digest
from shared.operations.users import get
from shared.paths import ACCOUNT_RECOVERY, PREFIX
from shared.store import RecoveryLinks, Users

LINK = "link"
"""The parameter with the handle of a link."""

LIFETIME = timedelta(minutes=15)


class UserDisabled(Exception):
    """A disabled user cannot sign in, whatever their password."""


@dataclass(frozen=True, slots=True)
class RecoveryLink:
    """A link that was made, shown once, and the time until which it works."""

    uri: str = field(repr=False)
    expires_at: datetime


async def make_recovery_link(links: RecoveryLinks, users: Users, name: str, issuer: str) -> RecoveryLink:
    """A link for the user of this name or address, made by an operator. Raises NoSuchUser, UserDisabled."""
    user, handle = await get(users, name), new_handle(Kind.RECOVERY_LINK)
    expires_at = clock.now() + LIFETIME
    if not await links.add(digest(handle), user.user_id, LIFETIME, {"by": "operator"}):
        raise UserDisabled(user.username)
    return RecoveryLink(issuer.removesuffix(PREFIX) + recovery_path(handle), expires_at)


def recovery_path(handle: str) -> str:
    """The path of the link with this handle, and its query."""
    return f"{ACCOUNT_RECOVERY}?{urlencode({LINK: handle})}"

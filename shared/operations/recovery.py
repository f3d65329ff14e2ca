"""Recovery links: a way back in for somebody who has lost their password, over ports."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from shared.browser.language_lookup import choose
from shared.identity.mail_address import mail_address
from shared.live import clock
from shared.live.randomness import new_handle
from shared.model import Author, Json, User
from shared.oauth.tokens.handle import Kind, digest
from shared.operations.users import get
from shared.paths import ACCOUNT_RECOVERY, PREFIX
from shared.process.operator_error import OperatorError
from shared.store import (
    Credential,
    MailContents,
    NewMail,
    RecoveryContents,
    RecoveryLinks,
    UserCredentials,
    Users,
)
from shared.store.codecs.authors import author_detail
from shared.store.ports.credentials import RECOVERY

LINK = "link"
"""The parameter with the handle of a link."""

LIFETIME = timedelta(minutes=15)
"""Of a link that an operator or an administrator makes."""

MAILED_LIFETIME = timedelta(minutes=30)


class UserDisabled(OperatorError):
    """A disabled user cannot sign in, whatever their password."""

    template = "{} is disabled: run `ostiary user enable` first"


class NotHeld(OperatorError):
    """There is no hold that could be lifted."""

    template = "{} may change their addresses and credentials: there is no hold"


class AccountOnHold(Exception):
    """A recovered administrator changes no address and no credential before *until*."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat(timespec="seconds"))
        self.until = until


@dataclass(frozen=True, slots=True)
class RecoveryLink:
    """A link that was made, shown once, and the time until which it works."""

    uri: str = field(repr=False)
    expires_at: datetime


def recovery_path(handle: str) -> str:
    """The path of the link with this handle, and its query."""
    return f"{ACCOUNT_RECOVERY}?{urlencode({LINK: handle})}"


def _recovery_uri(handle: str, issuer: str) -> str:
    return issuer.removesuffix(PREFIX) + recovery_path(handle)


async def make_recovery_link(links: RecoveryLinks, users: Users, name: str, issuer: str) -> RecoveryLink:
    """A link for the user of this name or address, made by an operator. Raises NoSuchUser, UserDisabled."""
    return await _make(links, await get(users, name), issuer, {"by": "operator"})


async def issue_recovery_link(
    links: RecoveryLinks, user: User, issuer: str, by: Author, issued_by: str
) -> RecoveryLink:
    """A link that an administrator makes, whose page names them. Raises UserDisabled."""
    return await _make(links, user, issuer, author_detail(by), issued_by)


async def _make(
    links: RecoveryLinks, user: User, issuer: str, detail: Json, issued_by: str | None = None
) -> RecoveryLink:
    handle, expires_at = new_handle(Kind.RECOVERY_LINK), clock.now() + LIFETIME
    if not await links.add(digest(handle), user.user_id, LIFETIME, detail, issued_by=issued_by):
        raise UserDisabled(user.username)
    return RecoveryLink(_recovery_uri(handle, issuer), expires_at)


async def check_not_held(links: RecoveryLinks, user_id: UUID) -> None:
    """Check that the user may change addresses and credentials. Raises AccountOnHold, Unavailable."""
    if until := await links.held_until(user_id):
        raise AccountOnHold(until)


async def lift_hold(links: RecoveryLinks, users: Users, name: str) -> None:
    """End the hold of the user of this name or address. Raises NoSuchUser, NotHeld."""
    user = await get(users, name)
    if await links.held_until(user.user_id) is None:
        raise NotHeld(name)
    await links.lift_hold(user.user_id, {"by": "operator"})


async def recovery_state(links: RecoveryLinks, credentials: UserCredentials, user_id: UUID) -> dict[str, Any]:
    """What operators see of a user's ways back in: the recovery codes that are left, the end of a hold."""
    return shown_recovery(await credentials.of_user(user_id), await links.held_until(user_id))


def shown_recovery(stored: Sequence[Credential] = (), until: datetime | None = None) -> dict[str, Any]:
    """As `recovery_state`, of a user with these credentials. A new user has none."""
    return {
        "recovery_codes": sum(len(each.data["hashes"]) for each in stored if each.kind == RECOVERY),
        "held_until": until.isoformat(timespec="seconds") if until else None,
    }


@dataclass(frozen=True, slots=True)
class RecoveryMails:
    """Mails links to users who have forgotten their password."""

    users: Users
    links: RecoveryLinks
    issuer: str
    locales: Sequence[str]

    async def mail(self, requested: RecoveryContents) -> bool:
        """Queue a mail with a link. False: there is no such user with an address, or they are disabled."""
        user = await self.users.find_by_name(requested.name)
        recipient = mail_address(user.claims) if user else None
        if user is None or recipient is None:
            return False
        handle, browser_hash = new_handle(Kind.RECOVERY_LINK), bytes.fromhex(requested.browser_hash)
        ui_locales = f"{user.claims.get('locale', '')} {requested.locale}"
        contents = MailContents(
            recipient=recipient,
            locale=choose(tuple(self.locales), ui_locales, None),
            values={"username": user.username, "link": _recovery_uri(handle, self.issuer)},
        )
        mail = NewMail(kind="password_forgotten", contents=contents, lifetime=MAILED_LIFETIME)
        link = (digest(handle), user.user_id, MAILED_LIFETIME)
        return await self.links.add(*link, {"by": "mail"}, browser_hash, mails=(mail,))

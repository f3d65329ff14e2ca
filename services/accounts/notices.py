"""Mails to users about their own account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from shared.browser.pages import Pages
from shared.identity.mail_address import mail_address
from shared.model import User
from shared.paths import ACCOUNT
from shared.store import MailContents, MailKind, Mails

KEPT_FOR = timedelta(days=1)
"""How long the delivery of a notice is tried."""


@dataclass(frozen=True, slots=True)
class Notices:
    """Queues mails, if this deployment sends any."""

    mails: Mails
    pages: Pages
    is_on: bool

    async def tell(self, request: web.Request, user: User, kind: MailKind) -> None:
        """Tell the user that their account was changed by *request*. Raises Unavailable.

        Users without an address, or with one that is marked unverified, are told nothing.
        """
        if self.is_on and (recipient := mail_address(user.claims)):
            values = {"username": user.username, "link": ACCOUNT.at(self.pages.issuer)}
            contents = MailContents(
                recipient=recipient, locale=self._locale(request, user.claims), values=values
            )
            await self.mails.add(user.user_id, kind, contents, KEPT_FOR)

    def _locale(self, request: web.Request, claims: Mapping[str, object]) -> str:
        """The user's language, else that of their browser."""
        locale = claims.get("locale")
        wanted = locale if isinstance(locale, str) else None
        return self.pages.locale(wanted, request.headers.get("Accept-Language"))

"""Mails to users about their own account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from aiohttp import web

from shared.browser.language_lookup import choose
from shared.config.settings import Settings
from shared.identity.mail_address import mail_address
from shared.model import User
from shared.paths import ACCOUNT, ACCOUNT_EMAIL, Path
from shared.store import MailContents, MailKind, NewMail

KEPT_FOR = timedelta(days=1)
"""How long the delivery of a notice is tried."""


@dataclass(frozen=True, slots=True)
class Notices:
    """Writes mails, if this deployment sends any. The stores queue them with the change that they tell of."""

    issuer: str
    locales: tuple[str, ...]
    is_on: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of a deployment."""
        return cls(settings.issuer, tuple(settings.ui_locales), settings.mail_server is not None)

    def about(
        self, request: web.Request | None, user: User, kind: MailKind, **values: str
    ) -> Sequence[NewMail]:
        """What tells the user, at the address that they have, of a change by *request*; None: by a command.

        Users without an address, or with one that is marked unverified, are told nothing.
        """
        if not self.is_on or (recipient := mail_address(user.claims)) is None:
            return ()
        contents = self._contents(request, user, recipient, {**values, "link": self._uri(ACCOUNT)})
        return (NewMail(kind=kind, contents=contents, lifetime=KEPT_FOR),)

    def with_code(
        self, request: web.Request, user: User, address: str, code: str, lifetime: timedelta
    ) -> Sequence[NewMail]:
        """What brings a code to an address that the user wants."""
        contents = self._contents(request, user, address, {"code": code, "link": self._uri(ACCOUNT_EMAIL)})
        return (NewMail(kind="confirm_address", contents=contents, lifetime=lifetime),)

    def _uri(self, page: Path) -> str:
        return page.at(self.issuer)

    def _contents(
        self, request: web.Request | None, user: User, recipient: str, values: Mapping[str, str]
    ) -> MailContents:
        locale = self._locale(request, user.claims)
        return MailContents(recipient=recipient, locale=locale, values={"username": user.username, **values})

    def _locale(self, request: web.Request | None, claims: Mapping[str, object]) -> str:
        """The user's language, else that of the browser, if any."""
        locale = claims.get("locale")
        wanted = locale if isinstance(locale, str) else None
        accepted = request.headers.get("Accept-Language") if request else None
        return choose(self.locales, wanted, accepted)

"""A user on a page of their own account."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiohttp import web

from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.pages.views.account.done import Done
from shared.model import Session, User
from shared.paths import Path
from shared.store import Users

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Visit:
    """A user who may see a page, or has sent one of its forms.

    `handle`: that of the session, to which forms are bound. `done`: what the page says was done before.
    """

    request: web.Request
    session: Session
    handle: str
    page: Path
    locale: str
    done: Done | None = None

    @property
    def user_id(self) -> UUID:
        return self.session.user_id

    @property
    def username(self) -> str:
        return self.session.username

    @property
    def fields(self) -> Mapping[str, str]:
        """The hidden fields of the page's forms."""
        return self.fields_of(self.page)

    def fields_of(self, page: Path) -> Mapping[str, str]:
        """The hidden fields of a form that this page has of another *page*."""
        return {FORM_TOKEN: form_token(self.handle, page.path)}

    def log_change(self, change: str) -> None:
        """Log that the user has changed their account. *change* says what, in a word."""
        logger.info("account_changed", change=change, user_id=str(self.user_id))


class AccountGone(Exception):
    """The user of the session was deleted after it was found."""


async def user_of(visit: Visit, users: Users) -> User:
    """The record of the user. Raises AccountGone, Unavailable."""
    if user := await users.find(visit.user_id):
        return user
    raise AccountGone

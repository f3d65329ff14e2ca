"""The hold of an administrator who was recovered: pages that change addresses and credentials are closed."""

from dataclasses import dataclass

from aiohttp import web

from services.accounts.visit.visit import Visit
from shared.browser.pages import HeldView, Pages
from shared.paths import ACCOUNT
from shared.store import RecoveryLinks


@dataclass(frozen=True, slots=True)
class RecoveryHolds:
    """The collaborators."""

    links: RecoveryLinks
    pages: Pages

    async def closed(self, visit: Visit) -> web.Response | None:
        """The page that says until when. None: the user is not held. Raises Unavailable."""
        if (until := await self.links.held_until(visit.user_id)) is None:
            return None
        return self.pages.held(HeldView(until, ACCOUNT.path, is_signed_in=True), visit.locale)

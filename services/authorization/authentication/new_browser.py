"""Tells users by mail of a sign-in in a browser that is new to their account, and of no other."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.known_browsers import KnownBrowsers
from shared.browser.device_name import device_name
from shared.browser.notices import Notices
from shared.live.address_block import address_block
from shared.model import User
from shared.store import NewMail, Sessions
from shared.web.forwarded import client_address
from shared.web.request import user_agent

Place = tuple[str | None, str | None, str]
"""Browser, system and network, as far as they are known."""


@dataclass(frozen=True, slots=True)
class NewBrowserNotices:
    """The collaborators."""

    sessions: Sessions
    known_browsers: KnownBrowsers
    notices: Notices

    async def about(self, request: web.Request, user: User) -> Sequence[NewMail]:
        """A notice of the session that is about to begin, unless the browser is known.

        A browser is known by its cookie. A private window has none: it is not new if the user is signed in
        with the same browser and system, from the same network. Raises InvalidRequest, Unavailable.
        """
        if not self.notices.is_on or self.known_browsers.identify(request, user.user_id, user.epoch):
            return ()
        sessions = await self.sessions.of_user(user.user_id)
        address, agent = client_address(request), user_agent(request)
        places = [_place(row.user_agent, row.address or "") for row in sessions]
        if not is_new(_place(agent, address), places):
            return ()
        device = " · ".join(filter(None, device_name(agent))) or "?"
        return self.notices.about(request, user, "new_browser", device=device, address=address)


def is_new(place: Place, others: Sequence[Place]) -> bool:
    """Whether a sign-in comes from another place than these. One that says nothing of itself always does."""
    return place not in others or place[:2] == (None, None)


def _place(agent: str | None, address: str) -> Place:
    return (*device_name(agent), address_block(address))

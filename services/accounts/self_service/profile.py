"""The page of the user's profile: their name, phone number and language."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_uri
from shared.browser.language import language
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import ProfileField, ProfileView
from shared.model import User
from shared.operations.profile import EDITABLE, change_profile, editable_claims, profile_fault
from shared.paths import ACCOUNT, ACCOUNT_PROFILE
from shared.store import Clients, Stale, Users
from shared.web.answers import see_other

STALE = "stale"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """The collaborators of the page."""

    access: AccountAccess
    users: Users
    clients: Clients
    pages: AccountPages

    async def get(self, request: web.Request) -> web.Response:
        """Show the form."""
        visit = await self.access.open(request, ACCOUNT_PROFILE)
        return await self._page(request, visit, await self._user(request, visit))

    async def post(self, request: web.Request) -> web.Response:
        """Write what the user may change."""
        visit, fields = await self.access.submitted(request, ACCOUNT_PROFILE)
        user = await self._user(request, visit)
        typed = {name: (fields.unique(name) or "").strip() for name in EDITABLE if name in fields.values}
        if fault := profile_fault(typed):
            return await self._page(request, visit, user, typed, fault)
        try:
            is_changed = await change_profile(self.users, user, typed, await editable_claims(self.clients))
        except Stale:
            return await self._page(request, visit, await self._user(request, visit), typed, STALE)
        if is_changed:
            logger.info("account_changed", change="profile", user_id=str(visit.user_id))
        return see_other(done_uri(ACCOUNT, "profile"))

    async def _user(self, request: web.Request, visit: Visit) -> User:
        user = await self.users.find(visit.user_id)
        if user is None:  # deleted in the meantime
            raise self.access.gone(request, ACCOUNT_PROFILE)
        return user

    async def _page(
        self,
        request: web.Request,
        visit: Visit,
        user: User,
        typed: Mapping[str, str] | None = None,
        fault: str | None = None,
    ) -> web.Response:
        editable, values = await editable_claims(self.clients), {**user.claims, **(typed or {})}
        shown = [(name, str(values.get(name, ""))) for name in EDITABLE]
        view = ProfileView(
            ACCOUNT_PROFILE.path,
            tuple(ProfileField(name, value, name not in editable) for name, value in shown),
            fault,
            visit.fields,
        )
        return self.pages.profile(view, language(request, self.pages.pages))

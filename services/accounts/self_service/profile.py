"""The page of the user's profile: their name, phone number and language."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from services.accounts.visit.done import done_uri
from services.accounts.visit.visit import Visit, user_of
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.views.account.profile import ProfileField, ProfileView
from shared.model import User
from shared.oauth.parameters import Parameters
from shared.operations.profile import EDITABLE, change_profile, editable_claims, profile_fault
from shared.paths import ACCOUNT
from shared.store import Clients, Stale, Users
from shared.web.answers import see_other

STALE = "stale"


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """The collaborators of the page."""

    users: Users
    clients: Clients
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the form."""
        return await self._page(visit, await user_of(visit, self.users))

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Write what the user may change."""
        user = await user_of(visit, self.users)
        typed = {name: (fields.unique(name) or "").strip() for name in EDITABLE if name in fields.values}
        if fault := profile_fault(typed):
            return await self._page(visit, user, typed, fault)
        try:
            is_changed = await change_profile(self.users, user, typed, await editable_claims(self.clients))
        except Stale:
            return await self._page(visit, await user_of(visit, self.users), typed, STALE)
        if is_changed:
            visit.log_change("profile")
        return see_other(done_uri(ACCOUNT, "profile"))

    async def _page(
        self, visit: Visit, user: User, typed: Mapping[str, str] | None = None, fault: str | None = None
    ) -> web.Response:
        editable, values = await editable_claims(self.clients), {**user.claims, **(typed or {})}
        shown = [(name, str(values.get(name, ""))) for name in EDITABLE]
        view = ProfileView(
            visit.page.path,
            tuple(ProfileField(name, value, name not in editable) for name, value in shown),
            fault,
            visit.fields,
        )
        return self.pages.profile(view, visit.locale)
